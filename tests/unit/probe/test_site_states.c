/* What stays of a prober's sites when their list is exchanged for another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check/schedule.h"
#include "check/site.h"
#include "probe/site_states.h"

enum { SITES_MAX = 400, NOW = 1000 };
#define SECOND CLOCK_US_PER_S

static struct site lists[2][SITES_MAX];
static size_t counts[2];

static struct site *add(int list, const char *name, int64_t interval_us)
{
	struct site *site = &lists[list][counts[list]++];
	site_init(site);
	site->name = xstrdup(name);
	site->url = xasprintf("http://%s.test/", name);
	site->interval_us = interval_us;
	return site;
}

static int forget(void **state)
{
	(void)state;
	for (int list = 0; list < 2; list++) {
		for (size_t i = 0; i < counts[list]; i++)
			site_finish(&lists[list][i]);
		counts[list] = 0;
	}
	return 0;
}

/* Where each site of the second list stood in the first. */
static size_t *compare(void)
{
	size_t *was = xcalloc(counts[1], sizeof(was[0]));
	for (size_t i = 0; i < counts[1]; i++) {
		was[i] = PROBER_NEW_SITE;
		for (size_t j = 0; j < counts[0]; j++)
			if (strcmp(lists[0][j].name, lists[1][i].name) == 0)
				was[i] = j;
	}
	return was;
}

static size_t *exchange(struct site_states *states, mono_us now)
{
	size_t *was = compare();
	const struct prober_reload reload = {
		.sites = lists[1], .site_count = counts[1], .was = was};
	size_t *moved = site_states_exchange(states, &reload, now);
	free(was);
	return moved;
}

static mono_us due_of(const struct site_states *states, size_t index)
{
	mono_us dues[SITES_MAX];
	schedule_read_dues(states->schedule, dues);
	return dues[index];
}

static mono_us due_afresh(const struct site *site, mono_us now)
{
	return schedule_first_due_us(site->name, site->interval_us, now);
}

static void a_site_keeps_its_time_and_state_by_its_name(void **state)
{
	(void)state;
	(void)add(0, "stays", 10 * SECOND);
	(void)add(0, "goes", 10 * SECOND);
	(void)add(0, "faster", 10 * SECOND);
	struct site_states states;
	site_states_init(&states, 0, 1, lists[0], counts[0]);
	site_states_schedule(&states, NOW);
	mono_us due = due_of(&states, 0);
	states.states[0].memo.number = 7;
	states.states[0].missed = 3;
	states.states[0].is_running = true;
	states.states[2].memo.number = 8;
	states.states[0].is_public = true;
	states.states[2].is_public = true;

	const struct site *comes = add(1, "comes", 10 * SECOND);
	struct site *faster = add(1, "faster", 5 * SECOND);
	free(faster->url);
	faster->url = xstrdup("http://elsewhere.test/");
	const struct site *stays = add(1, "stays", 10 * SECOND);
	mono_us later = NOW + 3 * SECOND;
	size_t *moved = exchange(&states, later);
	assert_int_equal(moved[0], 2);
	assert_int_equal(moved[1], SITE_STATES_GONE);
	assert_int_equal(moved[2], 1);
	assert_int_equal(states.count, 3);
	assert_ptr_equal(states.states[2].site, stays);
	assert_int_equal(due_of(&states, 2), due);
	assert_int_equal(states.states[2].memo.number, 7);
	assert_int_equal(states.states[2].missed, 3);
	assert_true(states.states[2].is_running);
	assert_true(states.states[2].is_public);
	assert_false(states.states[1].is_public); /* of another URL */
	assert_int_equal(due_of(&states, 1), due_afresh(faster, later));
	assert_int_equal(states.states[1].memo.number, 8);
	assert_int_equal(due_of(&states, 0), due_afresh(comes, later));
	assert_int_equal(states.states[0].memo.number, 0);
	free(moved);
	site_states_finish(&states);
}

/* However lists come and go, each site is one prober's, and the same one's. */
static void shares_stay_as_they_are(void **state)
{
	(void)state;
	enum { SHARES = 3 };
	char name[32];
	for (int i = 0; i < SITES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "site %d", i);
		(void)add(0, name, SECOND);
		if (i % 3 != 0)
			(void)add(1, name, SECOND);
	}
	size_t before = 0;
	size_t after = 0;
	for (size_t share = 0; share < SHARES; share++) {
		struct site_states states;
		site_states_init(&states, share, SHARES, lists[0], counts[0]);
		site_states_schedule(&states, NOW);
		assert_in_range(states.count, SITES_MAX / SHARES / 2, SITES_MAX / SHARES * 2);
		for (size_t i = 0; i < states.count; i++)
			states.states[i].memo.number =
				strtol(states.states[i].site->name + 5, NULL, 10) + 1;
		size_t count = states.count;
		before += count;
		size_t *moved = exchange(&states, NOW);
		after += states.count;
		size_t gone = 0;
		for (size_t i = 0; i < count; i++)
			gone += moved[i] == SITE_STATES_GONE;
		assert_int_equal(count - gone, states.count);
		for (size_t i = 0; i < states.count; i++)
			assert_int_equal(states.states[i].memo.number,
					 strtol(states.states[i].site->name + 5, NULL, 10) + 1);
		free(moved);
		site_states_finish(&states);
	}
	assert_int_equal(before, counts[0]);
	assert_int_equal(after, counts[1]);
}

static void a_list_may_be_empty(void **state)
{
	(void)state;
	struct site_states states;
	site_states_init(&states, 0, 1, lists[0], 0);
	(void)add(1, "comes", SECOND);
	size_t *moved = exchange(&states, NOW);
	assert_int_equal(states.count, 1);
	free(moved);
	site_states_finish(&states);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_site_keeps_its_time_and_state_by_its_name, forget),
		cmocka_unit_test_teardown(shares_stay_as_they_are, forget),
		cmocka_unit_test_teardown(a_list_may_be_empty, forget),
	};
	return cmocka_run_group_tests_name("probe_site_states", tests, NULL, NULL);
}
