/*
 * The sites of one prober: what is known of each between its checks, and when it is due. Its share of a list, by a hash of the
 * names, so that a site stays with its prober when the list is exchanged for another. One thread: the prober's.
 */
#ifndef WEBSENTRY_PROBE_SITE_STATES_H
#define WEBSENTRY_PROBE_SITE_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "probe/prober.h"

struct check_start;
struct kept_connection;
struct schedule;
struct site;

struct site_state {
	const struct site *site;
	struct prober_memo memo;
	int64_t missed;
	mono_us waiting_due; /* fell due (clock_boot_us()) while its last check was still ending; 0: no */
	bool is_running;
	bool was_away;  /* the last time that it was due, its turn was left out */
	bool is_public; /* its name has led to public addresses alone: address_guard.h */
	struct kept_connection *kept; /* NULL: none yet, or none is kept */
};

struct site_states {
	size_t share;
	size_t shares;
	struct site_state *states;
	size_t *origins; /* parallel: the site's index in the list */
	size_t count;
	struct schedule *schedule;
};

/* The list is borrowed until the next exchange. */
void site_states_init(struct site_states *states, size_t share, size_t shares,
		      const struct site *list, size_t list_count);
void site_states_finish(struct site_states *states);

/* Put all into the schedule: first checks are spread over the interval. Only with it they fall due. */
void site_states_schedule(struct site_states *states, mono_us now);

/*
 * Take over another list. A site with the name of one before keeps its state, and when it is due unless its interval is another;
 * a new one is due as at a start. Returns the new number of each old one, or SITE_STATES_GONE; the caller's to free.
 */
#define SITE_STATES_GONE SIZE_MAX
size_t *site_states_exchange(struct site_states *states, const struct prober_reload *reload,
			     mono_us now);

/* What the name of a check's site led to (check_run_is_public()) holds for the next one, unless the site was exchanged meanwhile. */
void site_states_note_public(struct site_states *states, const struct check_start *origin,
			     bool is_public);

#endif
