/*
 * One site of the status page as a row of its table. Pure; any thread.
 */
#ifndef WEBSENTRY_WEB_ROW_H
#define WEBSENTRY_WEB_ROW_H

#include <stdint.h>

#include "base/clock.h"
#include "web/snapshot.h"

struct buffer;

void row_write(struct buffer *out, const struct site_view *view, wall_us now);

/* Of all that a row says, but for the passing of time. */
uint64_t row_hash(const struct site_view *view);

/* The shape that stands for a state, beside its word. */
void row_write_icon(struct buffer *out, enum site_state state);

/* FNV-1a, continued with more; start with ROW_HASH_START. */
#define ROW_HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t row_hash_text(uint64_t hash, const char *text);
uint64_t row_hash_number(uint64_t hash, uint64_t number);

#endif
