#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/schedule.h"

enum { SITES = 10000, BINS = 100 };

/*
 * Chi-square over 100 equal parts of the interval: 99 degrees of freedom, so 123.2 is reached by one even spread in
 * twenty, 148.2 by one in a thousand. The names are fixed: this is no test of luck.
 */
static double spread(const char *before, const char *after, size_t count, int64_t interval_us)
{
	size_t bins[BINS] = {0};
	for (size_t i = 0; i < count; i++) {
		char name[64];
		(void)snprintf(name, sizeof(name), "%s%zu%s", before, i, after);
		int64_t offset = schedule_offset_us(name, interval_us);
		assert_true(offset >= 0 && offset < interval_us);
		bins[(size_t)((__int128)offset * BINS / interval_us)]++;
	}
	double expected = (double)count / BINS;
	double chi_square = 0;
	for (size_t i = 0; i < BINS; i++)
		chi_square +=
			((double)bins[i] - expected) * ((double)bins[i] - expected) / expected;
	return chi_square;
}

static void names_spread_evenly(void **state)
{
	(void)state;
	static const struct {
		const char *before;
		const char *after;
	} names[] = {
		{"site ", ""}, {"https://example.com/", ""}, {"http://127.0.0.1:8080/site/0", "/"},
		{"", ""},      {"", ".example.com"},
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		double minute = spread(names[i].before, names[i].after, SITES, INT64_C(60000000));
		double week = spread(names[i].before, names[i].after, SITES, INT64_C(604800000000));
		if (minute > 148.2 || week > 148.2)
			fail_msg("\"%sN%s\": chi-square %.1f and %.1f", names[i].before,
				 names[i].after, minute, week);
	}
}

static void offset_is_the_same_in_every_run(void **state)
{
	(void)state;
	assert_int_equal(schedule_offset_us("example", 1), 0);
	int64_t offset = schedule_offset_us("example", 60000000);
	assert_int_equal(offset, schedule_offset_us("example", 60000000));
	assert_int_not_equal(offset, schedule_offset_us("examplf", 60000000));
	assert_in_range(schedule_offset_us("", INT64_MAX), 0, INT64_MAX);
}

/* At the site's offset in an interval that is counted from the clock's beginning, whenever the schedule is made. */
static void first_due_keeps_a_sites_turn(void **state)
{
	(void)state;
	static const int64_t interval_us = 60000000;
	int64_t offset = schedule_offset_us("example", interval_us);
	const struct {
		mono_us now;
		mono_us due;
	} cases[] = {
		{0, offset},
		{offset - 1, offset},
		{offset, offset},
		{offset + 1, offset + interval_us},
		{interval_us - 1, offset + interval_us},
		{interval_us, offset + interval_us},
		{1000 * interval_us + offset + 1, 1001 * interval_us + offset},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(schedule_first_due_us("example", interval_us, cases[i].now),
				 cases[i].due);
	assert_int_equal(schedule_first_due_us("example", 1, 77), 77);
}

static void empty_schedule_has_nothing_due(void **state)
{
	(void)state;
	struct schedule *schedule = schedule_create(0);
	mono_us due = 7;
	struct due_check check;
	assert_false(schedule_next_due(schedule, &due));
	assert_false(schedule_take_due(schedule, INT64_MAX, &check));
	assert_int_equal(due, 7);
	schedule_destroy(schedule);
	schedule_destroy(NULL);
}

static void due_times_do_not_drift(void **state)
{
	(void)state;
	struct schedule *schedule = schedule_create(1);
	schedule_add(schedule, 0, 1000, 100);
	struct due_check check;
	mono_us now = 1000;
	for (int i = 0; i < 1000; i++) {
		now = 1000 + i * 100 + i % 90; /* always late by another bit */
		assert_true(schedule_take_due(schedule, now, &check));
		assert_int_equal(check.due, 1000 + i * 100);
		assert_int_equal(check.missed, 0);
		assert_false(schedule_take_due(schedule, now, &check));
	}
	schedule_destroy(schedule);
}

static void missed_checks_are_counted_and_not_run(void **state)
{
	(void)state;
	struct schedule *schedule = schedule_create(1);
	schedule_add(schedule, 0, 1000, 100);
	struct due_check check;
	mono_us due;
	assert_true(schedule_take_due(schedule, 1350, &check));
	assert_int_equal(check.missed, 3);
	assert_int_equal(check.due, 1300);
	assert_false(schedule_take_due(schedule, 1350, &check));
	assert_true(schedule_next_due(schedule, &due));
	assert_int_equal(due, 1400);
	assert_true(schedule_take_due(schedule, 1400, &check));
	assert_int_equal(check.missed, 0);
	schedule_destroy(schedule);
}

static void nothing_is_due_early(void **state)
{
	(void)state;
	struct schedule *schedule = schedule_create(1);
	schedule_add(schedule, 0, 1000, 100);
	struct due_check check;
	assert_false(schedule_take_due(schedule, 999, &check));
	assert_true(schedule_take_due(schedule, 1000, &check));
	schedule_destroy(schedule);
}

static void same_moment_comes_in_order_of_sites(void **state)
{
	(void)state;
	struct schedule *schedule = schedule_create(64);
	for (size_t i = 64; i-- > 0;)
		schedule_add(schedule, i, 5, 10);
	struct due_check check;
	for (size_t i = 0; i < 64; i++) {
		assert_true(schedule_take_due(schedule, 5, &check));
		assert_int_equal(check.site, i);
	}
	schedule_destroy(schedule);
}

/* Against the plainest model: an array that is searched for the earliest. */
static void agrees_with_a_plain_array(void **state)
{
	(void)state;
	enum { COUNT = 200 };
	mono_us due[COUNT];
	int64_t interval[COUNT];
	uint64_t random = 42;
	struct schedule *schedule = schedule_create(COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
		interval[i] = (int64_t)(random >> 33) % 1000 + 1;
		due[i] = (int64_t)(random >> 40) % 1000;
		schedule_add(schedule, i, due[i], interval[i]);
	}
	for (mono_us now = 0; now < 20000; now += 7) {
		struct due_check check;
		while (schedule_take_due(schedule, now, &check)) {
			size_t first = 0;
			for (size_t i = 1; i < COUNT; i++)
				if (due[i] < due[first])
					first = i;
			assert_int_equal(check.site, first);
			int64_t missed = (now - due[first]) / interval[first];
			assert_int_equal(check.missed, missed);
			assert_int_equal(check.due, due[first] + missed * interval[first]);
			due[first] = check.due + interval[first];
		}
		for (size_t i = 0; i < COUNT; i++)
			assert_true(due[i] > now);
	}
	schedule_destroy(schedule);
}

/* 10,000 sites that start at once: each is taken exactly once in its first interval. */
static void every_site_is_checked_within_its_interval(void **state)
{
	(void)state;
	const int64_t interval_us = 60000000;
	struct schedule *schedule = schedule_create(SITES);
	bool *seen = xcalloc(SITES, sizeof(*seen));
	for (size_t i = 0; i < SITES; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "site %zu", i);
		schedule_add(schedule, i, schedule_offset_us(name, interval_us), interval_us);
	}
	struct due_check check;
	size_t count = 0;
	mono_us last = 0;
	while (schedule_take_due(schedule, interval_us - 1, &check)) {
		assert_false(seen[check.site]);
		assert_true(check.due >= last);
		last = check.due;
		seen[check.site] = true;
		count++;
	}
	assert_int_equal(count, SITES);
	free(seen);
	schedule_destroy(schedule);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_spread_evenly),
		cmocka_unit_test(offset_is_the_same_in_every_run),
		cmocka_unit_test(first_due_keeps_a_sites_turn),
		cmocka_unit_test(empty_schedule_has_nothing_due),
		cmocka_unit_test(due_times_do_not_drift),
		cmocka_unit_test(missed_checks_are_counted_and_not_run),
		cmocka_unit_test(nothing_is_due_early),
		cmocka_unit_test(same_moment_comes_in_order_of_sites),
		cmocka_unit_test(agrees_with_a_plain_array),
		cmocka_unit_test(every_site_is_checked_within_its_interval),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
