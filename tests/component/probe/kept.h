/* Requests as they came in, kept by a behaviour of the peers for a test to look at. Any thread. */
#ifndef WEBSENTRY_TESTS_PROBE_KEPT_H
#define WEBSENTRY_TESTS_PROBE_KEPT_H

#include <stddef.h>

#include "peer.h"

/* A request that was kept; the latest of its name. */
struct kept {
	char name[64];
	/* "[from 127.0.0.1] [tls TLSv1.3] [name a.test] [certificate client]", of what there was, then head and body */
	char request[512 + PEER_REQUEST_MAX + 1];
	size_t length;
};

/* The behaviour: "/keep/NAME" is answered with 200 once it is kept. */
void kept_take(struct peer_connection *connection);
/* The same by hand. */
void kept_add(struct peer_connection *connection, const char *name);

/* NULL where none came. Valid until kept_forget(). */
const struct kept *kept_find(const char *name);
void kept_forget(void);

#endif
