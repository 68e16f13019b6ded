/* Which addresses of a host a check tries, and from where. Pure. */
#ifndef WEBSENTRY_PROBE_ADDRESSES_H
#define WEBSENTRY_PROBE_ADDRESSES_H

#include <stddef.h>

#include "probe/resolver.h"

struct address_guard;
struct request;
struct request_host;

/* Those that were given by hand, at most RESOLVER_ADDRESSES_MAX. Returns how many. */
size_t addresses_copy(const struct request_host *host,
		      struct resolver_address addresses[static RESOLVER_ADDRESSES_MAX]);

/* Leave only those that the request takes, in their order. Returns how many. */
size_t addresses_choose(const struct request *request, struct resolver_address *addresses,
			size_t count);

/*
 * Leave at most RESOLVER_ADDRESSES_MAX, in their order: of two forms of one address the first, and where there are more, those that the
 * guard (NULL: none is asked) would let through before the others. Returns how many; ret_rest: how many were left out.
 */
size_t addresses_cut(const struct address_guard *guard, struct resolver_address *addresses,
		     size_t count, size_t *ret_rest);

/* How many of the rest of a look-up the request would have taken, too: those of the families of the chosen ones. */
size_t addresses_count_rest(struct resolver_rest rest, const struct resolver_address *chosen,
			    size_t count);

/* What a host lacks of which none was left: "the name has no IPv4 address". Static. */
const char *addresses_missing(const struct request *request);

/* The address to connect to one from; NULL: any. */
const char *addresses_source(const struct request *request, const char *address);

#endif
