/* Which addresses of a name are used, where it has more than that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "check/address_policy.h"
#include "probe/address_guard.h"
#include "probe/addresses.h"

enum { MANY = 1000 };

static struct resolver_address list[RESOLVER_FOUND_MAX];
static size_t count;
static size_t rest;

/* The addresses from … end of a network, whose last two bytes they are. */
static void add(const char *network, unsigned from, unsigned end)
{
	for (unsigned i = from; i < end; i++)
		(void)snprintf(list[count++].text, sizeof(list[0].text), "%s.%u.%u", network,
			       i / 200, i % 200);
}

static void add_one(const char *address)
{
	(void)snprintf(list[count++].text, sizeof(list[0].text), "%s", address);
}

static void begin(struct address_guard *guard, const struct address_policy *policy)
{
	count = 0;
	rest = 0;
	address_guard_start(guard, policy, false);
	address_guard_start_hop(guard, false);
}

static const struct address_policy public_only = {.allow = ADDRESS_ALLOW_NONE};

static void allowed_ones_come_before_the_cut(void **state)
{
	(void)state;
	struct address_guard guard;
	begin(&guard, &public_only);
	add("10.0", 0, MANY);
	add("8.8", 0, 3);
	add("10.1", 0, 1);
	count = addresses_cut(&guard, list, count, &rest);
	assert_int_equal(count, RESOLVER_ADDRESSES_MAX);
	assert_int_equal(rest, MANY + 4 - RESOLVER_ADDRESSES_MAX);
	assert_string_equal(list[0].text, "8.8.0.0");
	assert_string_equal(list[2].text, "8.8.0.2");
	assert_string_equal(list[3].text,
			    "10.0.0.0"); /* so that it can be said what is forbidden */
	assert_string_equal(guard.text, "");
	assert_int_equal(address_guard_filter(&guard, list, count), 3);
}

static void the_order_stays_where_all_are_allowed(void **state)
{
	(void)state;
	struct address_guard guard;
	begin(&guard, NULL);
	add("10.0", 0, 10);
	add("8.8", 0, 10);
	count = addresses_cut(&guard, list, count, &rest);
	assert_int_equal(count, RESOLVER_ADDRESSES_MAX);
	assert_int_equal(rest, 4);
	assert_string_equal(list[0].text, "10.0.0.0");
	assert_string_equal(list[15].text, "8.8.0.5");
}

static void few_keep_their_order_whatever_is_allowed(void **state)
{
	(void)state;
	struct address_guard guard;
	begin(&guard, &public_only);
	add("10.0", 0, 2);
	add("8.8", 0, 1);
	assert_int_equal(addresses_cut(&guard, list, count, &rest), 3);
	assert_int_equal(rest, 0);
	assert_string_equal(list[0].text, "10.0.0.0");
	assert_string_equal(list[2].text, "8.8.0.0");
}

static void a_proxy_takes_what_comes(void **state)
{
	(void)state;
	struct address_guard guard;
	begin(&guard, &public_only);
	add("10.0", 0, 20);
	add("8.8", 0, 20);
	assert_int_equal(addresses_cut(NULL, list, count, &rest), RESOLVER_ADDRESSES_MAX);
	assert_string_equal(list[15].text, "10.0.0.15");
}

static void a_mapped_address_is_the_same_machine(void **state)
{
	(void)state;
	struct address_guard guard;
	begin(&guard, NULL);
	add("::ffff:127.0", 0, 2);
	add("127.0", 0, 3);
	add_one("::ffff:7f00:2");
	add_one("::ffff:7f00:3");
	add_one("::1");
	count = addresses_cut(&guard, list, count, &rest);
	assert_int_equal(rest, 0);
	assert_int_equal(count, 5);
	assert_string_equal(list[0].text, "::ffff:127.0.0.0");
	assert_string_equal(list[1].text, "::ffff:127.0.0.1");
	assert_string_equal(list[2].text, "127.0.0.2");
	assert_string_equal(list[3].text, "::ffff:7f00:3");
	assert_string_equal(list[4].text, "::1");
}

static void twice_the_same_leaves_room_for_others(void **state)
{
	(void)state;
	struct address_guard guard;
	begin(&guard, NULL);
	for (size_t i = 0; i < 30; i++)
		add("8.8", 1, 2);
	add("8.8", 2, 30);
	count = addresses_cut(&guard, list, count, &rest);
	assert_int_equal(count, RESOLVER_ADDRESSES_MAX);
	assert_int_equal(rest, 29 - RESOLVER_ADDRESSES_MAX);
	assert_string_equal(list[1].text, "8.8.0.2");
}

/*
 * A name chooses how many addresses it has, and who configures us how many blocks are denied. Addresses times blocks are 100,000 at most:
 * of 1,024 blocks and the policy's own, 97 addresses.
 */
static void what_it_costs_is_bounded(void **state)
{
	(void)state;
	enum { JUDGED_MAX = 97 };
	struct address_block blocks[ADDRESS_POLICY_DENIED_MAX] = {0};
	struct address_policy policy = {.allow = ADDRESS_ALLOW_NONE,
					.denied = blocks,
					.denied_count = ADDRESS_POLICY_DENIED_MAX};
	struct address_guard guard;
	for (unsigned i = 0; i < ADDRESS_POLICY_DENIED_MAX; i++) {
		blocks[i].bits = 128;
		blocks[i].base = (struct address){
			.bytes = {[0] = 0x20, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i},
			.is_v6 = true};
	}
	for (unsigned before = JUDGED_MAX - 1; before <= JUDGED_MAX; before++) {
		begin(&guard, &policy);
		add("10.0", 0, before);
		add_one("8.8.8.8");
		count = addresses_cut(&guard, list, count, &rest);
		assert_int_equal(count, RESOLVER_ADDRESSES_MAX);
		assert_string_equal(list[0].text, before < JUDGED_MAX ? "8.8.8.8" : "10.0.0.0");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allowed_ones_come_before_the_cut),
		cmocka_unit_test(the_order_stays_where_all_are_allowed),
		cmocka_unit_test(few_keep_their_order_whatever_is_allowed),
		cmocka_unit_test(a_proxy_takes_what_comes),
		cmocka_unit_test(a_mapped_address_is_the_same_machine),
		cmocka_unit_test(twice_the_same_leaves_room_for_others),
		cmocka_unit_test(what_it_costs_is_bounded),
	};
	return cmocka_run_group_tests_name("addresses", tests, NULL, NULL);
}
