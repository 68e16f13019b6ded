/*
 * Reads a message into a row, and says precisely why a message is bad. Pure; any thread.
 */
#ifndef WEBSENTRY_CODEC_REPORT_DECODE_H
#define WEBSENTRY_CODEC_REPORT_DECODE_H

#include <stddef.h>

#include "check/report_row.h"

/* Why a message is bad: the stable words of quarantine.reason. X(SUFFIX, word, sentence) */
#define DECODE_PROBLEM_TABLE(X)                                                                    \
	X(NONE, "", "The message is good")                                                         \
	X(EMPTY, "empty", "The message has no bytes (a tombstone)")                                \
	X(NOT_JSON, "not_json", "The message is not one JSON object")                              \
	X(MISSING_FIELD, "missing_field", "A required field is missing")                           \
	X(WRONG_TYPE, "wrong_type", "A field has the wrong type or a value outside its range")     \
	X(BAD_TEXT, "bad_text", "A text holds what the database can't: a NUL or a lone surrogate") \
	X(DUPLICATE_FIELD, "duplicate_field", "A field stands twice")                              \
	X(UNKNOWN_VERSION, "unknown_version", "The field v is none that this release knows")       \
	X(FOREIGN_FORMAT, "foreign_format", "A message of one of the two older services")          \
	X(TOO_LARGE, "too_large", "The message is larger than any of ours")

enum decode_problem {
#define DECODE_PROBLEM_ENUM(suffix, word, text) DECODE_##suffix,
	DECODE_PROBLEM_TABLE(DECODE_PROBLEM_ENUM)
#undef DECODE_PROBLEM_ENUM
		DECODE_PROBLEM_COUNT,
};

const char *decode_problem_name(enum decode_problem problem);

/*
 * Returns DECODE_NONE and fills ret_row (released with report_row_finish()), or the problem, with detail (a field's
 * name, "" where none) in ret_detail. Unknown extra fields are fine; lists and objects are checked element by element and kept as
 * compact JSON. bytes may be anything of any length. ret_row is written in any case, and holds nothing after a problem.
 */
enum decode_problem report_decode(const char *bytes, size_t length, struct report_row *ret_row,
				  char *ret_detail, size_t detail_size);

#endif
