/*
 * Unpacks a body that comes packed as gzip or deflate, piece by piece, and knows whether all of it has come: libcurl's own unpacking
 * takes a body that ends in the middle for a whole one. One thread: the loop's.
 *
 * As browsers do it, "deflate" may lack zlib's head, gzip may have several members, and what follows the end is left alone.
 */
#ifndef WEBSENTRY_PROBE_UNPACK_H
#define WEBSENTRY_PROBE_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

struct unpack;

enum unpack_kind { UNPACK_GZIP, UNPACK_DEFLATE };

/* Takes what was unpacked; false ends it. */
typedef bool (*unpack_on_bytes)(void *context, const char *bytes, size_t length);

/* Release with unpack_destroy(). */
struct unpack *unpack_create(enum unpack_kind kind);
void unpack_destroy(struct unpack *unpack);

/* Returns false where on_bytes ended it, or the bytes are broken: then unpack_trouble() says what is wrong. */
bool unpack_feed(struct unpack *unpack, const char *bytes, size_t length, unpack_on_bytes on_bytes,
		 void *context);

/* NULL: nothing is broken. A constant. */
const char *unpack_trouble(const struct unpack *unpack);

/* Whether something came, and its end did not. */
bool unpack_is_cut_off(const struct unpack *unpack);

#endif
