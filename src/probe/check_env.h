/* What all check runs of a prober share: the loop, connections to wait for, name servers, certificates. One thread: the loop's. */
#ifndef WEBSENTRY_PROBE_CHECK_ENV_H
#define WEBSENTRY_PROBE_CHECK_ENV_H

#include <curl/curl.h>
#include <stdbool.h>
#include <uv.h>

#include "base/error.h"

struct check_run;
struct client_certificates;
struct loop_lag;
struct network;
struct poller;
struct resolver_pool;
struct trust;

/* Borrowed by its runs for their life. */
struct check_env {
	uv_loop_t *loop;
	struct poller *poller;
	struct resolver_pool *resolvers;
	struct trust *trust;
	struct client_certificates *certificates;
	struct loop_lag *lag;
	struct network *network;
	const char *user_agent;
	bool keeps_heads; /* of requests and responses, in the hops */
	/* A run has finished: its observation may be read until check_run_clear(). Called from anywhere in a turn, also from
	 * within check_run_start(); it must only take note. */
	void (*on_finished)(void *context, struct check_run *run);
	void *context;
};

/* Prepare the libraries, once in a process. Returns 0, or -1 with err. */
int check_env_prepare(struct error *err);

/*
 * Create what is the environment's own, on its loop; the rest is the caller's to set. on_ended is told of transfers that have ended,
 * dns_servers may be NULL for the system's. Returns 0, or -1 with err; destroyed with check_env_destroy() either way.
 */
int check_env_create(struct check_env *env, void (*on_ended)(void *context, CURLcode code),
		     const char *dns_servers, struct error *err);
/* Before the loop ends: let go of it. */
void check_env_close(struct check_env *env);
/* Once the loop has ended. */
void check_env_destroy(struct check_env *env);

#endif
