/*
 * Secrets that are known by their shape, whatever their name and wherever they stand: JSON web tokens, ids of AWS's keys, and the tokens
 * of services that begin with a mark of theirs. Pure; any thread.
 */
#ifndef WEBSENTRY_CHECK_TOKEN_SHAPES_H
#define WEBSENTRY_CHECK_TOKEN_SHAPES_H

#include <stdbool.h>
#include <stddef.h>

enum { TOKEN_SHAPES_MIN = 20 }; /* bytes of the shortest one */

/* How long the token is that begins at bytes[at]; 0 where none does. */
size_t token_shapes_length(const char *bytes, size_t length, size_t at);

/* Whether one stands anywhere in the bytes. */
bool token_shapes_stand_in(const char *bytes, size_t length);

#endif
