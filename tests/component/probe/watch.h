/* Runs a prober over sites in a test, and keeps what it observed. */
#ifndef WEBSENTRY_TESTS_PROBE_WATCH_H
#define WEBSENTRY_TESTS_PROBE_WATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "check/observation.h"
#include "check/site.h"
#include "probe/prober.h"

struct watched {
	const struct site *site;
	struct observation observation;
};

struct watch {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct watched *all; /* in the order of their ends */
	size_t count;
	bool is_done;
	bool may_start;
	size_t refused; /* starts that may_start left out */
	int block_ms;   /* how long the next on_checked blocks the prober's thread; once */
	struct prober *prober;
};

/* The two steps of watch_start(), for a test that sets something before the first check. */
void watch_prepare(struct watch *watch);
void watch_run(struct watch *watch, struct prober_options options, const struct site *sites,
	       size_t site_count);

/* Start over sites with what options say beside them. */
void watch_start(struct watch *watch, struct prober_options options, const struct site *sites,
		 size_t site_count);
/* Wait for on_done, or for count observations; false after timeout_ms. */
bool watch_wait_done(struct watch *watch, int timeout_ms);
bool watch_wait_count(struct watch *watch, size_t count, int timeout_ms);
bool watch_wait_refused(struct watch *watch, size_t count, int timeout_ms);
void watch_stop(struct watch *watch, int grace_ms);
void watch_finish(struct watch *watch);

/* The first observation of a site; NULL for none. */
const struct observation *watch_find(const struct watch *watch, const struct site *site);

/* A site for a test: url is taken (freed with the site), timeout in ms, the interval the same. */
void watch_make_site(struct site *site, const char *name, char *url, int timeout_ms);

#endif
