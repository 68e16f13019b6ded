/* What is read of bad messages, and whether a repaired one is of the same report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "codec/report_decode.h"
#include "codec/report_peek.h"
#include "sample_report.h"

#define ID "00000000-0000-4000-8000-000000000001"
#define WHEN "\"2026-11-21T12:00:00.000000Z\""

static void what_is_missing_is_named(void **state)
{
	(void)state;
	static const char all[] = "producer_id, seq, site, scheduled_at, started_at";
	static const struct {
		const char *bytes;
		const char *missing;
	} cases[] = {
		{"", all},
		{"nonsense", all},
		{"[1]", all},
		{"{\"seq\":7}", "producer_id, site, scheduled_at, started_at"},
		{"{\"seq\":7,", "producer_id, site, scheduled_at, started_at"},
		{"{\"seq\":7", "producer_id, site, scheduled_at, started_at"},
		{"{\"seq\":\"7\",\"site\":\"a\"}", "producer_id, seq, scheduled_at, started_at"},
		{"{\"seq\":-1,\"producer_id\":\"" ID "\"}", "seq, site, scheduled_at, started_at"},
		{"{\"seq\":7,\"seq\":8,\"site\":\"a\"}",
		 "producer_id, seq, scheduled_at, started_at"},
		{"{\"site\":{\"site\":\"a\"},\"seq\":1}",
		 "producer_id, site, scheduled_at, started_at"},
		{"{\"x\":{\"seq\":1},\"site\":\"a\"}",
		 "producer_id, seq, scheduled_at, started_at"},
		{"{\"site\":\"a\xff\",\"seq\":1}", "producer_id, site, scheduled_at, started_at"},
		{"{\"url\":\"\xff\",\"seq\":1,\"site\":\"a\"}",
		 "producer_id, scheduled_at, started_at"},
		{"{\"producer_id\":\"" ID "\",\"seq\":0,\"site\":\"a\",\"scheduled_at\":" WHEN
		 ",\"started_at\":" WHEN ",\"outcome\":\"upp\"}",
		 ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct report_peek peek;
		char text[128];
		report_peek(cases[i].bytes, strlen(cases[i].bytes), &peek);
		report_peek_missing(&peek, text, sizeof(text));
		if (strcmp(text, cases[i].missing) != 0)
			fail_msg("%s: %s", cases[i].bytes, text);
		report_peek_finish(&peek);
	}
	struct report_peek none;
	report_peek(NULL, 0, &none);
	assert_false(none.has_seq);
	report_peek_finish(&none);
}

/* JSON lets these stand in a text as they are, so a sound report may have them. */
static void late_controls_stay_as_they_are(void **state)
{
	(void)state;
	static const char bytes[] = "{\"site\":\"\x7f\xc2\x85\xc2\xa0\xc2\x80\",\"url\":\"\xc2\"}";
	struct report_peek peek;
	report_peek(bytes, strlen(bytes), &peek);
	assert_true(peek.has_site);
	assert_string_equal(peek.site.bytes, "\x7f\xc2\x85\xc2\xa0\xc2\x80");
	report_peek_finish(&peek);
}

static void a_short_buffer_is_not_overrun(void **state)
{
	(void)state;
	struct report_peek peek;
	report_peek("{}", 2, &peek);
	for (size_t size = 1; size < 64; size++) {
		char text[64];
		memset(text, 'x', sizeof(text));
		report_peek_missing(&peek, text, size);
		assert_true(strlen(text) < size);
	}
	report_peek_finish(&peek);
}

/* Every beginning of a whole message: what is read of it is what the whole one says. */
static void a_message_that_breaks_off_is_read_up_to_there(void **state)
{
	(void)state;
	struct sample sample;
	struct report_row row;
	char detail[256];
	sample_init_full(&sample);
	char *message = sample_message(&sample, 0);
	size_t length = strlen(message);
	assert_int_equal(report_decode(message, length, &row, detail, sizeof(detail)), DECODE_NONE);
	for (size_t cut = 0; cut <= length; cut++) {
		struct report_peek peek;
		char text[256];
		report_peek(message, cut, &peek);
		if (!report_peek_matches(&peek, &row, text, sizeof(text)))
			fail_msg("the first %zu bytes: %s", cut, text);
		if (cut == length)
			assert_true(peek.has_prev && peek.has_seq && peek.has_started_at);
		report_peek_finish(&peek);
	}
	report_row_finish(&row);
	free(message);
	sample_finish(&sample);
}

static void another_report_does_not_match(void **state)
{
	(void)state;
	struct sample sample;
	struct report_row row;
	char detail[256];
	sample_init(&sample);
	char *message = sample_message(&sample, 0);
	assert_int_equal(report_decode(message, strlen(message), &row, detail, sizeof(detail)),
			 DECODE_NONE);
	static const struct {
		const char *bytes;
		const char *field; /* NULL: the same, as far as one can see */
	} cases[] = {
		{"{\"seq\":0}", NULL},
		{"{\"seq\":8}", "seq: found 0, expected the original's 8"},
		{"{\"producer_id\":\"" ID "\"}", "producer_id: found "},
		{"{\"site\":\"somebody else's\"}", "site: found "},
		{"{\"started_at\":\"1999-01-01T00:00:00.000000Z\"}", "started_at: found "},
		{"{\"scheduled_at\":\"1999-01-01T00:00:00.000000Z\"}", "scheduled_at: found "},
		{"{\"prev\":{\"producer_id\":\"" ID "\",\"seq\":3}}", "prev: found another one"},
		{"{\"prev\":{\"producer_id\":\"" ID "\"}}", NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct report_peek peek;
		char text[256] = "";
		report_peek(cases[i].bytes, strlen(cases[i].bytes), &peek);
		bool is_same = report_peek_matches(&peek, &row, text, sizeof(text));
		if (is_same != (cases[i].field == NULL) ||
		    (!is_same && strstr(text, cases[i].field) == NULL))
			fail_msg("%s: %s", cases[i].bytes, text);
		report_peek_finish(&peek);
	}
	report_row_finish(&row);
	free(message);
	sample_finish(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_missing_is_named),
		cmocka_unit_test(late_controls_stay_as_they_are),
		cmocka_unit_test(a_short_buffer_is_not_overrun),
		cmocka_unit_test(a_message_that_breaks_off_is_read_up_to_there),
		cmocka_unit_test(another_report_does_not_match),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
