/* Rounds of a prober that runs on: one after another, through a reload and a stop, and when none may start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "round_watch.h"
#include "watch.h"

static bool has_address(void)
{
	return round_watch.addresses > 0;
}

static bool has_reloaded(void)
{
	return round_watch.is_reloaded;
}

static bool has_released(void)
{
	return round_watch.released > 0;
}

static bool has_refused(void)
{
	return round_watch.refused > 1;
}

static bool has_round(void)
{
	return round_watch.rounds > 0;
}

static bool has_rounds(void)
{
	return round_watch.rounds >= 3;
}

static void one_round_follows_another(void **state)
{
	(void)state;
	round_watch_add("four.test", "ok", 20000)->interval_us = 200 * CLOCK_US_PER_MS;
	round_watch_start((struct prober_options){0});
	round_watch_until(has_rounds);
	prober_stop(round_watch.prober, 5000);
	assert_int_equal(round_watch.count, 4 * round_watch.rounds);
	for (size_t i = 4; i < round_watch.count; i++) {
		const struct round_told *told = &round_watch.told[i];
		const struct round_told *before = &round_watch.told[i - 4];
		assert_int_equal(told->round, before->round + 1);
		assert_true(told->started_at > before->started_at);
	}
}

/* What was left out before is told once for all addresses. */
static void missed_rounds_are_counted_once(void **state)
{
	(void)state;
	round_watch_add("four.test", "ok", 20000)->interval_us = 200 * CLOCK_US_PER_MS;
	round_watch.is_full = true;
	round_watch_start((struct prober_options){0});
	round_watch_until(has_refused);
	round_watch_begin();
	round_watch.is_full = false;
	round_watch_end();
	round_watch_until(has_round);
	prober_stop(round_watch.prober, 5000);
	assert_true(round_watch.told[0].missed >= (int64_t)round_watch.refused);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(round_watch.told[i].own_missed, 0);
}

/* One that has begun ends with the site as it was, whether that is still there or not; also the checks of it that wait for a run. */
static void reload_amid_rounds(size_t max_in_flight)
{
	struct site *gone = round_watch_add("four.test", "slow-answer", 5000);
	struct site *kept = round_watch_add("four.test", "slow-answer", 5000);
	kept->interval_us = gone->interval_us = 600 * CLOCK_US_PER_MS;
	struct site list[1];
	watch_make_site(&list[0], kept->name, xstrdup(kept->url), 5000);
	list[0].interval_us = 3600 * CLOCK_US_PER_S;
	static const size_t was[] = {1};
	const struct prober_reload reload = {.sites = list, .site_count = 1, .was = was};
	round_watch_start((struct prober_options){.max_in_flight = max_in_flight});
	round_watch_until(has_address); /* the dead ones end at once, the others are slow */
	prober_reload(round_watch.prober, &reload);
	round_watch_until(has_reloaded);
	round_watch_until(has_released);
	prober_stop(round_watch.prober, 5000);
	assert_true(round_watch.rounds >= 1);
	assert_int_equal(round_watch.count, 4 * round_watch.rounds);
	for (size_t i = 0; i < round_watch.count; i++) {
		assert_true(round_watch.told[i].site == kept || round_watch.told[i].site == gone);
		/* a round that ended before the reload has its site's */
		assert_true(round_watch.told[i].has_memo == (round_watch.told[i].site == kept) ||
			    round_watch.told[i].round < round_watch.rounds);
	}
	prober_destroy(round_watch.prober);
	round_watch.prober = NULL;
	site_finish(&list[0]);
}

static void a_reload_loses_no_round(void **state)
{
	reload_amid_rounds(0);
	(void)round_watch_forget(state);
	reload_amid_rounds(1);
}

/* Within the grace a round ends, those of its checks that waited for a run, too; else it never happened. */
static void a_stop_ends_rounds(void **state)
{
	(void)state;
	struct site *site = round_watch_add("four.test", "slow-answer", 5000);
	site->interval_us = 500 * CLOCK_US_PER_MS;
	round_watch_start((struct prober_options){.max_in_flight = 1});
	round_watch_until(has_address);
	prober_stop(round_watch.prober, 30000);
	assert_int_equal(round_watch.count, 4 * round_watch.rounds);
	assert_true(round_watch.rounds >= 1);
	(void)round_watch_forget(NULL);

	site = round_watch_add("four.test", "hang", 5000);
	site->interval_us = 500 * CLOCK_US_PER_MS;
	round_watch_start((struct prober_options){.max_in_flight = 3});
	round_watch_until(has_address);
	prober_stop(round_watch.prober, 0);
	assert_int_equal(round_watch.count, 0);
	assert_int_equal(prober_in_flight(round_watch.prober), 0);
}

#define ROUND_TEST(name) cmocka_unit_test_teardown(name, round_watch_forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROUND_TEST(one_round_follows_another),
		ROUND_TEST(missed_rounds_are_counted_once),
		ROUND_TEST(a_reload_loses_no_round),
		ROUND_TEST(a_stop_ends_rounds),
	};
	return cmocka_run_group_tests_name("probe_rounds_again", tests, round_watch_set_up,
					   round_watch_tear_down);
}
