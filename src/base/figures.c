#include "base/figures.h"

#include <string.h>

/* 0.1 ms to 60 s: a commit of the outbox at one end, a check that runs into its timeout at the other. */
const int64_t figures_bounds_us[FIGURES_BOUNDS] = {
	100,    250,    500,    1000,    2500,    5000,    10000,    25000,    50000,
	100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000,
};

void figures_init(struct figures *figures, unsigned sections)
{
	memset(figures, 0, sizeof(*figures));
	figures->sections = sections | FIGURES_PROCESS;
	figures->started_at = clock_wall_us();
	readiness_set(&figures->readiness, OBSTACLE_STARTING, true);
	if ((sections & FIGURES_KAFKA) != 0)
		readiness_set(&figures->readiness, OBSTACLE_KAFKA_UNREACHABLE, true);
	if ((sections & FIGURES_SUBSCRIBER) != 0)
		readiness_set(&figures->readiness, OBSTACLE_NOT_ASSIGNED, true);
	if ((sections & (FIGURES_STORE | FIGURES_PAGE)) != 0)
		readiness_set(&figures->readiness, OBSTACLE_STORE_AWAY, true);
}

bool figures_has_obstacle(const struct figures *figures, enum obstacle obstacle, mono_us *ret_since)
{
	if (readiness_is_there(&figures->readiness, obstacle, ret_since))
		return true;
	mono_us busy_since = figures_get(&figures->store.busy_since);
	if (obstacle != OBSTACLE_STORE_AWAY || busy_since == 0 ||
	    clock_mono_us() - busy_since < (mono_us)FIGURES_STORE_HANGS_MS * CLOCK_US_PER_MS)
		return false;
	if (ret_since != NULL)
		*ret_since = busy_since;
	return true;
}

struct figures *figures_unread(void)
{
	static struct figures unread;
	return &unread;
}

void figures_observe(struct figure_durations *durations, int64_t us)
{
	size_t bucket = 0;
	if (us < 0)
		return;
	while (bucket < FIGURES_BOUNDS && us > figures_bounds_us[bucket])
		bucket++;
	figures_add(&durations->buckets[bucket], 1);
	figures_add(&durations->sum_us, us);
}
