/*
 * Unpacks br, piece by piece, in memory that is bounded: as much as a window of UNPACK_WINDOW_MAX takes, though br may have one
 * of 16 MiB. A larger window does no harm as long as the body is no larger than that. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_UNPACK_BROTLI_H
#define WEBSENTRY_PROBE_UNPACK_BROTLI_H

#include "probe/unpack.h"

struct unpack_brotli;

struct unpack_brotli *unpack_brotli_create(void);
void unpack_brotli_destroy(struct unpack_brotli *unpack); /* accepts NULL */

/* What follows the end is left alone. */
enum unpack_result unpack_brotli_feed(struct unpack_brotli *unpack, const char *bytes,
				      size_t length, unpack_on_bytes on_bytes, void *context);

/* Whether something came, and its end did not. */
bool unpack_brotli_is_cut_off(const struct unpack_brotli *unpack);

#endif
