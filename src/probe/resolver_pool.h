/* The resolvers of a prober: the usual one, and one for each set of name servers that sites have of their own. One thread: the loop's. */
#ifndef WEBSENTRY_PROBE_RESOLVER_POOL_H
#define WEBSENTRY_PROBE_RESOLVER_POOL_H

#include <uv.h>

#include "base/error.h"

struct resolver;
struct resolver_pool;

enum { RESOLVER_POOL_MAX = 1000 }; /* sets of name servers; each has sockets of its own */

/* servers: of the usual one, as for resolver_create(). NULL with err on failure. */
struct resolver_pool *resolver_pool_create(uv_loop_t *loop, const char *servers, struct error *err);

/* As for each resolver of it: before the loop ends, and once it has. */
void resolver_pool_close(struct resolver_pool *pool);
void resolver_pool_destroy(struct resolver_pool *pool); /* accepts NULL */

/* The one for a set of servers ("ip:port,ip:port"; NULL: the usual one), made on first use. NULL with err where that fails. */
struct resolver *resolver_pool_find(struct resolver_pool *pool, const char *servers,
				    struct error *err);

#endif
