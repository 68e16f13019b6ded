/*
 * Tells whether a response over HTTP/2 has come to its end: where the server breaks a rule, libcurl 7.88 gives the connection up and
 * calls what came so far the whole response. It then doesn't keep the connection, though, as it does after a sound end that
 * neither a GOAWAY nor the end of TLS announced; and what it does with a connection it says to who wants to hear it.
 * Behind a GOAWAY it says the same of both: there only a length that the head told shows that something is missing. (Over a broken rule
 * nghttp2 sends a GOAWAY of its own, but we see that encrypted, and as long as its answer to a PING, which many servers send with theirs.)
 * One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_TRANSFER_HTTP2_H
#define WEBSENTRY_PROBE_TRANSFER_HTTP2_H

#include <stdbool.h>
#include <stddef.h>

struct transfer;

/* The transfer speaks HTTP/2, from here on: may be called within libcurl's callbacks, and more than once. */
void transfer_http2_watch(struct transfer *transfer);

/* Ready for a transfer of whatever version. */
void transfer_http2_clear(struct transfer *transfer);

/* Take what libcurl says of its connection. */
void transfer_http2_hear(struct transfer *transfer, const char *text, size_t length);

/*
 * The handle leaves libcurl's loop: its connection is closed with it, for nobody is to have it. One that is kept stays, unless its response
 * has not ended: the server may never say anything over it again.
 */
void transfer_http2_let_go(struct transfer *transfer);

/* Once libcurl has called the response complete, and lets go of the connection: whether it was given up instead. */
bool transfer_http2_is_broken(const struct transfer *transfer);

#endif
