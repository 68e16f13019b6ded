#include "round_watch.h"

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

#include "base/memory.h"
#include "behaviours.h"
#include "check/request.h"
#include "check/round.h"
#include "check/verdict.h"
#include "name_server.h"
#include "peer.h"
#include "watch.h"

enum { PATIENCE_S = 60 };

struct round_watch round_watch;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static const struct name_record records[] = {
	{.name = "four.test", .addresses = {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"}},
	{.name = "both.test", .addresses = {"127.0.0.1", "::1", "127.0.0.3"}},
	{.name = "twin.test", .addresses = {"127.0.0.1", "::ffff:127.0.0.1", "127.0.0.2"}},
	{.name = "one.test", .addresses = {"127.0.0.2"}},
	{.name = "slow.test",
	 .addresses = {"127.0.0.1", "127.0.0.3"},
	 .delay_ms = ROUND_WATCH_DNS_DELAY_MS},
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

static struct round_told *note(const struct site *site, const struct observation *seen,
			       bool has_memo)
{
	if (round_watch.count == ROUND_WATCH_TOLD_MAX)
		abort();
	struct round_told *told = &round_watch.told[round_watch.count++];
	*told = (struct round_told){
		.site = site,
		.round = round_watch.rounds,
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

void round_watch_begin(void)
{
	(void)pthread_mutex_lock(&lock);
}

void round_watch_end(void)
{
	(void)pthread_cond_broadcast(&changed);
	(void)pthread_mutex_unlock(&lock);
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
	round_watch_begin();
	round_watch.asked++;
	round_watch_end();
	return is_down;
}

static void on_checked(void *context, const struct site *site,
		       const struct observation *observation, struct prober_memo *memo)
{
	(void)context;
	round_watch_begin();
	round_watch.rounds++;
	(void)note(site, observation, memo != NULL);
	round_watch_end();
}

static void on_address(void *context, const struct site *site, struct observation *observation,
		       struct round *round)
{
	(void)context;
	struct verdict verdict;
	struct evidence evidence = {0};
	verdict_decide(site, observation, &verdict);
	round_add(round, observation, &verdict, &evidence);
	round_watch_begin();
	round_watch.addresses++;
	round_watch_end();
}

static void on_round(void *context, const struct site *site, struct round *round,
		     struct prober_memo *memo)
{
	(void)context;
	struct round_verdict verdict;
	round_judge(round, 0, &verdict);
	round_watch_begin();
	round_watch.rounds++;
	for (size_t i = 0; i < round->count; i++) {
		struct round_told *told = note(site, &round->parts[i].observation, memo != NULL);
		told->of = round->count;
		told->unchecked = verdict.unchecked;
		told->missed = round->missed;
	}
	round_watch_end();
	round_verdict_finish(&verdict);
}

static bool on_may_start(void *context)
{
	(void)context;
	round_watch_begin();
	bool may_start = !round_watch.is_full;
	round_watch.refused += !may_start;
	round_watch_end();
	return may_start;
}

static void on_done(void *context)
{
	(void)context;
	round_watch_begin();
	round_watch.is_done = true;
	round_watch_end();
}

static void on_reloaded(void *context)
{
	(void)context;
	round_watch_begin();
	round_watch.is_reloaded = true;
	round_watch_end();
}

static void on_released(void *context, const struct site *list)
{
	(void)context;
	(void)list;
	round_watch_begin();
	round_watch.released++;
	round_watch_end();
}

void round_watch_until(bool (*is_met)(void))
{
	struct timespec end;
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += PATIENCE_S;
	round_watch_begin();
	int status = 0;
	while (!is_met() && status == 0)
		status = pthread_cond_clockwait(&changed, &lock, CLOCK_MONOTONIC, &end);
	bool is_there = is_met();
	round_watch_end();
	assert_true(is_there);
}

static bool is_done(void)
{
	return round_watch.is_done;
}

struct site *round_watch_add(const char *host, const char *path, int timeout_ms)
{
	char name[64];
	(void)snprintf(name, sizeof(name), "%s %zu", path, round_watch.site_count);
	struct site *site = &round_watch.sites[round_watch.site_count++];
	watch_make_site(site, name,
			xasprintf("http://%s:%d/%s", host, peer_port(round_watch.first), path),
			timeout_ms);
	request_make(site)->is_all_addresses = true;
	return site;
}

void round_watch_start(struct prober_options options)
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
	options.sites = round_watch.sites;
	options.site_count = round_watch.site_count;
	options.shares = 1;
	options.dns_servers = name_server_address(round_watch.names);
	round_watch.prober = prober_start(&options, &sink, &err);
	assert_non_null(round_watch.prober);
}

void round_watch_once(size_t max_in_flight)
{
	round_watch_start((struct prober_options){.is_once = true, .max_in_flight = max_in_flight});
	round_watch_until(is_done);
	prober_stop(round_watch.prober, 0);
}

int round_watch_forget(void **state)
{
	(void)state;
	prober_destroy(round_watch.prober);
	round_watch.prober = NULL;
	for (size_t i = 0; i < round_watch.site_count; i++)
		site_finish(&round_watch.sites[i]);
	round_watch.site_count = 0;
	round_watch.count = round_watch.rounds = round_watch.addresses = round_watch.asked =
		round_watch.released = 0;
	round_watch.refused = 0;
	round_watch.is_done = round_watch.is_reloaded = round_watch.is_full = false;
	return 0;
}

const struct round_told *round_watch_find(const struct site *site, const char *ip)
{
	const struct round_told *found = NULL;
	for (size_t i = 0; i < round_watch.count; i++) {
		if (round_watch.told[i].site != site || strcmp(round_watch.told[i].ip, ip) != 0)
			continue;
		assert_null(found);
		found = &round_watch.told[i];
	}
	assert_non_null(found);
	return found;
}

int round_watch_set_up(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	round_watch.names = name_server_start(records);
	while (round_watch.second == NULL) {
		peer_stop(round_watch.first);
		round_watch.first = peer_start(NULL, behaviours);
		round_watch.second =
			peer_start_at("127.0.0.2", peer_port(round_watch.first), behaviours);
	}
	round_watch.sixth = peer_start_at("::1", peer_port(round_watch.first), behaviours);
	return 0;
}

int round_watch_tear_down(void **state)
{
	(void)state;
	peer_stop(round_watch.first);
	peer_stop(round_watch.second);
	peer_stop(round_watch.sixth);
	name_server_stop(round_watch.names);
	return 0;
}
