/*
 * Salvage: every row of a damaged file whose CRC is right, whatever SQLite makes of the file, fed back into an outbox.
 *
 * Rows are looked for in every page of the file and every frame of its log: by the page's own table of cells, and where
 * that is damaged, at every byte. Rows that were sent already may be among them, as deleting leaves their bytes behind;
 * they keep their identity, so that the store holds them once. Any one thread; the caller logs.
 */
#ifndef WEBSENTRY_OUTBOX_OUTBOX_SALVAGE_H
#define WEBSENTRY_OUTBOX_OUTBOX_SALVAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct outbox_salvage;
struct identity;

struct outbox_salvage_counts {
	size_t rows;     /* with a right CRC, each identity once */
	size_t bad_rows; /* that are there, and not as they were written */
	size_t bad_pages; /* whose own structure is damaged; what could be found in them counts as rows */
	size_t lost_pages; /* that the disk does not give */
	bool has_tables;   /* the first page, or a version of it in the log, names an outbox's */
};

/* Read the file at path, and its log. NULL with ERROR_REJECT where there is nothing to read. */
struct outbox_salvage *outbox_salvage_open(const char *path, struct error *err);
void outbox_salvage_close(struct outbox_salvage *salvage); /* accepts NULL */

void outbox_salvage_count(const struct outbox_salvage *salvage,
			  struct outbox_salvage_counts *ret_counts);

/* Whether the file is, or may have been, an outbox: it has its tables, a row, or pages that nobody could look at. */
bool outbox_salvage_is_of_outbox(const struct outbox_salvage_counts *counts);

/* The id in the file of the i-th bad row, i < bad_rows; they ascend. */
int64_t outbox_salvage_bad_id(const struct outbox_salvage *salvage, size_t i);

/* What feeding did. */
struct outbox_salvage_fed {
	size_t rows;
	char *set_aside; /* where a damaged outbox went; NULL: there was none */
	struct error why;
};
void outbox_salvage_fed_finish(struct outbox_salvage_fed *fed);

/*
 * Put the rows behind what waits in the outbox at outbox_path, which nobody holds (the caller has the data folder's lock): by producer_id
 * and seq, durably. An outbox that is damaged is set aside first, as a producer does that can't open it, so that the rows get into a
 * sound file: what it holds waits there for another salvage. Returns 0; or -1, with ret_fed telling how many are in (feeding them again
 * does no harm). ret_fed is filled either way, for outbox_salvage_fed_finish().
 */
int outbox_salvage_feed(struct outbox_salvage *salvage, const char *outbox_path,
			struct outbox_salvage_fed *ret_fed, struct error *err);

#endif
