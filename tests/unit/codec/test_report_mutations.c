/*
 * What the network, a disk or an enemy may do to a message: every truncation, every single byte changed, every byte doubled or
 * left out. Each ends in a row or a problem, reads nothing beyond the message, and leaks nothing (valgrind looks on).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "codec/report_decode.h"
#include "codec/report_encode.h"
#include "sample_report.h"

/* What the database needs of every row, whatever the message was. */
static void check_row(const struct report_row *row)
{
	assert_int_equal(row->v.value, REPORT_VERSION);
	assert_true(row->seq.value >= 0);
	assert_true(row->site.bytes != NULL && row->site.length >= 1 &&
		    row->site.length <= SITE_NAME_MAX);
	assert_in_range(row->outcome.value, 0, OUTCOME_COUNT - 1);
	const struct row_text *texts[] = {&row->site,           &row->url,      &row->message,
					  &row->labels,         &row->failures, &row->redirects,
					  &row->pattern_capture};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i]->bytes == NULL)
			continue;
		assert_int_equal(strlen(texts[i]->bytes), texts[i]->length);
		assert_true(text_is_utf8(texts[i]->bytes, texts[i]->length));
	}
}

/* Decode a copy that ends where its allocation ends. Returns whether it was good. */
static bool try_message(const char *bytes, size_t length)
{
	char *copy = xmemdup(bytes, length);
	char detail[64] = "untouched";
	struct report_row row;
	struct buffer shrunk;
	enum decode_problem problem = report_decode(copy, length, &row, detail, sizeof(detail));
	if (problem == DECODE_NONE) {
		check_row(&row);
		report_row_finish(&row);
	} else {
		assert_in_range(problem, 1, DECODE_PROBLEM_COUNT - 1);
		assert_true(strlen(decode_problem_name(problem)) > 0);
		assert_string_not_equal(detail, "untouched");
	}
	buffer_init(&shrunk, 2 * length + 64);
	(void)report_shrink(&shrunk, copy, length);
	buffer_finish(&shrunk);
	free(copy);
	return problem == DECODE_NONE;
}

static char *full_message(void)
{
	struct sample sample;
	sample_init_full(&sample);
	char *message = sample_message(&sample, 0);
	sample_finish(&sample);
	return message;
}

static void every_truncation_is_bad(void **state)
{
	(void)state;
	char *message = full_message();
	size_t length = strlen(message);
	assert_true(try_message(message, length));
	for (size_t i = 1; i < length; i++)
		assert_false(try_message(message, i));
	free(message);
}

static void every_changed_byte_ends_well(void **state)
{
	(void)state;
	static const unsigned char others[] = {0,   1,    '"',  '\\', '{',  '}', '[', ']',
					       ',', ':',  ' ',  '-',  '.',  'e', '0', '9',
					       'u', 0x7F, 0x80, 0xC3, 0xED, 0xFF};
	char *message = full_message();
	size_t length = strlen(message);
	for (size_t i = 0; i < length; i++) {
		char was = message[i];
		for (size_t j = 0; j < sizeof(others); j++) {
			message[i] = (char)others[j];
			(void)try_message(message, length);
		}
		for (int bit = 0; bit < 8; bit++) {
			message[i] = (char)(was ^ (1 << bit));
			(void)try_message(message, length);
		}
		message[i] = was;
	}
	free(message);
}

static void every_missing_or_doubled_byte_ends_well(void **state)
{
	(void)state;
	char *message = full_message();
	size_t length = strlen(message);
	char *changed = xmalloc(length + 1);
	for (size_t i = 0; i < length; i++) {
		memcpy(changed, message, i);
		memcpy(changed + i, message + i + 1, length - i - 1);
		(void)try_message(changed, length - 1);
		memcpy(changed, message, i + 1);
		memcpy(changed + i + 1, message + i, length - i);
		(void)try_message(changed, length + 1);
	}
	free(changed);
	free(message);
}

/* A fixed seed: a failure can be repeated. */
static void random_bytes_end_well(void **state)
{
	(void)state;
	static const char alphabet[] = "{}[]\",:\\u0123456789abdeftnrslE+-. \xC3\xA4\xFF";
	uint64_t random = 20261121;
	char bytes[64];
	for (int i = 0; i < 20000; i++) {
		size_t length = 1 + (size_t)(random >> 58);
		length = length > sizeof(bytes) ? sizeof(bytes) : length;
		for (size_t j = 0; j < length; j++) {
			random = random * UINT64_C(6364136223846793005) +
				 UINT64_C(1442695040888963407);
			bytes[j] = alphabet[(random >> 33) % (sizeof(alphabet) - 1)];
		}
		assert_false(try_message(bytes, length));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_truncation_is_bad),
		cmocka_unit_test(every_changed_byte_ends_well),
		cmocka_unit_test(every_missing_or_doubled_byte_ends_well),
		cmocka_unit_test(random_bytes_end_well),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
