/*
 * A response that was sent is not lost because nothing more can be sent to its server. One that closes while words of ours are unread, or
 * under way, resets the connection. What it said before lies here all the same, but libcurl ends the transfer as soon as it has something to
 * send: over HTTP/2 that it has read SETTINGS, over HTTP/1.1 the rest of an upload. So this program's send() stands before the C
 * library's, and says of such a connection, while libcurl is called, that the words were sent. libcurl then reads on, which ends the
 * transfer where the server's words end. Linux tells of a reset once, whoever asks first: recv() (curl_reads.h) tells it again, since a
 * response that only the end of its connection ends is not whole. Whoever else calls send(), in whatever thread, notices nothing.
 */
#ifndef WEBSENTRY_PROBE_CURL_SENDS_H
#define WEBSENTRY_PROBE_CURL_SENDS_H

#include <stdbool.h>
#include <stddef.h>

/* What is known of one thread's sockets, by their numbers. Zeroed at first; its owner's to hold. */
struct curl_sends {
	unsigned char *sockets;
	size_t count;
};

void curl_sends_finish(struct curl_sends *sends);

/*
 * Whether a socket's connection is worth reading when nothing can be sent. Of one that was kept it is not before the next response has
 * begun: the server had done with it, and what it said then was no answer. Holds until it is said anew; of a new socket, false.
 */
void curl_sends_hear_out(struct curl_sends *sends, int socket, bool is_worth_it);

/* Around a call of libcurl's, on its thread, where such sockets may be sent to. */
void curl_sends_bound(struct curl_sends *sends);
void curl_sends_unbound(void);

/* Meanwhile: what recv() calls the end of this socket's bytes was a reset. */
bool curl_sends_was_reset(int socket);

#endif
