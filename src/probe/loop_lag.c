#include "probe/loop_lag.h"

enum {
	TICK_MS = 20,
	/* What is little to a check grows with its age: a tick may be this part of that of the youngest. */
	TICK_PART = 30,
	TICK_MAX_MS = 75,
	/* A shorter hold-up is everyday scheduling. */
	HOLD_UP_US = 20 * CLOCK_US_PER_MS,
};

/* How long the present stretch, awake or asleep, is over its due by now. */
static int64_t present_hold_up(const struct loop_lag *lag, mono_us now)
{
	int64_t over_us = 0;
	if (lag->is_awake)
		over_us = now - lag->woke_at;
	else if (lag->sleep_max_us >= 0)
		over_us = now - lag->slept_at - lag->sleep_max_us;
	return over_us > HOLD_UP_US ? over_us : 0;
}

int64_t loop_lag_lost_us(const struct loop_lag *lag)
{
	return lag->lost_us + present_hold_up(lag, clock_boot_us());
}

static void on_tick(uv_timer_t *tick);

static void tick_in(struct loop_lag *lag, uint64_t ms)
{
	lag->tick_ms = ms;
	lag->ticks_at = uv_now(lag->tick.loop) + ms;
	(void)uv_timer_start(&lag->tick, on_tick, ms, 0);
}

static void tick_again(struct loop_lag *lag)
{
	uint64_t ms = (uv_now(lag->tick.loop) - lag->begun_at) / TICK_PART;
	tick_in(lag, ms < TICK_MS ? TICK_MS : ms > TICK_MAX_MS ? TICK_MAX_MS : ms);
}

/* To have woken is all. */
static void on_tick(uv_timer_t *tick)
{
	tick_again(tick->data);
}

/* Who was held up once may be so again, and again: it is watched as closely as a young one. */
static void note_hold_up(struct loop_lag *lag, mono_us now)
{
	int64_t lost_us = present_hold_up(lag, now);
	lag->lost_us += lost_us;
	if (lost_us == 0 || lag->tick_ms == 0)
		return;
	lag->begun_at = uv_now(lag->tick.loop);
	tick_in(lag, TICK_MS);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct loop_lag *lag = prepare->data;
	mono_us now = clock_boot_us();
	note_hold_up(lag, now);
	/* Who wakes for something else needs no tick. Not each time: a busy loop turns much more often. */
	if (lag->tick_ms > 0 && uv_now(prepare->loop) + lag->tick_ms / 2 > lag->ticks_at)
		tick_again(lag);
	lag->is_awake = false;
	lag->slept_at = now;
	int timeout_ms = uv_backend_timeout(prepare->loop);
	lag->sleep_max_us = timeout_ms < 0 ? -1 : (int64_t)timeout_ms * CLOCK_US_PER_MS;
}

static void wake(struct loop_lag *lag)
{
	mono_us now = clock_boot_us();
	note_hold_up(lag, now);
	lag->is_awake = true;
	lag->woke_at = now;
}

/* Callbacks for sockets ran since the sleep ended: they are in here too. */
static void on_check(uv_check_t *check)
{
	wake(check->data);
}

void loop_lag_init(struct loop_lag *lag, uv_loop_t *loop)
{
	*lag = (struct loop_lag){.sleep_max_us = -1};
	(void)uv_prepare_init(loop, &lag->prepare);
	(void)uv_check_init(loop, &lag->check);
	(void)uv_timer_init(loop, &lag->tick);
	lag->prepare.data = lag;
	lag->check.data = lag;
	lag->tick.data = lag;
	(void)uv_prepare_start(&lag->prepare, on_prepare);
	(void)uv_check_start(&lag->check, on_check);
}

int64_t loop_lag_begin(struct loop_lag *lag)
{
	/* The first check may begin before on_check(): in the loop's first turn, and in a callback that ended a sleep without an end. */
	if (!lag->is_awake)
		wake(lag);
	lag->begun_at = uv_now(lag->tick.loop);
	if (lag->tick_ms != TICK_MS)
		tick_in(lag, TICK_MS);
	return loop_lag_lost_us(lag);
}

void loop_lag_rest(struct loop_lag *lag)
{
	lag->tick_ms = 0;
	(void)uv_timer_stop(&lag->tick);
}

void loop_lag_close(struct loop_lag *lag)
{
	uv_close((uv_handle_t *)&lag->prepare, NULL);
	uv_close((uv_handle_t *)&lag->check, NULL);
	uv_close((uv_handle_t *)&lag->tick, NULL);
}
