/*
 * A curl multi handle on a libuv loop: carries transfers, says when each has ended.
 *
 * curl's sockets live in an epoll of their own, and libuv watches that one descriptor: libuv's own handle for each socket
 * costs three more system calls and two allocations a check. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_POLLER_H
#define WEBSENTRY_PROBE_POLLER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <uv.h>

#include "base/error.h"

struct poller;

/*
 * A transfer has ended; CURLE_ABORTED_BY_CALLBACK where the system did not let us watch its socket. It may be removed, changed and added
 * again from within. context is the transfer's CURLOPT_PRIVATE.
 */
typedef void (*poller_on_ended)(void *context, CURLcode code);

/* NULL with err on failure. Closed with poller_close(), and released with poller_destroy() once the loop has ended. */
struct poller *poller_create(uv_loop_t *loop, poller_on_ended on_ended, struct error *err);

/* Give up the handles that keep the loop running. No transfer may be left. */
void poller_close(struct poller *poller);
void poller_destroy(struct poller *poller);

/*
 * Start a transfer at once. Returns 0, or -1 where curl refuses the handle. The end is told by on_ended: from a later turn of
 * the loop, or (a connection that is refused on the spot) before this call returns, unless it is made from on_ended.
 */
int poller_add(struct poller *poller, CURL *easy);

/*
 * From within a transfer's CURLOPT_WRITEFUNCTION, which then returns CURL_WRITEFUNC_PAUSE: others have their turn first. In the next
 * turn of the loop curl goes on with it, beginning with the bytes of that call.
 */
void poller_put_off(struct poller *poller, CURL *easy);

/*
 * From within libcurl: the transfer ends with this code in the next turn of the loop, unless libcurl has ended it before, or
 * poller_go_on() is called, also from there.
 */
void poller_end(struct poller *poller, CURL *easy, CURLcode code);
void poller_go_on(struct poller *poller, const CURL *easy);

/* Whether a socket's response is waited for when nothing more can be sent to it (curl_sends.h). */
void poller_hear_out(struct poller *poller, curl_socket_t socket, bool is_worth_it);

/* The response to a transfer's request begins; what trickles is read each time that another part of the time since then has gone by. */
void poller_begin_response(struct poller *poller, curl_socket_t socket);

/*
 * What trickles is read now and then: have the socket looked at in this turn of the loop, should it rest. Returns whether it did.
 */
bool poller_wake(struct poller *poller, curl_socket_t socket);

/* Take a transfer out, running or ended; on_ended is not called for it any more. */
void poller_remove(struct poller *poller, CURL *easy);

#endif
