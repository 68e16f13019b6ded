/*
 * The short way of reading a message finds what the long way finds. A space in front of a message is no difference to JSON, and sends
 * it the long way: both are taken for each message, changed in every way that one byte can be, and compared field by field.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "codec/report_decode.h"
#include "codec/report_plain.h"
#include "sample_report.h"

static const char plain[] =
	"{\"v\":1,\"producer_id\":\"6f0c1f5e-58c6-4e53-9a3c-0d6a1f2b3c4d\",\"seq\":1234567890,"
	"\"kind\":\"http\",\"site\":\"site \xC3\xA4\",\"url\":\"http://shop.example/\","
	"\"host\":\"bench\",\"location\":\"default\",\"labels\":{},\"interval_us\":10000000,"
	"\"timeout_us\":10000000,\"scheduled_at\":\"2026-11-21T20:33:45.123456Z\","
	"\"started_at\":\"2026-11-21T20:33:45.123499Z\",\"late_us\":120,\"suspect\":false,"
	"\"missed\":0,\"outcome\":\"up\",\"reason\":\"ok\",\"message\":\"a\\n\\\"b\\\\c\\/\\t\","
	"\"failures\":[],\"http_status_code\":200,\"http_version\":\"1.1\",\"ip\":\"192.0.2.7\","
	"\"dns_us\":800,\"total_us\":900,\"redirects\":[],\"pattern\":\"id=\\\"([^\\\"]+)\\\"\","
	"\"pattern_matched\":true,\"pattern_capture\":\"\",\"keepalive\":true,\"evidence\":{},"
	"\"truncated\":true}";

static bool is_plain(const char *message, size_t length)
{
	struct report_row row = {.storage = xmalloc(length + 1)};
	bool is_read = report_plain_read(message, length, &row);
	report_row_finish(&row);
	return is_read;
}

#define EQUAL_UUID(a, b) uuid_equal(&(a)->value, &(b)->value)
#define EQUAL_INT(a, b) ((a)->is_present == (b)->is_present && (a)->value == (b)->value)
#define EQUAL_BOOL(a, b) EQUAL_INT(a, b)
#define EQUAL_TIME(a, b) EQUAL_INT(a, b)
#define EQUAL_OUTCOME(a, b) ((a)->value == (b)->value)
#define EQUAL_TEXT(a, b)                                                                           \
	(((a)->bytes == NULL) == ((b)->bytes == NULL) && (a)->length == (b)->length &&             \
	 ((a)->bytes == NULL || memcmp((a)->bytes, (b)->bytes, (a)->length + 1) == 0))
#define EQUAL_LIST(a, b) EQUAL_TEXT(a, b)
#define EQUAL_OBJECT(a, b) EQUAL_TEXT(a, b)

static void compare(const char *message, size_t length)
{
	char *spaced = xmalloc(length + 1);
	spaced[0] = ' ';
	memcpy(spaced + 1, message, length);
	char *copy = xmemdup(message, length); /* which ends where its allocation ends */
	struct report_row row;
	struct report_row other;
	char detail[64];
	char other_detail[64];
	assert_false(is_plain(spaced, length + 1));
	enum decode_problem problem = report_decode(copy, length, &row, detail, sizeof(detail));
	enum decode_problem other_problem =
		report_decode(spaced, length + 1, &other, other_detail, sizeof(other_detail));
	if (problem != other_problem || strcmp(detail, other_detail) != 0)
		fail_msg("%.*s: %s %s, and the long way %s %s", (int)length, message,
			 decode_problem_name(problem), detail, decode_problem_name(other_problem),
			 other_detail);
	if (problem == DECODE_NONE) {
#define COMPARE(name, type, is_required)                                                           \
	if (!EQUAL_##type(&row.name, &other.name))                                                 \
		fail_msg("%.*s: " #name " differs", (int)length, message);
		REPORT_FIELDS(COMPARE)
#undef COMPARE
		assert_int_equal(row.has_prev, other.has_prev);
	}
	report_row_finish(&row);
	report_row_finish(&other);
	free(copy);
	free(spaced);
}

static void a_plain_message_is_read_the_short_way(void **state)
{
	(void)state;
	assert_true(is_plain(plain, strlen(plain)));
	assert_true(is_plain(sample_smallest, strlen(sample_smallest)));
	compare(plain, strlen(plain));
	compare(sample_smallest, strlen(sample_smallest));
}

static void what_our_encoder_writes_is_mostly_plain(void **state)
{
	(void)state;
	struct sample sample;
	sample_init(&sample);
	char *message = sample_message(&sample, 7);
	assert_true(is_plain(message, strlen(message)));
	compare(message, strlen(message));
	free(message);
	message = sample_message(&sample, 0); /* with prev */
	assert_false(is_plain(message, strlen(message)));
	compare(message, strlen(message));
	free(message);
	sample_finish(&sample);
}

static void every_byte_changed(void **state)
{
	(void)state;
	static const char others[] = "\0\"\\/{}[],:. \t\n01985-+eEtfnuZ\x7F\x80\xC3\xA4";
	size_t length = strlen(plain);
	char *message = xmemdup(plain, length);
	for (size_t i = 0; i < length; i++)
		for (size_t j = 0; j < sizeof(others) - 1; j++) {
			message[i] = others[j];
			compare(message, length);
			message[i] = plain[i];
		}
	free(message);
}

static void every_byte_left_out_or_doubled_and_every_truncation(void **state)
{
	(void)state;
	size_t length = strlen(plain);
	char *message = xmalloc(length + 1);
	for (size_t i = 0; i < length; i++) {
		memcpy(message, plain, i);
		memcpy(message + i, plain + i + 1, length - i - 1);
		compare(message, length - 1);
		memcpy(message, plain, i + 1);
		memcpy(message + i + 1, plain + i, length - i);
		compare(message, length + 1);
		if (i > 0) /* a space alone is not empty */
			compare(plain, i);
	}
	free(message);
}

/* A piece of the message with something else in its place. */
static void pieces_are_judged_alike(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{"\"missed\":0", "\"missed\":9223372036854775807"},
		{"\"missed\":0", "\"missed\":999999999999999999"},
		{"\"missed\":0", "\"missed\":00"},
		{"\"missed\":0", "\"missed\":-0"},
		{"\"missed\":0", "\"missed\":0,\"missed\":0"},
		{"\"missed\":0", "\"missed\":null"},
		{"\"missed\":0,", ""},
		{"\"late_us\":120,", ""},
		{"\"v\":1", "\"v\":2"},
		{"\"http_status_code\":200", "\"http_status_code\":1000"},
		{"\"interval_us\":10000000", "\"interval_us\":0"},
		{"\"site\":\"site \xC3\xA4\"", "\"site\":\"\""},
		{"\"ip\":\"192.0.2.7\"", "\"ip\":\"\\u0041\""},
		{"\"ip\":\"192.0.2.7\"", "\"ip\":\"\\u0000\""},
		{"\"labels\":{}", "\"labels\":{\"team\":\"shop\"}"},
		{"\"labels\":{}", "\"labels\":[]"},
		{"\"failures\":[]", "\"failures\":[{\"reason\":\"slow\"}]"},
		{"\"started_at\":\"2026", "\"started_at\":\"0000"},
		{"\"outcome\":\"up\"", "\"outcome\":\"so so\""},
		{"\"truncated\":true}", "\"truncated\":true,\"new_field\":1}"},
		{"\"truncated\":true}", "\"truncated\":true} "},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *at = strstr(plain, cases[i][0]);
		assert_non_null(at);
		char *message = xasprintf("%.*s%s%s", (int)(at - plain), plain, cases[i][1],
					  at + strlen(cases[i][0]));
		compare(message, strlen(message));
		free(message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_message_is_read_the_short_way),
		cmocka_unit_test(what_our_encoder_writes_is_mostly_plain),
		cmocka_unit_test(every_byte_changed),
		cmocka_unit_test(every_byte_left_out_or_doubled_and_every_truncation),
		cmocka_unit_test(pieces_are_judged_alike),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
