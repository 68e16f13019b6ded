/* What becomes of a site when all addresses of its name were checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check/round.h"

/* A letter an address: U up, G degraded (slow), D down (connect_refused), T down (timeout), ? unknown (prober_offline). */
static const struct round_case {
	const char *name;
	const char *letters;
	size_t needed;
	enum outcome outcome;
	enum reason reason;
	size_t speaker;
	const char *message;
} cases[] = {
	{"one up", "U", 0, OUTCOME_UP, REASON_OK, 0, ""},
	{"one down", "D", 0, OUTCOME_DOWN, REASON_CONNECT_REFUSED, 0,
	 "1 of 1 address fails: 192.0.2.0 connect_refused"},
	{"all up", "UUUU", 0, OUTCOME_UP, REASON_OK, 0, ""},
	{"any down is down", "UUDU", 0, OUTCOME_DOWN, REASON_CONNECT_REFUSED, 2,
	 "1 of 4 addresses fails: 192.0.2.2 connect_refused"},
	{"each of the failed is named", "UDUT", 0, OUTCOME_DOWN, REASON_CONNECT_REFUSED, 1,
	 "2 of 4 addresses fail: 192.0.2.1 connect_refused, 192.0.2.3 timeout"},
	{"the first that fails has the reason", "TUD", 0, OUTCOME_DOWN, REASON_TIMEOUT, 0,
	 "2 of 3 addresses fail: 192.0.2.0 timeout, 192.0.2.2 connect_refused"},
	{"all down", "DDD", 0, OUTCOME_DOWN, REASON_CONNECT_REFUSED, 0,
	 "3 of 3 addresses fail: 192.0.2.0 connect_refused, 192.0.2.1 connect_refused, 192.0.2.2 "
	 "connect_refused"},
	{"down within what is allowed", "UUDU", 3, OUTCOME_DEGRADED, REASON_ADDRESS_FAILS, 2,
	 "1 of 4 addresses fails, 3 needed: 192.0.2.2 connect_refused"},
	{"one that works is enough", "DDUD", 1, OUTCOME_DEGRADED, REASON_ADDRESS_FAILS, 0,
	 "3 of 4 addresses fail, 1 needed: 192.0.2.0 connect_refused, 192.0.2.1 connect_refused, "
	 "192.0.2.3 connect_refused"},
	{"fewer than needed", "UDDU", 3, OUTCOME_DOWN, REASON_CONNECT_REFUSED, 1,
	 "2 of 4 addresses fail, 3 needed: 192.0.2.1 connect_refused, 192.0.2.2 connect_refused"},
	{"none works of one needed", "DT", 1, OUTCOME_DOWN, REASON_CONNECT_REFUSED, 0,
	 "2 of 2 addresses fail, 1 needed: 192.0.2.0 connect_refused, 192.0.2.1 timeout"},
	{"degraded works", "UG", 0, OUTCOME_DEGRADED, REASON_SLOW, 1,
	 "1 of 2 addresses is degraded: 192.0.2.1 slow"},
	{"all degraded", "GG", 0, OUTCOME_DEGRADED, REASON_SLOW, 0,
	 "2 of 2 addresses are degraded: 192.0.2.0 slow, 192.0.2.1 slow"},
	{"degraded counts as up", "GD", 1, OUTCOME_DEGRADED, REASON_ADDRESS_FAILS, 1,
	 "1 of 2 addresses fails, 1 needed: 192.0.2.1 connect_refused"},
	{"degraded beside down", "GDU", 0, OUTCOME_DOWN, REASON_CONNECT_REFUSED, 1,
	 "1 of 3 addresses fails: 192.0.2.1 connect_refused"},
	{"unknown is not up", "U?", 0, OUTCOME_UNKNOWN, REASON_PROBER_OFFLINE, 1,
	 "1 of 2 addresses could not be checked: 192.0.2.1 prober_offline"},
	{"unknown is not failed", "??", 0, OUTCOME_UNKNOWN, REASON_PROBER_OFFLINE, 0,
	 "2 of 2 addresses could not be checked: 192.0.2.0 prober_offline, 192.0.2.1 "
	 "prober_offline"},
	{"down whatever the unknown ones are", "D??", 0, OUTCOME_DOWN, REASON_CONNECT_REFUSED, 0,
	 "1 of 3 addresses fails: 192.0.2.0 connect_refused"},
	{"enough up beside unknown", "U?U", 2, OUTCOME_UP, REASON_OK, 0, ""},
	{"might be enough", "D?U", 2, OUTCOME_UNKNOWN, REASON_PROBER_OFFLINE, 1,
	 "1 of 3 addresses could not be checked: 192.0.2.1 prober_offline"},
	{"enough up beside unknown and down", "U?D", 1, OUTCOME_DEGRADED, REASON_ADDRESS_FAILS, 2,
	 "1 of 3 addresses fails, 1 needed: 192.0.2.2 connect_refused"},
	{"the name has too few", "UU", 3, OUTCOME_DOWN, REASON_TOO_FEW_ADDRESSES, 0,
	 "the name has 2 addresses, 3 needed"},
	{"the name has one", "U", 2, OUTCOME_DOWN, REASON_TOO_FEW_ADDRESSES, 0,
	 "the name has 1 address, 2 needed"},
	{"too few, and one fails", "UD", 3, OUTCOME_DOWN, REASON_CONNECT_REFUSED, 1,
	 "1 of 2 addresses fails, 3 needed: 192.0.2.1 connect_refused"},
	{"too few, and one is unknown", "U?", 3, OUTCOME_DOWN, REASON_TOO_FEW_ADDRESSES, 0,
	 "the name has 2 addresses, 3 needed"},
	{"as many as needed", "UU", 2, OUTCOME_UP, REASON_OK, 0, ""},
};

static enum reason reason_of(char letter)
{
	switch (letter) {
	case 'G':
		return REASON_SLOW;
	case 'D':
		return REASON_CONNECT_REFUSED;
	case 'T':
		return REASON_TIMEOUT;
	case '?':
		return REASON_PROBER_OFFLINE;
	default:
		return REASON_OK;
	}
}

static void the_outcomes_decide(void **state)
{
	(void)state;
	static const char *const addresses[] = {"192.0.2.0", "192.0.2.1", "192.0.2.2", "192.0.2.3"};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct round_case *wanted = &cases[i];
		struct round_result results[4];
		size_t count = strlen(wanted->letters);
		for (size_t j = 0; j < count; j++) {
			enum reason reason = reason_of(wanted->letters[j]);
			results[j] = (struct round_result){.address = addresses[j],
							   .outcome = reason_outcome(reason),
							   .reason = reason};
		}
		struct round_verdict verdict;
		round_decide(results, count, wanted->needed, &verdict);
		if (verdict.outcome != wanted->outcome || verdict.reason != wanted->reason ||
		    verdict.speaker != wanted->speaker ||
		    strcmp(verdict.message, wanted->message) != 0)
			fail_msg("%s: %s, %s, %zu, '%s'", wanted->name,
				 outcome_name(verdict.outcome), reason_name(verdict.reason),
				 verdict.speaker, verdict.message);
		assert_int_equal(verdict.addresses, count);
		assert_int_equal(verdict.needed, wanted->needed == 0 ? count : wanted->needed);
		assert_int_equal(reason_outcome(verdict.reason), verdict.outcome);
		round_verdict_finish(&verdict);
	}
}

/* The longest that there can be, whole. */
static void sixteen_long_addresses_are_all_named(void **state)
{
	(void)state;
	static const char address[] = "2001:db8:1111:2222:3333:4444:5555:6666";
	struct round_result results[ROUND_ADDRESSES_MAX];
	for (size_t i = 0; i < ROUND_ADDRESSES_MAX; i++)
		results[i] =
			(struct round_result){address, OUTCOME_DOWN, REASON_CONNECT_UNREACHABLE};
	struct round_verdict verdict;
	round_decide(results, ROUND_ADDRESSES_MAX, 0, &verdict);
	assert_true(strlen(verdict.message) < VERDICT_MESSAGE_MAX);
	size_t named = 0;
	for (const char *at = verdict.message; (at = strstr(at, address)) != NULL; at++)
		named++;
	assert_int_equal(named, ROUND_ADDRESSES_MAX);
	round_verdict_finish(&verdict);
}

static void add(struct round *round, const char *ip, const char *first_ip, enum reason reason,
		const struct attempts *earlier)
{
	struct observation seen;
	struct verdict verdict = {.outcome = reason_outcome(reason), .reason = reason};
	struct evidence evidence = {0};
	observation_init(&seen);
	memcpy(seen.final.ip, ip, strlen(ip) + 1);
	seen.earlier = earlier;
	if (first_ip != NULL) {
		seen.redirects = xcalloc(1, sizeof(seen.redirects[0]));
		seen.redirect_count = 1;
		hop_init(&seen.redirects[0]);
		memcpy(seen.redirects[0].ip, first_ip, strlen(first_ip) + 1);
	}
	verdict.message = xstrdup("");
	round_add(round, &seen, &verdict, &evidence);
	assert_null(seen.redirects);
	assert_null(verdict.message);
}

/* Checks end in any order; a redirect may end at another host's address. */
static void parts_are_told_in_the_order_of_their_addresses(void **state)
{
	(void)state;
	struct round round = {0};
	struct observation seen;
	struct verdict verdict = {.outcome = OUTCOME_DOWN, .reason = REASON_TIMEOUT};
	struct attempts attempts = {0};
	observation_init(&seen);
	verdict.message = xstrdup("too late");
	attempts_add(&attempts, &seen, &verdict);
	verdict_finish(&verdict);
	add(&round, "192.0.2.3", NULL, REASON_OK, NULL);
	add(&round, "198.51.100.1", "192.0.2.2", REASON_TIMEOUT, &attempts);
	add(&round, "192.0.2.1", NULL, REASON_CONNECT_REFUSED, NULL);
	attempts_finish(&attempts);
	struct round_verdict of_all;
	round_judge(&round, 0, &of_all);
	assert_string_equal(of_all.message,
			    "2 of 3 addresses fail: 192.0.2.1 connect_refused, 192.0.2.2 timeout");
	assert_string_equal(observation_first_ip(&round.parts[1].observation), "192.0.2.2");
	assert_int_equal(round.parts[1].observation.earlier->count, 1);
	assert_string_equal(round.parts[1].observation.earlier->items[0].message, "too late");
	assert_null(round.parts[0].observation.earlier);
	round_verdict_finish(&of_all);
	round_finish(&round);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_outcomes_decide),
		cmocka_unit_test(sixteen_long_addresses_are_all_named),
		cmocka_unit_test(parts_are_told_in_the_order_of_their_addresses),
	};
	return cmocka_run_group_tests_name("check_round", tests, NULL, NULL);
}
