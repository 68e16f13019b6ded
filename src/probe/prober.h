/*
 * The prober: starts checks when they are due, and measures them.
 *
 * One prober is one thread with its own libuv loop, curl multi handle, c-ares channel, TLS context and schedule over its
 * share of the sites. It judges nothing and keeps nothing: a finished check goes to the sink as an observation.
 */
#ifndef WEBSENTRY_PROBE_PROBER_H
#define WEBSENTRY_PROBE_PROBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "check/observation.h"
#include "check/site.h"

struct attempts;
struct figures;
struct prober;
struct round;

/* What the sink remembers of a site; the prober keeps it, over reloads too, and reads none of it. All zero at first. */
struct prober_memo {
	int64_t number;
	int64_t time;
};

/* What becomes of checks. All are called on the prober's thread, never from within prober_start(). */
struct prober_sink {
	void *context;
	/* Before a check starts: false leaves it out, and it counts as missed. NULL: always true. */
	bool (*may_start)(void *context);
	/*
	 * An attempt has ended at a site that may be tried again: whether it shall, after site->retry_after_us. All parameters are
	 * borrowed for the call, and the observation is gone after a yes. Into attempts the sink notes what it wants to know of it at
	 * the end: there they are the observation's earlier ones. NULL: never.
	 */
	bool (*wants_retry)(void *context, const struct site *site,
			    const struct observation *observation, struct attempts *attempts);
	/* A check has ended. All parameters are borrowed for the call. memo: NULL where the site has gone meanwhile. */
	void (*on_checked)(void *context, const struct site *site,
			   const struct observation *observation, struct prober_memo *memo);
	/*
	 * Of a site that wants all addresses of its name checked: the check of one of them has ended. What the observation holds may be
	 * taken, and is gone afterwards; into round the sink notes what it wants to know of it when on_round comes with the last one.
	 * Where the look-up fails there is no round: on_checked is called. NULL: no site wants that.
	 */
	void (*on_address)(void *context, const struct site *site, struct observation *observation,
			   struct round *round);
	void (*on_round)(void *context, const struct site *site, struct round *round,
			 struct prober_memo *memo);
	/* With is_once: every site has been checked. The prober is idle from then on. May be NULL. */
	void (*on_done)(void *context);
	/* prober_reload() was done: what it was given is not needed any more, but for the sites. May be NULL. */
	void (*on_reloaded)(void *context);
	/* A list that another has taken the place of is not used any more: the last check that it began has ended. May be NULL. */
	void (*on_released)(void *context, const struct site *sites);
};

/* Another list of sites, in the place of the one that a prober has. */
struct prober_reload {
	const struct site *sites; /* borrowed until on_released, or for the prober's life */
	size_t site_count;
	/* Parallel: where the site of the same name stood in the list before, or PROBER_NEW_SITE. Until on_reloaded. */
	const size_t *was;
};
#define PROBER_NEW_SITE SIZE_MAX

struct prober_options {
	const struct site *sites; /* borrowed until on_released, or for the prober's life */
	size_t site_count;
	size_t share;     /* this prober checks the sites whose schedule_share() this is */
	size_t shares;    /* 1 or more */
	bool is_once;     /* every site once, at once (max_in_flight at a time), then on_done */
	bool keeps_heads; /* of requests and responses, without secrets, in the observations' hops */
	size_t max_in_flight; /* checks at the same time; 0: derived from the descriptors that the process may open */
	const char *user_agent; /* NULL: "websentry/VERSION"; borrowed for the prober's life */
	struct figures *
		figures; /* counts the checks in flight; NULL: nobody looks. Borrowed until prober_stop() */
	const char *dns_servers; /* "ip:port,ip:port", brackets around IPv6; NULL: the system's */
};

/* Start the thread. NULL with err on failure. Stopped with prober_stop(), then released with prober_destroy(). */
struct prober *prober_start(const struct prober_options *options, const struct prober_sink *sink,
			    struct error *err);

/*
 * Exchange the list of sites: checks that run go on to their ends with the site as it was, and count for the one that has its name
 * now. Returns at once; the reload is borrowed until on_reloaded, and there may be one at a time. Not with is_once. Any thread.
 */
void prober_reload(struct prober *prober, const struct prober_reload *reload);

/* With is_once, after on_done: check every site once more; on_done follows again. Any thread. */
void prober_again(struct prober *prober);

/*
 * No new checks from now on; running ones may finish for grace_ms, then they are abandoned without a report (they never
 * happened). Returns when the thread has ended. Any thread but the prober's own. A second call does nothing.
 */
void prober_stop(struct prober *prober, int grace_ms);
void prober_destroy(struct prober *prober);

/* How many checks run at this moment; any thread. */
size_t prober_in_flight(const struct prober *prober);

#endif
