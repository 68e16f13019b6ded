/* Reading a message: report_decode, report_peek, and report_shrink, whose result is the same report. */
#include "fuzz.h"

#include <string.h>

#include "base/buffer.h"
#include "base/identity.h"
#include "codec/report_decode.h"
#include "codec/report_encode.h"
#include "codec/report_peek.h"

static void check_shrunk(const char *message, size_t length, const struct report_row *row)
{
	struct buffer shrunk;
	struct report_row again;
	char detail[256];
	char difference[256];
	struct report_peek peek;
	buffer_init(&shrunk, REPORT_MESSAGE_MAX);
	if (report_shrink(&shrunk, message, length) == 0) {
		FUZZ_PROMISE(report_decode(shrunk.data, shrunk.length, &again, detail,
					   sizeof(detail)) == DECODE_NONE);
		FUZZ_PROMISE(again.seq.value == row->seq.value);
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
