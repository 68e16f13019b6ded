/*
 * Whatever a site does, its check ends in time, for the right reason, with phases that add up. One prober takes all the cases
 * at once; each is then looked at by a test of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "base/memory.h"
#include "base/text.h"
#include "behaviours.h"
#include "name_server.h"
#include "pattern/pattern.h"
#include "peer.h"
#include "response_cases.h"
#include "watch.h"

enum {
	DAY_S = 24 * 3600,
	MONTH_S = 30 * DAY_S,
	OVERTIME_US = 200 * 1000,
	USUAL_MS = 5000,
	AGAIN_MAX = 30,
	VALGRIND_SLOWNESS = 12
};

static struct authority *authority;
static int slowness = 1; /* how many times slower than usual everything is: valgrind */

static const struct name_record names[] = {
	{.name = "ok.test", .addresses = {"127.0.0.1"}},
	{.name = "slow.test", .addresses = {"127.0.0.1"}, .delay_ms = 60},
	{.name = "second.test", .addresses = {"127.0.0.9", "127.0.0.1"}},
	{.name = "both.test", .addresses = {"::1", "127.0.0.1"}},
	{.name = "none.test"},
	{.name = "broken.test", .rcode = 2},
	{.name = "refused.test", .rcode = 5},
	{.name = "silent.test", .is_silent = true},
	{.name = NULL},
};

static const struct authority_leaf leaves[PLACE_COUNT] = {
	[TLS_GOOD] = {"DNS:localhost,DNS:ok.test,IP:127.0.0.1", -DAY_S, MONTH_S, false},
	[TLS_OTHER] = {"DNS:elsewhere.test", -DAY_S, MONTH_S, false},
	[TLS_EXPIRED] = {"IP:127.0.0.1", -MONTH_S, -DAY_S, false},
	[TLS_NOT_YET] = {"IP:127.0.0.1", DAY_S, MONTH_S, false},
	[TLS_SELF] = {"IP:127.0.0.1", -DAY_S, MONTH_S, true},
	[TLS_OLD] = {"IP:127.0.0.1", -DAY_S, MONTH_S, false},
	[TLS_1_2] = {"IP:127.0.0.1", -DAY_S, MONTH_S, false},
	[TLS_FIELDS] = {"IP:127.0.0.1", -DAY_S, MONTH_S, false},
};

static SSL_CTX *contexts[PLACE_COUNT];
static struct peer *peers[PLACE_COUNT];
static struct peer *other_origin;
static struct peer *slow_tls;
static struct name_server *name_server;
static struct site sites[RESPONSE_CASES_MAX];
static struct watch watch;
static struct site again_sites[RESPONSE_CASES_MAX]; /* shallow copies */
static struct watch again[AGAIN_MAX];
static size_t again_count;

static int port_of(const struct response_case *test)
{
	if (test->place == REFUSED)
		return peer_refused_port();
	if (test->place == FULL)
		return peer_full_port();
	if (test->place == TLS_ON_PLAIN)
		return peer_port(peers[PLAIN]);
	if (test->place == PLAIN_ON_TLS)
		return peer_port(peers[TLS_GOOD]);
	if (strcmp(test->name, "tls_phase_times_out") == 0)
		return peer_port(slow_tls);
	return peer_port(peers[test->place]);
}

static void make_site(struct site *site, const struct response_case *test)
{
	bool is_https = test->place >= TLS_GOOD && test->place <= TLS_ON_PLAIN;
	char *url = xasprintf("%s://%s:%d/%s", is_https ? "https" : "http",
			      test->host != NULL ? test->host : "127.0.0.1", port_of(test),
			      test->path != NULL ? test->path : test->name);
	watch_make_site(site, test->name, url,
			slowness * (test->timeout_ms != 0 ? test->timeout_ms : USUAL_MS));
	if (test->configure != NULL)
		test->configure(site);
}

static const struct observation *find_observation(const struct site *site)
{
	for (size_t i = again_count; i > 0; i--) {
		for (size_t j = 0; j < again[i - 1].count; j++) {
			if (strcmp(again[i - 1].all[j].site->name, site->name) == 0)
				return &again[i - 1].all[j].observation;
		}
	}
	return watch_find(&watch, site);
}

/*
 * A busy machine holds the prober up, and then it says so; or a peer, and then the check's time is over before what the case is about has
 * come. Whatever the prober does wrong it does again.
 */
static bool was_held_up(const struct observation *observation, const struct response_case *test)
{
	if (observation->trouble == REASON_PROBER_OVERLOADED)
		return true;
	return observation->trouble == REASON_TIMEOUT &&
	       (test->reason != REASON_TIMEOUT ||
		observation->final.http_status_code != test->status);
}

/* Those checks are repeated, as any producer would. */
static bool check_held_up_again(const struct prober_options *options)
{
	while (again_count < AGAIN_MAX) {
		size_t count = 0;
		for (size_t i = 0; i < response_case_count; i++) {
			const struct observation *observation = find_observation(&sites[i]);
			if (observation != NULL && was_held_up(observation, &response_cases[i]))
				again_sites[count++] = sites[i];
		}
		if (count == 0)
			break;
		struct watch *run = &again[again_count++];
		watch_start(run, *options, again_sites, count);
		if (!watch_wait_done(run, 120000 * slowness))
			return false;
		watch_stop(run, 0);
	}
	return true;
}

static int set_up(void **state)
{
	(void)state;
	const char *preload = getenv("LD_PRELOAD");
	if (preload != NULL && strstr(preload, "valgrind") != NULL)
		slowness = VALGRIND_SLOWNESS;
	/* Nobody's proxy may come between a site and its check. */
	static const char *const proxies[] = {"http_proxy",  "HTTP_PROXY", "https_proxy",
					      "HTTPS_PROXY", "all_proxy",  "ALL_PROXY"};
	for (size_t i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++)
		(void)setenv(proxies[i], "http://127.0.0.1:1/", 1);
	authority = authority_create();
	response_cases_authority = authority;
	for (int place = PLAIN; place < PLACE_COUNT; place++) {
		if (leaves[place].name != NULL)
			contexts[place] = authority_make_context(authority, &leaves[place]);
		if (leaves[place].name != NULL || place == PLAIN)
			peers[place] = peer_start(contexts[place], behaviours);
	}
	(void)SSL_CTX_set_max_proto_version(contexts[TLS_OLD], TLS1_1_VERSION);
	(void)SSL_CTX_set_max_proto_version(contexts[TLS_1_2], TLS1_2_VERSION);
	if (SSL_CTX_set1_groups_list(contexts[TLS_FIELDS], "ffdhe2048") != 1)
		return -1;
	other_origin = peer_start(NULL, behaviours);
	behaviours_other_port = peer_port(other_origin);
	slow_tls = peer_start(contexts[TLS_GOOD], behaviours);
	peer_set_tls_delay(slow_tls, 2000 * slowness);
	name_server = name_server_start(names);
	for (size_t i = 0; i < response_case_count; i++)
		make_site(&sites[i], &response_cases[i]);
	const struct prober_options options = {
		.is_once = true,
		/* Hostile behaviours cost the peers CPU, and timing is looked at: few at a time. */
		.max_in_flight = 16,
		.dns_servers = name_server_address(name_server),
	};
	watch_start(&watch, options, sites, response_case_count);
	return watch_wait_done(&watch, 120000 * slowness) && check_held_up_again(&options) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	watch_stop(&watch, 0);
	watch_finish(&watch);
	for (size_t i = 0; i < again_count; i++)
		watch_finish(&again[i]);
	for (size_t i = 0; i < response_case_count; i++) {
		pattern_destroy(sites[i].pattern);
		for (size_t j = 0; j < sites[i].rule_count; j++)
			pattern_destroy(sites[i].rules[j].pattern);
		site_finish(&sites[i]);
	}
	name_server_stop(name_server);
	peer_stop(other_origin);
	peer_stop(slow_tls);
	for (int place = PLAIN; place < PLACE_COUNT; place++) {
		if (peers[place] != NULL)
			peer_stop(peers[place]);
		SSL_CTX_free(contexts[place]);
	}
	authority_destroy(authority);
	return 0;
}

/* The phases that were reached follow one another, and add up to the hop's total. */
static void phases_add_up(const struct hop *hop)
{
	const int64_t phases[] = {hop->dns_us, hop->connect_us, hop->tls_us, hop->wait_us,
				  hop->transfer_us};
	int64_t sum = 0;
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		sum += phases[i] == DURATION_UNKNOWN ? 0 : phases[i];
	int64_t gap = llabs(hop->total_us - sum);
	assert_true(gap <= hop->total_us / 100 + 100);
}

static void ends_as_it_should(void **state)
{
	size_t index = *(const size_t *)*state;
	const struct response_case *test = &response_cases[index];
	const struct site *site = &sites[index];
	const struct observation *observation = find_observation(site);
	assert_non_null(observation);
	/* Under valgrind one thread runs at a time, a site's or the prober's: what the prober says of that is true, however often it is
	 * asked again. The runs without valgrind demand the reason; this one looks at memory. */
	if (slowness > 1 && observation->trouble == REASON_PROBER_OVERLOADED)
		return;
	if (observation->trouble != test->reason)
		print_error("%s: %s (%s), not %s\n", test->name, reason_name(observation->trouble),
			    observation->message, reason_name(test->reason));
	assert_int_equal(observation->trouble, test->reason);
	assert_int_equal(observation->final.http_status_code, test->status);
	assert_true(observation->total_us <= site->timeout_us + OVERTIME_US);
	/* each starts when its place is free */
	assert_int_equal(observation->late_us, observation->lag_us);
	int64_t hops_us = observation->final.total_us;
	phases_add_up(&observation->final);
	for (size_t i = 0; i < observation->redirect_count; i++) {
		phases_add_up(&observation->redirects[i]);
		hops_us += observation->redirects[i].total_us;
	}
	assert_true(observation->total_us >= hops_us);
	if (test->reason == REASON_OK) {
		assert_null(observation->message);
	} else {
		assert_non_null(observation->message);
		assert_true(strlen(observation->message) > 0);
		assert_true(text_is_utf8(observation->message, strlen(observation->message)));
		assert_int_equal(observation->pattern.state, MATCH_NOT_TRIED);
	}
	if (test->look != NULL)
		test->look(site, observation);
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN); /* the peers write to sockets that the prober has closed */
	struct CMUnitTest tests[RESPONSE_CASES_MAX];
	size_t indices[RESPONSE_CASES_MAX];
	for (size_t i = 0; i < response_case_count; i++) {
		indices[i] = i;
		tests[i] = (struct CMUnitTest){.name = response_cases[i].name,
					       .test_func = ends_as_it_should,
					       .initial_state = &indices[i]};
	}
	return _cmocka_run_group_tests("probe_responses", tests, response_case_count, set_up,
				       tear_down);
}
