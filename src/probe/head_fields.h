/* The fields of a response's head as it came: name by name, whatever the letters' case. Pure. */
#ifndef WEBSENTRY_PROBE_HEAD_FIELDS_H
#define WEBSENTRY_PROBE_HEAD_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct raw_response;

struct head_field {
	const char *value; /* in the head, without blanks around it */
	size_t length;
	size_t next; /* where to look for the one after it; 0 at first */
};

/* The next field of that name from field->next on; false where there is none. */
bool head_fields_next(const struct raw_response *raw, const char *name, struct head_field *field);

/*
 * How old the document is, as its head says; now is our clock. With Last-Modified its age when it was sent (by the server's own
 * Date, so that no clock of ours counts) and what it spent in caches (Age); else Age; else the time since Date. DURATION_UNKNOWN
 * where none of them is there, never less than 0.
 */
int64_t head_fields_age_us(const struct raw_response *raw, wall_us now);

#endif
