/*
 * The check runs of a prober: those that run, and idle ones to be used again.
 *
 * A run that waits for its site takes some 20 KiB, most of it libcurl's; thousands run at once where many sites are silent. What
 * was not needed for a while is given back to the system, down to a few. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_RUN_POOL_H
#define WEBSENTRY_PROBE_RUN_POOL_H

#include <stddef.h>

struct check_env;
struct check_run;

/* So many idle runs are never given back. */
enum { RUN_POOL_KEPT = 64 };

struct run_pool {
	const struct check_env *env;
	size_t max;
	size_t descriptors;      /* for runs, and for what is counted in *others */
	const size_t *others;    /* NULL: nothing */
	struct check_run **runs; /* all that there are */
	size_t count;
	struct check_run **idle;
	size_t idle_count;
	size_t idle_least; /* since the last run_pool_shrink() */
	size_t released;   /* by the last one */
};

/* How many connections each of so many probers may have: what the process's descriptors allow. At least a few. */
size_t run_pool_descriptors(size_t probers);
/* How many checks may run at once with so many. */
size_t run_pool_max(size_t descriptors);

/* For at most max runs. env is borrowed. */
void run_pool_init(struct run_pool *pool, const struct check_env *env, size_t max);
/* So many descriptors are all that there are, and others than runs have *others of them, never all. Borrowed. */
void run_pool_share(struct run_pool *pool, size_t descriptors, const size_t *others);
/* Once the loop has ended. */
void run_pool_finish(struct run_pool *pool);

/* An idle run, or a new one. NULL: all are in use, or there is no descriptor or no memory for one more. */
struct check_run *run_pool_take(struct run_pool *pool);
/* An idle run, back. */
void run_pool_put(struct run_pool *pool, struct check_run *run);

/*
 * Release runs that were idle all the time since the last call, but for RUN_POOL_KEPT; a bounded number at a time. Every run
 * that is not in the pool is in use: started, and not cleared. Returns how many.
 */
size_t run_pool_shrink(struct run_pool *pool);

/* Before the loop ends: let go of it. */
void run_pool_close(struct run_pool *pool);

#endif
