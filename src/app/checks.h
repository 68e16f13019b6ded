/*
 * The front of the pipeline: scheduler and prober -> verdict -> report's JSON. Used by producer, run and check, which
 * differ only in where the JSON goes.
 */
#ifndef WEBSENTRY_APP_CHECKS_H
#define WEBSENTRY_APP_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct checks;
struct figures;
struct report;
struct settings;
struct site_list;

/* Called on a prober's thread, of which there are --threads. */
struct checks_sink {
	void *context;
	struct figures *
		figures; /* where checks are counted; NULL: nobody looks. Borrowed until checks_stop() */
	/* False: no check is started now (it counts as missed). NULL: always true. */
	bool (*may_start)(void *context);
	/* A check is judged; all parameters are borrowed for the call. body has no identity yet. */
	void (*on_report)(void *context, const struct report *report, const char *body,
			  size_t length);
	/* With is_once: all probers have checked all their sites. NULL: nobody cares. */
	void (*on_done)(void *context);
	/* A reload is done, and the next one may come. NULL: nobody cares. */
	void (*on_reloaded)(void *context);
};

/* Start the probers. Takes what is in sites; settings are borrowed until checks_stop(). NULL with err on failure. */
struct checks *checks_start(const struct settings *settings, struct site_list *sites, bool is_once,
			    const struct checks_sink *sink, struct error *err);
size_t checks_site_count(const struct checks *checks); /* main thread */

/* With is_once, after on_done: check every site once more; on_done follows again. Main thread. */
void checks_again(struct checks *checks);

/* What became of the names. */
struct checks_change {
	size_t added;
	size_t removed;
};

/*
 * Check these sites from now on; takes what is in the list. Those whose names stay keep their times and what is known of them, and
 * checks that run end with the site as it was. Not with is_once, nor while checks_is_reloading(). Main thread.
 */
void checks_reload(struct checks *checks, struct site_list *sites,
		   struct checks_change *ret_change);
/* Whether the last one is still under way: on_reloaded follows then. */
bool checks_is_reloading(const struct checks *checks);

/* Free lists of sites that no check needs any more; now and then. Main thread. */
void checks_tidy(struct checks *checks);

/* No new checks; running ones end within grace_ms or are abandoned. Main thread. */
void checks_stop(struct checks *checks, int grace_ms);
void checks_destroy(struct checks *checks); /* stopped before; accepts NULL */

/* How many checks have ended so far; any thread. */
size_t checks_finished(const struct checks *checks);

#endif
