/*
 * Writes JSON straight into a buffer, for what is written for every check: no generator, no second copy. json_print.h is for the
 * rest. The caller sees to it that what opens is closed; commas are seen to here. What does not fit is the buffer's
 * is_overflowed, to be looked at once at the end. One thread at a time; no call can fail.
 */
#ifndef WEBSENTRY_CODEC_JSON_WRITE_H
#define WEBSENTRY_CODEC_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct buffer;

struct json_write {
	struct buffer *out;
	bool has_before; /* the next value or member follows another one */
};

void json_write_init(struct json_write *json, struct buffer *out);

/* '{', '}', '[' or ']' */
void json_write_open(struct json_write *json, char bracket);
void json_write_close(struct json_write *json, char bracket);

/* "name": of one of our own names, which need no escapes. */
void json_write_name(struct json_write *json, const char *name);

/* A value: at most max_bytes of a text, cut between characters; invalid UTF-8 becomes U+FFFD. */
void json_write_text(struct json_write *json, const char *text, size_t max_bytes);

/* How much of a text of valid UTF-8 that is: its longest start that ends between characters. */
size_t json_write_cut(const char *text, size_t length, size_t max_bytes);

/* A text of a stranger as a member's name. */
void json_write_text_name(struct json_write *json, const char *text, size_t max_bytes);

/* "name":value */
void json_write_member_text(struct json_write *json, const char *name, const char *text,
			    size_t max_bytes);
void json_write_member_int(struct json_write *json, const char *name, int64_t value);
void json_write_member_bool(struct json_write *json, const char *name, bool value);
void json_write_member_time(struct json_write *json, const char *name, wall_us time);

#endif
