/*
 * A timer that goes off at a moment of clock_mono_us(). One that finds the loop late, because it was held up, waits once more for
 * a little: timers come before sockets, and what it waits for may lie there. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_DUE_TIMER_H
#define WEBSENTRY_PROBE_DUE_TIMER_H

#include <stdbool.h>
#include <uv.h>

#include "base/clock.h"

struct due_timer {
	uv_timer_t timer; /* its data is the owner's */
	mono_us at;
	bool is_second_look;
	void (*on_due)(void *owner);
};

void due_timer_init(struct due_timer *timer, uv_loop_t *loop, void (*on_due)(void *owner),
		    void *owner);
/* In the place of what it was to do before. */
void due_timer_start(struct due_timer *timer, mono_us at, mono_us now);
void due_timer_stop(struct due_timer *timer);
void due_timer_close(struct due_timer *timer, uv_close_cb on_closed);

#endif
