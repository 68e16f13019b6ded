/*
 * Reading a message: report_decode, whose short way and long way find the same, report_peek, and report_shrink, whose result is the same
 * report.
 */
#include "fuzz.h"

#include <string.h>

#include "base/buffer.h"
#include "base/identity.h"
#include "base/memory.h"
#include "codec/report_decode.h"
#include "codec/report_encode.h"
#include "codec/report_peek.h"

static bool is_same_UUID(const struct row_uuid *a, const struct row_uuid *b)
{
	return memcmp(&a->value, &b->value, sizeof(a->value)) == 0;
}

static bool is_same_OUTCOME(const struct row_outcome *a, const struct row_outcome *b)
{
	return a->value == b->value;
}

static bool is_same_INT(const struct row_int *a, const struct row_int *b)
{
	return a->is_present == b->is_present && (!a->is_present || a->value == b->value);
}

static bool is_same_BOOL(const struct row_bool *a, const struct row_bool *b)
{
	return a->is_present == b->is_present && (!a->is_present || a->value == b->value);
}

static bool is_same_TIME(const struct row_time *a, const struct row_time *b)
{
	return a->is_present == b->is_present && (!a->is_present || a->value == b->value);
}

static bool is_same_TEXT(const struct row_text *a, const struct row_text *b)
{
	if (a->bytes == NULL || b->bytes == NULL)
		return a->bytes == b->bytes;
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length + 1) == 0;
}

#define is_same_LIST is_same_TEXT
#define is_same_OBJECT is_same_TEXT

/* A space in front of a message leads it the long way. */
static void check_long_way(const char *bytes, size_t length, enum decode_problem problem,
			   const struct report_row *row)
{
	char detail[256];
	struct report_row again;
	char *padded = xmalloc(length + 1);
	padded[0] = ' ';
	memcpy(padded + 1, bytes, length);
	FUZZ_PROMISE(report_decode(padded, length + 1, &again, detail, sizeof(detail)) == problem);
	if (problem == DECODE_NONE) {
#define EXPECT_SAME(name, type, is_required) FUZZ_PROMISE(is_same_##type(&row->name, &again.name));
		REPORT_FIELDS(EXPECT_SAME)
#undef EXPECT_SAME
		FUZZ_PROMISE(row->has_prev == again.has_prev);
	}
	report_row_finish(&again);
	free(padded);
}

static void check_shrunk(const char *message, size_t length, const struct report_row *row)
{
	struct buffer shrunk;
	struct report_row again;
	char detail[256];
	char difference[256];
	struct report_peek peek;
	buffer_init(&shrunk, REPORT_MESSAGE_MAX);
	if (report_shrink(&shrunk, message, length) == 0) {
		FUZZ_PROMISE(shrunk.length <= REPORT_MESSAGE_MAX);
		FUZZ_PROMISE(report_decode(shrunk.data, shrunk.length, &again, detail,
					   sizeof(detail)) == DECODE_NONE);
		FUZZ_PROMISE(again.seq.value == row->seq.value);
		FUZZ_PROMISE(again.truncated.is_present && again.truncated.value);
		FUZZ_PROMISE(again.evidence.bytes == NULL && again.redirects.bytes == NULL);
		FUZZ_PROMISE(again.outcome.value == row->outcome.value);
		report_peek(message, length, &peek);
		FUZZ_PROMISE(report_peek_matches(&peek, &again, difference, sizeof(difference)));
		report_peek_finish(&peek);
		report_row_finish(&again);
	}
	buffer_finish(&shrunk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct report_row row;
	struct report_peek peek;
	char text[256];
	enum decode_problem problem = report_decode(bytes, size, &row, text, sizeof(text));
	FUZZ_PROMISE(problem < DECODE_PROBLEM_COUNT);
	FUZZ_PROMISE(memchr(text, '\0', sizeof(text)) != NULL);
	if (size > 0 && size < REPORT_MESSAGE_MAX)
		check_long_way(bytes, size, problem, &row);
	report_peek(bytes, size, &peek);
	report_peek_missing(&peek, text, sizeof(text));
	if (problem == DECODE_NONE) {
		FUZZ_PROMISE(text[0] == '\0'); /* what is right can be read */
		FUZZ_PROMISE(report_peek_matches(&peek, &row, text, sizeof(text)));
		check_shrunk(bytes, size, &row);
	}
	report_peek_finish(&peek);
	report_row_finish(&row);
	return 0;
}
