/*
 * What is to be written of a batch: its rows with their ids, in the order of the primary key, each once; the dimension rows that
 * the store may lack; and, once it is known which rows are new, the new state of each site. Pure but for the cache of ids.
 * One thread. Private to src/store/.
 */
#ifndef WEBSENTRY_STORE_STORE_PLAN_H
#define WEBSENTRY_STORE_STORE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/report_row.h"
#include "store/store.h"
#include "store/store_ids.h"

struct plan_row {
	const struct report_row *row; /* in the batch */
	struct setup_ids ids;
	wall_us started_at;
	bool needs_dimensions; /* the store may lack the rows that this one refers to */
	bool brings_dimensions; /* the same, and it is the first one of the plan that refers to them */
	bool is_inserted;       /* set by the driver: it was not there before */
};

/* What the batch makes of a site: from its inserted rows, which follow one another in the plan; of a round from its speaker. */
struct plan_state {
	const struct plan_row *latest;
	wall_us first_at; /* started_at of the first */
	bool is_written;  /* set by the driver */
	char strip[STORE_STRIP_LENGTH + 1];
};

struct store_plan {
	struct plan_row *rows;
	size_t row_count;
	size_t duplicates; /* rows of the batch that another row of the batch has the identity of */
	struct plan_state *states; /* by site_id */
	size_t state_count;
};

/* Rows whose is_left_out is true are not planned; is_left_out may be NULL. Released with store_plan_finish(). */
void store_plan_make(struct store_plan *plan, const struct store_batch *batch,
		     const bool *is_left_out, struct store_ids *ids);
void store_plan_finish(struct store_plan *plan);

/* Each row that needs dimensions brings them itself: for plans of which parts are tried. */
void store_plan_bring_all(struct store_plan *plan);

/* The planned row with this key, or NULL. */
struct plan_row *store_plan_find(struct store_plan *plan, int64_t site_id, wall_us started_at,
				 const struct uuid *producer_id, int64_t seq);

/* The state of a site, or NULL. */
struct plan_state *store_plan_find_state(struct store_plan *plan, int64_t site_id);

/* Fill states from the rows that are inserted. */
void store_plan_states(struct store_plan *plan);

#endif
