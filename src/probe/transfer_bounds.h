/*
 * What a transfer may cost beyond what it gives: whatever does not show in header lines and body (chunk sizes and extensions, padding,
 * frames that say nothing, packed blocks that hold nothing) costs as much, so what is read is held against what came of it. One
 * thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_TRANSFER_BOUNDS_H
#define WEBSENTRY_PROBE_TRANSFER_BOUNDS_H

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdbool.h>

#include "probe/stop.h"

struct transfer;

/* Look at this socket from now on; what came before belongs to another transfer. Accepts CURL_SOCKET_BAD. */
void transfer_aim_at_socket(struct transfer *transfer, curl_socket_t socket);

/* Hold the bytes at the socket against the response; a system call. STOP_NONE: not too many. */
enum stop transfer_look_at_bytes(const struct transfer *transfer);

/* Whether a proxy that is asked to let us through has said anything so far, be it an answer or not; a system call. */
bool transfer_has_proxy_spoken(const struct transfer *transfer);

/* Whether one by SOCKS has said all but whether it reaches the site, as far as it can be told from how many bytes went; a system call. */
bool transfer_is_socks_asked(const struct transfer *transfer);

/*
 * Have the TLS that is about to begin break itself off where too much comes: libcurl and OpenSSL go on reading as long as there is
 * something, without coming back. The transfer, or the kept connection that it uses, outlives the context.
 */
void transfer_watch_tls(struct transfer *transfer, SSL_CTX *context);

#endif
