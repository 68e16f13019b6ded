/*
 * Computed ids: the first 63 bits of a SHA-256, so that they survive tables that are dropped and made again.
 *
 * The cache remembers, for each set-up and producer that reports came with, the ids and whether the store has their dimension
 * rows. One thread. Private to src/store/.
 */
#ifndef WEBSENTRY_STORE_STORE_IDS_H
#define WEBSENTRY_STORE_STORE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/report_row.h"
#include "store/store.h"

int64_t store_id_of(const void *bytes, size_t length);
int64_t store_id_of_message(const struct store_origin *origin, const char *bytes, size_t length);

struct setup_ids {
	int64_t site_id;
	int64_t location_id;
	int64_t setup_id;
};

struct store_ids;

struct store_ids *store_ids_create(void);
void store_ids_destroy(struct store_ids *ids); /* accepts NULL */

/* What is known of a row's dimension rows, and of its producer's. */
enum store_ids_found {
	STORE_IDS_STORED, /* all of them are in the store */
	STORE_IDS_FIRST,  /* not all, and one of those was not asked for since the last begin */
	STORE_IDS_AGAIN,  /* not all, and those were asked for before */
};

struct setup_ids store_ids_find(struct store_ids *ids, const struct report_row *row,
				enum store_ids_found *ret_found);

/* Another attempt: what was found so far is not stored by it. */
void store_ids_begin(struct store_ids *ids);

/* What find returned since the last begin is in the store now. */
void store_ids_mark_stored(struct store_ids *ids);

/* Nothing is known to be in the store: after a reconnect, and when tables were made again. */
void store_ids_forget(struct store_ids *ids);

#endif
