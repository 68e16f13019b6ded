/*
 * Writes JSON with yajl's generator: events of a document that was parsed, and the members that our own reports have. Each caller
 * its own generator; any thread. No call can fail: what is asked of the generator is an object that is well-formed and not deep.
 */
#ifndef WEBSENTRY_CODEC_JSON_PRINT_H
#define WEBSENTRY_CODEC_JSON_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yajl/yajl_gen.h>

#include "base/clock.h"

struct json_event;

/* A generator of compact JSON that collects it; released with yajl_gen_free(). */
yajl_gen json_print_create(void);

/* Write what was parsed. Never more bytes than it had in the document. */
void json_print_event(yajl_gen out, const struct json_event *event);

/* A text, also as the name of a member: at most max_bytes of it, cut between characters; invalid UTF-8 becomes U+FFFD. */
void json_print_text(yajl_gen out, const char *text, size_t max_bytes);

/* "name": of one of our own names */
void json_print_name(yajl_gen out, const char *name);

/* "name":value */
void json_put_text(yajl_gen out, const char *name, const char *text, size_t max_bytes);
void json_put_int(yajl_gen out, const char *name, int64_t value);
void json_put_bool(yajl_gen out, const char *name, bool value);
void json_put_time(yajl_gen out, const char *name, wall_us time);

/* The JSON so far, the generator's. */
const char *json_print_bytes(yajl_gen out, size_t *ret_length);

#endif
