/*
 * Unpacks zstd, piece by piece, in memory that is bounded: of a frame with a window above UNPACK_WINDOW_MAX, no more than that is
 * unpacked; zstd takes memory for its window at once, but the system gives it only as it fills. As RFC 9659 has it, a window above
 * 8 MiB is refused. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_UNPACK_ZSTD_H
#define WEBSENTRY_PROBE_UNPACK_ZSTD_H

#include "probe/unpack.h"

struct unpack_zstd;

struct unpack_zstd *unpack_zstd_create(void);
void unpack_zstd_destroy(struct unpack_zstd *unpack); /* accepts NULL */

/* Frames may follow one another. */
enum unpack_result unpack_zstd_feed(struct unpack_zstd *unpack, const char *bytes, size_t length,
				    unpack_on_bytes on_bytes, void *context);

/* Whether something came, and its end did not. */
bool unpack_zstd_is_cut_off(const struct unpack_zstd *unpack);

#endif
