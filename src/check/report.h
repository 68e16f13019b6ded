/*
 * The report of one check as the producer sees it: a bundle of what was watched, measured and judged. It owns nothing:
 * codec/report_encode.h turns it into bytes, and after that the parts may go.
 */
#ifndef WEBSENTRY_CHECK_REPORT_H
#define WEBSENTRY_CHECK_REPORT_H

#include <stdbool.h>

struct evidence;
struct round_note;
struct site;
struct observation;
struct verdict;

struct report {
	const struct site *site;
	const struct observation *observation;
	const struct verdict *verdict;
	const struct attempts
		*attempts; /* every one, where there was more than one; NULL otherwise */
	const struct evidence *evidence; /* NULL: none */
	const struct round_note *round;  /* NULL: of none */
	const char *host;                /* the producer's host name */
	const char *location;
};

/* Which topic a report belongs to: success when a complete response was received, whatever its status. */
bool report_is_success(const struct report *report);

#endif
