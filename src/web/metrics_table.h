/*
 * The one table of metrics: /metrics and docs/metrics.md come from it. Const; any thread.
 */
#ifndef WEBSENTRY_WEB_METRICS_TABLE_H
#define WEBSENTRY_WEB_METRICS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/figures.h"

struct buffer;
struct metric;

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* What stands at a row's offset, and how it is shown. */
enum metric_value {
	METRIC_NUMBER,    /* a figure, as it is */
	METRIC_TIMESTAMP, /* a figure, wall_us: seconds since 1970; 0 where there is none */
	METRIC_AGE,       /* a figure, wall_us: how many seconds ago; 0 where there is none */
	METRIC_DURATIONS, /* a struct figure_durations, in seconds */
	METRIC_SAMPLES,   /* nothing: write() knows */
};

struct metric {
	enum figures_section section;
	const char *name;
	enum metric_type type;
	enum metric_value value;
	size_t offset; /* in struct figures */
	/* METRIC_SAMPLES: append the samples, a line each. On the web thread; quick, and takes no lock that is held across I/O. */
	void (*write)(struct buffer *out, const struct metric *metric,
		      const struct figures *figures);
	const char *labels; /* their names, for documents; NULL: none */
	const char *help;   /* one line */
};

extern const struct metric metrics_table[];
extern const size_t metrics_table_count;

/* A section's heading, and the commands that fill it. */
struct metrics_section {
	enum figures_section section;
	const char *title;
	const char *commands;
};
extern const struct metrics_section metrics_sections[];
extern const size_t metrics_section_count;

const char *metric_type_name(enum metric_type type); /* "counter" … */

/* Whether a process that fills these sections can have this obstacle. */
bool metrics_has_obstacle(unsigned sections, enum obstacle obstacle);
/* For documents: "`producer`, `consumer`". */
const char *metrics_obstacle_commands(enum obstacle obstacle);

#endif
