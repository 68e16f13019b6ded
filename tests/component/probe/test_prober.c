/* When checks start, how they are bounded, and how a prober stops; and what it says of its own trouble. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "behaviours.h"
#include "name_server.h"
#include "pattern/pattern.h"
#include "peer.h"
#include "watch.h"

enum { SITES_MAX = 64, PATIENCE_MS = 60000 };

static struct peer *peer;
static struct site sites[SITES_MAX];
static size_t site_count;

/* One more site on the peer. */
static struct site *add_site(const char *host, const char *path, int timeout_ms)
{
	char name[64];
	(void)snprintf(name, sizeof(name), "%s %zu", path, site_count);
	struct site *site = &sites[site_count++];
	watch_make_site(site, name, xasprintf("http://%s:%d/%s", host, peer_port(peer), path),
			timeout_ms);
	return site;
}

static int forget_sites(void **state)
{
	(void)state;
	for (size_t i = 0; i < site_count; i++) {
		pattern_destroy(sites[i].pattern);
		site_finish(&sites[i]);
	}
	site_count = 0;
	return 0;
}

/* When a site was first due, were it checked then or (on a busy machine) later. */
static wall_us first_due(const struct watch *watch, const struct site *site)
{
	const struct observation *observation = watch_find(watch, site);
	assert_non_null(observation);
	return observation->scheduled_at - observation->missed * site->interval_us;
}

static int compare_dues(const void *a, const void *b)
{
	wall_us left = *(const wall_us *)a;
	wall_us right = *(const wall_us *)b;
	return (left > right) - (left < right);
}

/* Whenever the prober starts: the names' places in the interval leave no gap of more than 0.21 s. */
static void first_checks_are_spread(void **state)
{
	(void)state;
	enum { COUNT = 60, TWICE = 2 * COUNT, INTERVAL_MS = 2000, QUARTER_MS = INTERVAL_MS / 4 };
	for (size_t i = 0; i < COUNT; i++)
		(void)add_site("127.0.0.1", "ok", INTERVAL_MS);
	struct watch watch;
	watch_start(&watch, (struct prober_options){0}, sites, site_count);
	assert_true(watch_wait_count(&watch, TWICE, PATIENCE_MS));
	watch_stop(&watch, 0);
	wall_us dues[COUNT];
	for (size_t i = 0; i < COUNT; i++)
		dues[i] = first_due(&watch, &sites[i]);
	qsort(dues, COUNT, sizeof(dues[0]), compare_dues);
	/* The wall clock is read a moment after the monotonic one. */
	int64_t span_us = dues[COUNT - 1] - dues[0];
	assert_in_range(span_us, (INTERVAL_MS - QUARTER_MS) * CLOCK_US_PER_MS,
			(INTERVAL_MS + QUARTER_MS) * CLOCK_US_PER_MS);
	for (size_t i = 1; i < COUNT; i++)
		assert_in_range(dues[i] - dues[i - 1], 0, QUARTER_MS * CLOCK_US_PER_MS);
	watch_finish(&watch);
}

static void schedule_does_not_drift(void **state)
{
	(void)state;
	enum { COUNT = 6, INTERVAL_MS = 600, OFF_MAX_US = 50000 };
	struct site *site = add_site("127.0.0.1", "slow-answer", INTERVAL_MS);
	struct watch watch;
	watch_start(&watch, (struct prober_options){0}, site, 1);
	assert_true(watch_wait_count(&watch, COUNT, PATIENCE_MS));
	watch_stop(&watch, 0);
	const struct observation *first = &watch.all[0].observation;
	size_t on_beat = 0;
	for (size_t i = 1; i < COUNT; i++) {
		const struct observation *next = &watch.all[i].observation;
		int64_t since_us = next->scheduled_at - first->scheduled_at;
		int64_t off_us = since_us % (INTERVAL_MS * CLOCK_US_PER_MS);
		if (off_us > INTERVAL_MS * CLOCK_US_PER_MS / 2)
			off_us -= INTERVAL_MS * CLOCK_US_PER_MS;
		on_beat += llabs(off_us) < OFF_MAX_US;
		assert_true(next->late_us >= 0);
		assert_int_equal(next->is_suspect, next->late_us > 100000);
	}
	/* The wall clock is read a moment after the monotonic one, and a busy machine may come in between now and then. */
	assert_true(on_beat > (COUNT - 1) / 2);
	watch_finish(&watch);
}

static void timeout_as_long_as_the_interval_misses_nothing(void **state)
{
	(void)state;
	enum { COUNT = 4 };
	struct site *site = add_site("127.0.0.1", "hang", 250);
	struct watch watch;
	watch_start(&watch, (struct prober_options){0}, site, 1);
	assert_true(watch_wait_count(&watch, COUNT, PATIENCE_MS));
	watch_stop(&watch, 0);
	int64_t held_up = 0;
	for (size_t i = 0; i < COUNT; i++) {
		const struct observation *observation = &watch.all[i].observation;
		held_up += observation->trouble == REASON_PROBER_OVERLOADED;
		assert_true(observation->trouble == REASON_TIMEOUT || held_up > 0);
		assert_true(observation->missed == 0 || held_up > 0);
	}
	watch_finish(&watch);
}

static void refused_starts_are_missed(void **state)
{
	(void)state;
	struct site *site = add_site("127.0.0.1", "ok", 50);
	struct watch watch;
	watch_start(&watch, (struct prober_options){0}, site, 1);
	assert_true(watch_wait_count(&watch, 1, PATIENCE_MS));
	(void)pthread_mutex_lock(&watch.lock);
	watch.may_start = false;
	watch.refused = 0;
	(void)pthread_mutex_unlock(&watch.lock);
	assert_true(watch_wait_refused(&watch, 5, PATIENCE_MS));
	(void)pthread_mutex_lock(&watch.lock);
	size_t before = watch.count;
	size_t refused = watch.refused;
	watch.may_start = true;
	(void)pthread_mutex_unlock(&watch.lock);
	/* A check that ran when starts were refused still ends, with nothing missed. */
	assert_true(watch_wait_count(&watch, before + 2, PATIENCE_MS));
	watch_stop(&watch, 0);
	/* A busy machine may have missed some before. */
	int64_t missed = 0;
	for (size_t i = 0; i < watch.count; i++)
		missed += watch.all[i].observation.missed;
	assert_true(missed >= (int64_t)refused);
	watch_finish(&watch);
}

static void once_asks_a_full_sink_again(void **state)
{
	(void)state;
	struct site *site = add_site("127.0.0.1", "ok", 5000);
	struct watch watch;
	watch_prepare(&watch);
	watch.may_start = false;
	watch_run(&watch, (struct prober_options){.is_once = true}, site, 1);
	assert_true(watch_wait_refused(&watch, 2, PATIENCE_MS));
	(void)pthread_mutex_lock(&watch.lock);
	watch.may_start = true;
	(void)pthread_mutex_unlock(&watch.lock);
	assert_true(watch_wait_done(&watch, PATIENCE_MS));
	watch_stop(&watch, 0);
	assert_int_equal(watch.count, 1);
	watch_finish(&watch);
}

static void once_without_sites_is_done(void **state)
{
	(void)state;
	struct watch watch;
	watch_start(&watch, (struct prober_options){.is_once = true}, sites, 0);
	assert_true(watch_wait_done(&watch, PATIENCE_MS));
	watch_stop(&watch, 0);
	watch_finish(&watch);
}

static void checks_in_flight_are_bounded(void **state)
{
	(void)state;
	enum { COUNT = 12, MAX = 3 };
	for (size_t i = 0; i < COUNT; i++)
		(void)add_site("127.0.0.1", "hang", 150);
	struct watch watch;
	watch_start(&watch, (struct prober_options){.is_once = true, .max_in_flight = MAX}, sites,
		    site_count);
	size_t most = 0;
	for (size_t count = 1; count <= COUNT; count++) {
		size_t now = prober_in_flight(watch.prober);
		most = now > most ? now : most;
		assert_true(watch_wait_count(&watch, count, PATIENCE_MS));
	}
	assert_true(watch_wait_done(&watch, PATIENCE_MS));
	assert_true(most <= MAX);
	assert_int_equal(prober_in_flight(watch.prober), 0);
	watch_stop(&watch, 0);
	watch_finish(&watch);
}

static void shares_take_each_site_once(void **state)
{
	(void)state;
	enum { COUNT = 21, SHARES = 3 };
	for (size_t i = 0; i < COUNT; i++)
		(void)add_site("127.0.0.1", "ok", 5000);
	size_t seen[COUNT] = {0};
	for (size_t share = 0; share < SHARES; share++) {
		struct watch watch;
		watch_start(
			&watch,
			(struct prober_options){.is_once = true, .share = share, .shares = SHARES},
			sites, site_count);
		assert_true(watch_wait_done(&watch, PATIENCE_MS));
		watch_stop(&watch, 0);
		for (size_t i = 0; i < watch.count; i++)
			seen[watch.all[i].site - sites]++;
		watch_finish(&watch);
	}
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(seen[i], 1);
}

/* Of all threads: a clock on the wall would measure what else the machine does. */
static int64_t cpu_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * CLOCK_US_PER_S + now.tv_nsec / 1000;
}

static void ten_thousand_sites_are_scheduled_at_once(void **state)
{
	(void)state;
	enum { COUNT = 10000 };
	struct site *many = xcalloc(COUNT, sizeof(many[0]));
	for (size_t i = 0; i < COUNT; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "site %zu", i);
		watch_make_site(&many[i], name,
				xasprintf("http://127.0.0.1:%d/%zu", peer_refused_port(), i), 5000);
		many[i].interval_us = INT64_C(3600) * CLOCK_US_PER_S;
	}
	struct watch watch;
	int64_t before = cpu_us();
	watch_start(&watch, (struct prober_options){0}, many, COUNT);
	watch_stop(&watch, 0);
	assert_true(cpu_us() - before < CLOCK_US_PER_S);
	watch_finish(&watch);
	for (size_t i = 0; i < COUNT; i++)
		site_finish(&many[i]);
	free(many);
}

/* More than one turn of the loop starts, because the first check holds the thread up: the others come with the next turns. */
static void what_fell_due_meanwhile_is_started(void **state)
{
	(void)state;
	enum { COUNT = 500, INTERVAL_MS = 400 };
	struct site *many = xcalloc(COUNT, sizeof(many[0]));
	for (size_t i = 0; i < COUNT; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "site %zu", i);
		watch_make_site(&many[i], name,
				xasprintf("http://127.0.0.1:%d/%zu", peer_refused_port(), i),
				INTERVAL_MS);
	}
	struct watch watch;
	watch_prepare(&watch);
	watch.block_ms = 2 * INTERVAL_MS;
	watch_run(&watch, (struct prober_options){0}, many, COUNT);
	assert_true(watch_wait_count(&watch, 3 * COUNT, PATIENCE_MS));
	watch_stop(&watch, 0);
	for (size_t i = 0; i < COUNT; i++)
		assert_non_null(watch_find(&watch, &many[i]));
	watch_finish(&watch);
	for (size_t i = 0; i < COUNT; i++)
		site_finish(&many[i]);
	free(many);
}

static void wait_in_flight(const struct watch *watch, size_t count)
{
	for (int i = 0; i < PATIENCE_MS / 5 && prober_in_flight(watch->prober) != count; i++)
		(void)usleep(5000);
	assert_int_equal(prober_in_flight(watch->prober), count);
}

static void stop_lets_running_checks_finish(void **state)
{
	(void)state;
	struct site *site = add_site("127.0.0.1", "slow-answer", 5000);
	struct watch watch;
	watch_start(&watch, (struct prober_options){.is_once = true}, site, 1);
	wait_in_flight(&watch, 1);
	watch_stop(&watch, PATIENCE_MS);
	assert_int_equal(watch.count, 1);
	assert_int_equal(watch.all[0].observation.trouble, REASON_OK);
	watch_stop(&watch, 0); /* does nothing */
	watch_finish(&watch);
}

static void stop_abandons_what_does_not_end(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		(void)add_site("127.0.0.1", "hang", 3600 * 1000);
	(void)add_site("silent.test", "ok", 3600 * 1000);
	static const struct name_record names[] = {{.name = "silent.test", .is_silent = true},
						   {.name = NULL}};
	struct name_server *server = name_server_start(names);
	struct watch watch;
	watch_start(&watch,
		    (struct prober_options){.is_once = true,
					    .dns_servers = name_server_address(server)},
		    sites, site_count);
	wait_in_flight(&watch, 6);
	watch_stop(&watch, 50);
	assert_int_equal(watch.count, 0);
	assert_false(watch.is_done);
	watch_finish(&watch);
	name_server_stop(server);
}

static void stop_waits_for_a_search_on_the_pool(void **state)
{
	(void)state;
	struct error err;
	struct site *site = add_site("127.0.0.1", "costly", 60000);
	site->pattern = pattern_compile("(a+)+$", &err);
	struct watch watch;
	watch_start(&watch, (struct prober_options){.is_once = true}, site, 1);
	wait_in_flight(&watch, 1);
	(void)usleep(
		100000); /* most likely it searches now; either way nothing may be left behind */
	watch_stop(&watch, 0);
	assert_true(watch.count <= 1);
	watch_finish(&watch);
}

/* The reason of a site's check among all sites; checks that a busy machine held up are done again. */
static enum reason find_reason(const struct site *site, const char *dns_servers)
{
	enum reason reason = REASON_PROBER_OVERLOADED;
	for (int i = 0; i < 30 && reason == REASON_PROBER_OVERLOADED; i++) {
		struct watch watch;
		watch_start(&watch,
			    (struct prober_options){.is_once = true, .dns_servers = dns_servers},
			    sites, site_count);
		assert_true(watch_wait_done(&watch, PATIENCE_MS));
		watch_stop(&watch, 0);
		reason = watch_find(&watch, site)->trouble;
		watch_finish(&watch);
	}
	return reason;
}

static void silent_name_server_is_our_trouble(void **state)
{
	(void)state;
	static const struct name_record names[] = {{.name = "silent.test", .is_silent = true},
						   {.name = NULL}};
	struct name_server *server = name_server_start(names);
	struct site *site = add_site("silent.test", "ok", 600);
	assert_int_equal(find_reason(site, name_server_address(server)), REASON_PROBER_OFFLINE);
	name_server_stop(server);
}

static void missing_name_server_is_our_trouble(void **state)
{
	(void)state;
	char servers[32];
	(void)snprintf(servers, sizeof(servers), "127.0.0.1:%d", peer_refused_port());
	struct site *site = add_site("any.test", "ok", 5000);
	assert_int_equal(find_reason(site, servers), REASON_PROBER_OFFLINE);
}

/* The server lives, but does not answer for this name: the site's trouble. */
static void unanswered_name_beside_others_is_down(void **state)
{
	(void)state;
	static const struct name_record names[] = {{.name = "silent.test", .is_silent = true},
						   {.name = "ok.test", .addresses = {"127.0.0.1"}},
						   {.name = NULL}};
	struct name_server *server = name_server_start(names);
	struct site *silent = add_site("silent.test", "ok", 1500);
	(void)add_site("ok.test", "ok", 1500);
	assert_int_equal(find_reason(silent, name_server_address(server)), REASON_DNS_ERROR);
	name_server_stop(server);
}

static void bad_name_servers_are_refused(void **state)
{
	(void)state;
	struct error err;
	const struct prober_options options = {.shares = 1, .dns_servers = "not an address"};
	const struct prober_sink sink = {0};
	assert_null(prober_start(&options, &sink, &err));
	assert_int_equal(err.kind, ERROR_REJECT);
}

/* The loop is blocked from within a callback for longer than the other site's timeout. */
static void held_up_prober_calls_nobody_down(void **state)
{
	(void)state;
	struct site *hanging = add_site("127.0.0.1", "hang", 600);
	(void)add_site("127.0.0.1", "ok", 600);
	bool is_blocked = false;
	/* on a busy machine it may have had its time before the other one ends, and blocks */
	for (int i = 0; i < 5 && !is_blocked; i++) {
		struct watch watch;
		watch_prepare(&watch);
		watch.block_ms = 900;
		watch_run(&watch, (struct prober_options){.is_once = true}, sites, site_count);
		assert_true(watch_wait_done(&watch, PATIENCE_MS));
		watch_stop(&watch, 0);
		const struct observation *observation = watch_find(&watch, hanging);
		is_blocked = watch.all[0].site != hanging;
		if (is_blocked) {
			assert_int_equal(observation->trouble, REASON_PROBER_OVERLOADED);
			assert_true(observation->is_suspect);
			assert_true(observation->lag_us >= 600 * CLOCK_US_PER_MS);
			assert_true(observation->late_us >= observation->lag_us);
		}
		watch_finish(&watch);
	}
	assert_true(is_blocked);
}

/* While the loop was blocked beyond the timeout, one site answered and another hung up. */
static void held_up_prober_reads_what_had_come(void **state)
{
	(void)state;
	struct site *answers = add_site("127.0.0.1", "slow-answer", 700);
	struct site *resets = add_site("127.0.0.1", "reset-in-head", 700);
	struct site *blocks = add_site("127.0.0.1", "ok", 700);
	enum reason reason = REASON_PROBER_OVERLOADED;
	/* on a busy machine the block may begin before the others have been asked, or after one has ended */
	for (int i = 0; i < 10 && reason != REASON_OK; i++) {
		struct watch watch;
		watch_prepare(&watch);
		watch.block_ms = 1500;
		watch_run(&watch, (struct prober_options){.is_once = true}, sites, site_count);
		assert_true(watch_wait_done(&watch, PATIENCE_MS));
		watch_stop(&watch, 0);
		if (watch.all[0].site == blocks) {
			reason = watch_find(&watch, answers)->trouble;
			assert_true(watch_find(&watch, answers)->is_suspect);
			assert_int_equal(watch_find(&watch, resets)->trouble,
					 REASON_PROBER_OVERLOADED);
		}
		watch_finish(&watch);
	}
	assert_int_equal(reason, REASON_OK);
}

static int set_up(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	peer = peer_start(NULL, behaviours);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	peer_stop(peer);
	return 0;
}

#define PROBER_TEST(name) cmocka_unit_test_teardown(name, forget_sites)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROBER_TEST(first_checks_are_spread),
		PROBER_TEST(schedule_does_not_drift),
		PROBER_TEST(timeout_as_long_as_the_interval_misses_nothing),
		PROBER_TEST(refused_starts_are_missed),
		PROBER_TEST(once_asks_a_full_sink_again),
		PROBER_TEST(once_without_sites_is_done),
		PROBER_TEST(checks_in_flight_are_bounded),
		PROBER_TEST(shares_take_each_site_once),
		PROBER_TEST(ten_thousand_sites_are_scheduled_at_once),
		PROBER_TEST(what_fell_due_meanwhile_is_started),
		PROBER_TEST(stop_lets_running_checks_finish),
		PROBER_TEST(stop_abandons_what_does_not_end),
		PROBER_TEST(stop_waits_for_a_search_on_the_pool),
		PROBER_TEST(silent_name_server_is_our_trouble),
		PROBER_TEST(missing_name_server_is_our_trouble),
		PROBER_TEST(unanswered_name_beside_others_is_down),
		PROBER_TEST(bad_name_servers_are_refused),
		PROBER_TEST(held_up_prober_calls_nobody_down),
		PROBER_TEST(held_up_prober_reads_what_had_come),
	};
	return cmocka_run_group_tests_name("probe_prober", tests, set_up, tear_down);
}
