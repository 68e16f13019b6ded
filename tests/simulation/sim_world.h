/* One seed: a world with its machines and its troubles, then healed, drained and judged. */
#ifndef WEBSENTRY_SIM_WORLD_H
#define WEBSENTRY_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

struct sim_result {
	const char *failure; /* NULL: the promise was kept; valid until the next run */
	uint64_t hash;       /* of the trace */
	int64_t reports;     /* durable ones */
	int64_t kills;
};

void sim_world_run(uint64_t seed, bool is_loud, struct sim_result *ret_result);

#endif
