/* Whom a hop connects to: the host of its URL, or the proxy that asks in our place. Pure. */
#ifndef WEBSENTRY_PROBE_ROUTE_H
#define WEBSENTRY_PROBE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/resolver.h"

struct request;
struct request_proxy;
struct trouble;
struct url_parts;

enum { ROUTE_PEER_MAX = ADDRESS_TEXT_MAX + 16 };

/* Borrows from the request and the URL's parts. */
struct route {
	const struct request_proxy *proxy; /* NULL: none */
	const char *host;
	int port;
	bool is_host_ip;
	bool needs_site; /* the proxy is told the site's address: its name is looked up here, too */
};

void route_init(struct route *route, const struct request *request, const struct url_parts *parts);

/* The addresses of its host that nobody has to be asked for. Returns how many: 0 for a look-up. */
size_t route_find_known(const struct route *route, const struct request *request,
			struct resolver_address known[static RESOLVER_ADDRESSES_MAX]);

/* Describe the peer at an address for a message. Returns text. */
const char *route_peer(const struct route *route, const char *address,
		       char text[static ROUTE_PEER_MAX]);

/*
 * A way that does not even lead to the proxy says nothing of the site: the trouble is ours then. is_tls_of_proxy: what TLS there was
 * was the proxy's.
 */
void route_blame(const struct route *route, struct trouble *trouble, bool is_tls_of_proxy);

#endif
