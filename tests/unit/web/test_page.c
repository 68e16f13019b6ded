/* What the store said, put in order and written as a page; with a pretend clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "web/page.h"
#include "web/snapshot.h"

static const wall_us now = INT64_C(1795291200) * CLOCK_US_PER_S;

static struct store_site site_of(const char *name, enum outcome outcome, int64_t age_s)
{
	return (struct store_site){
		.name = name,
		.url = "https://example.com/",
		.outcome = outcome,
		.reason = "ok",
		.message = "",
		.started_at = now - age_s * CLOCK_US_PER_S,
		.total_us = 1000,
		.interval_us = 10 * (int64_t)CLOCK_US_PER_S,
		.location = "default",
		.strip = "UUGD?",
	};
}

static struct snapshot snapshot_of(const struct store_site *sites, size_t count,
				   const char *const *given, size_t given_count)
{
	struct snapshot_names names;
	struct snapshot snapshot;
	snapshot_names_init(&names, given, given_count);
	snapshot_init(&snapshot);
	for (size_t i = 0; i < count; i++)
		assert_true(snapshot_add(&snapshot, &sites[i]));
	snapshot_complete(&snapshot, &names, now);
	snapshot_names_finish(&names);
	return snapshot;
}

static void states_come_from_outcome_age_and_file(void **state)
{
	(void)state;
	static const char *const given[] = {"down", "up", "old", "new", "odd", "slow", "once"};
	struct store_site sites[] = {
		site_of("closed", OUTCOME_DOWN, 1), site_of("down", OUTCOME_DOWN, 1),
		site_of("odd", OUTCOME_UNKNOWN, 1), site_of("old", OUTCOME_DOWN, 61),
		site_of("once", OUTCOME_UP, 86400), site_of("slow", OUTCOME_DEGRADED, 60),
		site_of("up", OUTCOME_UP, -5),
	};
	static const struct {
		const char *name;
		enum site_state state;
	} expected[] = {
		{"down", SITE_DOWN},   {"slow", SITE_DEGRADED}, {"odd", SITE_UNKNOWN},
		{"old", SITE_OVERDUE}, {"new", SITE_WAITING},   {"once", SITE_UP},
		{"up", SITE_UP},       {"closed", SITE_CLOSED},
	};
	sites[4].interval_us = 0;
	struct snapshot snapshot = snapshot_of(sites, 7, given, 7);
	assert_int_equal(snapshot.count, 8);
	for (size_t i = 0; i < 8; i++) {
		assert_string_equal(snapshot.sites[i].name, expected[i].name);
		assert_int_equal(snapshot.sites[i].state, expected[i].state);
	}
	assert_int_equal(snapshot.counts[SITE_UP], 2);
	assert_int_equal(snapshot.counts[SITE_CLOSED], 1);
	snapshot_finish(&snapshot);
}

static void names_are_ordered_without_regard_to_case(void **state)
{
	(void)state;
	const struct store_site sites[] = {
		site_of("b", OUTCOME_UP, 1),
		site_of("C", OUTCOME_UP, 1),
		site_of("A", OUTCOME_UP, 1),
		site_of("a", OUTCOME_UP, 1),
	};
	struct snapshot snapshot = snapshot_of(sites, 4, NULL, 0);
	static const char *const expected[] = {"A", "a", "b", "C"};
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(snapshot.sites[i].name, expected[i]);
	snapshot_finish(&snapshot);
}

static void sites_beyond_the_bound_are_counted(void **state)
{
	(void)state;
	struct snapshot snapshot;
	struct snapshot_names names = {0};
	snapshot_init(&snapshot);
	for (int i = 0; i < SNAPSHOT_SITES_MAX + 3; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "%d", i);
		const struct store_site site = site_of(name, OUTCOME_UP, 1);
		assert_true(snapshot_add(&snapshot, &site));
	}
	snapshot_complete(&snapshot, &names, now);
	assert_int_equal(snapshot.count, SNAPSHOT_SITES_MAX);
	assert_int_equal(snapshot.left_out, 3);

	const struct page_facts facts = {.snapshot = &snapshot, .title = "T", .now = now};
	struct buffer board;
	buffer_init(&board, PAGE_MAX);
	page_write_board(&board, &facts);
	assert_false(board.is_overflowed);
	assert_non_null(strstr(board.data, "The first 2000 of 100000 sites are shown"));
	assert_non_null(strstr(board.data, "3 more sites are in the store"));
	buffer_finish(&board);
	snapshot_finish(&snapshot);
}

static void overdue_leaves_room_for_slow_pipelines(void **state)
{
	(void)state;
	assert_true(snapshot_overdue_after_us(0) == INT64_MAX);
	assert_true(snapshot_overdue_after_us(INT64_MAX) == INT64_MAX);
	assert_true(snapshot_overdue_after_us(60 * (int64_t)CLOCK_US_PER_S) ==
		    210 * (int64_t)CLOCK_US_PER_S);
}

static void headline_names_the_worst(void **state)
{
	(void)state;
	static const struct {
		enum outcome outcomes[3];
		size_t count;
		const char *headline;
	} cases[] = {
		{{OUTCOME_UP}, 0, "No report yet"},
		{{OUTCOME_UP}, 1, "The site is up"},
		{{OUTCOME_UP, OUTCOME_UP}, 2, "All 2 sites are up"},
		{{OUTCOME_UP, OUTCOME_UNKNOWN}, 2, "1 site is unknown"},
		{{OUTCOME_UNKNOWN, OUTCOME_DEGRADED, OUTCOME_DEGRADED}, 3, "2 sites are degraded"},
		{{OUTCOME_DOWN, OUTCOME_DEGRADED, OUTCOME_UP}, 3, "1 site is down"},
	};
	static const char *const names[] = {"a", "b", "c"};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_site sites[3];
		struct buffer board;
		for (size_t k = 0; k < cases[i].count; k++)
			sites[k] = site_of(names[k], cases[i].outcomes[k], 1);
		struct snapshot snapshot = snapshot_of(sites, cases[i].count, NULL, 0);
		const struct page_facts facts = {.snapshot = &snapshot, .title = "T", .now = now};
		char wanted[128];
		(void)snprintf(wanted, sizeof(wanted), "</svg>%s</h1>", cases[i].headline);
		buffer_init(&board, PAGE_MAX);
		page_write_board(&board, &facts);
		if (strstr(board.data, wanted) == NULL)
			fail_msg("\"%s\" is not in %s", wanted, board.data);
		buffer_finish(&board);
		snapshot_finish(&snapshot);
	}
}

static void hash_follows_what_is_said_and_not_the_time(void **state)
{
	(void)state;
	struct store_site site = site_of("a", OUTCOME_UP, 1);
	struct snapshot snapshot = snapshot_of(&site, 1, NULL, 0);
	struct page_facts facts = {.snapshot = &snapshot, .title = "T", .now = now};
	uint64_t before = page_hash(&facts);
	facts.now += 5 * (wall_us)CLOCK_US_PER_S;
	snapshot.read_at += 5 * (wall_us)CLOCK_US_PER_S;
	assert_true(page_hash(&facts) == before);
	facts.is_stale = true;
	assert_true(page_hash(&facts) != before);
	facts.is_stale = false;
	snapshot.sites[0].strip[4] = 'U';
	assert_true(page_hash(&facts) != before);
	facts.snapshot = NULL;
	assert_true(page_hash(&facts) != before);
	snapshot_finish(&snapshot);
}

static void strip_is_drawn_in_runs_from_the_right(void **state)
{
	(void)state;
	struct store_site site = site_of("a", OUTCOME_DOWN, 1);
	struct snapshot snapshot = snapshot_of(&site, 1, NULL, 0);
	const struct page_facts facts = {.snapshot = &snapshot, .title = "T", .now = now};
	struct buffer board;
	buffer_init(&board, PAGE_MAX);
	page_write_board(&board, &facts);
	assert_non_null(strstr(board.data, "<path class=\"c-none\" d=\"M0 9h45v1H0z\"/>"
					   "<path class=\"c-up\" d=\"M45 4h2v6H45z\"/>"
					   "<path class=\"c-degraded\" d=\"M47 2h1v8H47z\"/>"
					   "<path class=\"c-down\" d=\"M48 0h1v10H48z\"/>"
					   "<path class=\"c-unknown\" d=\"M49 6h1v4H49z\"/>"));
	buffer_finish(&board);
	snapshot_finish(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_come_from_outcome_age_and_file),
		cmocka_unit_test(names_are_ordered_without_regard_to_case),
		cmocka_unit_test(sites_beyond_the_bound_are_counted),
		cmocka_unit_test(overdue_leaves_room_for_slow_pipelines),
		cmocka_unit_test(headline_names_the_worst),
		cmocka_unit_test(hash_follows_what_is_said_and_not_the_time),
		cmocka_unit_test(strip_is_drawn_in_runs_from_the_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
