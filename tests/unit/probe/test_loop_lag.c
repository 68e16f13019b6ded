#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <time.h>

#include <cmocka.h>

#include "probe/loop_lag.h"

enum { NAP_MS = 60, SEEN_MIN_US = 59000 };

/* A loop whose first check begins in a callback of its first turn, which then is held up. */
struct turn {
	uv_loop_t loop;
	uv_timer_t timer;
	uv_async_t async;
	struct loop_lag lag;
	int wakes;
	int64_t lost_at_start;
	int64_t lost_at_end;
};

static void begin_and_nap(struct turn *turn)
{
	const struct timespec nap = {.tv_nsec = NAP_MS * 1000000L};
	turn->lost_at_start = loop_lag_begin(&turn->lag);
	(void)nanosleep(&nap, NULL);
}

static void on_end(uv_timer_t *timer)
{
	struct turn *turn = timer->data;
	turn->lost_at_end = loop_lag_lost_us(&turn->lag);
	loop_lag_rest(&turn->lag);
	uv_close((uv_handle_t *)&turn->timer, NULL);
	uv_close((uv_handle_t *)&turn->async, NULL);
	loop_lag_close(&turn->lag);
}

static void on_begin(uv_timer_t *timer)
{
	begin_and_nap(timer->data);
	(void)uv_timer_start(timer, on_end, 1, 0);
}

static void on_wake(uv_async_t *async)
{
	struct turn *turn = async->data;
	if (turn->wakes++ == 0) { /* the first sleep of a loop has no length */
		assert_int_equal(uv_async_send(async), 0);
		return;
	}
	begin_and_nap(turn);
	(void)uv_timer_start(&turn->timer, on_end, 1, 0);
}

static void run(struct turn *turn, bool is_woken)
{
	*turn = (struct turn){0};
	assert_int_equal(uv_loop_init(&turn->loop), 0);
	assert_int_equal(uv_timer_init(&turn->loop, &turn->timer), 0);
	assert_int_equal(uv_async_init(&turn->loop, &turn->async, on_wake), 0);
	turn->timer.data = turn;
	turn->async.data = turn;
	loop_lag_init(&turn->lag, &turn->loop);
	if (is_woken)
		assert_int_equal(uv_async_send(&turn->async), 0);
	else
		assert_int_equal(uv_timer_start(&turn->timer, on_begin, 0, 0), 0);
	assert_int_equal(uv_run(&turn->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&turn->loop), 0);
}

static void the_first_turn_counts(void **state)
{
	struct turn turn;
	(void)state;
	run(&turn, false);
	assert_true(turn.lost_at_end - turn.lost_at_start >= SEEN_MIN_US);
}

static void the_turn_that_ends_an_endless_sleep_counts(void **state)
{
	struct turn turn;
	(void)state;
	run(&turn, true);
	assert_true(turn.lost_at_end - turn.lost_at_start >= SEEN_MIN_US);
}

/* While the last attempt is old the loop wakes less often, and as often as ever once there is another. */
static void ticks_are_rare_while_no_attempt_is_young(void **state)
{
	static const struct {
		uint64_t age_ms;
		uint64_t tick_ms;
	} cases[] = {{0, 20}, {500, 20}, {900, 30}, {1800, 60}, {3600 * 1000, 75}};
	uv_loop_t loop;
	struct loop_lag lag;
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	loop_lag_init(&lag, &loop);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)loop_lag_begin(&lag);
		assert_int_equal(lag.tick_ms, cases[0].tick_ms);
		lag.begun_at = uv_now(&loop) - cases[i].age_ms;
		lag.ticks_at = uv_now(&loop); /* it is due */
		(void)uv_run(&loop, UV_RUN_NOWAIT);
		assert_in_range(lag.tick_ms, cases[i].tick_ms, cases[i].tick_ms + 5);
	}
	/* Once it was held up, it looks closely. */
	lag.is_awake = true;
	lag.woke_at = clock_boot_us() - CLOCK_US_PER_S;
	(void)uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(lag.tick_ms, cases[0].tick_ms);
	loop_lag_rest(&lag);
	assert_int_equal(lag.tick_ms, 0);
	loop_lag_close(&lag);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_turn_counts),
		cmocka_unit_test(the_turn_that_ends_an_endless_sleep_counts),
		cmocka_unit_test(ticks_are_rare_while_no_attempt_is_young),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
