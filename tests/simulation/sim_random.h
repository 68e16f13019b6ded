/* The one source of chance: all of a run follows from its seed. One thread. */
#ifndef WEBSENTRY_SIM_RANDOM_H
#define WEBSENTRY_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

extern uint64_t sim_random_state;

/* splitmix64: every seed is a good one. */
static inline uint64_t sim_random(void)
{
	uint64_t x = sim_random_state += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* From low to high, both included. */
static inline int64_t sim_random_between(int64_t low, int64_t high)
{
	return low + (int64_t)(sim_random() % (uint64_t)(high - low + 1));
}

/* True so many times in ten thousand. */
static inline bool sim_random_chance(int64_t in_ten_thousand)
{
	return in_ten_thousand > 0 && sim_random_between(0, 9999) < in_ten_thousand;
}

/* From low to high, every order of magnitude as likely as the next. */
static inline int64_t sim_random_log(int64_t low, int64_t high)
{
	int64_t top = low;
	while (top < high && sim_random_chance(7500))
		top *= 2;
	return sim_random_between(low, top < high ? top : high);
}

#endif
