/*
 * The network of fuzz_response.c: what the prober opens as a connection is one end of a socket pair, and the input comes out of it. Linked
 * with --wrap for our own calls; connect(), which libcurl makes, is ours as well.
 */
#ifndef WEBSENTRY_TESTS_FUZZ_WIRE_H
#define WEBSENTRY_TESTS_FUZZ_WIRE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What the connections to come say, one after the other: the parts of bytes between lines of "~~". In pieces of so many bytes, 0: at once.
 * An ending with a reset loses what was not read. bytes are borrowed until wire_close().
 */
void wire_open(const char *bytes, size_t length, size_t piece, bool ends_with_reset);
void wire_close(void);

/* One more piece to each connection. Returns whether there was any. */
bool wire_feed(void);
/* How much has not been read yet, or not even been fed: a measure that falls as it is. */
size_t wire_unread(void);
/* Once something is asked for on a connection that there is, the next part follows: a site with keepalive asks again. */
void wire_go_on(void);
/* End all connections of which everything was read. Returns whether there was any. */
bool wire_end_read(void);

#endif
