/* Counters, histograms and obstacles; those of a fresh process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/figures.h"

static void a_duration_counts_in_the_first_bucket_that_holds_it(void **state)
{
	static const struct {
		int64_t us;
		size_t bucket;
	} cases[] = {
		{0, 0},
		{100, 0},
		{101, 1},
		{1000, 3},
		{1001, 4},
		{60000000, FIGURES_BOUNDS - 1},
		{60000001, FIGURES_BOUNDS},
		{INT64_C(1) << 40, FIGURES_BOUNDS},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct figure_durations durations = {0};
		figures_observe(&durations, cases[i].us);
		for (size_t j = 0; j <= FIGURES_BOUNDS; j++)
			assert_int_equal(figures_get(&durations.buckets[j]),
					 j == cases[i].bucket ? 1 : 0);
		assert_int_equal(figures_get(&durations.sum_us), cases[i].us);
	}
}

static void a_duration_that_is_not_known_does_not_count(void **state)
{
	(void)state;
	struct figure_durations durations = {0};
	figures_observe(&durations, -1);
	for (size_t i = 0; i <= FIGURES_BOUNDS; i++)
		assert_int_equal(figures_get(&durations.buckets[i]), 0);
	assert_int_equal(figures_get(&durations.sum_us), 0);
}

static void bounds_grow(void **state)
{
	(void)state;
	for (size_t i = 1; i < FIGURES_BOUNDS; i++)
		assert_true(figures_bounds_us[i] > figures_bounds_us[i - 1]);
}

static void a_gauge_goes_up_and_down(void **state)
{
	(void)state;
	struct figure figure = {0};
	figures_add(&figure, 3);
	figures_add(&figure, -1);
	assert_int_equal(figures_get(&figure), 2);
	figures_set(&figure, 7);
	assert_int_equal(figures_get(&figure), 7);
}

static void an_obstacle_keeps_its_time_until_it_is_gone(void **state)
{
	(void)state;
	struct readiness readiness = {0};
	mono_us first = 0;
	mono_us second = 0;
	assert_false(readiness_is_there(&readiness, OBSTACLE_STORE_AWAY, &first));
	readiness_set(&readiness, OBSTACLE_STORE_AWAY, true);
	assert_true(readiness_is_there(&readiness, OBSTACLE_STORE_AWAY, &first));
	assert_true(first > 0 && first <= clock_mono_us());
	readiness_set(&readiness, OBSTACLE_STORE_AWAY, true);
	assert_true(readiness_is_there(&readiness, OBSTACLE_STORE_AWAY, &second));
	assert_int_equal(first, second);
	assert_false(readiness_is_there(&readiness, OBSTACLE_OUTBOX_FULL, NULL));
	readiness_set(&readiness, OBSTACLE_STORE_AWAY, false);
	assert_false(readiness_is_there(&readiness, OBSTACLE_STORE_AWAY, NULL));
}

static void a_fresh_process_waits_for_its_servers(void **state)
{
	static const struct {
		unsigned sections;
		unsigned obstacles;
	} cases[] = {
		{0, 1U << OBSTACLE_STARTING},
		{FIGURES_KAFKA | FIGURES_PUBLISHER | FIGURES_OUTBOX,
		 1U << OBSTACLE_STARTING | 1U << OBSTACLE_KAFKA_UNREACHABLE},
		{FIGURES_KAFKA | FIGURES_SUBSCRIBER | FIGURES_STORE,
		 1U << OBSTACLE_STARTING | 1U << OBSTACLE_KAFKA_UNREACHABLE |
			 1U << OBSTACLE_NOT_ASSIGNED | 1U << OBSTACLE_STORE_AWAY},
		{FIGURES_CHECKS | FIGURES_STORE,
		 1U << OBSTACLE_STARTING | 1U << OBSTACLE_STORE_AWAY},
		{FIGURES_PAGE, 1U << OBSTACLE_STARTING | 1U << OBSTACLE_STORE_AWAY},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct figures figures;
		memset(&figures, 0xff, sizeof(figures));
		figures_init(&figures, cases[i].sections);
		assert_int_equal(figures.sections, cases[i].sections | FIGURES_PROCESS);
		for (int j = 0; j < OBSTACLE_COUNT; j++)
			assert_int_equal(
				readiness_is_there(&figures.readiness, (enum obstacle)j, NULL),
				(cases[i].obstacles >> j) & 1U);
		assert_int_equal(figures_get(&figures.store.rows), 0);
	}
}

static void every_obstacle_has_a_word_and_a_sentence(void **state)
{
	(void)state;
	for (int i = 0; i < OBSTACLE_COUNT; i++) {
		const char *name = obstacle_name((enum obstacle)i);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
		assert_true(strlen(obstacle_text((enum obstacle)i)) > strlen(name));
		assert_null(strpbrk(obstacle_text((enum obstacle)i), "\"\\\n|"));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(name, obstacle_name((enum obstacle)j));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_duration_counts_in_the_first_bucket_that_holds_it),
		cmocka_unit_test(a_duration_that_is_not_known_does_not_count),
		cmocka_unit_test(bounds_grow),
		cmocka_unit_test(a_gauge_goes_up_and_down),
		cmocka_unit_test(an_obstacle_keeps_its_time_until_it_is_gone),
		cmocka_unit_test(a_fresh_process_waits_for_its_servers),
		cmocka_unit_test(every_obstacle_has_a_word_and_a_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
