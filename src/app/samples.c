#include "app/samples.h"

#include <stdlib.h>

#include "base/memory.h"
#include "check/observation.h"
#include "check/report.h"
#include "check/verdict.h"

void samples_add(struct samples *samples, const struct report *report)
{
	const struct observation *seen = report->observation;
	bool is_measured = report_is_success(report);
	if (samples->count == samples->capacity) {
		samples->capacity = samples->capacity == 0 ? 16 : 2 * samples->capacity;
		samples->items =
			xreallocarray(samples->items, samples->capacity, sizeof(samples->items[0]));
	}
	struct sample *sample = &samples->items[samples->count++];
	for (int i = 0; i < LIMIT_PHASE_COUNT; i++)
		sample->us[i] = is_measured ? limits_phase_us(&seen->final, (enum limit_phase)i)
					    : DURATION_UNKNOWN;
	sample->us[SAMPLE_TOTAL] = is_measured ? seen->total_us : DURATION_UNKNOWN;
	samples->measured += is_measured;
	samples->outcomes[report->verdict->outcome]++;
}

void samples_finish(struct samples *samples)
{
	free(samples->items);
	*samples = (struct samples){0};
}

static int compare(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a;
	int64_t other = *(const int64_t *)b;
	return (one > other) - (one < other);
}

/* The place ceil(percent / 100 * count) of sorted values. */
static int64_t at_rank(const int64_t *sorted, size_t count, size_t percent)
{
	return sorted[(count * percent + 99) / 100 - 1];
}

struct sample_figures samples_sum_up(const struct samples *samples, int series)
{
	struct sample_figures figures = {0};
	int64_t *sorted = xcalloc(samples->count, sizeof(sorted[0]));
	for (size_t i = 0; i < samples->count; i++) {
		if (samples->items[i].us[series] >= 0)
			sorted[figures.count++] = samples->items[i].us[series];
	}
	if (figures.count > 0) {
		qsort(sorted, figures.count, sizeof(sorted[0]), compare);
		figures.min = sorted[0];
		figures.median = at_rank(sorted, figures.count, 50);
		figures.p95 = at_rank(sorted, figures.count, 95);
		figures.max = sorted[figures.count - 1];
	}
	free(sorted);
	return figures;
}

const char *samples_series_name(int series)
{
	return series == SAMPLE_TOTAL ? "total" : limits_phase_name((enum limit_phase)series);
}
