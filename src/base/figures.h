/*
 * Figures about ourselves: what parts count and /metrics shows (web/metrics_table.c has a row for each).
 *
 * One struct figures a process. It belongs to the command, which gives it to its parts and to the web server, and outlives all of their
 * threads. Each part writes its own section, anybody reads. All is atomic and relaxed: counting costs no lock, reading holds
 * nobody up, and figures that are read together need not be of the same instant.
 */
#ifndef WEBSENTRY_BASE_FIGURES_H
#define WEBSENTRY_BASE_FIGURES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/readiness.h"

/* A counter (figures_add) or a gauge (figures_set, or figures_add with both signs). */
struct figure {
	_Atomic int64_t value;
};

/* How many durations fell below each bound: a histogram. The last bucket has no bound. */
enum { FIGURES_BOUNDS = 18 };
extern const int64_t figures_bounds_us[FIGURES_BOUNDS];

struct figure_durations {
	struct figure buckets[FIGURES_BOUNDS + 1]; /* each for itself, not added up */
	struct figure sum_us;
};

/* check/ has fewer reasons than this; base/ can't know them. */
enum { FIGURES_REASONS_MAX = 64 };

/* the main thread */
struct figures_process {
	struct figure reloads;
	struct figure reload_failures; /* what was read had mistakes: the old configuration stays */
};

/* scheduler and probers */
struct figures_checks {
	struct figure sites;
	struct figure in_flight;
	struct figure by_reason[FIGURES_REASONS_MAX]; /* by enum reason */
	struct figure missed;                         /* due and never started */
	struct figure unfinished;                     /* ended, and no room for the report */
	struct figure_durations late;                 /* start after the scheduled time */
	struct figure_durations took;
};

struct figures_outbox {
	struct figure rows;
	struct figure bytes;
	struct figure rows_max;
	struct figure oldest_at; /* wall_us of the oldest row; 0: there is none */
	struct figure commits;
	struct figure commit_failures;
	struct figure committed; /* rows */
	struct figure acknowledged;
	struct figure set_aside; /* files and rows that were damaged */
	struct figure_durations commit_took;
};

/* publisher and subscriber */
struct figures_kafka {
	struct figure errors;   /* of librdkafka's, all kinds */
	struct figure restarts; /* new handles after a fatal error */

	/* publisher */
	struct figure delivered;
	struct figure delivery_failures;
	struct figure unproven; /* called delivered without a place in the log, sent again */
	struct figure refused;  /* even alone and shrunk */

	/* subscriber */
	struct figure messages;
	struct figure partitions;
	struct figure rebalances;
	struct figure gaps; /* offsets that did not follow one another */
	struct figure commits;
	struct figure commit_failures;
	struct figure lag; /* messages between the stored positions and the ends */
};

/* writer */
struct figures_store {
	struct figure busy_since; /* mono_us; 0: the writer waits for work, not for the store */
	struct figure waiting;    /* messages taken and not written */
	struct figure batches;
	struct figure failures; /* batches that had to be tried again */
	struct figure rows;
	struct figure duplicates;
	struct figure conflicts; /* batches with at least one row that was there already */
	struct figure quarantined;
	struct figure foreign;        /* of them: messages of an older service */
	struct figure written_at;     /* wall_us of the last batch; 0: none yet */
	struct figure_durations took; /* a batch's transaction, failed ones too */
};

/* the page's reader, which asks the store now and then */
struct figures_audit {
	struct figure missing_reports;
	struct figure missing_producers; /* producer_ids with such reports */
	struct figure looked_at;         /* wall_us; 0: not yet */
};

/* Which of the sections a command fills. */
enum figures_section {
	FIGURES_PROCESS = 1 << 0, /* always */
	FIGURES_CHECKS = 1 << 1,
	FIGURES_OUTBOX = 1 << 2,
	FIGURES_KAFKA = 1 << 3,
	FIGURES_PUBLISHER = 1 << 4,
	FIGURES_SUBSCRIBER = 1 << 5,
	FIGURES_STORE = 1 << 6,
	FIGURES_AUDIT = 1 << 8, /* there is a page with a store */
	FIGURES_PAGE = 1 << 7,  /* the store is there to be read: `web` */
};

struct figures {
	unsigned sections; /* const once threads run, as the next one */
	wall_us started_at;
	struct readiness readiness;
	struct figures_process process;
	struct figures_checks checks;
	struct figures_outbox outbox;
	struct figures_kafka kafka;
	struct figures_store store;
	struct figures_audit audit;
};

/* All zero but for what a fresh process has in its way: it is starting, and its servers have not answered. */
void figures_init(struct figures *figures, unsigned sections);

/* A store that keeps the writer for longer than this hangs: that is as good as away, only nobody says so. */
enum { FIGURES_STORE_HANGS_MS = 5000 };

/* Whether something is in this process's way at this moment, and since when (ret_since may be NULL). */
bool figures_has_obstacle(const struct figures *figures, enum obstacle obstacle,
			  mono_us *ret_since);

/* Where a part counts whom nobody gave any: written to by all of them, read by none. */
struct figures *figures_unread(void);

static inline void figures_add(struct figure *figure, int64_t count)
{
	(void)atomic_fetch_add_explicit(&figure->value, count, memory_order_relaxed);
}

static inline void figures_set(struct figure *figure, int64_t value)
{
	atomic_store_explicit(&figure->value, value, memory_order_relaxed);
}

static inline int64_t figures_get(const struct figure *figure)
{
	return atomic_load_explicit(&figure->value, memory_order_relaxed);
}

/* A duration of less than 0 (not known) is left out. */
void figures_observe(struct figure_durations *durations, int64_t us);

#endif
