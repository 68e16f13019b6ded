/* All addresses of a name: looked up once, each checked by itself, told together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../loopback.h"
#include "base/memory.h"
#include "behaviours.h"
#include "check/address_policy.h"
#include "check/request.h"
#include "name_server.h"
#include "peer.h"
#include "round_watch.h"

static void each_address_is_checked(void **state)
{
	(void)state;
	const struct site *site = round_watch_add("four.test", "ok", 20000);
	int before = name_server_questions(round_watch.names);
	round_watch_once(0);
	assert_int_equal(round_watch.rounds, 1);
	assert_int_equal(round_watch.count, 4);
	assert_int_equal(round_watch_find(site, "127.0.0.1")->status, 200);
	assert_int_equal(round_watch_find(site, "127.0.0.2")->status, 200);
	assert_int_equal(round_watch_find(site, "127.0.0.3")->trouble, REASON_CONNECT_REFUSED);
	assert_int_equal(round_watch_find(site, "127.0.0.4")->trouble, REASON_CONNECT_REFUSED);
	/* the name was looked up once: A and AAAA */
	assert_int_equal(name_server_questions(round_watch.names) - before, 2);
	for (size_t i = 0; i < round_watch.count; i++) {
		const struct round_told *told = &round_watch.told[i];
		assert_int_equal(told->started_at, round_watch.told[0].started_at);
		assert_int_equal(told->scheduled_at, round_watch.told[0].scheduled_at);
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
	const struct site *site = round_watch_add("both.test", "ok", 20000);
	round_watch_once(0);
	assert_int_equal(round_watch.count, 3);
	assert_int_equal(round_watch_find(site, "127.0.0.1")->status, 200);
	if (loopback_has_ipv6())
		assert_int_equal(round_watch_find(site, "::1")->trouble,
				 round_watch.sixth != NULL ? REASON_OK : REASON_CONNECT_REFUSED);
	else
		assert_int_not_equal(round_watch_find(site, "::1")->trouble, REASON_OK);
	assert_int_equal(round_watch_find(site, "127.0.0.3")->trouble, REASON_CONNECT_REFUSED);
}

static void a_mapped_address_is_the_same_machine(void **state)
{
	(void)state;
	const struct site *site = round_watch_add("twin.test", "ok", 20000);
	round_watch_once(0);
	assert_int_equal(round_watch.count, 2);
	assert_int_equal(round_watch.told[0].unchecked, 0);
	assert_int_equal(round_watch_find(site, "127.0.0.2")->status, 200);
}

static void the_request_says_which(void **state)
{
	(void)state;
	struct site *four = round_watch_add("both.test", "ok", 20000);
	struct site *by_hand = round_watch_add("by-hand.test", "ok", 20000);
	struct site *number = round_watch_add("127.0.0.2", "ok", 20000);
	struct site *single = round_watch_add("one.test", "ok", 20000);
	request_make(four)->family = REQUEST_FAMILY_4;
	struct request_host host = {.name = xstrdup("by-hand.test"), .address_count = 3};
	host.addresses = xcalloc(3, sizeof(char *));
	host.addresses[0] = xstrdup("127.0.0.1");
	host.addresses[1] = xstrdup("127.0.0.3");
	host.addresses[2] = xstrdup("127.0.0.1"); /* once more: one machine is checked once */
	request_set_host(request_make(by_hand), &host);
	round_watch_once(0);
	assert_int_equal(round_watch.rounds, 4);
	assert_int_equal(round_watch.count, 6);
	(void)round_watch_find(four, "127.0.0.1");
	(void)round_watch_find(four, "127.0.0.3");
	assert_int_equal(round_watch_find(by_hand, "127.0.0.1")->of, 2);
	(void)round_watch_find(by_hand, "127.0.0.3");
	assert_int_equal(round_watch_find(number, "127.0.0.2")->of, 1);
	assert_int_equal(round_watch_find(single, "127.0.0.2")->of, 1);
}

static void a_name_without_addresses_is_one_check(void **state)
{
	(void)state;
	(void)round_watch_add("nosuch.test", "ok", 20000);
	(void)round_watch_add("empty.test", "ok", 20000);
	(void)round_watch_add("broken.test", "ok", 20000);
	struct site *other = round_watch_add("four.test", "ok", 20000);
	request_make(other)->family = REQUEST_FAMILY_6;
	request_make(other)->is_family_only = true;
	round_watch_once(0);
	assert_int_equal(round_watch.rounds, 4);
	assert_int_equal(round_watch.count, 4);
	for (size_t i = 0; i < round_watch.count; i++) {
		assert_int_equal(round_watch.told[i].of, 0);
		assert_int_equal(round_watch.told[i].trouble, REASON_DNS_ERROR);
		assert_string_equal(round_watch.told[i].ip, "");
	}
}

/* An address that the policy forbids is told, like one that is dead; none of it is connected to. */
static void forbidden_addresses_are_told(void **state)
{
	(void)state;
	struct site *some = round_watch_add("four.test", "ok", 20000);
	struct site *all = round_watch_add("one.test", "ok", 20000);
	struct address_block block;
	assert_int_equal(address_parse_block("127.0.0.2/31", &block), 0);
	(void)address_policy_deny(address_policy_change(&some->address_policy), &block);
	address_policy_change(&all->address_policy)->allow = ADDRESS_ALLOW_NONE;
	round_watch_once(0);
	assert_int_equal(round_watch.rounds, 2);
	assert_int_equal(round_watch.count, 5);
	assert_int_equal(round_watch_find(some, "127.0.0.1")->status, 200);
	assert_int_equal(round_watch_find(some, "127.0.0.2")->trouble, REASON_FORBIDDEN_ADDRESS);
	assert_int_equal(round_watch_find(some, "127.0.0.3")->trouble, REASON_FORBIDDEN_ADDRESS);
	assert_int_equal(round_watch_find(some, "127.0.0.4")->trouble, REASON_CONNECT_REFUSED);
	assert_int_equal(round_watch_find(all, "127.0.0.2")->trouble, REASON_FORBIDDEN_ADDRESS);
	assert_int_equal(round_watch_find(all, "127.0.0.2")->of, 1);
}

/* What finds no run waits for one, however many there are. */
static void one_run_is_enough(void **state)
{
	(void)state;
	enum { SITES = 5 };
	for (size_t i = 0; i < SITES; i++)
		(void)round_watch_add("four.test", "ok", 20000);
	round_watch_once(1);
	assert_int_equal(round_watch.rounds, SITES);
	assert_int_equal(round_watch.count, 4 * SITES);
	for (size_t i = 0; i < round_watch.site_count; i++)
		assert_int_equal(round_watch_find(&round_watch.sites[i], "127.0.0.2")->status, 200);
}

/* More addresses at once than start in a turn of the loop; of a name with too many, sixteen. */
static void many_addresses_are_all_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROUND_WATCH_SITES_MAX; i++)
		(void)round_watch_add("many.test", "ok", 60000);
	round_watch_once(0);
	assert_int_equal(round_watch.rounds, ROUND_WATCH_SITES_MAX);
	assert_int_equal(round_watch.count, ROUND_WATCH_SITES_MAX * 16);
	for (size_t i = 0; i < round_watch.count; i++)
		assert_int_equal(round_watch.told[i].unchecked, 2);
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
		struct request *request = request_make(round_watch_add("mixed.test", "ok", 60000));
		request->family = cases[i].family;
		request->is_family_only = cases[i].family != REQUEST_FAMILY_ANY;
	}
	round_watch_once(0);
	for (size_t i = 0; i < round_watch.count; i++) {
		size_t number = (size_t)(round_watch.told[i].site - round_watch.sites);
		assert_int_equal(round_watch.told[i].of, cases[number].checked);
		assert_int_equal(round_watch.told[i].unchecked, cases[number].unchecked);
	}
	assert_int_equal(round_watch.count, 16 + 16 + 3);
}

/* A redirect that stays with the host stays with the machine; elsewhere it goes its own way. */
static void redirects_stay_with_the_address(void **state)
{
	(void)state;
	const struct site *here = round_watch_add("four.test", "to/302/ok", 20000);
	behaviours_other_port = peer_port(round_watch.first);
	const struct site *away = round_watch_add("four.test", "away/302/ok", 20000);
	round_watch_once(0);
	assert_string_equal(round_watch_find(here, "127.0.0.2")->last_ip, "127.0.0.2");
	assert_string_equal(round_watch_find(here, "127.0.0.1")->last_ip, "127.0.0.1");
	assert_int_equal(round_watch_find(here, "127.0.0.2")->status, 200);
	assert_string_equal(round_watch_find(away, "127.0.0.2")->last_ip, "127.0.0.1");
}

static void retries_are_of_each_address(void **state)
{
	(void)state;
	struct site *site = round_watch_add("four.test", "ok", 20000);
	site->retries = 2;
	site->retry_after_us = 1000;
	int before = name_server_questions(round_watch.names);
	round_watch_once(0);
	assert_int_equal(round_watch.count, 4);
	assert_int_equal(round_watch_find(site, "127.0.0.1")->attempts, 1);
	assert_int_equal(round_watch_find(site, "127.0.0.2")->attempts, 1);
	assert_int_equal(round_watch_find(site, "127.0.0.3")->attempts, 3);
	assert_int_equal(round_watch_find(site, "127.0.0.4")->attempts, 3);
	const struct round_told *retried = round_watch_find(site, "127.0.0.3");
	assert_true(retried->dns_us < 100000 + retried->lag_us);
	assert_int_equal(round_watch.asked, 2 + 2 * 2);
	assert_int_equal(name_server_questions(round_watch.names) - before, 2);
	assert_int_equal(round_watch_find(site, "127.0.0.3")->started_at,
			 round_watch_find(site, "127.0.0.1")->started_at);
}

/* A look-up that fails is tried again as any check. */
static void a_look_up_is_tried_again(void **state)
{
	(void)state;
	struct site *site = round_watch_add("nosuch.test", "ok", 20000);
	site->retries = 2;
	site->retry_after_us = 1000;
	round_watch_once(0);
	assert_int_equal(round_watch.count, 1);
	assert_int_equal(round_watch.told[0].attempts, 3);
	assert_int_equal(round_watch.told[0].of, 0);
}

/* The look-up is part of each check, as if it had been its own. */
static void the_look_up_counts_for_each(void **state)
{
	(void)state;
	enum { LATE_MS = 8 * ROUND_WATCH_DNS_DELAY_MS };
	(void)round_watch_add("slow.test", "ok", 20000);
	struct site *late = round_watch_add("slow.test", "hang", LATE_MS);
	round_watch_once(0);
	assert_int_equal(round_watch.count, 4);
	for (size_t i = 0; i < round_watch.count; i++) {
		const struct round_told *told = &round_watch.told[i];
		assert_true(told->dns_us >= ROUND_WATCH_DNS_DELAY_MS * CLOCK_US_PER_MS);
		assert_true(told->total_us >= told->dns_us);
		if (told->site == late && told->trouble == REASON_TIMEOUT)
			assert_true(told->total_us >= LATE_MS * CLOCK_US_PER_MS &&
				    told->total_us - told->dns_us < LATE_MS * CLOCK_US_PER_MS);
	}
	assert_int_not_equal(round_watch_find(late, "127.0.0.1")->trouble, REASON_OK);
}

#define ROUND_TEST(name) cmocka_unit_test_teardown(name, round_watch_forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROUND_TEST(each_address_is_checked),
		ROUND_TEST(both_families_are_checked),
		ROUND_TEST(a_mapped_address_is_the_same_machine),
		ROUND_TEST(the_request_says_which),
		ROUND_TEST(a_name_without_addresses_is_one_check),
		ROUND_TEST(forbidden_addresses_are_told),
		ROUND_TEST(one_run_is_enough),
		ROUND_TEST(many_addresses_are_all_checked),
		ROUND_TEST(addresses_beyond_are_counted),
		ROUND_TEST(redirects_stay_with_the_address),
		ROUND_TEST(retries_are_of_each_address),
		ROUND_TEST(a_look_up_is_tried_again),
		ROUND_TEST(the_look_up_counts_for_each),
	};
	return cmocka_run_group_tests_name("probe_rounds", tests, round_watch_set_up,
					   round_watch_tear_down);
}
