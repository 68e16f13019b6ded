/*
 * How long a loop was kept from working: by its own callbacks, by the machine, by being stopped or suspended. A check that failed
 * meanwhile may tell nothing about its site. One thread: the loop's.
 *
 * While checks run the loop wakes at least every 20 ms, because only a sleep that was meant to end tells whether it lasted too long; less often,
 * down to every 75 ms, while the last of them has begun long ago, and no hold-up was seen since.
 */
#ifndef WEBSENTRY_PROBE_LOOP_LAG_H
#define WEBSENTRY_PROBE_LOOP_LAG_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"

struct loop_lag {
	uv_prepare_t prepare; /* before the loop sleeps */
	uv_check_t check;     /* after it woke */
	uv_timer_t tick;      /* while checks run */
	uint64_t tick_ms;     /* how long the present one is; 0: none */
	uint64_t ticks_at;    /* by the loop's clock, ms, as the next one */
	uint64_t begun_at;    /* the last attempt, or hold-up */
	bool is_awake;
	mono_us woke_at; /* clock_boot_us(), as the next one */
	mono_us slept_at;
	int64_t sleep_max_us; /* how long the sleep was meant to be; -1: until something happens */
	int64_t lost_us;      /* sum of all hold-ups that are over */
};

void loop_lag_init(struct loop_lag *lag, uv_loop_t *loop);
/* An attempt at a check begins: hold-ups matter. Returns those until now. */
int64_t loop_lag_begin(struct loop_lag *lag);
/* The last check has ended: they don't. */
void loop_lag_rest(struct loop_lag *lag);
/* All hold-ups until now, the one that lasts included: a timer that comes too late asks before the loop has looked. */
int64_t loop_lag_lost_us(const struct loop_lag *lag);
void loop_lag_close(struct loop_lag *lag);

#endif
