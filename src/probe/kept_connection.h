/*
 * The connections of a site with `keepalive: true`, from check to check: a cache of libcurl's that is this site's alone, for libcurl
 * would give a connection to another site whose authorities differ; and what is to be known of each of them. A site that redirects
 * has several. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_KEPT_CONNECTION_H
#define WEBSENTRY_PROBE_KEPT_CONNECTION_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "check/observation.h"

struct kept_connection;
struct transfer;

/* So many at most are kept of a site: beyond, the oldest is given up. */
enum { KEPT_CONNECTIONS_MAX = 16 };

/* Those of all of a prober's sites: each takes a descriptor also while nothing runs. */
struct kept_count {
	size_t open;
	size_t max;
};

/*
 * For one user, which gives it back with kept_connection_release(); so does each that takes it. The count is borrowed for its life. NULL:
 * libcurl has no memory.
 */
struct kept_connection *kept_connection_create(struct kept_count *all);
struct kept_connection *kept_connection_take(struct kept_connection *kept); /* accepts NULL */
/* The last one closes what there is; accepts NULL. */
void kept_connection_release(struct kept_connection *kept);

/*
 * The transfer that uses it now, for a URL at an address; a connection outlives the one that made it. A connection on which something
 * came since its last response is given up before, for nobody asked for that: libcurl would take it for the answer to what it asks
 * next. Over HTTP/2 a server may speak at any time, but what it says then is mostly that it goes away.
 */
void kept_connection_use(struct kept_connection *kept, struct transfer *transfer, const char *url,
			 const char *address);
/* To let go does nothing where another has taken its place since. */
void kept_connection_let_go(struct kept_connection *kept, const struct transfer *transfer);
struct transfer *kept_connection_user(const struct kept_connection *kept); /* NULL: none */

/* The socket over which the user's request goes, if curl keeps one for it; CURL_SOCKET_BAD: none. */
curl_socket_t kept_connection_socket(const struct kept_connection *kept);
/* Whether that is one of them, which is open then. */
bool kept_connection_holds(const struct kept_connection *kept, curl_socket_t socket);
/* The user has opened one. Returns false where it may not be kept, for there are too many already: the user closes it. */
bool kept_connection_add_socket(struct kept_connection *kept, curl_socket_t socket);
/* The socket is good for nothing any more. */
void kept_connection_give_up(struct kept_connection *kept);
/* For CURLOPT_CLOSESOCKETFUNCTION, which has to say so; context: the kept connection. */
int kept_connection_close_socket(void *context, curl_socket_t socket);

CURLSH *kept_connection_share(const struct kept_connection *kept);

/* The user's hop came over a connection of its own: remember what its handshake said. */
void kept_connection_note(struct kept_connection *kept, const struct observation *observation);
/* It came over one that was there: that is the certificate of the handshake then. */
void kept_connection_recall(const struct kept_connection *kept, struct observation *observation);

#endif
