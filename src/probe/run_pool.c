#include "probe/run_pool.h"

#include <assert.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/error.h"
#include "base/memory.h"
#include "probe/check_run.h"

enum {
	/* From so many on the C library is told to look for pages that it can do without: it would keep them for ever. */
	TRIM_FROM = 256,
	/* Released at once: that and the look for pages take a few milliseconds, in which no check starts. */
	RELEASED_MAX = 1024,
	/* Descriptors that are not for checks: the outbox, Kafka, the web server, the resolver … */
	DESCRIPTORS_KEPT = 160,
	IN_FLIGHT_MIN = 8,
	IN_FLIGHT_MAX = 16 * 1024,
};

size_t run_pool_descriptors(size_t probers)
{
	struct rlimit limit;
	rlim_t open_max = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
	rlim_t left = open_max > DESCRIPTORS_KEPT ? (open_max - DESCRIPTORS_KEPT) / probers : 0;
	return left < IN_FLIGHT_MIN ? IN_FLIGHT_MIN : (size_t)left;
}

size_t run_pool_max(size_t descriptors)
{
	return descriptors > IN_FLIGHT_MAX ? IN_FLIGHT_MAX : descriptors;
}

void run_pool_init(struct run_pool *pool, const struct check_env *env, size_t max)
{
	*pool = (struct run_pool){
		.env = env,
		.max = max,
		.descriptors = SIZE_MAX,
		.runs = xcalloc(max, sizeof(struct check_run *)),
		.idle = xcalloc(max, sizeof(struct check_run *)),
	};
}

void run_pool_share(struct run_pool *pool, size_t descriptors, const size_t *others)
{
	pool->descriptors = descriptors;
	pool->others = others;
}

static bool has_descriptor(const struct run_pool *pool)
{
	size_t in_use = pool->count - pool->idle_count;
	return in_use + (pool->others == NULL ? 0 : *pool->others) < pool->descriptors;
}

void run_pool_finish(struct run_pool *pool)
{
	for (size_t i = 0; i < pool->count; i++)
		check_run_destroy(pool->runs[i]);
	free(pool->runs);
	free(pool->idle);
	*pool = (struct run_pool){0};
}

struct check_run *run_pool_take(struct run_pool *pool)
{
	struct error err;
	struct check_run *run = NULL;
	if (!has_descriptor(pool)) {
		/* one comes with the end of a run */
	} else if (pool->idle_count > 0) {
		run = pool->idle[--pool->idle_count];
	} else if (pool->count < pool->max) {
		run = check_run_create(pool->env, &err);
		if (run != NULL)
			pool->runs[pool->count++] = run;
	}
	if (pool->idle_least > pool->idle_count)
		pool->idle_least = pool->idle_count;
	return run;
}

void run_pool_put(struct run_pool *pool, struct check_run *run)
{
	assert(check_run_is_idle(run));
	pool->idle[pool->idle_count++] = run;
}

size_t run_pool_shrink(struct run_pool *pool)
{
	/* the loop has let go of those of the last time only now */
	if (pool->released >= TRIM_FROM)
		(void)malloc_trim(0);
	size_t spare = pool->idle_least > RUN_POOL_KEPT ? pool->idle_least - RUN_POOL_KEPT : 0;
	if (spare > RELEASED_MAX)
		spare = RELEASED_MAX;
	size_t idle_left = pool->idle_count - spare;
	size_t left = spare;
	size_t kept = 0;
	/* from the back: what was made last, for a rush, lies behind what has been there all along */
	for (size_t i = pool->count; left > 0 && i-- > 0;) {
		if (!check_run_is_idle(pool->runs[i]))
			continue;
		check_run_release(pool->runs[i]);
		pool->runs[i] = NULL;
		left--;
	}
	for (size_t i = 0; i < pool->count; i++) {
		if (pool->runs[i] != NULL)
			pool->runs[kept++] = pool->runs[i];
	}
	pool->count = kept;
	pool->idle_count = 0;
	for (size_t i = pool->count; i-- > 0;) { /* the first one is taken next */
		if (check_run_is_idle(pool->runs[i]))
			pool->idle[pool->idle_count++] = pool->runs[i];
	}
	assert(pool->idle_count == idle_left);
	pool->idle_least = pool->idle_count;
	pool->released = spare;
	return spare;
}

void run_pool_close(struct run_pool *pool)
{
	for (size_t i = 0; i < pool->count; i++)
		check_run_close(pool->runs[i]);
}
