/* Addresses that are not public are known for it however they are written, and so are those that they carry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <locale.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "check/address.h"
#include "check/address_policy.h"
#include "check/url.h"

static const char *const spellings[] = {
#include "forbidden_spellings.inc"
};

enum { SPELLINGS_MIN = 200, SPELLING_COUNT = sizeof(spellings) / sizeof(spellings[0]) };

static void no_spelling_of_a_forbidden_address_is_public(void **state)
{
	(void)state;
	size_t refused = 0;
	assert_true(SPELLING_COUNT >= SPELLINGS_MIN);
	for (size_t i = 0; i < SPELLING_COUNT; i++) {
		struct error err;
		struct url_parts parts;
		struct address address;
		char *url = url_resolve("http://93.184.216.34/", spellings[i], &err);
		if (url == NULL) {
			refused++;
			continue;
		}
		assert_int_equal(url_parse(url, &parts, &err), 0);
		if (address_parse_host(parts.host, &address) != 0)
			fail_msg("'%s' is the name '%s'", spellings[i], parts.host);
		if (address_scope(&address) == ADDRESS_PUBLIC)
			fail_msg("'%s' is public: '%s'", spellings[i], parts.host);
		url_parts_finish(&parts);
		free(url);
	}
	assert_true(refused < SPELLING_COUNT / 4);
}

/* The first and the last address of each network, and their neighbours. */
static const struct scope_case {
	const char *text;
	enum address_scope scope;
} scopes[] = {
	{"0.0.0.0", ADDRESS_MACHINE},
	{"0.255.255.255", ADDRESS_MACHINE},
	{"1.0.0.0", ADDRESS_PUBLIC},
	{"9.255.255.255", ADDRESS_PUBLIC},
	{"10.0.0.0", ADDRESS_PRIVATE},
	{"10.255.255.255", ADDRESS_PRIVATE},
	{"11.0.0.0", ADDRESS_PUBLIC},
	{"100.63.255.255", ADDRESS_PUBLIC},
	{"100.64.0.0", ADDRESS_PRIVATE},
	{"100.127.255.255", ADDRESS_PRIVATE},
	{"100.128.0.0", ADDRESS_PUBLIC},
	{"126.255.255.255", ADDRESS_PUBLIC},
	{"127.0.0.0", ADDRESS_MACHINE},
	{"127.255.255.255", ADDRESS_MACHINE},
	{"128.0.0.0", ADDRESS_PUBLIC},
	{"169.253.255.255", ADDRESS_PUBLIC},
	{"169.254.0.0", ADDRESS_LINK},
	{"169.254.255.255", ADDRESS_LINK},
	{"169.255.0.0", ADDRESS_PUBLIC},
	{"172.15.255.255", ADDRESS_PUBLIC},
	{"172.16.0.0", ADDRESS_PRIVATE},
	{"172.31.255.255", ADDRESS_PRIVATE},
	{"172.32.0.0", ADDRESS_PUBLIC},
	{"191.255.255.255", ADDRESS_PUBLIC},
	{"192.0.0.8", ADDRESS_PRIVATE},
	{"192.0.0.9", ADDRESS_PUBLIC},
	{"192.0.0.10", ADDRESS_PUBLIC},
	{"192.0.0.11", ADDRESS_PRIVATE},
	{"192.0.1.0", ADDRESS_PUBLIC},
	{"192.0.2.255", ADDRESS_PRIVATE},
	{"192.0.3.0", ADDRESS_PUBLIC},
	{"192.31.196.1", ADDRESS_PUBLIC},
	{"192.52.193.1", ADDRESS_PUBLIC},
	{"192.88.99.1", ADDRESS_PRIVATE},
	{"192.167.255.255", ADDRESS_PUBLIC},
	{"192.168.0.0", ADDRESS_PRIVATE},
	{"192.168.255.255", ADDRESS_PRIVATE},
	{"192.169.0.0", ADDRESS_PUBLIC},
	{"192.175.48.1", ADDRESS_PUBLIC},
	{"198.17.255.255", ADDRESS_PUBLIC},
	{"198.18.0.0", ADDRESS_PRIVATE},
	{"198.19.255.255", ADDRESS_PRIVATE},
	{"198.20.0.0", ADDRESS_PUBLIC},
	{"198.51.100.0", ADDRESS_PRIVATE},
	{"203.0.113.255", ADDRESS_PRIVATE},
	{"203.0.114.0", ADDRESS_PUBLIC},
	{"223.255.255.255", ADDRESS_PUBLIC},
	{"224.0.0.0", ADDRESS_PRIVATE},
	{"240.0.0.0", ADDRESS_PRIVATE},
	{"255.255.255.255", ADDRESS_PRIVATE},
	{"::", ADDRESS_MACHINE},
	{"::1", ADDRESS_MACHINE},
	{"::2", ADDRESS_MACHINE},
	{"::8.8.8.8", ADDRESS_PRIVATE},
	{"::ffff:8.8.8.8", ADDRESS_PUBLIC},
	{"::ffff:10.0.0.1", ADDRESS_PRIVATE},
	{"::ffff:127.0.0.1", ADDRESS_MACHINE},
	{"64:ff9b::8.8.8.8", ADDRESS_PUBLIC},
	{"64:ff9b::169.254.169.254", ADDRESS_LINK},
	{"64:ff9b:1::8.8.8.8", ADDRESS_PRIVATE},
	{"100::1", ADDRESS_PRIVATE},
	{"1fff::1", ADDRESS_PRIVATE},
	{"2000::1", ADDRESS_PUBLIC},
	{"2001:0:808:808:0:0:f7f7:f7f7", ADDRESS_PUBLIC},
	{"2001:0:7f00:1:0:0:f7f7:f7f7", ADDRESS_MACHINE},
	{"2001:0:808:808:0:0:80ff:fffe", ADDRESS_MACHINE},
	{"2001:1::1", ADDRESS_PUBLIC},
	{"2001:1::2", ADDRESS_PUBLIC},
	{"2001:1::3", ADDRESS_PUBLIC},
	{"2001:1::4", ADDRESS_PRIVATE},
	{"2001:2::1", ADDRESS_PRIVATE},
	{"2001:3::1", ADDRESS_PUBLIC},
	{"2001:4:112::1", ADDRESS_PUBLIC},
	{"2001:4:113::1", ADDRESS_PRIVATE},
	{"2001:10::1", ADDRESS_PRIVATE},
	{"2001:20::1", ADDRESS_PUBLIC},
	{"2001:30::1", ADDRESS_PUBLIC},
	{"2001:1ff:ffff::1", ADDRESS_PRIVATE},
	{"2001:200::1", ADDRESS_PUBLIC},
	{"2001:db8::1", ADDRESS_PRIVATE},
	{"2001:db9::1", ADDRESS_PUBLIC},
	{"2002:808:808::1", ADDRESS_PUBLIC},
	{"2002:a9fe:a9fe::1", ADDRESS_LINK},
	{"2606:4700::1111", ADDRESS_PUBLIC},
	{"2606:4700::5efe:127.0.0.1", ADDRESS_MACHINE},
	{"2606:4700::200:5efe:8.8.8.8", ADDRESS_PUBLIC},
	{"2620:4f:8000::1", ADDRESS_PUBLIC},
	{"3fff:fff::1", ADDRESS_PRIVATE},
	{"3fff:1000::1", ADDRESS_PUBLIC},
	{"4000::1", ADDRESS_PRIVATE},
	{"5f00::1", ADDRESS_PRIVATE},
	{"fbff::1", ADDRESS_PRIVATE},
	{"fc00::1", ADDRESS_PRIVATE},
	{"fd00:ec2::254", ADDRESS_PRIVATE},
	{"fe80::1", ADDRESS_LINK},
	{"febf::1", ADDRESS_LINK},
	{"fec0::1", ADDRESS_PRIVATE},
	{"ff02::1", ADDRESS_PRIVATE},
};

static void each_network_has_its_scope(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		struct address address;
		assert_int_equal(address_parse(scopes[i].text, &address), 0);
		if (address_scope(&address) != scopes[i].scope)
			fail_msg("%s has the scope %d", scopes[i].text,
				 (int)address_scope(&address));
	}
}

static void a_socket_address_is_read_as_its_text(void **state)
{
	(void)state;
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr other = {.sa_family = AF_UNIX};
	struct address address;
	char text[ADDRESS_TEXT_SIZE];
	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &four.sin_addr), 1);
	assert_int_equal(address_of_socket((const struct sockaddr *)&four, &address), 0);
	address_format(&address, text);
	assert_string_equal(text, "192.0.2.1");
	assert_int_equal(inet_pton(AF_INET6, "::ffff:127.0.0.1", &six.sin6_addr), 1);
	assert_int_equal(address_of_socket((const struct sockaddr *)&six, &address), 0);
	assert_int_equal(address_scope(&address), ADDRESS_MACHINE);
	assert_int_equal(address_of_socket(&other, &address), -1);
}

static const struct block_case {
	const char *block;
	const char *shown; /* NULL: none */
	const char *inside;
	const char *outside;
} blocks[] = {
	{"10.0.0.0/8", "10.0.0.0/8", "10.255.0.1", "11.0.0.0"},
	{"10.1.2.3/8", "10.0.0.0/8", "10.0.0.0", "9.255.255.255"},
	{"192.0.2.1", "192.0.2.1/32", "192.0.2.1", "192.0.2.0"},
	{"192.0.2.128/25", "192.0.2.128/25", "192.0.2.255", "192.0.2.127"},
	{"0.0.0.0/0", "0.0.0.0/0", "8.8.8.8", "2606:4700::1"},
	{"::/0", "::/0", "2606:4700::1", "8.8.8.8"},
	{"fd00::/8", "fd00::/8", "fdff::1", "fe00::1"},
	{"2001:db8::1", "2001:db8::1/128", "2001:db8::1", "2001:db8::2"},
	{"::ffff:10.0.0.0/104", "10.0.0.0/8", "10.0.0.1", "11.0.0.1"},
	{"10.0.0.0/8", "10.0.0.0/8", "::ffff:10.0.0.1", "::ffff:11.0.0.1"},
	{"10.0.0.0/8", "10.0.0.0/8", "64:ff9b::10.0.0.1", "64:ff9b::11.0.0.1"},
	{"10.0.0.0/8", "10.0.0.0/8", "2002:a00:1::", "2002:b00:1::"},
	{"10.0.0.0/8", "10.0.0.0/8", "2001:0:808:808::f5ff:fffe", "2001:0:808:808::"},
	{"10.0.0.0/8", "10.0.0.0/8", "2606::5efe:10.0.0.1", "2606::5eff:10.0.0.1"},
	{.block = "10.0.0.0/33"},
	{.block = "::/129"},
	{.block = "10.0.0.0/"},
	{.block = "10.0.0.0/-1"},
	{.block = "10.0.0.0/8/8"},
	{.block = "10.0.0.0/-0"},
	{.block = "10.0.0.0/+8"},
	{.block = "10.0.0.0/ 8"},
	{.block = "10.0.0.0/8 "},
	{.block = "10.0.0.0/08"},
	{.block = "10.0.0.0/00"},
	{.block = "fd00::/08"},
	{.block = "10.0.0.0/18446744073709551624"},
	{.block = "10.0.0.0/0x8"},
	{.block = "10/8"},
	{.block = "10.0.0/8"},
	{.block = "0x0a.0.0.0/8"},
	{.block = "010.0.0.0/8"},
	{.block = "fe80::1%lo/64"},
	{.block = "[::1]/128"},
	{.block = "a.test/8"},
	{.block = "/8"},
	{.block = ""},
};

static void blocks_hold_what_lies_in_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		struct address_block block;
		struct address address;
		char text[ADDRESS_BLOCK_TEXT_SIZE];
		int result = address_parse_block(blocks[i].block, &block);
		if (result != (blocks[i].shown == NULL ? -1 : 0))
			fail_msg("'%s': %d", blocks[i].block, result);
		if (result != 0)
			continue;
		address_block_format(&block, text);
		assert_string_equal(text, blocks[i].shown);
		assert_int_equal(address_parse(blocks[i].inside, &address), 0);
		if (!address_is_in_block(&address, &block))
			fail_msg("%s is not in %s", blocks[i].inside, blocks[i].block);
		assert_int_equal(address_parse(blocks[i].outside, &address), 0);
		if (address_is_in_block(&address, &block))
			fail_msg("%s is in %s", blocks[i].outside, blocks[i].block);
	}
}

static void names_are_no_addresses(void **state)
{
	(void)state;
	static const char *const names[] = {"a.test",      "1.2.3.4.5", "256.1.1.1", "1.2.3.256",
					    "0x1ffffffff", "09.0.0.1",  "1..2",      "a.1",
					    "mylocalhost", "1.a",       "",          "."};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct address address;
		if (address_parse_host(names[i], &address) == 0)
			fail_msg("'%s' is an address", names[i]);
	}
}

static void denied_wins_and_reach_is_held(void **state)
{
	(void)state;
	struct address_policy *policy = NULL;
	struct address_block block;
	struct address address;
	const struct address_block *by = NULL;
	assert_int_equal(address_parse_block("127.0.0.2", &block), 0);
	address_policy_change(&policy)->allow = ADDRESS_ALLOW_ALL;
	assert_int_equal(address_policy_deny(policy, &block), 0);
	assert_int_equal(address_parse("127.0.0.2", &address), 0);
	assert_int_equal(address_policy_judge(policy, &address, ADDRESS_MACHINE, &by),
			 ADDRESS_DENIED);
	assert_ptr_equal(by, &policy->denied[0]);
	assert_int_equal(address_parse("127.0.0.1", &address), 0);
	assert_int_equal(address_policy_judge(policy, &address, ADDRESS_MACHINE, NULL),
			 ADDRESS_FINE);
	assert_int_equal(address_policy_judge(policy, &address, ADDRESS_LINK, NULL),
			 ADDRESS_TOO_INSIDE);
	address_policy_release(policy);
}

static void a_shared_policy_is_changed_as_a_copy(void **state)
{
	(void)state;
	struct address_policy *policy = NULL;
	struct address_block block;
	assert_int_equal(address_parse_block("10.0.0.0/8", &block), 0);
	assert_int_equal(address_policy_deny(address_policy_change(&policy), &block), 0);
	struct address_policy *other = address_policy_take(policy);
	assert_ptr_equal(other, policy);
	assert_int_equal(address_policy_deny(address_policy_change(&other), &block), 0);
	assert_ptr_not_equal(other, policy);
	assert_int_equal(policy->denied_count, 1);
	assert_int_equal(other->denied_count, 2);
	assert_int_equal(policy->users, 1);
	address_policy_release(policy);
	address_policy_release(other);
}

int main(void)
{
	(void)setlocale(LC_ALL, "C.UTF-8");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_spelling_of_a_forbidden_address_is_public),
		cmocka_unit_test(each_network_has_its_scope),
		cmocka_unit_test(a_socket_address_is_read_as_its_text),
		cmocka_unit_test(blocks_hold_what_lies_in_them),
		cmocka_unit_test(names_are_no_addresses),
		cmocka_unit_test(denied_wins_and_reach_is_held),
		cmocka_unit_test(a_shared_policy_is_changed_as_a_copy),
	};
	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
