/*
 * A strict reader of JSON (RFC 8259), one value after the other, in place and without allocation.
 *
 * It exists because what a database can't hold must be seen exactly: yajl turns a lone surrogate into '?' without a word and
 * takes overlong UTF-8, cJSON takes more than JSON and cuts a text at its NUL. Pure; one thread at a time.
 */
#ifndef WEBSENTRY_CODEC_JSON_READER_H
#define WEBSENTRY_CODEC_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 32 }; /* objects and arrays in one another; deeper is an error */

struct json_reader {
	const char *at;
	const char *end;
	int depth;
	bool is_broken;     /* not JSON (or nested too deeply): every later call fails */
	bool is_bad_text;   /* a NUL or a lone surrogate was read in a text; the caller clears it */
	bool is_bad_number; /* a number that a database may not hold was read; the caller clears it */
};

enum json_kind {
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_TEXT,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL
};

/* What a text or number is in the message. Texts: without the quotes, escapes as they are. */
struct json_slice {
	const char *bytes;
	size_t length;
	bool has_escapes;
};

void json_open(struct json_reader *reader, const char *bytes, size_t length);

/* Whether nothing but white space is left. */
bool json_is_done(struct json_reader *reader);

/* The kind of the next value; nothing is read. False where there is none. */
bool json_peek(struct json_reader *reader, enum json_kind *ret_kind);

/* Each reads the next value, which json_peek() has said to be of that kind; false where it is broken. */
bool json_read_text(struct json_reader *reader, struct json_slice *ret_text);
bool json_read_number(struct json_reader *reader, struct json_slice *ret_number);
bool json_read_literal(struct json_reader *reader); /* true, false, null */

/*
 * Containers: enter, then next until it says false (the end, or broken). next_member() leaves the reader at the member's
 * value, which must be read; next_element() at the element.
 */
bool json_enter(struct json_reader *reader);
bool json_next_member(struct json_reader *reader, bool *is_first, struct json_slice *ret_key);
bool json_next_element(struct json_reader *reader, bool *is_first);

/* Read any value and forget it. */
bool json_skip(struct json_reader *reader);

/*
 * Decode a text that was read: out has room for text->length bytes, returns how many were written. A NUL or a lone surrogate
 * (seen already: is_bad_text) is written as '?'.
 */
size_t json_decode_text(const struct json_slice *text, char *out);

/*
 * Copy the JSON between two places of one value, white space between its tokens left out. out has room for the bytes; returns how
 * many were written. The value must have been read without error.
 */
size_t json_copy_compact(const char *bytes, size_t length, char *out);

/* Whether a number is an integer (no fraction, no exponent) of 64 bits. */
bool json_to_int64(const struct json_slice *number, int64_t *ret_value);

#endif
