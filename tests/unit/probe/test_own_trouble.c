/* What counts as the prober's own trouble; on this machine's real routes, of which loopback alone is relied on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "check/observation.h"
#include "probe/network.h"
#include "probe/own_trouble.h"
#include "probe/trouble.h"

#define MS CLOCK_US_PER_MS
#define SECOND CLOCK_US_PER_S

struct lag_case {
	const char *name;
	enum reason reason;
	int64_t lost_us;
	int64_t timeout_us;
	bool is_ours;
};

static const struct lag_case cases[] = {
	{"not held up", REASON_TIMEOUT, 0, SECOND, false},
	{"for a moment", REASON_TIMEOUT, 100 * MS, 500 * MS, false},
	{"for longer", REASON_TIMEOUT, 101 * MS, 500 * MS, true},
	{"for a part that is too small", REASON_TIMEOUT, SECOND, 10 * SECOND, false},
	{"for a tenth of it", REASON_TIMEOUT, SECOND + 1, 10 * SECOND, true},
	{"while connecting", REASON_CONNECT_TIMEOUT, 2 * SECOND, 10 * SECOND, true},
	{"while a long timeout ran", REASON_TIMEOUT, 2 * SECOND, 3600 * SECOND, false},
	{"until the server hung up", REASON_CONNECTION_LOST, 2 * SECOND, 3600 * SECOND, true},
	{"until the server gave up TLS", REASON_TLS_ERROR, 2 * SECOND, 60 * SECOND, true},
	{"while a name was looked up", REASON_DNS_ERROR, 2 * SECOND, 10 * SECOND, true},
	{"refused all the same", REASON_CONNECT_REFUSED, 9 * SECOND, 10 * SECOND, false},
	{"distrusted all the same", REASON_CERT_INVALID, 9 * SECOND, 10 * SECOND, false},
	{"no HTTP all the same", REASON_PROTOCOL_ERROR, 9 * SECOND, 10 * SECOND, false},
	{"too large all the same", REASON_TOO_LARGE, 9 * SECOND, 10 * SECOND, false},
	{"out of ports all the same", REASON_PROBER_OVERLOADED, 9 * SECOND, 10 * SECOND, false},
	{"ours already", REASON_PROBER_OFFLINE, 9 * SECOND, 10 * SECOND, false},
};

static uv_loop_t loop;
static struct network *network;

static void hold_ups_are_ours(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct lag_case *test = &cases[i];
		struct trouble trouble = {.reason = test->reason, .message = "as it looked"};
		const struct own_facts facts = {.lost_us = test->lost_us,
						.timeout_us = test->timeout_us,
						.network = network,
						.peer = ""};
		own_trouble_judge(&facts, &trouble);
		print_message("# %s\n", test->name);
		assert_int_equal(trouble.reason,
				 test->is_ours ? REASON_PROBER_OVERLOADED : test->reason);
		assert_non_null(strstr(trouble.message, "as it looked"));
		assert_int_equal(strstr(trouble.message, "held up") != NULL, test->is_ours);
	}
}

static void the_way_to_ourselves_is_there(void **state)
{
	(void)state;
	mono_us now = clock_mono_us();
	assert_null(network_find_trouble(network, "127.0.0.1", NULL, now));
	assert_null(network_find_trouble(network, "127.0.0.1", "127.0.0.2", now));
	assert_null(network_find_trouble(network, "no address", NULL, now));
	struct trouble trouble = {.reason = REASON_TIMEOUT};
	const struct own_facts facts = {
		.timeout_us = SECOND, .since = now, .network = network, .peer = "127.0.0.1"};
	own_trouble_judge(&facts, &trouble);
	assert_int_equal(trouble.reason, REASON_TIMEOUT);
}

/* A network of its own that has no way anywhere: an address that can't be had is not a matter of ports. */
static void without_a_way_it_is_the_network(void **state)
{
	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0)
		skip();
	uv_loop_t own_loop;
	assert_int_equal(uv_loop_init(&own_loop), 0);
	struct network *cut_off = network_create(&own_loop);
	struct trouble trouble = {.reason = REASON_PROBER_OVERLOADED, .message = "as it looked"};
	const struct own_facts facts = {.timeout_us = SECOND,
					.since = clock_mono_us(),
					.network = cut_off,
					.peer = "2001:db8::1"};
	own_trouble_judge(&facts, &trouble);
	assert_int_equal(trouble.reason, REASON_PROBER_OFFLINE);
	assert_non_null(strstr(trouble.message, "no route"));
	network_close(cut_off);
	(void)uv_run(&own_loop, UV_RUN_DEFAULT);
	network_destroy(cut_off);
	assert_int_equal(uv_loop_close(&own_loop), 0);
}

static int set_up(void **state)
{
	(void)state;
	(void)uv_loop_init(&loop);
	network = network_create(&loop);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	network_close(network);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	network_destroy(network);
	return uv_loop_close(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hold_ups_are_ours),
		cmocka_unit_test(the_way_to_ourselves_is_there),
		cmocka_unit_test(
			without_a_way_it_is_the_network), /* the last: the network stays so */
	};
	return cmocka_run_group_tests_name("probe_own_trouble", tests, set_up, tear_down);
}
