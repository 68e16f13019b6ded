/* Which hosts are asked through a proxy, and what a request without wishes is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
		cmocka_unit_test(no_proxy_without_a_proxy),
		cmocka_unit_test(blocks_are_told_from_names),
		cmocka_unit_test(a_request_is_made_once),
	};
	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
