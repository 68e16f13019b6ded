/*
 * When the rows that wait were made, remembered roughly: a mark a second, and fewer as there come to be many. The file itself
 * keeps no times. Pure; outbox thread.
 */
#ifndef WEBSENTRY_OUTBOX_OUTBOX_AGE_H
#define WEBSENTRY_OUTBOX_OUTBOX_AGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum { OUTBOX_AGE_MARKS = 128 };

struct outbox_age {
	struct outbox_age_mark {
		int64_t id; /* rows from this one on were made then or later */
		wall_us at;
	} marks[OUTBOX_AGE_MARKS];
	size_t count;
	int64_t spacing_us; /* marks are at least so far apart */
};

void outbox_age_init(struct outbox_age *age);

/* Rows from id on are made now. */
void outbox_age_note(struct outbox_age *age, int64_t id, wall_us now);

/* When a row was made, or somewhat earlier; 0 where there is no mark for it. Rows before it are forgotten. */
wall_us outbox_age_of(struct outbox_age *age, int64_t id);

#endif
