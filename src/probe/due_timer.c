#include "probe/due_timer.h"

enum { LATE_US = 20 * CLOCK_US_PER_MS, SECOND_LOOK_US = 50 * CLOCK_US_PER_MS };

static void on_timer(uv_timer_t *uv)
{
	struct due_timer *timer = (struct due_timer *)(void *)uv; /* its first member */
	mono_us now = clock_mono_us();
	if (now - timer->at > LATE_US && !timer->is_second_look) {
		due_timer_start(timer, now + SECOND_LOOK_US, now);
		timer->is_second_look = true;
		return;
	}
	timer->on_due(uv->data);
}

void due_timer_init(struct due_timer *timer, uv_loop_t *loop, void (*on_due)(void *owner),
		    void *owner)
{
	(void)uv_timer_init(loop, &timer->timer);
	timer->timer.data = owner;
	timer->on_due = on_due;
}

void due_timer_start(struct due_timer *timer, mono_us at, mono_us now)
{
	uv_update_time(timer->timer.loop);
	int64_t wait_us = at > now ? at - now : 0;
	/* libuv's milliseconds are rounded up */
	uint64_t wait_ms = (uint64_t)((wait_us + CLOCK_US_PER_MS - 1) / CLOCK_US_PER_MS);
	timer->at = at;
	timer->is_second_look = false;
	(void)uv_timer_start(&timer->timer, on_timer, wait_ms, 0);
}

void due_timer_stop(struct due_timer *timer)
{
	(void)uv_timer_stop(&timer->timer);
}

void due_timer_close(struct due_timer *timer, uv_close_cb on_closed)
{
	uv_close((uv_handle_t *)&timer->timer, on_closed);
}
