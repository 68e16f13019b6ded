/*
 * One check as it runs: look the name up, connect, ask, follow redirects, search the body, all within the timeout.
 *
 *     idle -> resolving -> transferring -> matching -> finished -> idle
 *               ^  each redirect  |  next address: transferring again
 *               +-----------------+
 *               ^ check_run_try_again(): finished -> waiting -> resolving
 *
 * A run is used again for check after check. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_CHECK_RUN_H
#define WEBSENTRY_PROBE_CHECK_RUN_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

struct attempts;
struct check_env;
struct check_run;
struct hop_run;
struct kept_connection;
struct observation;
struct site;

/* NULL with err on failure. Closed, then released once the loop has ended. */
struct check_run *check_run_create(const struct check_env *env, struct error *err);
void check_run_close(struct check_run *run);
void check_run_destroy(struct check_run *run);
/* While the loop goes on: destroy an idle run as soon as the loop has let go of it. */
void check_run_release(struct check_run *run);

/* The one address that a check is of, where all of a name are checked. The caller's, until the check has ended. */
struct check_pin {
	const char *address;
	const char *host;   /* that has it: hops to others are free */
	wall_us started_at; /* of the checks of all of them */
	int64_t dns_us;     /* how long the look-up took, which counts as this check's own … */
	int64_t lost_us;    /* … and the loop's hold-ups during it */
	int64_t waited_us;  /* from then until the check could start */
	void *round;        /* the caller's */
};

/* How a check came to be started. */
struct check_start {
	const struct site *site;
	void *list;                   /* the caller's */
	size_t index;                 /* the caller's */
	int64_t late_us;              /* after it was due */
	struct kept_connection *kept; /* taken; NULL: none is kept */
	int64_t missed;
	bool was_public; /* as check_run_is_public() of an earlier check */
	struct check_pin
		*pin; /* NULL: none. Then a site that wants all addresses is only looked up */
};

/* Start on an idle run. */
void check_run_start(struct check_run *run, const struct check_start *start, mono_us now);

const struct check_start *check_run_origin(const struct check_run *run);
void check_run_set_index(struct check_run *run, size_t index);
/* Whether the site is known to be at public addresses, of a finished run: address_guard.h. */
bool check_run_is_public(const struct check_run *run);
struct observation *check_run_observation(struct check_run *run);

/* Of a run that has finished: the host and the addresses that it found, where that was all that it had to do; else NULL. */
const struct hop_run *check_run_looked_up(const struct check_run *run);

/* As prober_sink's wants_retry. */
typedef bool check_run_question(void *context, const struct site *site,
				const struct observation *observation, struct attempts *attempts);

/*
 * From finished to waiting, where the site has retries left and the answer is yes (NULL: it is no): one more attempt, with a timeout of
 * its own, after the site's retry_after_us. Returns whether.
 */
bool check_run_try_again(struct check_run *run, check_run_question *wants_retry, void *context);

/* From finished to idle. */
void check_run_clear(struct check_run *run);

/* Give the running check up without a word. Returns false where a search on the pool must end first: ask again. */
bool check_run_abandon(struct check_run *run);

bool check_run_is_idle(const struct check_run *run);

/* For the poller: the transfer of the run that context is has ended. */
void check_run_on_ended(void *context, CURLcode code);

#endif
