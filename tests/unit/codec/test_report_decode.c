#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "codec/report_decode.h"
#include "sample_report.h"

/* The smallest message with one piece of it replaced, or with members added in front of its end. */
static char *edited(const char *piece, const char *by)
{
	const char *end = strrchr(sample_smallest, '}');
	const char *at = piece == NULL ? end : strstr(sample_smallest, piece);
	assert_non_null(at);
	size_t skipped = piece == NULL ? 0 : strlen(piece);
	return xasprintf("%.*s%s%s", (int)(at - sample_smallest), sample_smallest, by,
			 at + skipped);
}

static enum decode_problem decode(const char *message, struct report_row *row,
				  char detail[static 64])
{
	return report_decode(message, strlen(message), row, detail, 64);
}

static void expect(const char *message, enum decode_problem expected, const char *expected_detail)
{
	struct report_row row = {0};
	char detail[64];
	enum decode_problem problem = decode(message, &row, detail);
	if (problem != expected || strcmp(detail, expected_detail) != 0)
		fail_msg("%s: %s \"%s\", not %s \"%s\"", message, decode_problem_name(problem),
			 detail, decode_problem_name(expected), expected_detail);
	report_row_finish(&row);
}

static void smallest_message_is_good(void **state)
{
	(void)state;
	struct report_row row;
	char detail[64];
	assert_int_equal(decode(sample_smallest, &row, detail), DECODE_NONE);
	assert_string_equal(detail, "");
	assert_int_equal(row.seq.value, 7);
	assert_int_equal(row.started_at.value - row.scheduled_at.value, 43);
	assert_false(row.total_us.is_present);
	assert_false(row.suspect.is_present);
	assert_null(row.message.bytes);
	assert_null(row.redirects.bytes);
	assert_int_equal(row.producer_id.value.bytes[0], 0x0f);
	report_row_finish(&row);
}

static void each_required_field_is_required(void **state)
{
	(void)state;
#define FIELD_PAIR(name, type, is_required) {#name, is_required},
	static const struct {
		const char *name;
		bool is_required;
	} fields[] = {REPORT_FIELDS(FIELD_PAIR)};
#undef FIELD_PAIR
	size_t required = 0;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!fields[i].is_required)
			continue;
		required++;
		char *piece = xasprintf("\"%s\":", fields[i].name);
		char *by = xasprintf("\"x_%s\":", fields[i].name);
		char *message = edited(piece, by);
		expect(message, DECODE_MISSING_FIELD, fields[i].name);
		free(message);
		free(by);
		free(piece);
	}
	assert_int_equal(required, 15);
}

/* Members that are added to the smallest message. */
static const struct {
	const char *members;
	enum decode_problem problem;
	const char *detail;
} additions[] = {
	/* what is fine */
	{"\"unknown\":{\"a\":[1,null,1e999]}", DECODE_NONE, ""},
	{"\"unknown\":\"\\u0000\"", DECODE_NONE, ""},
	{"\"unknown\":[\"\\ud800\"],\"message\":\"a\"", DECODE_NONE, ""},
	{"\"redirects\":[{\"url\":\"u\",\"new\":[1e999,123456789012345678901234567890]}]",
	 DECODE_NONE, ""},
	{"\"\\u0000\":1", DECODE_NONE, ""},
	{"\"V\":2", DECODE_NONE, ""},
	{"\"unknown\":1,\"unknown\":2", DECODE_NONE, ""},
	{"\"\\u006dessage\":\"escaped name\"", DECODE_NONE, ""},
	{"\"prev\":{\"producer_id\":\"0f0e0d0c-0b0a-4908-8706-050403020100\",\"seq\":1}",
	 DECODE_NONE, ""},
	{"\"redirects\":[]", DECODE_NONE, ""},
	{"\"redirects\":[{\"url\":\"http://a/\",\"new\":[{}]}]", DECODE_NONE, ""},
	{"\"failures\":[{\"reason\":\"a_new_one\",\"message\":\"\"}]", DECODE_NONE, ""},
	{"\"attempts\":[{\"started_at\":\"2026-11-21T20:33:45Z\",\"outcome\":\"down\",\"reason\":"
	 "\"timeout\"}]",
	 DECODE_NONE, ""},
	{"\"labels\":{}", DECODE_NONE, ""},
	{"\"evidence\":{\"headers\":\"A: b\",\"body\":\"<p>\"}", DECODE_NONE, ""},
	{"\"round\":{\"address\":\"::1\",\"addresses\":2,\"needed\":1,\"up\":1,\"failed\":1}",
	 DECODE_NONE, ""},
	{"\"round\":{\"address\":\"::1\",\"addresses\":2,\"needed\":1,\"up\":1,\"failed\":1,"
	 "\"outcome\":\"up\",\"reason\":\"a_new_one\",\"message\":\"\",\"new\":[]}",
	 DECODE_NONE, ""},
	{"\"http_status_code\":0", DECODE_NONE, ""},
	{"\"http_status_code\":999", DECODE_NONE, ""},
	{"\"total_us\":9223372036854775807", DECODE_NONE, ""},
	{"\"cert_not_after\":\"9999-12-31T23:59:59.999999Z\"", DECODE_NONE, ""},
	{"\"cert_not_after\":\"0001-01-01T00:00:00Z\"", DECODE_NONE, ""},
	{"\"cert_not_after\":\"2026-11-21T20:33:45+01:00\"", DECODE_NONE, ""},
	{"\"message\":\"\\ud83d\\ude00\\u0001\"", DECODE_NONE, ""},

	/* types */
	{"\"message\":1", DECODE_WRONG_TYPE, "message"},
	{"\"message\":null", DECODE_WRONG_TYPE, "message"},
	{"\"message\":{}", DECODE_WRONG_TYPE, "message"},
	{"\"suspect\":\"true\"", DECODE_WRONG_TYPE, "suspect"},
	{"\"suspect\":1", DECODE_WRONG_TYPE, "suspect"},
	{"\"suspect\":null", DECODE_WRONG_TYPE, "suspect"},
	{"\"total_us\":\"1\"", DECODE_WRONG_TYPE, "total_us"},
	{"\"total_us\":true", DECODE_WRONG_TYPE, "total_us"},
	{"\"total_us\":null", DECODE_WRONG_TYPE, "total_us"},
	{"\"total_us\":1.0", DECODE_WRONG_TYPE, "total_us"},
	{"\"total_us\":1e3", DECODE_WRONG_TYPE, "total_us"},
	{"\"total_us\":9223372036854775808", DECODE_WRONG_TYPE, "total_us"},
	{"\"cert_not_after\":1", DECODE_WRONG_TYPE, "cert_not_after"},
	{"\"cert_not_after\":\"yesterday\"", DECODE_WRONG_TYPE, "cert_not_after"},
	{"\"cert_not_after\":\"2026-02-30T00:00:00Z\"", DECODE_WRONG_TYPE, "cert_not_after"},
	{"\"cert_not_after\":\"2026-11-21T20:33:45\"", DECODE_WRONG_TYPE, "cert_not_after"},
	{"\"redirects\":{}", DECODE_WRONG_TYPE, "redirects"},
	{"\"redirects\":\"[]\"", DECODE_WRONG_TYPE, "redirects"},
	{"\"redirects\":null", DECODE_WRONG_TYPE, "redirects"},
	{"\"labels\":[]", DECODE_WRONG_TYPE, "labels"},
	{"\"prev\":1", DECODE_WRONG_TYPE, "prev"},
	{"\"prev\":{}", DECODE_WRONG_TYPE, "prev"},
	{"\"prev\":{\"producer_id\":\"x\",\"seq\":1}", DECODE_WRONG_TYPE, "prev"},
	{"\"prev\":{\"producer_id\":\"0f0e0d0c-0b0a-4908-8706-050403020100\",\"seq\":-1}",
	 DECODE_WRONG_TYPE, "prev"},
	{"\"prev\":{\"producer_id\":\"0f0e0d0c-0b0a-4908-8706-050403020100\"}", DECODE_WRONG_TYPE,
	 "prev"},

	/* bounds */
	{"\"total_us\":-1", DECODE_WRONG_TYPE, "total_us"},
	{"\"missed\":-1", DECODE_WRONG_TYPE, "missed"},
	{"\"body_bytes\":-1", DECODE_WRONG_TYPE, "body_bytes"},
	{"\"http_status_code\":-1", DECODE_WRONG_TYPE, "http_status_code"},
	{"\"http_status_code\":1000", DECODE_WRONG_TYPE, "http_status_code"},
	{"\"cert_not_after\":\"0000-12-31T23:59:59Z\"", DECODE_WRONG_TYPE, "cert_not_after"},
	{"\"cert_not_after\":\"9999-12-31T23:59:59-01:00\"", DECODE_WRONG_TYPE, "cert_not_after"},
	{"\"ip\":\"\"", DECODE_WRONG_TYPE, "ip"},

	/* within lists and objects */
	{"\"redirects\":[1]", DECODE_WRONG_TYPE, "redirects"},
	{"\"redirects\":[null]", DECODE_WRONG_TYPE, "redirects"},
	{"\"redirects\":[{}]", DECODE_WRONG_TYPE, "redirects"},
	{"\"redirects\":[{\"url\":1}]", DECODE_WRONG_TYPE, "redirects"},
	{"\"redirects\":[{\"url\":\"u\",\"dns_us\":-1}]", DECODE_WRONG_TYPE, "redirects"},
	{"\"redirects\":[{\"url\":\"u\",\"dns_us\":1.5}]", DECODE_WRONG_TYPE, "redirects"},
	{"\"redirects\":[{\"url\":\"u\"},{\"url\":\"u\",\"total_us\":\"1\"}]", DECODE_WRONG_TYPE,
	 "redirects"},
	{"\"redirects\":[{\"url\":\"u\",\"new\":1e1000}]", DECODE_WRONG_TYPE, "redirects"},
	{"\"redirects\":[{\"url\":\"u\",\"new\":[{\"a\":1E-999999}]}]", DECODE_WRONG_TYPE,
	 "redirects"},
	{"\"redirects\":[[{\"url\":\"u\"}]]", DECODE_WRONG_TYPE, "redirects"},
	{"\"redirects\":[{\"url\":{\"url\":\"u\"}}]", DECODE_WRONG_TYPE, "redirects"},
	{"\"failures\":[{\"message\":\"m\"}]", DECODE_WRONG_TYPE, "failures"},
	{"\"failures\":[{\"reason\":\"\"}]", DECODE_WRONG_TYPE, "failures"},
	{"\"attempts\":[{\"started_at\":\"x\",\"outcome\":\"up\",\"reason\":\"ok\"}]",
	 DECODE_WRONG_TYPE, "attempts"},
	{"\"attempts\":[{\"started_at\":\"2026-11-21T20:33:45Z\",\"outcome\":\"Up\",\"reason\":"
	 "\"ok\"}]",
	 DECODE_WRONG_TYPE, "attempts"},
	{"\"labels\":{\"a\":1}", DECODE_WRONG_TYPE, "labels"},
	{"\"labels\":{\"a\":{}}", DECODE_WRONG_TYPE, "labels"},
	{"\"evidence\":{\"body\":[]}", DECODE_WRONG_TYPE, "evidence"},
	{"\"round\":{}", DECODE_WRONG_TYPE, "round"},
	{"\"round\":{\"address\":\"\",\"addresses\":1,\"needed\":1,\"up\":1,\"failed\":0}",
	 DECODE_WRONG_TYPE, "round"},
	{"\"round\":{\"address\":\"a\",\"addresses\":1,\"needed\":1,\"up\":1,\"failed\":0,"
	 "\"unchecked\":0}",
	 DECODE_WRONG_TYPE, "round"},
	{"\"round\":{\"address\":\"a\",\"addresses\":0,\"needed\":1,\"up\":1,\"failed\":0}",
	 DECODE_WRONG_TYPE, "round"},
	{"\"round\":{\"address\":\"a\",\"addresses\":1,\"needed\":1,\"up\":1,\"failed\":0,"
	 "\"outcome\":\"UP\"}",
	 DECODE_WRONG_TYPE, "round"},

	/* texts that the database can't hold */
	{"\"message\":\"a\\u0000b\"", DECODE_BAD_TEXT, "message"},
	{"\"message\":\"\\ud800\"", DECODE_BAD_TEXT, "message"},
	{"\"message\":\"\\udc00\\ud800\"", DECODE_BAD_TEXT, "message"},
	{"\"labels\":{\"a\":\"\\u0000\"}", DECODE_BAD_TEXT, "labels"},
	{"\"labels\":{\"\\udfff\":\"a\"}", DECODE_BAD_TEXT, "labels"},
	{"\"evidence\":{\"body\":\"\\u0000\"}", DECODE_BAD_TEXT, "evidence"},
	{"\"failures\":[{\"reason\":\"\\u0000\"}]", DECODE_BAD_TEXT, "failures"},
	{"\"redirects\":[{\"url\":\"u\",\"new\":[\"\\ud800\"]}]", DECODE_BAD_TEXT, "redirects"},
	{"\"redirects\":[{\"url\":\"u\",\"new\":{\"\\u0000\":1}}]", DECODE_BAD_TEXT, "redirects"},
	{"\"cert_not_after\":\"2026-11-21T20:33:45Z\\u0000\"", DECODE_BAD_TEXT, "cert_not_after"},
	{"\"message\":\"\\ud800\\u0041\"", DECODE_BAD_TEXT, "message"},
	{"\"unknown\":\"\\u0000\",\"message\":\"\\udc00\"", DECODE_BAD_TEXT, "message"},
	{"\"prev\":{\"new\":\"\\u0000\"}", DECODE_BAD_TEXT, "prev"},

	/* twice */
	{"\"message\":\"a\",\"message\":\"a\"", DECODE_DUPLICATE_FIELD, "message"},
	{"\"seq\":8", DECODE_DUPLICATE_FIELD, "seq"},
	{"\"\\u0073eq\":8", DECODE_DUPLICATE_FIELD, "seq"},
	{"\"redirects\":[],\"redirects\":[]", DECODE_DUPLICATE_FIELD, "redirects"},
	{"\"redirects\":[{\"url\":\"a\",\"url\":\"b\"}]", DECODE_DUPLICATE_FIELD, "redirects"},
	{"\"prev\":{\"producer_id\":\"0f0e0d0c-0b0a-4908-8706-050403020100\",\"seq\":1,\"seq\":1}",
	 DECODE_DUPLICATE_FIELD, "prev"},
	{"\"prev\":{\"producer_id\":\"0f0e0d0c-0b0a-4908-8706-050403020100\",\"seq\":1},\"prev\":{"
	 "}",
	 DECODE_DUPLICATE_FIELD, "prev"},

	/* not JSON */
	{"\"unknown\":01", DECODE_NOT_JSON, ""},
	{"\"unknown\":nul", DECODE_NOT_JSON, ""},
	{"\"message\":\"\xFF\"", DECODE_NOT_JSON, ""},
	{"\"message\":\"\xED\xA0\x80\"", DECODE_NOT_JSON, ""},
	{"\"message\":\"tab\there\"", DECODE_NOT_JSON, ""},
	{"\"total_us\":-1,", DECODE_NOT_JSON, ""},

	/* the first one counts */
	{"\"message\":1,\"total_us\":-1", DECODE_WRONG_TYPE, "message"},
	{"\"message\":\"\\u0000\",\"total_us\":-1", DECODE_BAD_TEXT, "message"},
};

static void every_addition_is_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(additions) / sizeof(additions[0]); i++) {
		char *members = xasprintf(",%s", additions[i].members);
		char *message = edited(NULL, members);
		expect(message, additions[i].problem, additions[i].detail);
		free(message);
		free(members);
	}
}

/* Pieces of the smallest message that are replaced. */
static const struct {
	const char *piece;
	const char *by;
	enum decode_problem problem;
	const char *detail;
} replacements[] = {
	{"\"v\":1", "\"v\":2", DECODE_UNKNOWN_VERSION, "v"},
	{"\"v\":1", "\"v\":0", DECODE_UNKNOWN_VERSION, "v"},
	{"\"v\":1", "\"v\":\"1\"", DECODE_WRONG_TYPE, "v"},
	{"\"v\":1", "\"v\":1.0", DECODE_WRONG_TYPE, "v"},
	{"\"v\":1", "\"v\":null", DECODE_WRONG_TYPE, "v"},
	{"\"v\":1,\"producer_id\":", "\"v\":9,\"producer\":", DECODE_UNKNOWN_VERSION, "v"},
	{"\"seq\":7", "\"seq\":-1", DECODE_WRONG_TYPE, "seq"},
	{"\"seq\":7", "\"seq\":\"7\"", DECODE_WRONG_TYPE, "seq"},
	{"\"late_us\":43", "\"late_us\":-1", DECODE_WRONG_TYPE, "late_us"},
	{"\"interval_us\":60000000", "\"interval_us\":0", DECODE_WRONG_TYPE, "interval_us"},
	{"\"timeout_us\":10000000", "\"timeout_us\":0", DECODE_WRONG_TYPE, "timeout_us"},
	{"\"site\":\"s\"", "\"site\":\"\"", DECODE_WRONG_TYPE, "site"},
	{"\"site\":\"s\"", "\"site\":null", DECODE_WRONG_TYPE, "site"},
	{"\"outcome\":\"up\"", "\"outcome\":\"fine\"", DECODE_WRONG_TYPE, "outcome"},
	{"\"outcome\":\"up\"", "\"outcome\":1", DECODE_WRONG_TYPE, "outcome"},
	{"\"reason\":\"ok\"", "\"reason\":\"a_reason_of_the_next_release\"", DECODE_NONE, ""},
	{"\"reason\":\"ok\"", "\"reason\":\"\"", DECODE_WRONG_TYPE, "reason"},
	{"\"kind\":\"http\"", "\"kind\":\"tcp\"", DECODE_NONE, ""},
	{"0f0e0d0c-0b0a", "0f0e0d0c0b0a", DECODE_WRONG_TYPE, "producer_id"},
	{"0f0e0d0c-0b0a", "0F0E0D0C-0B0A", DECODE_NONE, ""},
	{"2026-11-21T20:33:45.123456Z", "2026-11-21 20:33:45Z", DECODE_NONE, ""},
	{"2026-11-21T20:33:45.123456Z", "10000-11-21T20:33:45Z", DECODE_WRONG_TYPE, "scheduled_at"},
	{"2026-11-21T20:33:45.123456Z", "", DECODE_WRONG_TYPE, "scheduled_at"},
	/* a version that we do not know may mean all else differently */
	{"\"v\":1", "\"seq\":\"x\",\"v\":2", DECODE_UNKNOWN_VERSION, "v"},
};

static void every_replacement_is_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(replacements) / sizeof(replacements[0]); i++) {
		char *message = edited(replacements[i].piece, replacements[i].by);
		expect(message, replacements[i].problem, replacements[i].detail);
		free(message);
	}
}

/* Whole messages. */
static const struct {
	const char *message;
	enum decode_problem problem;
	const char *detail;
} wholes[] = {
	{"", DECODE_EMPTY, ""},
	{" ", DECODE_NOT_JSON, ""},
	{"hello", DECODE_NOT_JSON, ""},
	{"[]", DECODE_NOT_JSON, ""},
	{"\"text\"", DECODE_NOT_JSON, ""},
	{"null", DECODE_NOT_JSON, ""},
	{"{}", DECODE_MISSING_FIELD, "v"},
	{"{} {}", DECODE_NOT_JSON, ""},
	{"{} \"", DECODE_NOT_JSON, ""},
	{"{}t", DECODE_NOT_JSON, ""},
	{"{\"v\":1}", DECODE_MISSING_FIELD, "producer_id"},
	{"{\"a\":1}", DECODE_MISSING_FIELD, "v"},

	/* the older services */
	{"{\"url\":\"http://a/\",\"status\":200}", DECODE_FOREIGN_FORMAT, ""},
	{"{\"url\":\"http://a/\",\"status_code\":200,\"elapsed\":0.123,\"timestamp\":1605990000.5}",
	 DECODE_FOREIGN_FORMAT, ""},
	{"{\"URL\":\"http://a/\",\"responseTime\":12,\"regexp\":null}", DECODE_FOREIGN_FORMAT, ""},
	{"{\"website\":\"a\",\"http-code\":404,\"response_time\":0.1,\"regexp_match\":true}",
	 DECODE_FOREIGN_FORMAT, ""},
	{"{\"url\":\"http://a/\",\"error\":\"ConnectTimeout\"}", DECODE_FOREIGN_FORMAT, ""},
	{"{\"site\":\"http://a/\",\"http_status_code\":500,\"checked_at\":\"2020-11-21\"}",
	 DECODE_FOREIGN_FORMAT, ""},
	{"{\"url\":null,\"pattern\":\"x\",\"status\":null}", DECODE_FOREIGN_FORMAT, ""},
	{"{\"url\":\"http://a/\"}", DECODE_MISSING_FIELD, "v"},
	{"{\"status\":200}", DECODE_MISSING_FIELD, "v"},
	{"{\"v\":1,\"url\":\"http://a/\",\"status\":200}", DECODE_MISSING_FIELD, "producer_id"},
	{"{\"seq\":1,\"url\":\"http://a/\",\"status\":200}", DECODE_MISSING_FIELD, "v"},
	{"{\"outcome\":\"up\",\"url\":\"http://a/\",\"http_status_code\":200}",
	 DECODE_MISSING_FIELD, "v"},
	{"{\"url\":\"http://a/\",\"status\":200", DECODE_NOT_JSON, ""},
};

static void every_whole_is_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++)
		expect(wholes[i].message, wholes[i].problem, wholes[i].detail);
	struct report_row row;
	char detail[64];
	memset(&row, 0x5A, sizeof(row)); /* the row holds nothing afterwards, whatever was in it */
	assert_int_equal(report_decode(NULL, 0, &row, detail, sizeof(detail)), DECODE_EMPTY);
	report_row_finish(&row);
}

static void any_order_and_spacing_is_good(void **state)
{
	(void)state;
	static const char message[] =
		"\n{ \"reason\" : \"ok\", \"outcome\":\"up\" ,\"late_us\":43, "
		"\"started_at\":\"2026-11-21T20:33:45.123499Z\","
		"\"scheduled_at\":\"2026-11-21T20:33:45.123456Z\",\"timeout_us\":10000000,"
		"\"interval_us\":60000000,"
		"\"redirects\" : [ { \"url\" : \"http://a b/\" } ],"
		"\"location\":\"l\",\"host\":\"h\",\"url\":\"http://a/"
		"\",\"site\":\"s\",\"kind\":\"http\",\"seq\":7,"
		"\"producer_id\":\"0f0e0d0c-0b0a-4908-8706-050403020100\",\"v\":1}\r\n";
	struct report_row row;
	char detail[64];
	assert_int_equal(decode(message, &row, detail), DECODE_NONE);
	assert_string_equal(row.redirects.bytes, "[{\"url\":\"http://a b/\"}]");
	assert_int_equal(row.redirects.length, strlen(row.redirects.bytes));
	report_row_finish(&row);
}

static void prev_counts_in_the_first_report_only(void **state)
{
	(void)state;
	static const char prev[] =
		",\"prev\":{\"producer_id\":\"0f0e0d0c-0b0a-4908-8706-050403020100\",\"seq\":4}";
	struct report_row row;
	char detail[64];
	char *later = edited(NULL, prev);
	assert_int_equal(decode(later, &row, detail), DECODE_NONE);
	assert_false(row.has_prev);
	report_row_finish(&row);
	char *seq = strstr(later, "\"seq\":7");
	seq[6] = '0';
	assert_int_equal(decode(later, &row, detail), DECODE_NONE);
	assert_true(row.has_prev);
	assert_int_equal(row.prev.seq, 4);
	report_row_finish(&row);
	free(later);
}

static void texts_have_bounds(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t max;
	} fields[] = {{"site", 512},     {"url", 8192},  {"host", 255},
		      {"location", 255}, {"reason", 64}, {"kind", 32}};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		for (size_t over = 0; over <= 1; over++) {
			char *text = xmalloc(fields[i].max + 2);
			memset(text, 'x', fields[i].max + over);
			text[fields[i].max + over] = '\0';
			char *was = xasprintf("\"%s\":", fields[i].name);
			char *by = xasprintf("\"%s\":\"%s\",\"x\":", fields[i].name, text);
			char *message = edited(was, by);
			expect(message, over == 0 ? DECODE_NONE : DECODE_WRONG_TYPE,
			       over == 0 ? "" : fields[i].name);
			free(message);
			free(by);
			free(was);
			free(text);
		}
	}
}

static void lists_and_depth_have_bounds(void **state)
{
	(void)state;
	struct buffer list;
	buffer_init(&list, 100000);
	(void)buffer_append_text(&list, ",\"failures\":[{\"reason\":\"ok\"}");
	for (int i = 1; i < 101; i++)
		(void)buffer_append_text(&list, ",{\"reason\":\"ok\"}");
	(void)buffer_append_text(&list, "]");
	char *message = edited(NULL, list.data);
	expect(message, DECODE_WRONG_TYPE, "failures");
	free(message);
	buffer_clear(&list);
	(void)buffer_append_text(&list, ",\"unknown\":");
	for (int i = 0; i < 50000; i++)
		(void)buffer_append_char(&list, '[');
	message = edited(NULL, list.data);
	expect(message, DECODE_NOT_JSON, "");
	free(message);
	buffer_finish(&list);
}

static void size_has_a_bound(void **state)
{
	(void)state;
	const size_t max = (size_t)1 << 20;
	struct buffer padded;
	buffer_init(&padded, SIZE_MAX);
	(void)buffer_append_text(&padded, sample_smallest);
	while (padded.length < max + 1)
		(void)buffer_append_char(&padded, ' ');
	char *message = buffer_take(&padded);
	struct report_row row;
	char detail[64];
	assert_int_equal(report_decode(message, max + 1, &row, detail, sizeof(detail)),
			 DECODE_TOO_LARGE);
	assert_int_equal(report_decode(message, max, &row, detail, sizeof(detail)), DECODE_NONE);
	report_row_finish(&row);
	free(message);
}

static void detail_may_be_short_or_absent(void **state)
{
	(void)state;
	struct report_row row;
	char detail[5];
	assert_int_equal(report_decode("{\"v\":1}", 7, &row, detail, sizeof(detail)),
			 DECODE_MISSING_FIELD);
	assert_string_equal(detail, "prod");
	assert_int_equal(report_decode("{\"v\":1}", 7, &row, NULL, 0), DECODE_MISSING_FIELD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smallest_message_is_good),
		cmocka_unit_test(each_required_field_is_required),
		cmocka_unit_test(every_addition_is_judged),
		cmocka_unit_test(every_replacement_is_judged),
		cmocka_unit_test(every_whole_is_judged),
		cmocka_unit_test(any_order_and_spacing_is_good),
		cmocka_unit_test(prev_counts_in_the_first_report_only),
		cmocka_unit_test(texts_have_bounds),
		cmocka_unit_test(lists_and_depth_have_bounds),
		cmocka_unit_test(size_has_a_bound),
		cmocka_unit_test(detail_may_be_short_or_absent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
