/*
 * When each site is due. A heap over sites by their next due time; drift-free: due times are first + n x interval
 * on the monotonic clock, whatever a check takes. Pure: now is a parameter. One thread owns a schedule.
 */
#ifndef WEBSENTRY_CHECK_SCHEDULE_H
#define WEBSENTRY_CHECK_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct schedule;

/* Made for count sites, numbered 0 … count-1. */
struct schedule *schedule_create(size_t count);
void schedule_destroy(struct schedule *schedule);

/*
 * Where in its interval a site's checks fall: a hash of the name spreads sites evenly, the same in every run.
 * Result in [0, interval_us).
 */
int64_t schedule_offset_us(const char *site_name, int64_t interval_us);

/*
 * When a site that is put into a schedule at now is due first: the next moment, now or later, that lies at the site's offset in an interval counted
 * from the clock's beginning. So a site keeps its turn over restarts and reloads, and who asks later (`websentry sites`) knows it.
 */
mono_us schedule_first_due_us(const char *site_name, int64_t interval_us, mono_us now);

/* Which of so many schedulers a site belongs to: another hash of the name, so that it has nothing to do with its offset. */
size_t schedule_share(const char *site_name, size_t shares);

/* Put a site in, first due at first_due. Each site once. */
void schedule_add(struct schedule *schedule, size_t site, mono_us first_due, int64_t interval_us);

/* The time of the earliest site; false when the schedule is empty. */
bool schedule_next_due(const struct schedule *schedule, mono_us *ret_due);

/* When each site is due next, by its number; what is not in the schedule is left as it is. */
void schedule_read_dues(const struct schedule *schedule, mono_us *dues);

struct due_check {
	size_t site;
	mono_us due;    /* when it should have started */
	int64_t missed; /* whole intervals that went by before now: counted, never run in a burst */
};

/* Take the earliest site that is due at now, and move it to its next due time after now. False when none is. */
bool schedule_take_due(struct schedule *schedule, mono_us now, struct due_check *ret_check);

#endif
