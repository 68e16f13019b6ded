/*
 * Writes JSON into a buffer: members one after the other, each with its comma. Pure; each caller its own buffer.
 */
#ifndef WEBSENTRY_CODEC_JSON_WRITER_H
#define WEBSENTRY_CODEC_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct buffer;

/* "{" or "[", and its end. Nothing is remembered: a comma is written unless an opening bracket stands before. */
void json_begin(struct buffer *out, char bracket);
void json_end(struct buffer *out, char bracket);

/* "name": of one of our own names, which need no escapes. */
void json_name(struct buffer *out, const char *name);

/* A comma where one is needed: before an element of a list. */
void json_comma(struct buffer *out);

/* "name":value */
void json_put_text(struct buffer *out, const char *name, const char *text, size_t max_bytes);
void json_put_int(struct buffer *out, const char *name, int64_t value);
void json_put_bool(struct buffer *out, const char *name, bool value);
void json_put_time(struct buffer *out, const char *name, wall_us time);

/* A text with its quotes: at most max_bytes of it, cut between characters; invalid UTF-8 becomes U+FFFD. */
void json_text(struct buffer *out, const char *text, size_t max_bytes);

#endif
