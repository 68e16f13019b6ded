/* Which hosts are asked through a proxy, and what a request without wishes is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/request.h"
#include "check/site.h"

struct proxy_case {
	const char *name;
	const char *entry; /* of no_proxy */
	const char *host;
	bool is_direct;
};

static const struct proxy_case cases[] = {
	{"everything", "*", "a.test", true},
	{"the host", "a.test", "a.test", true},
	{"below it", "a.test", "www.a.test", true},
	{"below it, with a dot", ".a.test", "www.a.test", true},
	{"itself, with a dot", ".a.test", "a.test", true},
	{"not what ends so", "a.test", "bana.test", false},
	{"not what is above", "www.a.test", "a.test", false},
	{"with the root's dot", "a.test", "www.a.test.", true},
	{"without the entry's", "a.test.", "a.test", true},
	{"an address", "192.0.2.1", "192.0.2.1", true},
	{"another address", "192.0.2.1", "192.0.2.11", false},
	{"a block", "192.0.2.0/24", "192.0.2.255", true},
	{"beside a block", "192.0.2.0/24", "192.0.3.0", false},
	{"an odd block", "10.128.0.0/9", "10.200.0.1", true},
	{"beside an odd block", "10.128.0.0/9", "10.127.0.1", false},
	{"all addresses", "0.0.0.0/0", "203.0.113.9", true},
	{"no names in a block", "0.0.0.0/0", "a.test", false},
	{"IPv6", "2001:db8::/33", "2001:db8:7fff::1", true},
	{"beside IPv6", "2001:db8::/33", "2001:db8:8000::1", false},
	{"one kind is not the other", "::/0", "192.0.2.1", false},
};

static void direct_as_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *entries[] = {(char *)(uintptr_t) "other.test",
				   (char *)(uintptr_t)cases[i].entry};
		struct request_proxy proxy = {0};
		const struct request request = {
			.proxy = &proxy, .no_proxy = entries, .no_proxy_count = 2};
		const struct request_proxy *found = request_find_proxy(&request, cases[i].host);
		if ((found == NULL) != cases[i].is_direct)
			fail_msg("%s", cases[i].name);
	}
}

/* Nothing is read as something else than it says. */
static void what_is_no_block(void **state)
{
	(void)state;
	static const char *const texts[] = {"10.0.0.0/-0", "10.0.0.0/+8",  "10.0.0.0/ 8",
					    "10.0.0.0/8 ", "10.0.0.0/08",  "10.0.0.0/00",
					    "10.0.0.0/33", "10.0.0.0/0x8", "10.0.0.0/8/8",
					    "10.0.0.0/",   "10/8",         "010.0.0.0/8",
					    "fd00::/-0",   "fd00::/129",   "10.0.0.0/4294967304",
					    "a.test/8",    "/8",           ""};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (request_is_block(texts[i]))
			fail_msg("%s", texts[i]);
	assert_true(request_is_block("10.0.0.0/0"));
	assert_true(request_is_block("fd00::/128"));
}

static void no_proxy_without_a_proxy(void **state)
{
	(void)state;
	assert_null(request_find_proxy(&request_usual, "a.test"));
}

static void blocks_are_told_from_names(void **state)
{
	(void)state;
	assert_true(request_is_block("192.0.2.1"));
	assert_true(request_is_block("192.0.2.0/32"));
	assert_true(request_is_block("::/128"));
	assert_false(request_is_block("192.0.2.0/33"));
	assert_false(request_is_block("192.0.2.0/"));
	assert_false(request_is_block("192.0.2.0/-1"));
	assert_false(request_is_block("a.test/8"));
	assert_false(request_is_block(""));
}

/* The last one that was given counts, however it was written. */
static void a_host_is_found_with_and_without_the_roots_dot(void **state)
{
	(void)state;
	static const char *const names[] = {"a.test.", "b.test", "a.test"};
	struct request request = {0};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct request_host host = {.name = xstrdup(names[i])};
		request_set_host(&request, &host);
	}
	assert_int_equal(request.host_count, 2);
	assert_string_equal(request_find_host(&request, "a.test.")->name, "a.test");
	assert_ptr_equal(request_find_host(&request, "a.test"), &request.hosts[0]);
	assert_ptr_equal(request_find_host(&request, "b.test."), &request.hosts[1]);
	assert_null(request_find_host(&request, "a.tes"));
	assert_null(request_find_host(&request, "."));
	for (size_t i = 0; i < request.host_count; i++)
		request_host_finish(&request.hosts[i]);
	free(request.hosts);
}

static void a_request_is_made_once(void **state)
{
	(void)state;
	struct site site;
	site_init(&site);
	assert_ptr_equal(request_of(&site), &request_usual);
	struct request *request = request_make(&site);
	assert_ptr_equal(request_make(&site), request);
	assert_ptr_equal(request_of(&site), request);
	site_finish(&site);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(direct_as_it_says),
		cmocka_unit_test(what_is_no_block),
		cmocka_unit_test(no_proxy_without_a_proxy),
		cmocka_unit_test(blocks_are_told_from_names),
		cmocka_unit_test(a_host_is_found_with_and_without_the_roots_dot),
		cmocka_unit_test(a_request_is_made_once),
	};
	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
