/* Where a site and its redirects may lead through a proxy, whose addresses of names nobody knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/request.h"
#include "probe/address_guard.h"

enum { ADDRESSES_MAX = 2 };

struct proxied_case {
	const char *name;
	const char *host;                 /* of the site */
	const char *known[ADDRESSES_MAX]; /* what `resolve` says of it */
	const char *next;                 /* where the redirect leads */
	const char *next_known[ADDRESSES_MAX];
	bool is_allowed;
};

static const struct proxied_case cases[] = {
	{"a name, to another", "a.test", {NULL}, "b.test", {NULL}, true},
	{"a name counts as public", "a.test", {NULL}, "10.0.0.1", {NULL}, false},
	{"an address, to itself", "10.0.0.1", {NULL}, "10.0.0.1", {NULL}, true},
	{"an address, further inside", "10.0.0.1", {NULL}, "localhost", {NULL}, false},
	{"a known name, to itself", "a.test", {"10.0.0.1"}, "a.test", {"10.0.0.1"}, true},
	{"a known name, further inside", "a.test", {"10.0.0.1"}, "127.0.0.1", {NULL}, false},
	{"one of two is inside, to itself",
	 "a.test",
	 {"127.0.0.1", "192.0.2.1"},
	 "a.test",
	 {"127.0.0.1", "192.0.2.1"},
	 true},
	{"a known name that is public, inwards",
	 "a.test",
	 {"203.0.114.1"},
	 "b.test",
	 {"10.0.0.1"},
	 false},
};

static struct request_host host_of(const char *const addresses[ADDRESSES_MAX])
{
	struct request_host host = {.addresses = (char **)(uintptr_t)addresses};
	while (host.address_count < ADDRESSES_MAX && addresses[host.address_count] != NULL)
		host.address_count++;
	return host;
}

static void a_proxied_redirect_goes_no_further_inside(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct proxied_case *c = &cases[i];
		const struct request_host known = host_of(c->known);
		const struct request_host next = host_of(c->next_known);
		struct address_guard guard;
		address_guard_start(&guard, NULL, false);
		address_guard_start_hop(&guard, false);
		if (!address_guard_may_ask_for(&guard, c->host, &known))
			fail_msg("%s: the site itself: %s", c->name, guard.text);
		address_guard_start_hop(&guard, true);
		if (address_guard_may_ask_for(&guard, c->next, &next) != c->is_allowed)
			fail_msg("%s: %s", c->name, guard.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proxied_redirect_goes_no_further_inside),
	};
	return cmocka_run_group_tests_name("address_guard", tests, NULL, NULL);
}
