/*
 * Parses JSON as strictly as RFC 8259 and the databases want it: one value and nothing else, in UTF-8 without overlong forms and
 * surrogates, with a bound on its depth, and with a mark on every text that holds a NUL or a lone surrogate. Pure; any thread.
 */
#ifndef WEBSENTRY_BASE_JSON_PARSE_H
#define WEBSENTRY_BASE_JSON_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	JSON_DEPTH_MAX = 32
}; /* objects and arrays in one another, in what is ours; deeper is no JSON to us */

enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_TEXT,
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_KEY, /* of the value that follows */
	JSON_OBJECT_END,
	JSON_ARRAY_END,
};

/* What stands next in the document. bytes are the parser's and end with the call. */
struct json_event {
	enum json_kind kind;
	int depth; /* how many objects and arrays are around it; an end has its beginning's */
	const char *place; /* in the document: where it begins; of an end: behind it */
	const char *bytes; /* KEY, TEXT: decoded; NUMBER: as it stands; not NUL-terminated */
	size_t length;
	bool is_true; /* BOOL */
	bool is_bad_text; /* KEY, TEXT: has a NUL or a lone surrogate, in whose place bytes may have anything */
};

typedef void json_handler(void *context, const struct json_event *event);

/*
 * Give every event of the document to on_event, in its order, before returning. False where the bytes are not one JSON value; the
 * events up to the error have been given then.
 */
bool json_parse(const char *bytes, size_t length, json_handler *on_event, void *context);
/* The same with another bound on the depth, for what is not ours; each level takes some 100 bytes of stack. */
bool json_parse_within(const char *bytes, size_t length, int depth_max, json_handler *on_event,
		       void *context);

/* The next byte of a text that is no plain one: a quote, a backslash, a control character, or the end. */
const char *json_plain_end(const char *at, const char *end);

/* Whether a NUMBER is an integer (no fraction, no exponent) of 64 bits. */
bool json_to_int64(const struct json_event *number, int64_t *ret_value);

#endif
