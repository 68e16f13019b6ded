/*
 * Tells whether a response over HTTP/2 has come to its end: where the server breaks a rule, libcurl 7.88 calls what came so far the whole
 * response, or waits (curl_streams.h). What it does with a connection, and that the server is about to close it, it says to who wants
 * to hear it. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_TRANSFER_HTTP2_H
#define WEBSENTRY_PROBE_TRANSFER_HTTP2_H

#include <curl/curl.h>
#include <stddef.h>

#include "probe/stop.h"

struct transfer;

/* The transfer speaks HTTP/2, from here on: may be called within libcurl's callbacks, and more than once. */
void transfer_http2_watch(struct transfer *transfer);

/* Ready for a transfer of whatever version. */
void transfer_http2_clear(struct transfer *transfer);

/* libcurl opens a connection, maybe because it asks once more what it asked over another: what was heard of that is over. */
void transfer_http2_ask_again(struct transfer *transfer);

/* Take what libcurl says of its connection. */
void transfer_http2_hear(struct transfer *transfer, const char *text, size_t length);

/*
 * The handle leaves libcurl's loop: its connection is closed with it, for nobody is to have it. One that is kept stays, unless its response
 * has not ended: the server may never say anything over it again.
 */
void transfer_http2_let_go(struct transfer *transfer);

/*
 * Some of the response was taken: where that was its end, and the request has none, the transfer ends in the loop's next turn, unless it
 * has ended by then. A server may answer without having read an upload (RFC 9113, 8.1); libcurl 7.88 goes on waiting until it can be sent.
 */
void transfer_http2_end_early(struct transfer *transfer);

/*
 * The transfer has ended with this code: CURLE_OK where only the connection broke or ended, behind a response that was whole and was taken.
 * libcurl 7.88 calls that an error if the two are seen at once, or while the request is under way.
 */
CURLcode transfer_http2_end(const struct transfer *transfer, CURLcode code);

/* The transfer has ended with this code: what the server did over HTTP/2 to end it before its response was whole; STOP_NONE: nothing. */
enum stop transfer_http2_judge(const struct transfer *transfer, CURLcode code);

#endif
