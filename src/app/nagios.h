/*
 * A check's results as a monitoring plugin prints them: one line of status, text and performance data
 * (https://www.monitoring-plugins.org/doc/guidelines.html). Pure; one thread at a time.
 */
#ifndef WEBSENTRY_APP_NAGIOS_H
#define WEBSENTRY_APP_NAGIOS_H

#include <stdbool.h>
#include <stddef.h>

#include "check/outcome.h"

struct buffer;
struct report;

enum {
	NAGIOS_TEXT_MAX = 512, /* bytes of what is said of one site */
	NAGIOS_LINE_MAX = 16 * 1024 * 1024,
};

/* What one report says. */
struct nagios_result {
	enum outcome outcome;
	char *name;     /* the site's */
	char *text;     /* without it */
	char *perfdata; /* labels have the site's name in front where there are several sites */
};

/* Released with nagios_result_finish(). */
void nagios_result_make(const struct report *report, bool is_one_of_many,
			struct nagios_result *ret_result);
void nagios_result_finish(struct nagios_result *result);

/*
 * The status line of all of them, with its end; the state is the worst one's. unchecked: how many sites have no result, which is unknown.
 */
void nagios_write(struct buffer *out, const struct nagios_result *results, size_t count,
		  size_t unchecked);

/* The line where there is nothing but a reason for not knowing. */
void nagios_write_unknown(struct buffer *out, const char *why);

#endif
