/*
 * The address policy, in a network of the test's own where every address of the world is this machine: a server on port 80 answers at all
 * of them, and notes where it was asked. A site at a public address redirects to each spelling of a forbidden one, and nobody arrives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check/address.h"
#include "check/address_policy.h"
#include "check/request.h"
#include "everywhere.h"
#include "name_server.h"
#include "probe/address_guard.h"
#include "probe/client_certificate.h"
#include "probe/transfer.h"
#include "probe/trust.h"
#include "watch.h"

enum { TIMEOUT_MS = 10000, PATIENCE_MS = 120000, AGAIN_MAX = 8 };

static const char *const spellings[] = {
#include "forbidden_spellings.inc"
};

enum { SPELLING_COUNT = sizeof(spellings) / sizeof(spellings[0]) };

static bool has_network; /* of our own */
static struct name_server *names_server;

static const struct name_record names[] = {
	{.name = "loopback.test", .addresses = {"127.0.0.1"}},
	{.name = "loopback6.test", .addresses = {"::1"}},
	{.name = "mapped.test", .addresses = {"::ffff:127.0.0.1"}},
	{.name = "nat64.test", .addresses = {"64:ff9b::7f00:1"}},
	{.name = "metadata.test", .addresses = {"169.254.169.254"}},
	{.name = "private.test", .addresses = {"10.0.0.1", "fd00::1"}},
	{.name = "zero.test", .addresses = {"0.0.0.0", "::"}},
	{.name = "public.test", .addresses = {EVERYWHERE_PUBLIC}},
	{.name = "mixed.test", .addresses = {"127.0.0.1", EVERYWHERE_PUBLIC, "10.0.0.1"}},
	{.name = "crowd.test",
	 .addresses = {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6",
		       "10.0.0.7", "10.0.0.8", "10.0.0.9", "10.0.0.10", "10.0.0.11", "10.0.0.12",
		       "10.0.0.13", "10.0.0.14", "10.0.0.15", "10.0.0.16", "10.0.0.17",
		       EVERYWHERE_PUBLIC}},
	{.name = "turns.test", .addresses = {EVERYWHERE_PUBLIC}, .later = {"127.0.0.1"}},
	{.name = "restless.test",
	 .addresses = {EVERYWHERE_PUBLIC},
	 .later = {"127.0.0.1"},
	 .is_turning = true},
	{.name = NULL},
};

struct policy_case {
	const char *name;
	const char *url;
	enum address_allow allow;
	const char *deny; /* NULL: none */
	void (*configure)(struct site *site);
	enum reason reason;
	const char *ip;      /* that it ended at; NULL: anywhere */
	const char *message; /* part of it; NULL: any */
};

static void ask_a_proxy(struct site *site)
{
	struct request_proxy *proxy = xcalloc(1, sizeof(*proxy));
	proxy->host = xstrdup(EVERYWHERE_PROXY);
	proxy->port = EVERYWHERE_PORT;
	proxy->is_host_ip = true;
	request_make(site)->proxy = proxy;
}

static void pin_inside(struct site *site)
{
	struct request_host host = {.name = xstrdup("pinned.test")};
	host.addresses = xcalloc(1, sizeof(host.addresses[0]));
	host.addresses[host.address_count++] = xstrdup("10.0.0.7");
	request_set_host(request_make(site), &host);
}

static void pin_behind_a_proxy(struct site *site)
{
	ask_a_proxy(site);
	pin_inside(site);
}

#define FORBIDDEN REASON_FORBIDDEN_ADDRESS

static const struct policy_case cases[] = {
	{.name = "a site may be private", .url = "http://10.0.0.1/", .ip = "10.0.0.1"},
	{.name = "a site may be this machine", .url = "http://127.0.0.1/", .ip = "127.0.0.1"},
	{.name = "a site's name may be private", .url = "http://private.test/"},
	{.name = "a redirect among private ones",
	 .url = "http://10.0.0.1/at/http://192.168.0.1/",
	 .ip = "192.168.0.1"},
	{.name = "a redirect outwards",
	 .url = "http://127.0.0.1/at/http://8.8.8.8/",
	 .ip = "8.8.8.8"},
	{.name = "a redirect to where it came from",
	 .url = "http://169.254.1.1/at/http://169.254.1.2/",
	 .ip = "169.254.1.2"},
	{.name = "from private to this machine",
	 .url = "http://10.0.0.1/at/http://127.0.0.1/",
	 .reason = FORBIDDEN,
	 .message =
		 "127.0.0.1 is forbidden: the redirect leads to an address of this machine, and "
		 "the site itself is at a private address; `allow_private: true` would allow it"},
	{.name = "from private to metadata",
	 .url = "http://10.0.0.1/at/http://metadata.test/",
	 .reason = FORBIDDEN,
	 .message = "metadata.test: 169.254.169.254 is forbidden"},
	{.name = "from link-local to this machine",
	 .url = "http://169.254.1.1/at/http://[::1]/",
	 .reason = FORBIDDEN},
	{.name = "over a public hop back",
	 .url = "http://10.0.0.1/at/http://8.8.8.8/at/http://10.0.0.2/",
	 .ip = "10.0.0.2"},
	{.name = "from public over public",
	 .url = "http://8.8.8.8/at/http://1.1.1.1/at/http://10.0.0.2/",
	 .reason = FORBIDDEN},
	{.name = "a name of loopback",
	 .url = "http://public.test/at/http://loopback.test/",
	 .reason = FORBIDDEN},
	{.name = "a name of ::1",
	 .url = "http://public.test/at/http://loopback6.test/",
	 .reason = FORBIDDEN},
	{.name = "a name of a mapped one",
	 .url = "http://public.test/at/http://mapped.test/",
	 .reason = FORBIDDEN},
	{.name = "a name of a NAT64 one",
	 .url = "http://public.test/at/http://nat64.test/",
	 .reason = FORBIDDEN},
	{.name = "a name of private ones",
	 .url = "http://public.test/at/http://private.test/",
	 .reason = FORBIDDEN},
	{.name = "a name of zeroes",
	 .url = "http://public.test/at/http://zero.test/",
	 .reason = FORBIDDEN},
	{.name = "a redirect to a mixed name",
	 .url = "http://public.test/at/http://mixed.test/",
	 .ip = EVERYWHERE_PUBLIC},
	{.name = "any is allowed",
	 .url = "http://public.test/at/http://loopback.test/",
	 .allow = ADDRESS_ALLOW_ALL,
	 .ip = "127.0.0.1"},
	{.name = "none is allowed",
	 .url = "http://127.0.0.1/",
	 .allow = ADDRESS_ALLOW_NONE,
	 .reason = FORBIDDEN,
	 .message = "127.0.0.1 is forbidden: an address of this machine, and `allow_private` is "
		    "false"},
	{.name = "none is allowed to a name",
	 .url = "http://private.test/",
	 .allow = ADDRESS_ALLOW_NONE,
	 .reason = FORBIDDEN},
	{.name = "none is allowed to a mixed name",
	 .url = "http://mixed.test/",
	 .allow = ADDRESS_ALLOW_NONE,
	 .ip = EVERYWHERE_PUBLIC},
	{.name = "none is allowed to a name whose first 16 are private",
	 .url = "http://crowd.test/",
	 .allow = ADDRESS_ALLOW_NONE,
	 .ip = EVERYWHERE_PUBLIC},
	{.name = "a redirect to a name whose first 16 are private",
	 .url = "http://public.test/at/http://crowd.test/",
	 .ip = EVERYWHERE_PUBLIC},
	{.name = "none is allowed to resolve",
	 .url = "http://pinned.test/",
	 .allow = ADDRESS_ALLOW_NONE,
	 .configure = pin_inside,
	 .reason = FORBIDDEN},
	{.name = "resolve is the site's own",
	 .url = "http://pinned.test/",
	 .configure = pin_inside,
	 .ip = "10.0.0.7"},
	{.name = "public is denied",
	 .url = "http://8.8.8.8/",
	 .deny = "8.8.8.0/24",
	 .reason = FORBIDDEN,
	 .message = "8.8.8.8 is forbidden: `deny_cidrs` has 8.8.8.0/24"},
	{.name = "denied, though any is allowed",
	 .url = "http://127.0.0.2/",
	 .allow = ADDRESS_ALLOW_ALL,
	 .deny = "127.0.0.2",
	 .reason = FORBIDDEN},
	{.name = "a denied redirect",
	 .url = "http://127.0.0.1/at/http://127.0.0.2/",
	 .deny = "127.0.0.2",
	 .reason = FORBIDDEN},
	{.name = "a denied one in IPv6's clothes",
	 .url = "http://127.0.0.1/at/http://[::ffff:127.0.0.2]/",
	 .deny = "127.0.0.2",
	 .reason = FORBIDDEN},
	{.name = "one of two is denied",
	 .url = "http://private.test/",
	 .deny = "fd00::/8",
	 .ip = "10.0.0.1"},
	{.name = "a proxy is the operator's",
	 .url = "http://" EVERYWHERE_PUBLIC "/",
	 .allow = ADDRESS_ALLOW_NONE,
	 .deny = "127.0.0.0/8",
	 .configure = ask_a_proxy,
	 .ip = EVERYWHERE_PROXY},
	{.name = "an address behind a proxy",
	 .url = "http://10.0.0.1/",
	 .allow = ADDRESS_ALLOW_NONE,
	 .configure = ask_a_proxy,
	 .reason = FORBIDDEN},
	{.name = "a short address behind a proxy",
	 .url = "http://0x7f.1./",
	 .allow = ADDRESS_ALLOW_NONE,
	 .configure = ask_a_proxy,
	 .reason = FORBIDDEN},
	{.name = "localhost behind a proxy",
	 .url = "http://a.localhost/",
	 .allow = ADDRESS_ALLOW_NONE,
	 .configure = ask_a_proxy,
	 .reason = FORBIDDEN},
	{.name = "resolve behind a proxy",
	 .url = "http://pinned.test/",
	 .allow = ADDRESS_ALLOW_NONE,
	 .configure = pin_behind_a_proxy,
	 .reason = FORBIDDEN},
	{.name = "a redirect behind a proxy",
	 .url = "http://" EVERYWHERE_PUBLIC "/at/http://10.0.0.1/",
	 .configure = ask_a_proxy,
	 .reason = FORBIDDEN},
};

enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

static void make_site(struct site *site, const char *name, char *url, enum address_allow allow,
		      const char *deny)
{
	struct address_block block;
	watch_make_site(site, name, url, TIMEOUT_MS);
	if (allow != ADDRESS_ALLOW_OWN)
		address_policy_change(&site->address_policy)->allow = allow;
	if (deny != NULL &&
	    (address_parse_block(deny, &block) != 0 ||
	     address_policy_deny(address_policy_change(&site->address_policy), &block) != 0))
		abort();
}

static void start_names(void)
{
	names_server = name_server_start(names);
}

static void turn_names(void)
{
	name_server_turn(names_server);
}

static bool was_held_up(const struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++)
		if (watch->all[i].observation.trouble == REASON_PROBER_OVERLOADED)
			return true;
	return false;
}

/* Names that do not turn yet. A busy machine holds the prober up, and then it says so: all of them once more. */
static void check_once(struct watch *watch, const struct site *sites, size_t count)
{
	for (int i = 0;; i++) {
		start_names();
		watch_start(
			watch,
			(struct prober_options){.is_once = true,
						.dns_servers = name_server_address(names_server)},
			sites, count);
		assert_true(watch_wait_done(watch, PATIENCE_MS));
		watch_stop(watch, 0);
		if (i == AGAIN_MAX || !was_held_up(watch))
			return;
		watch_finish(watch);
		name_server_stop(names_server);
	}
}

static void policy_holds(void **state)
{
	(void)state;
	static struct site sites[CASE_COUNT];
	struct watch watch;
	if (!has_network)
		skip();
	for (size_t i = 0; i < CASE_COUNT; i++) {
		make_site(&sites[i], cases[i].name, xstrdup(cases[i].url), cases[i].allow,
			  cases[i].deny);
		if (cases[i].configure != NULL)
			cases[i].configure(&sites[i]);
	}
	check_once(&watch, sites, CASE_COUNT);
	for (size_t i = 0; i < CASE_COUNT; i++) {
		const struct observation *seen = watch_find(&watch, &sites[i]);
		assert_non_null(seen);
		const char *message = seen->message == NULL ? "" : seen->message;
		if (seen->trouble != cases[i].reason)
			fail_msg("%s: %s: %s", cases[i].name, reason_name(seen->trouble), message);
		if (cases[i].ip != NULL)
			assert_string_equal(seen->final.ip, cases[i].ip);
		if (cases[i].message != NULL && strstr(message, cases[i].message) == NULL)
			fail_msg("%s: %s", cases[i].name, message);
		site_finish(&sites[i]);
	}
	watch_finish(&watch);
	name_server_stop(names_server);
}

/* Every spelling, from a public site; the number of those that arrived inside. */
static size_t redirect_to_all(enum address_allow allow, void (*configure)(struct site *),
			      bool is_forbidden)
{
	static struct site sites[SPELLING_COUNT];
	struct watch watch;
	everywhere_forget();
	for (size_t i = 0; i < SPELLING_COUNT; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "%zu", i);
		make_site(&sites[i], name, xasprintf("http://" EVERYWHERE_PUBLIC "/to/%zu", i),
			  allow, NULL);
		if (configure != NULL)
			configure(&sites[i]);
	}
	check_once(&watch, sites, SPELLING_COUNT);
	for (size_t i = 0; i < SPELLING_COUNT && is_forbidden; i++) {
		const struct observation *seen = watch_find(&watch, &sites[i]);
		assert_non_null(seen);
		if (seen->trouble != REASON_FORBIDDEN_ADDRESS &&
		    seen->trouble != REASON_REDIRECT_INVALID && seen->trouble != REASON_DNS_ERROR)
			fail_msg("'%s': %s: %s", spellings[i], reason_name(seen->trouble),
				 seen->message == NULL ? "" : seen->message);
	}
	for (size_t i = 0; i < SPELLING_COUNT; i++)
		site_finish(&sites[i]);
	watch_finish(&watch);
	name_server_stop(names_server);
	return everywhere_asked_inside();
}

static void no_redirect_arrives_at_any_spelling(void **state)
{
	(void)state;
	if (!has_network)
		skip();
	assert_int_equal(redirect_to_all(ADDRESS_ALLOW_OWN, NULL, true), 0);
	assert_int_equal(redirect_to_all(ADDRESS_ALLOW_NONE, NULL, true), 0);
	/* The way is open: */
	assert_true(redirect_to_all(ADDRESS_ALLOW_ALL, NULL, false) > 200);
}

static void no_proxy_is_asked_for_any_spelling(void **state)
{
	(void)state;
	if (!has_network)
		skip();
	assert_int_equal(redirect_to_all(ADDRESS_ALLOW_OWN, ask_a_proxy, true), 0);
	assert_true(redirect_to_all(ADDRESS_ALLOW_ALL, ask_a_proxy, false) > 200);
}

/* The name leads inside as soon as it was looked up: who looked again, to connect, would go there. */
static void a_name_that_changes_before_the_connect(void **state)
{
	(void)state;
	struct site site;
	struct watch watch;
	if (!has_network)
		skip();
	everywhere_forget();
	make_site(&site, "restless", xstrdup("http://restless.test/"), ADDRESS_ALLOW_OWN, NULL);
	check_once(&watch, &site, 1);
	assert_int_equal(watch.all[0].observation.trouble, REASON_OK);
	assert_string_equal(watch.all[0].observation.final.ip, EVERYWHERE_PUBLIC);
	assert_int_equal(name_server_asked(names_server), 2); /* A and AAAA */
	assert_int_equal(everywhere_asked_inside(), 0);
	watch_finish(&watch);
	site_finish(&site);
	name_server_stop(names_server);
}

static void a_name_that_changes_between_hops(void **state)
{
	(void)state;
	struct site site;
	struct watch watch;
	if (!has_network)
		skip();
	everywhere_forget();
	make_site(&site, "turns", xstrdup("http://turns.test/turn/http://turns.test/"),
		  ADDRESS_ALLOW_OWN, NULL);
	check_once(&watch, &site, 1);
	assert_int_equal(watch.all[0].observation.trouble, REASON_FORBIDDEN_ADDRESS);
	assert_int_equal(everywhere_asked_inside(), 0);
	watch_finish(&watch);
	site_finish(&site);
	name_server_stop(names_server);
}

/* A site that was at public addresses alone stays there; what it says of itself may be otherwise. */
static void a_name_that_changes_between_checks(void **state)
{
	enum { INTERVAL_MS = 300 };
	(void)state;
	struct site sites[2];
	struct watch watch;
	if (!has_network)
		skip();
	start_names();
	everywhere_forget();
	make_site(&sites[0], "own", xstrdup("http://turns.test/"), ADDRESS_ALLOW_OWN, NULL);
	make_site(&sites[1], "any", xstrdup("http://turns.test/"), ADDRESS_ALLOW_ALL, NULL);
	for (size_t i = 0; i < 2; i++)
		sites[i].interval_us = (int64_t)INTERVAL_MS * CLOCK_US_PER_MS;
	watch_start(&watch,
		    (struct prober_options){.dns_servers = name_server_address(names_server)},
		    sites, 2);
	assert_true(watch_wait_count(&watch, 4, PATIENCE_MS));
	name_server_turn(names_server);
	(void)pthread_mutex_lock(&watch.lock);
	size_t before = watch.count;
	(void)pthread_mutex_unlock(&watch.lock);
	assert_true(watch_wait_count(&watch, before + 8, PATIENCE_MS));
	watch_stop(&watch, 0);
	for (size_t i = 0; i < watch.count; i++) {
		const struct observation *seen = &watch.all[i].observation;
		bool is_any = watch.all[i].site == &sites[1];
		bool is_late = i >= watch.count - 4;
		if (seen->trouble == REASON_PROBER_OVERLOADED)
			continue;
		if (is_any)
			assert_int_equal(seen->trouble, REASON_OK);
		if (is_late && is_any)
			assert_string_equal(seen->final.ip, "127.0.0.1");
		if (!is_late || is_any)
			continue;
		assert_int_equal(seen->trouble, REASON_FORBIDDEN_ADDRESS);
		assert_non_null(
			strstr(seen->message,
			       "127.0.0.1 is forbidden: an address of this machine, and the "
			       "site was at public ones before"));
	}
	watch_finish(&watch);
	site_finish(&sites[0]);
	site_finish(&sites[1]);
	name_server_stop(names_server);
}

/* What the socket is made for decides, whatever was judged before. */
static void the_connected_address_is_judged(void **state)
{
	(void)state;
	static const char *const inside[] = {"127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1",
					     "169.254.169.254"};
	struct site site;
	struct transfer transfer;
	struct address_guard guard;
	make_site(&site, "site", xstrdup("http://a.test/"), ADDRESS_ALLOW_NONE, NULL);
	struct trust *trust = trust_create();
	struct client_certificates *certificates = client_certificates_create();
	assert_int_equal(transfer_init(&transfer, "test", trust, certificates, false, NULL), 0);
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		address_guard_start(&guard, site.address_policy, false);
		address_guard_start_hop(&guard, false);
		const struct transfer_request request = {.site = &site,
							 .url = site.url,
							 .method = "GET",
							 .address = inside[i],
							 .port = EVERYWHERE_PORT,
							 .guard = &guard};
		assert_int_equal(transfer_prepare(&transfer, &request, clock_mono_us(), NULL), 0);
		assert_int_not_equal(curl_easy_perform(transfer.easy), CURLE_OK);
		assert_int_equal(transfer.stopped_for, STOP_FORBIDDEN);
		assert_int_equal(transfer.socket, CURL_SOCKET_BAD);
		transfer_clear(&transfer);
	}
	transfer_finish(&transfer);
	client_certificates_destroy(certificates);
	trust_destroy(trust);
	site_finish(&site);
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setlocale(LC_ALL, "C.UTF-8");
	has_network = everywhere_start(spellings, turn_names);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_holds),
		cmocka_unit_test(no_redirect_arrives_at_any_spelling),
		cmocka_unit_test(no_proxy_is_asked_for_any_spelling),
		cmocka_unit_test(a_name_that_changes_before_the_connect),
		cmocka_unit_test(a_name_that_changes_between_hops),
		cmocka_unit_test(a_name_that_changes_between_checks),
		cmocka_unit_test(the_connected_address_is_judged),
	};
	int result = cmocka_run_group_tests_name("addresses", tests, NULL, NULL);
	everywhere_stop();
	return result;
}
