#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/report_decode.h"
#include "codec/report_encode.h"
#include "sample_report.h"

static void shrunk_message_keeps_identity_and_verdict(void **state)
{
	(void)state;
	struct sample sample;
	struct buffer out;
	struct report_row row;
	char detail[64];
	sample_init_full(&sample);
	char *message = sample_message(&sample, 0);
	buffer_init(&out, REPORT_MESSAGE_MAX);
	assert_int_equal(report_shrink(&out, message, strlen(message)), 0);
	assert_true(out.length < strlen(message));
	assert_int_equal(report_decode(out.data, out.length, &row, detail, sizeof(detail)),
			 DECODE_NONE);
	assert_int_equal(row.seq.value, 0);
	assert_true(row.has_prev);
	assert_true(row.truncated.value);
	assert_null(row.labels.bytes);
	assert_null(row.failures.bytes);
	assert_null(row.redirects.bytes);
	assert_null(row.pattern_capture.bytes);
	assert_string_equal(row.message.bytes,
			    "status 500, expected 200-299; took 99 ms, the limit is 1ms");
	assert_int_equal(row.total_us.value, 99916);
	report_row_finish(&row);

	/* A second time there is nothing left to drop. */
	struct buffer again;
	buffer_init(&again, REPORT_MESSAGE_MAX);
	assert_int_equal(report_shrink(&again, out.data, out.length), -1);
	assert_int_equal(again.length, 0);
	buffer_finish(&again);
	buffer_finish(&out);
	free(message);
	sample_finish(&sample);
}

static void what_is_not_ours_is_left_alone(void **state)
{
	(void)state;
	static const char *const messages[] = {
		"",
		"x",
		"[]",
		"{}",
		"{\"labels\":{}}",
		"{\"seq\":1,\"labels\":{}}",
		"{\"seq\":1,\"producer_id\":\"x\"}",
		"{\"seq\":1,\"producer_id\":\"x\",\"labels\":{}",
		"{\"seq\":1,\"producer_id\":\"x\",\"labels\":{}} x",
		"{\"seq\":1,\"producer_id\":\"x\",\"labels\":{\"a}}",
		"{\"seq\":1,\"producer_id\":\"x\",\"labels\":{},\"new\":\"\\ud800\"}",
		"{\"new\":{\"seq\":1,\"producer_id\":\"x\",\"labels\":{}}}",
		"null",
	};
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		struct buffer out;
		buffer_init(&out, REPORT_MESSAGE_MAX);
		(void)buffer_append_text(&out, "before");
		assert_int_equal(report_shrink(&out, messages[i], strlen(messages[i])), -1);
		assert_string_equal(out.data, "before");
		buffer_finish(&out);
	}
}

static void unknown_fields_are_kept(void **state)
{
	(void)state;
	static const char message[] = "{ \"seq\" : 1, \"producer_id\":\"x\", \"new\" : [ 1 ], "
				      "\"truncated\":false, \"labels\":{\"a\":\"b\"}, \"z\":null }";
	struct buffer out;
	buffer_init(&out, REPORT_MESSAGE_MAX);
	assert_int_equal(report_shrink(&out, message, strlen(message)), 0);
	assert_string_equal(
		out.data,
		"{\"seq\":1,\"producer_id\":\"x\",\"new\":[1],\"z\":null,\"truncated\":true}");
	buffer_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shrunk_message_keeps_identity_and_verdict),
		cmocka_unit_test(what_is_not_ours_is_left_alone),
		cmocka_unit_test(unknown_fields_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
