#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "check/round.h"
#include "codec/report_decode.h"
#include "codec/report_encode.h"
#include "sample_report.h"

static char *encode(const struct sample *sample)
{
	struct buffer out;
	buffer_init(&out, REPORT_MESSAGE_MAX);
	report_encode(&out, &sample->report);
	assert_false(out.is_overflowed);
	return buffer_take(&out);
}

static void decode_sample(const struct sample *sample, int64_t seq, struct report_row *row)
{
	char detail[64];
	char *message = sample_message(sample, seq);
	enum decode_problem problem =
		report_decode(message, strlen(message), row, detail, sizeof(detail));
	if (problem != DECODE_NONE)
		fail_msg("%s %s in %s", decode_problem_name(problem), detail, message);
	free(message);
}

static void typical_report_reads_as_the_design_says(void **state)
{
	(void)state;
	struct sample sample;
	sample_init(&sample);
	char *json = encode(&sample);
	assert_string_equal(
		json,
		"{\"kind\":\"http\",\"site\":\"Example\",\"url\":\"https://example.com/"
		"\",\"host\":\"prober-1.example.net\","
		"\"location\":\"eu-1\",\"interval_us\":60000000,\"timeout_us\":10000000,"
		"\"scheduled_at\":\"2026-11-21T20:33:45.123456Z\",\"started_at\":\"2026-11-21T20:"
		"33:45.123499Z\","
		"\"late_us\":43,\"suspect\":false,\"missed\":0,\"outcome\":\"up\",\"reason\":"
		"\"ok\","
		"\"http_status_code\":200,\"http_version\":\"1.1\",\"ip\":\"192.0.2.7\",\"dns_us\":"
		"1203,"
		"\"connect_us\":20345,\"tls_us\":31456,\"wait_us\":45678,\"transfer_us\":1234,"
		"\"total_us\":99916,"
		"\"body_bytes\":648,\"decoded_bytes\":1256,\"pattern\":\"(?:id=\\\")([^\\\"]+)\","
		"\"pattern_matched\":true,\"pattern_capture\":\"main\",\"tls_version\":\"1.3\","
		"\"cert_not_after\":\"2027-02-07T11:33:20.000000Z\",\"chain_not_after\":\"2027-01-"
		"26T21:46:40.000000Z\","
		"\"cert_issuer\":\"CN=Example CA, O=Example\"}");
	free(json);
	sample_finish(&sample);
}

static void what_is_not_known_is_left_out(void **state)
{
	(void)state;
	struct sample sample;
	sample_init(&sample);
	observation_finish(&sample.observation);
	sample.observation.scheduled_at = 0;
	sample.observation.started_at = 0;
	sample.observation.trouble = REASON_DNS_ERROR;
	verdict_finish(&sample.verdict);
	verdict_decide(&sample.site, &sample.observation, &sample.verdict);
	char *json = encode(&sample);
	assert_string_equal(
		json,
		"{\"kind\":\"http\",\"site\":\"Example\",\"url\":\"https://example.com/"
		"\",\"host\":\"prober-1.example.net\","
		"\"location\":\"eu-1\",\"interval_us\":60000000,\"timeout_us\":10000000,"
		"\"scheduled_at\":\"1970-01-01T00:00:00.000000Z\",\"started_at\":\"1970-01-01T00:"
		"00:00.000000Z\","
		"\"late_us\":0,\"suspect\":false,\"missed\":0,\"outcome\":\"down\",\"reason\":"
		"\"dns_error\","
		"\"message\":\"The name does not resolve\",\"failures\":[{\"reason\":\"dns_error\","
		"\"message\":\"The name does not "
		"resolve\"}],\"pattern\":\"(?:id=\\\")([^\\\"]+)\"}");
	free(json);
	sample_finish(&sample);
}

static void pattern_matched_is_there_when_it_is_decided(void **state)
{
	(void)state;
	static const struct {
		enum match_state state;
		const char *expected;
	} cases[] = {
		{MATCH_NOT_TRIED, NULL},
		{MATCH_FOUND, "\"pattern_matched\":true"},
		{MATCH_NOT_FOUND, "\"pattern_matched\":false"},
		{MATCH_TRUNCATED, NULL},
		{MATCH_TOO_COSTLY, NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sample sample;
		sample_init(&sample);
		sample.observation.pattern.state = cases[i].state;
		char *json = encode(&sample);
		if (cases[i].expected == NULL)
			assert_null(strstr(json, "pattern_matched"));
		else
			assert_non_null(strstr(json, cases[i].expected));
		free(json);
		sample_finish(&sample);
	}
}

static void full_report_comes_back_as_it_was(void **state)
{
	(void)state;
	struct sample sample;
	struct report_row row;
	sample_init_full(&sample);
	decode_sample(&sample, 0, &row);
	assert_true(row.has_prev);
	assert_int_equal(row.prev.seq, 41);
	assert_int_equal(row.prev.producer_id.bytes[5], 0xB2);
	assert_int_equal(row.producer_id.value.bytes[5], 0xA1);
	assert_int_equal(row.seq.value, 0);
	assert_string_equal(row.site.bytes, "Example");
	assert_string_equal(row.labels.bytes,
			    "{\"owner\":\"web \\\"team\\\"\",\"tier \xC3\xA4\":\"1\\n2\"}");
	assert_int_equal(row.scheduled_at.value, sample.observation.scheduled_at);
	assert_int_equal(row.started_at.value, sample.observation.started_at);
	assert_true(row.suspect.value);
	assert_int_equal(row.missed.value, 3);
	assert_int_equal(row.outcome.value, OUTCOME_DOWN);
	assert_string_equal(row.reason.bytes, "status_mismatch");
	assert_string_equal(row.message.bytes,
			    "status 500, expected 200-299; took 99 ms, the limit is 1ms");
	assert_string_equal(
		row.failures.bytes,
		"[{\"reason\":\"status_mismatch\",\"message\":\"status 500, expected 200-299\"},"
		"{\"reason\":\"slow\",\"message\":\"took 99 ms, the limit is 1ms\"}]");
	assert_string_equal(
		row.redirects.bytes,
		"[{\"url\":\"http://example.com/"
		"\",\"http_status_code\":301,\"http_version\":\"1.1\",\"ip\":\"192.0.2.7\","
		"\"dns_us\":1203,\"connect_us\":20345,\"wait_us\":45678,\"transfer_us\":1234,"
		"\"total_us\":99916},"
		"{\"url\":\"https://www.example.com/"
		"\",\"http_status_code\":302,\"http_version\":\"1.1\","
		"\"ip\":\"192.0.2.7\",\"dns_us\":1203,\"connect_us\":20345,\"tls_us\":31456,\"wait_"
		"us\":45678,"
		"\"transfer_us\":1234,\"total_us\":99916}]");
	assert_int_equal(row.http_status_code.value, 500);
	assert_string_equal(row.pattern.bytes, sample.site.pattern_text);
	assert_int_equal(row.pattern.length, strlen(sample.site.pattern_text));
	assert_string_equal(row.pattern_capture.bytes, "main");
	assert_true(row.keepalive.value);
	assert_false(row.truncated.is_present);
	assert_false(row.attempts.bytes != NULL);
	assert_int_equal(row.cert_not_after.value, sample.observation.cert_not_after);
	report_row_finish(&row);
	sample_finish(&sample);
}

/* Controls, quotes and bytes that are not UTF-8, in what a user may have written on a command line. */
static void any_text_becomes_json(void **state)
{
	(void)state;
	struct sample sample;
	struct report_row row;
	sample_init(&sample);
	free(sample.site.name);
	free(sample.site.pattern_text);
	sample.site.name = xstrdup("<script>alert(\"1\")</script>\x01\x1f\n\t\\ \xF0\x9F\x98\x80");
	sample.site.pattern_text = xstrdup("\xFF\xC3(");
	decode_sample(&sample, 3, &row);
	assert_string_equal(row.site.bytes, sample.site.name);
	assert_string_equal(row.pattern.bytes, "\xEF\xBF\xBD\xEF\xBF\xBD(");
	assert_false(row.has_prev);
	report_row_finish(&row);
	sample_finish(&sample);
}

static void long_texts_are_cut_between_characters(void **state)
{
	(void)state;
	struct sample sample;
	struct report_row row;
	sample_init(&sample);
	char *location = xmalloc(1001);
	for (size_t i = 0; i < 1000; i += 2)
		memcpy(location + i, "\xC3\xA4", 2);
	location[1000] = '\0';
	sample.report.location = location;
	decode_sample(&sample, 3, &row);
	assert_int_equal(row.location.length, 254);
	assert_true(text_is_utf8(row.location.bytes, row.location.length));
	report_row_finish(&row);
	free(location);
	sample_finish(&sample);
}

static char *fill(char c, size_t length)
{
	char *text = xmalloc(length + 1);
	memset(text, c, length);
	text[length] = '\0';
	return text;
}

/* Optional fields go in their order, and no further than needed. */
static void large_report_loses_optional_fields_and_says_so(void **state)
{
	(void)state;
	struct sample sample;
	struct report_row row;
	sample_init_full(&sample);
	for (size_t i = 0; i < sample.observation.redirect_count; i++)
		hop_finish(&sample.observation.redirects[i]);
	free(sample.observation.redirects);
	sample.observation.redirects = xcalloc(20, sizeof(*sample.observation.redirects));
	sample.observation.redirect_count = 20;
	for (size_t i = 0; i < 20; i++) {
		hop_init(&sample.observation.redirects[i]);
		sample.observation.redirects[i].url =
			fill('"', 2048); /* doubled by escapes: 80 KiB */
	}
	decode_sample(&sample, 3, &row);
	assert_true(row.truncated.value);
	assert_null(row.redirects.bytes);
	assert_non_null(row.failures.bytes);
	assert_non_null(row.labels.bytes);
	assert_non_null(row.pattern_capture.bytes);
	report_row_finish(&row);
	sample_finish(&sample);
}

static void largest_report_fits(void **state)
{
	(void)state;
	struct sample sample;
	struct report_row row;
	sample_init_full(&sample);
	struct site *site = &sample.site;
	free(site->name);
	free(site->redacted_url);
	free(site->pattern_text);
	site->name = fill('\x01', SITE_NAME_MAX); /* six bytes each */
	site->redacted_url = fill('"', 2048);
	site->pattern_text = fill('\x01', 16384);
	for (size_t i = 0; i < site->label_count; i++) {
		free(site->labels[i].value);
		free(site->labels[i].name);
	}
	free(site->labels);
	site->labels = xcalloc(SITE_LABELS_MAX, sizeof(*site->labels));
	site->label_count = SITE_LABELS_MAX;
	for (size_t i = 0; i < SITE_LABELS_MAX; i++)
		site->labels[i] = (struct site_label){fill('\x01', 1024), fill('\x02', 1024)};
	sample.report.host = site->redacted_url;
	sample.report.location = site->redacted_url;
	free(sample.observation.cert_issuer);
	sample.observation.cert_issuer = fill('\\', 256);
	free(sample.verdict.message);
	sample.verdict.message = fill('\\', VERDICT_MESSAGE_MAX);
	char *message = sample_message(&sample, 0);
	assert_true(strlen(message) < REPORT_MESSAGE_MAX);
	free(message);
	decode_sample(&sample, 0, &row);
	assert_true(row.truncated.value);
	assert_null(row.labels.bytes);
	assert_int_equal(row.pattern.length, 4096);
	report_row_finish(&row);
	sample_finish(&sample);
}

static void appends_behind_what_is_there(void **state)
{
	(void)state;
	struct sample sample;
	struct buffer out;
	sample_init_full(&sample);
	buffer_init(&out, REPORT_MESSAGE_MAX);
	(void)buffer_append_text(&out, "before");
	report_encode(&out, &sample.report);
	assert_true(text_starts_with(out.data, "before{\"kind\""));
	buffer_finish(&out);
	/* A buffer of the caller's that is smaller than a message may be. */
	buffer_init(&out, 1000);
	report_encode(&out, &sample.report);
	assert_false(out.is_overflowed);
	assert_non_null(strstr(out.data, "\"truncated\":true}"));
	assert_null(strstr(out.data, "redirects"));
	buffer_finish(&out);
	sample_finish(&sample);
}

/* Every report of a round says which address it is of, and one of them what comes of all. */
static void a_report_of_a_round_says_so(void **state)
{
	(void)state;
	struct sample sample;
	struct report_row row;
	char message[] = "1 of 2 addresses fails: \"::1\" connect_refused";
	struct round_verdict verdict = {.addresses = 2,
					.needed = 2,
					.up = 1,
					.failed = 1,
					.outcome = OUTCOME_DOWN,
					.reason = REASON_CONNECT_REFUSED,
					.message = message};
	struct round_note note = {.verdict = &verdict, .address = "::1", .is_speaker = true};
	sample_init(&sample);
	decode_sample(&sample, 1, &row);
	assert_true(report_row_is_of_site(&row));
	assert_int_equal(report_row_site_outcome(&row), OUTCOME_UP);
	assert_null(report_row_site_message(&row).bytes);
	report_row_finish(&row);

	sample.report.round = &note;
	decode_sample(&sample, 1, &row);
	assert_string_equal(
		row.round.bytes,
		"{\"address\":\"::1\",\"addresses\":2,\"needed\":2,\"up\":1,\"failed\":1,"
		"\"outcome\":\"down\",\"reason\":\"connect_refused\",\"message\":"
		"\"1 of 2 addresses fails: \\\"::1\\\" connect_refused\"}");
	assert_int_equal(row.outcome.value, OUTCOME_UP);
	assert_true(report_row_is_of_site(&row));
	assert_int_equal(report_row_site_outcome(&row), OUTCOME_DOWN);
	assert_string_equal(report_row_site_reason(&row).bytes, "connect_refused");
	assert_string_equal(report_row_site_message(&row).bytes, message);
	report_row_finish(&row);

	note.is_speaker = false;
	verdict.unchecked = 3;
	decode_sample(&sample, 1, &row);
	assert_string_equal(row.round.bytes, "{\"address\":\"::1\",\"addresses\":2,\"needed\":2,"
					     "\"up\":1,\"failed\":1,\"unchecked\":3}");
	assert_false(report_row_is_of_site(&row));
	report_row_finish(&row);
	sample_finish(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_of_a_round_says_so),
		cmocka_unit_test(typical_report_reads_as_the_design_says),
		cmocka_unit_test(what_is_not_known_is_left_out),
		cmocka_unit_test(pattern_matched_is_there_when_it_is_decided),
		cmocka_unit_test(full_report_comes_back_as_it_was),
		cmocka_unit_test(any_text_becomes_json),
		cmocka_unit_test(long_texts_are_cut_between_characters),
		cmocka_unit_test(large_report_loses_optional_fields_and_says_so),
		cmocka_unit_test(largest_report_fits),
		cmocka_unit_test(appends_behind_what_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
