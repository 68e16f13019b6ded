#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/observation.h"
#include "probe/phases.h"

#define U DURATION_UNKNOWN

struct phases_case {
	const char *name;
	struct phase_marks marks;
	mono_us now;
	enum phase reached;
	int64_t dns_us, connect_us, tls_us, wait_us, transfer_us;
};

/* A hop starts at 1000. */
static const struct phases_case cases[] = {
	{"resolving", {.started = 1000}, 1500, PHASE_DNS, 500, U, U, U, U},
	{"connecting", {.started = 1000, .resolved = 1100}, 1500, PHASE_CONNECT, 100, 400, U, U, U},
	{"connected, plain",
	 {.started = 1000, .resolved = 1100, .connected = 1300},
	 1900,
	 PHASE_WAIT,
	 100,
	 200,
	 U,
	 600,
	 U},
	{"shaking hands",
	 {.started = 1000, .resolved = 1100, .connected = 1300, .is_https = true},
	 1900,
	 PHASE_TLS,
	 100,
	 200,
	 600,
	 U,
	 U},
	{"waiting over TLS",
	 {.started = 1000, .resolved = 1100, .connected = 1300, .tls_done = 1700, .is_https = true},
	 1900,
	 PHASE_WAIT,
	 100,
	 200,
	 400,
	 200,
	 U},
	{"complete, plain",
	 {.started = 1000, .resolved = 1000, .connected = 1300, .first_byte = 1800},
	 1900,
	 PHASE_TRANSFER,
	 0,
	 300,
	 U,
	 500,
	 100},
	{"a TLS mark counts for https only",
	 {.started = 1000,
	  .resolved = 1000,
	  .connected = 1300,
	  .tls_done = 1400,
	  .first_byte = 1800},
	 1900,
	 PHASE_TRANSFER,
	 0,
	 300,
	 U,
	 500,
	 100},
	{"sending is transfer",
	 {.started = 1000, .resolved = 1000, .connected = 1300, .sent = 1600, .first_byte = 1800},
	 1900,
	 PHASE_TRANSFER,
	 0,
	 300,
	 U,
	 200,
	 400},
	{"sent, and waiting",
	 {.started = 1000, .resolved = 1000, .connected = 1300, .sent = 1600},
	 1900,
	 PHASE_WAIT,
	 0,
	 300,
	 U,
	 300,
	 300},
	{"answered before all was sent",
	 {.started = 1000, .resolved = 1000, .connected = 1300, .sent = 1850, .first_byte = 1800},
	 1900,
	 PHASE_TRANSFER,
	 0,
	 300,
	 U,
	 0,
	 600},
	{"over a connection that was there",
	 {.started = 1000,
	  .resolved = 1200,
	  .connected = 1200,
	  .first_byte = 1800,
	  .is_https = true,
	  .is_reused = true},
	 1900,
	 PHASE_TRANSFER,
	 200,
	 U,
	 U,
	 600,
	 100},
	{"clocks that differ by a moment",
	 {.started = 1000, .resolved = 1000, .connected = 1901, .first_byte = 1901},
	 1900,
	 PHASE_TRANSFER,
	 0,
	 901,
	 U,
	 0,
	 0},
};

static void phases_are_cut_from_the_hop(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct phases_case *test = &cases[i];
		struct hop hop;
		hop_init(&hop);
		enum phase reached = phases_measure(&hop, &test->marks, test->now);
		print_message("# %s\n", test->name);
		assert_int_equal(reached, test->reached);
		assert_int_equal(hop.dns_us, test->dns_us);
		assert_int_equal(hop.connect_us, test->connect_us);
		assert_int_equal(hop.tls_us, test->tls_us);
		assert_int_equal(hop.wait_us, test->wait_us);
		assert_int_equal(hop.transfer_us, test->transfer_us);
		assert_int_equal(hop.total_us, test->now - test->marks.started);
		hop_finish(&hop);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(phases_are_cut_from_the_hop)};
	return cmocka_run_group_tests_name("probe_phases", tests, NULL, NULL);
}
