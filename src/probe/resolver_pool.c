#include "probe/resolver_pool.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/memory.h"
#include "probe/resolver.h"

struct member {
	char *servers;
	struct resolver *resolver;
	struct member *before;
	UT_hash_handle hh;
};

struct resolver_pool {
	uv_loop_t *loop;
	struct resolver *usual;
	struct member *members; /* by servers */
	struct member *latest;  /* the same, linked by before */
};

struct resolver_pool *resolver_pool_create(uv_loop_t *loop, const char *servers, struct error *err)
{
	struct resolver *usual = resolver_create(loop, servers, NULL, err);
	if (usual == NULL)
		return NULL;
	struct resolver_pool *pool = xcalloc(1, sizeof(*pool));
	pool->loop = loop;
	pool->usual = usual;
	return pool;
}

void resolver_pool_close(struct resolver_pool *pool)
{
	resolver_close(pool->usual);
	for (struct member *member = pool->latest; member != NULL; member = member->before)
		resolver_close(member->resolver);
}

void resolver_pool_destroy(struct resolver_pool *pool)
{
	if (pool == NULL)
		return;
	resolver_destroy(pool->usual);
	HASH_CLEAR(hh, pool->members);
	for (struct member *member = pool->latest; member != NULL;) {
		struct member *before = member->before;
		resolver_destroy(member->resolver);
		free(member->servers);
		free(member);
		member = before;
	}
	free(pool);
}

struct resolver *resolver_pool_find(struct resolver_pool *pool, const char *servers,
				    struct error *err)
{
	struct member *member;
	if (servers == NULL)
		return pool->usual;
	HASH_FIND_STR(pool->members, servers, member);
	if (member != NULL)
		return member->resolver;
	if (HASH_COUNT(pool->members) >= RESOLVER_POOL_MAX) {
		error_set(err, ERROR_FULL, "more than %d different sets of dns_servers",
			  (int)RESOLVER_POOL_MAX);
		return NULL;
	}
	struct resolver *resolver = resolver_create(pool->loop, servers, NULL, err);
	if (resolver == NULL)
		return NULL;
	member = xcalloc(1, sizeof(*member));
	member->servers = xstrdup(servers);
	member->resolver = resolver;
	member->before = pool->latest;
	pool->latest = member;
	HASH_ADD_KEYPTR(hh, pool->members, member->servers, strlen(member->servers), member);
	return resolver;
}
