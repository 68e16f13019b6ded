/*
 * What repeated checks of one site measured, and its figures. Only checks that got a complete response are measured: how soon a refusal comes
 * says nothing of how fast a site is. Phases are those of the last hop, as in the report. Pure; one thread at a time.
 *
 * A quantile is the nearest rank: of n values in order, the p-quantile is the one at place ceil(p * n). It was really measured, and of an even
 * number of values the median is the lower of the two in the middle.
 */
#ifndef WEBSENTRY_APP_SAMPLES_H
#define WEBSENTRY_APP_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "check/limits.h"
#include "check/outcome.h"

struct report;

/* Of every check: the phases in the order of enum limit_phase, then the whole. */
enum { SAMPLE_TOTAL = LIMIT_PHASE_COUNT, SAMPLE_SERIES_COUNT };

struct sample {
	int64_t us[SAMPLE_SERIES_COUNT]; /* DURATION_UNKNOWN where there is none */
};

struct samples {
	struct sample *items; /* in the order of the checks; as many as --repeat allows */
	size_t count;
	size_t capacity;
	size_t measured; /* with a complete response */
	size_t outcomes[OUTCOME_COUNT];
};

void samples_add(struct samples *samples, const struct report *report);
void samples_finish(struct samples *samples);

struct sample_figures {
	size_t count; /* values; with none the others mean nothing */
	int64_t min;
	int64_t median;
	int64_t p95;
	int64_t max;
};

struct sample_figures samples_sum_up(const struct samples *samples, int series);
const char *samples_series_name(int series); /* "dns" … "total" */

#endif
