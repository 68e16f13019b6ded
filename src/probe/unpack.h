/*
 * Unpacks a body that comes packed, piece by piece, in memory that is bounded, and knows whether all of it has come: libcurl's own
 * unpacking takes gzip that ends in the middle for whole, and keeps 16 MiB of br. One thread: the loop's.
 *
 * As browsers do it, "deflate" may lack zlib's head, gzip and zstd may have several members, and what follows the end is left alone.
 */
#ifndef WEBSENTRY_PROBE_UNPACK_H
#define WEBSENTRY_PROBE_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

struct unpack;

enum unpack_kind { UNPACK_GZIP, UNPACK_DEFLATE, UNPACK_BROTLI, UNPACK_ZSTD };

/* Of what was unpacked, what is kept for br and zstd to refer to. */
enum { UNPACK_WINDOW_MAX = 1024 * 1024 };

/*
 * Pieces with tables of their own, which may take a hundred times longer to read than what they are for: up to 8 microseconds each. A
 * body of 16 MiB in pieces of 4 KiB has as many.
 */
enum { UNPACK_TABLES_MAX = 4096 };

enum unpack_result {
	UNPACK_FINE,
	UNPACK_STOPPED, /* by on_bytes */
	UNPACK_BROKEN,  /* unpack_trouble() says what is wrong */
	UNPACK_OVER,    /* it takes more memory than it may … */
	UNPACK_COSTLY,  /* … or more time: it is packed in too many pieces */
};

/* Takes what was unpacked; false ends it. */
typedef bool (*unpack_on_bytes)(void *context, const char *bytes, size_t length);

/* Release with unpack_destroy(). */
struct unpack *unpack_create(enum unpack_kind kind);
void unpack_destroy(struct unpack *unpack);

/* Once it was not fine, it is not to be called again. */
enum unpack_result unpack_feed(struct unpack *unpack, const char *bytes, size_t length,
			       unpack_on_bytes on_bytes, void *context);

/* NULL: nothing is broken; "": there are no words for it. A constant. */
const char *unpack_trouble(const struct unpack *unpack);

/* Whether something came, and its end did not. */
bool unpack_is_cut_off(const struct unpack *unpack);

#endif
