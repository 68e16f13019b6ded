/* All addresses of a name: looked up once, each checked by itself, told together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../loopback.h"
#include "base/memory.h"
#include "behaviours.h"
#include "check/address_policy.h"
#include "check/request.h"
#include "check/round.h"
#include "check/verdict.h"
#include "name_server.h"
#include "peer.h"
#include "probe/prober.h"
#include "watch.h"

enum { PATIENCE_S = 60, TOLD_MAX = 1024, SITES_MAX = 40, DNS_DELAY_MS = 300 };

/* What was told of one address; of a check without a round, round is 0. */
struct told {
	const struct site *site;
	size_t round; /* counts the rounds and checks that were told, from 1 */
	size_t of;    /* how many addresses that had; 0: a check without a round */
	size_t unchecked;
	bool has_memo;
	char ip[ADDRESS_TEXT_MAX];
	char last_ip[ADDRESS_TEXT_MAX];
	enum reason trouble;
	int status;
	wall_us started_at;
	wall_us scheduled_at;
	int64_t late_us;
	int64_t lag_us;
	int64_t dns_us;
	int64_t total_us;
	int64_t missed;     /* of the round */
	int64_t own_missed; /* of the address */
	size_t attempts;
};

static struct watcher {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct told told[TOLD_MAX];
	size_t count;
	size_t rounds;
	size_t addresses; /* that have ended */
	size_t asked;     /* for another attempt */
	size_t released;
	size_t refused; /* starts of rounds, while is_full */
	bool is_full;
	bool is_done;
	bool is_reloaded;
} watcher = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static struct name_server *names;
static struct peer *first;  /* 127.0.0.1 */
static struct peer *second; /* 127.0.0.2 */
static struct peer *sixth;  /* ::1 */
static struct site sites[SITES_MAX];
static size_t site_count;
static struct prober *prober;

static const struct name_record records[] = {
	{.name = "four.test", .addresses = {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"}},
	{.name = "both.test", .addresses = {"127.0.0.1", "::1", "127.0.0.3"}},
	{.name = "one.test", .addresses = {"127.0.0.2"}},
	{.name = "slow.test", .addresses = {"127.0.0.1", "127.0.0.3"}, .delay_ms = DNS_DELAY_MS},
	{.name = "many.test",
	 .addresses = {"127.0.1.1", "127.0.1.2", "127.0.1.3", "127.0.1.4", "127.0.1.5", "127.0.1.6",
		       "127.0.1.7", "127.0.1.8", "127.0.1.9", "127.0.1.10", "127.0.1.11",
		       "127.0.1.12", "127.0.1.13", "127.0.1.14", "127.0.1.15", "127.0.1.16",
		       "127.0.1.17", "127.0.1.18"}},
	{.name = "mixed.test",
	 .addresses = {"127.0.1.1",  "127.0.1.2",  "127.0.1.3",  "127.0.1.4",  "127.0.1.5",
		       "127.0.1.6",  "127.0.1.7",  "127.0.1.8",  "127.0.1.9",  "127.0.1.10",
		       "127.0.1.11", "127.0.1.12", "127.0.1.13", "127.0.1.14", "127.0.1.15",
		       "127.0.1.16", "127.0.1.17", "::1",        "::2",        "::3"}},
	{.name = "broken.test", .rcode = 2},
	{.name = "empty.test"},
	{0},
};

static struct told *note(const struct site *site, const struct observation *seen, bool has_memo)
{
	if (watcher.count == TOLD_MAX)
		abort();
	struct told *told = &watcher.told[watcher.count++];
	*told = (struct told){
		.site = site,
		.round = watcher.rounds,
		.has_memo = has_memo,
		.trouble = seen->trouble,
		.status = seen->final.http_status_code,
		.started_at = seen->started_at,
		.scheduled_at = seen->scheduled_at,
		.late_us = seen->late_us,
		.lag_us = seen->lag_us,
		.dns_us = seen->redirect_count > 0 ? seen->redirects[0].dns_us : seen->final.dns_us,
		.total_us = seen->total_us,
		.own_missed = seen->missed,
		.attempts = seen->earlier == NULL ? 1 : seen->earlier->count + 1,
	};
	memcpy(told->ip, observation_first_ip(seen), ADDRESS_TEXT_MAX);
	memcpy(told->last_ip, seen->final.ip, ADDRESS_TEXT_MAX);
	return told;
}

static void change_begin(void)
{
	(void)pthread_mutex_lock(&watcher.lock);
}

static void change_end(void)
{
	(void)pthread_cond_broadcast(&watcher.changed);
	(void)pthread_mutex_unlock(&watcher.lock);
}

static bool wants_retry(void *context, const struct site *site,
			const struct observation *observation, struct attempts *attempts)
{
	(void)context;
	struct verdict verdict;
	verdict_decide(site, observation, &verdict);
	bool is_down = verdict.outcome == OUTCOME_DOWN;
	if (is_down)
		attempts_add(attempts, observation, &verdict);
	verdict_finish(&verdict);
	change_begin();
	watcher.asked++;
	change_end();
	return is_down;
}

static void on_checked(void *context, const struct site *site,
		       const struct observation *observation, struct prober_memo *memo)
{
	(void)context;
	change_begin();
	watcher.rounds++;
	(void)note(site, observation, memo != NULL);
	change_end();
}

static void on_address(void *context, const struct site *site, struct observation *observation,
		       struct round *round)
{
	(void)context;
	struct verdict verdict;
	struct evidence evidence = {0};
	verdict_decide(site, observation, &verdict);
	round_add(round, observation, &verdict, &evidence);
	change_begin();
	watcher.addresses++;
	change_end();
}

static void on_round(void *context, const struct site *site, struct round *round,
		     struct prober_memo *memo)
{
	(void)context;
	struct round_verdict verdict;
	round_judge(round, 0, &verdict);
	change_begin();
	watcher.rounds++;
	for (size_t i = 0; i < round->count; i++) {
		struct told *told = note(site, &round->parts[i].observation, memo != NULL);
		told->of = round->count;
		told->unchecked = verdict.unchecked;
		told->missed = round->missed;
	}
	change_end();
	round_verdict_finish(&verdict);
}

static bool on_may_start(void *context)
{
	(void)context;
	change_begin();
	bool may_start = !watcher.is_full;
	watcher.refused += !may_start;
	change_end();
	return may_start;
}

static void on_done(void *context)
{
	(void)context;
	change_begin();
	watcher.is_done = true;
	change_end();
}

static void on_reloaded(void *context)
{
	(void)context;
	change_begin();
	watcher.is_reloaded = true;
	change_end();
}

static void on_released(void *context, const struct site *list)
{
	(void)context;
	(void)list;
	change_begin();
	watcher.released++;
	change_end();
}

static void wait_until(bool (*is_met)(void))
{
	struct timespec end;
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += PATIENCE_S;
	change_begin();
	int status = 0;
	while (!is_met() && status == 0)
		status = pthread_cond_clockwait(&watcher.changed, &watcher.lock, CLOCK_MONOTONIC,
						&end);
	bool is_there = is_met();
	change_end();
	assert_true(is_there);
}

static bool is_done(void)
{
	return watcher.is_done;
}

static bool has_address(void)
{
	return watcher.addresses > 0;
}

static bool has_reloaded(void)
{
	return watcher.is_reloaded;
}

static bool has_released(void)
{
	return watcher.released > 0;
}

static bool has_refused(void)
{
	return watcher.refused > 1;
}

static bool has_round(void)
{
	return watcher.rounds > 0;
}

static bool has_rounds(void)
{
	return watcher.rounds >= 3;
}

static struct site *add_site(const char *host, const char *path, int timeout_ms)
{
	char name[64];
	(void)snprintf(name, sizeof(name), "%s %zu", path, site_count);
	struct site *site = &sites[site_count++];
	watch_make_site(site, name, xasprintf("http://%s:%d/%s", host, peer_port(first), path),
			timeout_ms);
	request_make(site)->is_all_addresses = true;
	return site;
}

static void start(struct prober_options options)
{
	const struct prober_sink sink = {
		.may_start = on_may_start,
		.wants_retry = wants_retry,
		.on_checked = on_checked,
		.on_address = on_address,
		.on_round = on_round,
		.on_done = on_done,
		.on_reloaded = on_reloaded,
		.on_released = on_released,
	};
	struct error err;
	options.sites = sites;
	options.site_count = site_count;
	options.shares = 1;
	options.dns_servers = name_server_address(names);
	prober = prober_start(&options, &sink, &err);
	assert_non_null(prober);
}

static void check_once(size_t max_in_flight)
{
	start((struct prober_options){.is_once = true, .max_in_flight = max_in_flight});
	wait_until(is_done);
	prober_stop(prober, 0);
}

static int forget(void **state)
{
	(void)state;
	prober_destroy(prober);
	prober = NULL;
	for (size_t i = 0; i < site_count; i++)
		site_finish(&sites[i]);
	site_count = 0;
	watcher.count = watcher.rounds = watcher.addresses = watcher.asked = watcher.released = 0;
	watcher.refused = 0;
	watcher.is_done = watcher.is_reloaded = watcher.is_full = false;
	return 0;
}

static const struct told *find(const struct site *site, const char *ip)
{
	const struct told *found = NULL;
	for (size_t i = 0; i < watcher.count; i++) {
		if (watcher.told[i].site != site || strcmp(watcher.told[i].ip, ip) != 0)
			continue;
		assert_null(found);
		found = &watcher.told[i];
	}
	assert_non_null(found);
	return found;
}

static void each_address_is_checked(void **state)
{
	(void)state;
	const struct site *site = add_site("four.test", "ok", 20000);
	int before = name_server_questions(names);
	check_once(0);
	assert_int_equal(watcher.rounds, 1);
	assert_int_equal(watcher.count, 4);
	assert_int_equal(find(site, "127.0.0.1")->status, 200);
	assert_int_equal(find(site, "127.0.0.2")->status, 200);
	assert_int_equal(find(site, "127.0.0.3")->trouble, REASON_CONNECT_REFUSED);
	assert_int_equal(find(site, "127.0.0.4")->trouble, REASON_CONNECT_REFUSED);
	/* the name was looked up once: A and AAAA */
	assert_int_equal(name_server_questions(names) - before, 2);
	for (size_t i = 0; i < watcher.count; i++) {
		const struct told *told = &watcher.told[i];
		assert_int_equal(told->started_at, watcher.told[0].started_at);
		assert_int_equal(told->scheduled_at, watcher.told[0].scheduled_at);
		assert_int_equal(told->of, 4);
		assert_int_equal(told->missed, 0);
		assert_true(told->has_memo);
		assert_true(told->dns_us >= 0 && told->dns_us <= told->total_us);
		assert_string_equal(told->ip, told->last_ip);
	}
}

static void both_families_are_checked(void **state)
{
	(void)state;
	const struct site *site = add_site("both.test", "ok", 20000);
	check_once(0);
	assert_int_equal(watcher.count, 3);
	assert_int_equal(find(site, "127.0.0.1")->status, 200);
	if (loopback_has_ipv6())
		assert_int_equal(find(site, "::1")->trouble,
				 sixth != NULL ? REASON_OK : REASON_CONNECT_REFUSED);
	else
		assert_int_not_equal(find(site, "::1")->trouble, REASON_OK);
	assert_int_equal(find(site, "127.0.0.3")->trouble, REASON_CONNECT_REFUSED);
}

static void the_request_says_which(void **state)
{
	(void)state;
	struct site *four = add_site("both.test", "ok", 20000);
	struct site *by_hand = add_site("by-hand.test", "ok", 20000);
	struct site *number = add_site("127.0.0.2", "ok", 20000);
	struct site *single = add_site("one.test", "ok", 20000);
	request_make(four)->family = REQUEST_FAMILY_4;
	struct request_host host = {.name = xstrdup("by-hand.test"), .address_count = 3};
	host.addresses = xcalloc(3, sizeof(char *));
	host.addresses[0] = xstrdup("127.0.0.1");
	host.addresses[1] = xstrdup("127.0.0.3");
	host.addresses[2] = xstrdup("127.0.0.1"); /* once more: one machine is checked once */
	request_set_host(request_make(by_hand), &host);
	check_once(0);
	assert_int_equal(watcher.rounds, 4);
	assert_int_equal(watcher.count, 6);
	(void)find(four, "127.0.0.1");
	(void)find(four, "127.0.0.3");
	assert_int_equal(find(by_hand, "127.0.0.1")->of, 2);
	(void)find(by_hand, "127.0.0.3");
	assert_int_equal(find(number, "127.0.0.2")->of, 1);
	assert_int_equal(find(single, "127.0.0.2")->of, 1);
}

static void a_name_without_addresses_is_one_check(void **state)
{
	(void)state;
	(void)add_site("nosuch.test", "ok", 20000);
	(void)add_site("empty.test", "ok", 20000);
	(void)add_site("broken.test", "ok", 20000);
	struct site *other = add_site("four.test", "ok", 20000);
	request_make(other)->family = REQUEST_FAMILY_6;
	request_make(other)->is_family_only = true;
	check_once(0);
	assert_int_equal(watcher.rounds, 4);
	assert_int_equal(watcher.count, 4);
	for (size_t i = 0; i < watcher.count; i++) {
		assert_int_equal(watcher.told[i].of, 0);
		assert_int_equal(watcher.told[i].trouble, REASON_DNS_ERROR);
		assert_string_equal(watcher.told[i].ip, "");
	}
}

/* An address that the policy forbids is told, like one that is dead; none of it is connected to. */
static void forbidden_addresses_are_told(void **state)
{
	(void)state;
	struct site *some = add_site("four.test", "ok", 20000);
	struct site *all = add_site("one.test", "ok", 20000);
	struct address_block block;
	assert_int_equal(address_parse_block("127.0.0.2/31", &block), 0);
	(void)address_policy_deny(address_policy_change(&some->address_policy), &block);
	address_policy_change(&all->address_policy)->allow = ADDRESS_ALLOW_NONE;
	check_once(0);
	assert_int_equal(watcher.rounds, 2);
	assert_int_equal(watcher.count, 5);
	assert_int_equal(find(some, "127.0.0.1")->status, 200);
	assert_int_equal(find(some, "127.0.0.2")->trouble, REASON_FORBIDDEN_ADDRESS);
	assert_int_equal(find(some, "127.0.0.3")->trouble, REASON_FORBIDDEN_ADDRESS);
	assert_int_equal(find(some, "127.0.0.4")->trouble, REASON_CONNECT_REFUSED);
	assert_int_equal(find(all, "127.0.0.2")->trouble, REASON_FORBIDDEN_ADDRESS);
	assert_int_equal(find(all, "127.0.0.2")->of, 1);
}

/* What finds no run waits for one, however many there are. */
static void one_run_is_enough(void **state)
{
	(void)state;
	enum { SITES = 5 };
	for (size_t i = 0; i < SITES; i++)
		(void)add_site("four.test", "ok", 20000);
	check_once(1);
	assert_int_equal(watcher.rounds, SITES);
	assert_int_equal(watcher.count, 4 * SITES);
	for (size_t i = 0; i < site_count; i++)
		assert_int_equal(find(&sites[i], "127.0.0.2")->status, 200);
}

/* More addresses at once than start in a turn of the loop; of a name with too many, sixteen. */
static void many_addresses_are_all_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < SITES_MAX; i++)
		(void)add_site("many.test", "ok", 60000);
	check_once(0);
	assert_int_equal(watcher.rounds, SITES_MAX);
	assert_int_equal(watcher.count, SITES_MAX * 16);
	for (size_t i = 0; i < watcher.count; i++)
		assert_int_equal(watcher.told[i].unchecked, 2);
}

/* Those of a family that is not wanted are none of them. */
static void addresses_beyond_are_counted(void **state)
{
	(void)state;
	static const struct {
		enum request_family family;
		size_t checked;
		size_t unchecked;
	} cases[] = {
		{REQUEST_FAMILY_ANY, 16, 4}, {REQUEST_FAMILY_4, 16, 1}, {REQUEST_FAMILY_6, 3, 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = request_make(add_site("mixed.test", "ok", 60000));
		request->family = cases[i].family;
		request->is_family_only = cases[i].family != REQUEST_FAMILY_ANY;
	}
	check_once(0);
	for (size_t i = 0; i < watcher.count; i++) {
		size_t number = (size_t)(watcher.told[i].site - sites);
		assert_int_equal(watcher.told[i].of, cases[number].checked);
		assert_int_equal(watcher.told[i].unchecked, cases[number].unchecked);
	}
	assert_int_equal(watcher.count, 16 + 16 + 3);
}

/* A redirect that stays with the host stays with the machine; elsewhere it goes its own way. */
static void redirects_stay_with_the_address(void **state)
{
	(void)state;
	const struct site *here = add_site("four.test", "to/302/ok", 20000);
	behaviours_other_port = peer_port(first);
	const struct site *away = add_site("four.test", "away/302/ok", 20000);
	check_once(0);
	assert_string_equal(find(here, "127.0.0.2")->last_ip, "127.0.0.2");
	assert_string_equal(find(here, "127.0.0.1")->last_ip, "127.0.0.1");
	assert_int_equal(find(here, "127.0.0.2")->status, 200);
	assert_string_equal(find(away, "127.0.0.2")->last_ip, "127.0.0.1");
}

static void retries_are_of_each_address(void **state)
{
	(void)state;
	struct site *site = add_site("four.test", "ok", 20000);
	site->retries = 2;
	site->retry_after_us = 1000;
	int before = name_server_questions(names);
	check_once(0);
	assert_int_equal(watcher.count, 4);
	assert_int_equal(find(site, "127.0.0.1")->attempts, 1);
	assert_int_equal(find(site, "127.0.0.2")->attempts, 1);
	assert_int_equal(find(site, "127.0.0.3")->attempts, 3);
	assert_int_equal(find(site, "127.0.0.4")->attempts, 3);
	const struct told *retried = find(site, "127.0.0.3");
	assert_true(retried->dns_us < 100000 + retried->lag_us);
	assert_int_equal(watcher.asked, 2 + 2 * 2);
	assert_int_equal(name_server_questions(names) - before, 2);
	assert_int_equal(find(site, "127.0.0.3")->started_at, find(site, "127.0.0.1")->started_at);
}

/* A look-up that fails is tried again as any check. */
static void a_look_up_is_tried_again(void **state)
{
	(void)state;
	struct site *site = add_site("nosuch.test", "ok", 20000);
	site->retries = 2;
	site->retry_after_us = 1000;
	check_once(0);
	assert_int_equal(watcher.count, 1);
	assert_int_equal(watcher.told[0].attempts, 3);
	assert_int_equal(watcher.told[0].of, 0);
}

/* The look-up is part of each check, as if it had been its own. */
static void the_look_up_counts_for_each(void **state)
{
	(void)state;
	enum { LATE_MS = 8 * DNS_DELAY_MS };
	(void)add_site("slow.test", "ok", 20000);
	struct site *late = add_site("slow.test", "hang", LATE_MS);
	check_once(0);
	assert_int_equal(watcher.count, 4);
	for (size_t i = 0; i < watcher.count; i++) {
		const struct told *told = &watcher.told[i];
		assert_true(told->dns_us >= DNS_DELAY_MS * CLOCK_US_PER_MS);
		assert_true(told->total_us >= told->dns_us);
		if (told->site == late && told->trouble == REASON_TIMEOUT)
			assert_true(told->total_us >= LATE_MS * CLOCK_US_PER_MS &&
				    told->total_us - told->dns_us < LATE_MS * CLOCK_US_PER_MS);
	}
	assert_int_not_equal(find(late, "127.0.0.1")->trouble, REASON_OK);
}

static void one_round_follows_another(void **state)
{
	(void)state;
	add_site("four.test", "ok", 20000)->interval_us = 200 * CLOCK_US_PER_MS;
	start((struct prober_options){0});
	wait_until(has_rounds);
	prober_stop(prober, 5000);
	assert_int_equal(watcher.count, 4 * watcher.rounds);
	for (size_t i = 4; i < watcher.count; i++) {
		const struct told *told = &watcher.told[i];
		const struct told *before = &watcher.told[i - 4];
		assert_int_equal(told->round, before->round + 1);
		assert_true(told->started_at > before->started_at);
	}
}

/* What was left out before is told once for all addresses. */
static void missed_rounds_are_counted_once(void **state)
{
	(void)state;
	add_site("four.test", "ok", 20000)->interval_us = 200 * CLOCK_US_PER_MS;
	watcher.is_full = true;
	start((struct prober_options){0});
	wait_until(has_refused);
	change_begin();
	watcher.is_full = false;
	change_end();
	wait_until(has_round);
	prober_stop(prober, 5000);
	assert_true(watcher.told[0].missed >= (int64_t)watcher.refused);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(watcher.told[i].own_missed, 0);
}

/* One that has begun ends with the site as it was, whether that is still there or not; also the checks of it that wait for a run. */
static void reload_amid_rounds(size_t max_in_flight)
{
	struct site *gone = add_site("four.test", "slow-answer", 5000);
	struct site *kept = add_site("four.test", "slow-answer", 5000);
	kept->interval_us = gone->interval_us = 600 * CLOCK_US_PER_MS;
	struct site list[1];
	watch_make_site(&list[0], kept->name, xstrdup(kept->url), 5000);
	list[0].interval_us = 3600 * CLOCK_US_PER_S;
	static const size_t was[] = {1};
	const struct prober_reload reload = {.sites = list, .site_count = 1, .was = was};
	start((struct prober_options){.max_in_flight = max_in_flight});
	wait_until(has_address); /* the dead ones end at once, the others are slow */
	prober_reload(prober, &reload);
	wait_until(has_reloaded);
	wait_until(has_released);
	prober_stop(prober, 5000);
	assert_true(watcher.rounds >= 1);
	assert_int_equal(watcher.count, 4 * watcher.rounds);
	for (size_t i = 0; i < watcher.count; i++) {
		assert_true(watcher.told[i].site == kept || watcher.told[i].site == gone);
		/* a round that ended before the reload has its site's */
		assert_true(watcher.told[i].has_memo == (watcher.told[i].site == kept) ||
			    watcher.told[i].round < watcher.rounds);
	}
	prober_destroy(prober);
	prober = NULL;
	site_finish(&list[0]);
}

static void a_reload_loses_no_round(void **state)
{
	reload_amid_rounds(0);
	(void)forget(state);
	reload_amid_rounds(1);
}

/* Within the grace a round ends, those of its checks that waited for a run, too; else it never happened. */
static void a_stop_ends_rounds(void **state)
{
	(void)state;
	struct site *site = add_site("four.test", "slow-answer", 5000);
	site->interval_us = 500 * CLOCK_US_PER_MS;
	start((struct prober_options){.max_in_flight = 1});
	wait_until(has_address);
	prober_stop(prober, 30000);
	assert_int_equal(watcher.count, 4 * watcher.rounds);
	assert_true(watcher.rounds >= 1);
	(void)forget(NULL);

	site = add_site("four.test", "hang", 5000);
	site->interval_us = 500 * CLOCK_US_PER_MS;
	start((struct prober_options){.max_in_flight = 3});
	wait_until(has_address);
	prober_stop(prober, 0);
	assert_int_equal(watcher.count, 0);
	assert_int_equal(prober_in_flight(prober), 0);
}

static int set_up(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	names = name_server_start(records);
	while (second == NULL) {
		peer_stop(first);
		first = peer_start(NULL, behaviours);
		second = peer_start_at("127.0.0.2", peer_port(first), behaviours);
	}
	sixth = peer_start_at("::1", peer_port(first), behaviours);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	peer_stop(first);
	peer_stop(second);
	peer_stop(sixth);
	name_server_stop(names);
	return 0;
}

#define ROUND_TEST(name) cmocka_unit_test_teardown(name, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROUND_TEST(each_address_is_checked),
		ROUND_TEST(both_families_are_checked),
		ROUND_TEST(the_request_says_which),
		ROUND_TEST(addresses_beyond_are_counted),
		ROUND_TEST(a_name_without_addresses_is_one_check),
		ROUND_TEST(forbidden_addresses_are_told),
		ROUND_TEST(one_run_is_enough),
		ROUND_TEST(many_addresses_are_all_checked),
		ROUND_TEST(redirects_stay_with_the_address),
		ROUND_TEST(retries_are_of_each_address),
		ROUND_TEST(a_look_up_is_tried_again),
		ROUND_TEST(the_look_up_counts_for_each),
		ROUND_TEST(one_round_follows_another),
		ROUND_TEST(missed_rounds_are_counted_once),
		ROUND_TEST(a_reload_loses_no_round),
		ROUND_TEST(a_stop_ends_rounds),
	};
	return cmocka_run_group_tests_name("probe_rounds", tests, set_up, tear_down);
}
