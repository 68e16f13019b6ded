/*
 * A scripted server for the prober's tests: each connection gets a thread, which reads one request and then does what the
 * behaviour named by the path says. With TLS or without. Loopback only.
 */
#ifndef WEBSENTRY_TESTS_PROBE_PEER_H
#define WEBSENTRY_TESTS_PROBE_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

enum { PEER_REQUEST_MAX = 16 * 1024 };

struct peer;

struct peer_connection {
	struct peer *peer;
	int fd;
	SSL *ssl;                           /* NULL: plain */
	char request[PEER_REQUEST_MAX + 1]; /* head and body, NUL-terminated */
	size_t request_length;
	size_t body_left; /* of a body above PEER_REQUEST_MAX: what was not read yet */
};

struct peer_behaviour {
	const char *name; /* the request's path without its slash, up to '?' or '/' */
	const char *text; /* sent, before act; NULL for nothing */
	void (*act)(struct peer_connection *connection); /* NULL: the connection ends */
};

/* context: NULL for plain HTTP; borrowed. The table ends with a NULL name and is borrowed too. */
struct peer *peer_start(SSL_CTX *context, const struct peer_behaviour *behaviours);
/* The same, plain, at another address of this machine and a port; NULL where that is taken. */
struct peer *peer_start_at(const char *ip, int port, const struct peer_behaviour *behaviours);
void peer_stop(struct peer *peer); /* accepts NULL */
int peer_port(const struct peer *peer);
/* What every connection waits before it shakes hands; for the TLS phase. */
void peer_set_tls_delay(struct peer *peer, int ms);

/* For behaviours. Sending returns false once the client is gone. */
bool peer_send(struct peer_connection *connection, const void *bytes, size_t length);
bool peer_say(struct peer_connection *connection, const char *text);
bool peer_say_format(struct peer_connection *connection, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
bool peer_read_rest(struct peer_connection *connection);
void peer_pause(struct peer_connection *connection,
		int ms);                             /* ends early when the peer is stopped */
void peer_reset(struct peer_connection *connection); /* RST */
void peer_hang(struct peer_connection *connection);  /* until the client is gone */

/* A port where nobody listens, and a listening socket whose queue is full, so that connecting hangs. */
int peer_refused_port(void);
int peer_full_port(void);

#endif
