#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "check/observation.h"
#include "check/site.h"
#include "check/verdict.h"

#define DAY INT64_C(86400000000)
#define NO_RULE MATCH_NOT_TRIED, MATCH_NOT_TRIED

/* A site with a rule that wants "Welcome" and one that forbids "Error", 2 s and 14 days; and what was seen of it. */
static const struct verdict_case {
	const char *name;
	enum reason trouble;
	int status;
	enum match_state wanted;
	enum match_state forbidden;
	int64_t total_us;
	int64_t cert_left_us; /* 0: no TLS */
	enum outcome outcome;
	enum reason reason;
	size_t failures;
	const char *message; /* part of it */
} cases[] = {
	{"all well", REASON_OK, 200, MATCH_FOUND, MATCH_NOT_FOUND, 1000, 90 * DAY, OUTCOME_UP,
	 REASON_OK, 0, ""},
	{"plain http", REASON_OK, 204, MATCH_FOUND, MATCH_NOT_FOUND, 1000, 0, OUTCOME_UP, REASON_OK,
	 0, ""},
	{"no response", REASON_DNS_ERROR, 0, NO_RULE, 1000, 0, OUTCOME_DOWN, REASON_DNS_ERROR, 1,
	 "The name does not resolve"},
	{"our trouble", REASON_PROBER_OVERLOADED, 0, NO_RULE, 0, 0, OUTCOME_UNKNOWN,
	 REASON_PROBER_OVERLOADED, 1, "too busy"},
	{"trouble hides the rest", REASON_TIMEOUT, 500, NO_RULE, 9000000, 1, OUTCOME_DOWN,
	 REASON_TIMEOUT, 1, ""},
	{"status", REASON_OK, 404, MATCH_FOUND, MATCH_NOT_FOUND, 1000, 0, OUTCOME_DOWN,
	 REASON_STATUS_MISMATCH, 1, "status 404, expected 200-299"},
	{"wanted is missing", REASON_OK, 200, MATCH_NOT_FOUND, MATCH_NOT_FOUND, 1000, 0,
	 OUTCOME_DOWN, REASON_BODY_MISMATCH, 1, "the body does not match \"Welcome\""},
	{"forbidden is there", REASON_OK, 200, MATCH_FOUND, MATCH_FOUND, 1000, 0, OUTCOME_DOWN,
	 REASON_BODY_MISMATCH, 1, "the body matches \"Error\""},
	{"both", REASON_OK, 200, MATCH_NOT_FOUND, MATCH_FOUND, 1000, 0, OUTCOME_DOWN,
	 REASON_BODY_MISMATCH, 2, "does not match \"Welcome\""},
	{"exactly the limit", REASON_OK, 200, MATCH_FOUND, MATCH_NOT_FOUND, 2000000, 0, OUTCOME_UP,
	 REASON_OK, 0, ""},
	{"slow", REASON_OK, 200, MATCH_FOUND, MATCH_NOT_FOUND, 2500000, 0, OUTCOME_DEGRADED,
	 REASON_SLOW, 1, "took 2500 ms, the limit is 2s"},
	{"certificate", REASON_OK, 200, MATCH_FOUND, MATCH_NOT_FOUND, 1000, 13 * DAY + 1,
	 OUTCOME_DEGRADED, REASON_CERT_EXPIRING, 1, "expires in 13 days"},
	{"certificate of yesterday", REASON_OK, 200, MATCH_FOUND, MATCH_NOT_FOUND, 1000, -DAY,
	 OUTCOME_DEGRADED, REASON_CERT_EXPIRING, 1, "expired on"},
	{"slow comes before certificate", REASON_OK, 200, MATCH_FOUND, MATCH_NOT_FOUND, 3000000,
	 DAY, OUTCOME_DEGRADED, REASON_SLOW, 2, ""},
	{"status comes before body", REASON_OK, 500, MATCH_NOT_FOUND, MATCH_FOUND, 3000000, DAY,
	 OUTCOME_DOWN, REASON_STATUS_MISMATCH, 5, ""},
	{"down wins over slow", REASON_OK, 200, MATCH_NOT_FOUND, MATCH_NOT_FOUND, 3000000, DAY,
	 OUTCOME_DOWN, REASON_BODY_MISMATCH, 3, ""},
	{"truncated", REASON_OK, 200, MATCH_TRUNCATED, MATCH_NOT_FOUND, 1000, 0, OUTCOME_UNKNOWN,
	 REASON_MATCH_TRUNCATED, 1, ""},
	{"forbidden, truncated", REASON_OK, 200, MATCH_FOUND, MATCH_TRUNCATED, 1000, 0,
	 OUTCOME_UNKNOWN, REASON_MATCH_TRUNCATED, 1, ""},
	{"too costly", REASON_OK, 200, MATCH_FOUND, MATCH_TOO_COSTLY, 1000, 0, OUTCOME_UNKNOWN,
	 REASON_PATTERN_TOO_COSTLY, 1, "took too long"},
	{"undecided and slow is unknown", REASON_OK, 200, MATCH_TRUNCATED, MATCH_NOT_FOUND, 3000000,
	 DAY, OUTCOME_UNKNOWN, REASON_MATCH_TRUNCATED, 3, ""},
	{"undecided and down is down", REASON_OK, 200, MATCH_TOO_COSTLY, MATCH_FOUND, 3000000, 0,
	 OUTCOME_DOWN, REASON_BODY_MISMATCH, 3, "the body matches"},
	{"not searched is unknown", REASON_OK, 200, MATCH_NOT_TRIED, MATCH_NOT_TRIED, 1000, 0,
	 OUTCOME_UNKNOWN, REASON_PROBER_ERROR, 2, "not searched"},
};

static void make_site(struct site *site)
{
	site_init(site);
	site->max_response_time_us = 2000000;
	site->cert_expiry_warn_us = 14 * DAY;
	site->rules = xcalloc(2, sizeof(*site->rules));
	site->rule_count = 2;
	site->rules[0] = (struct site_rule){.text = xstrdup("Welcome"), .is_wanted = true};
	site->rules[1] = (struct site_rule){.text = xstrdup("Error")};
}

static void every_case_is_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct verdict_case *c = &cases[i];
		struct site site;
		struct observation seen;
		struct verdict verdict;
		make_site(&site);
		observation_init(&seen);
		seen.started_at = INT64_C(1800000000000000);
		seen.trouble = c->trouble;
		seen.final.http_status_code = c->status;
		seen.total_us = c->total_us;
		if (c->cert_left_us != 0)
			seen.cert_not_after = seen.started_at + c->cert_left_us;
		seen.rules = xcalloc(2, sizeof(*seen.rules));
		seen.rule_count = 2;
		seen.rules[0].state = c->wanted;
		seen.rules[1].state = c->forbidden;
		verdict_decide(&site, &seen, &verdict);
		if (verdict.outcome != c->outcome || verdict.reason != c->reason ||
		    verdict.failure_count != c->failures ||
		    strstr(verdict.message, c->message) == NULL)
			fail_msg("%s: %s, %s, %zu failures, %s", c->name,
				 outcome_name(verdict.outcome), reason_name(verdict.reason),
				 verdict.failure_count, verdict.message);
		if (verdict.failure_count > 0) {
			assert_int_equal(verdict.failures[0].reason, verdict.reason);
			const char *first = verdict.failures[0].message;
			assert_int_equal(strncmp(first, verdict.message, strlen(first)), 0);
		} else {
			assert_string_equal(verdict.message, "");
		}
		verdict_finish(&verdict);
		observation_finish(&seen);
		site_finish(&site);
	}
}

static void rules_without_matches_are_unknown(void **state)
{
	(void)state;
	struct site site;
	struct observation seen;
	struct verdict verdict;
	make_site(&site);
	observation_init(&seen);
	seen.trouble = REASON_OK;
	seen.final.http_status_code = 200;
	verdict_decide(&site, &seen, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_UNKNOWN);
	verdict_finish(&verdict);
	observation_finish(&seen);
	site_finish(&site);
}

static void recorded_pattern_changes_nothing(void **state)
{
	(void)state;
	static const enum match_state states[] = {MATCH_NOT_TRIED, MATCH_FOUND, MATCH_NOT_FOUND,
						  MATCH_TRUNCATED, MATCH_TOO_COSTLY};
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct site site;
		struct observation seen;
		struct verdict verdict;
		site_init(&site);
		site.pattern_text = xstrdup("x");
		observation_init(&seen);
		seen.trouble = REASON_OK;
		seen.final.http_status_code = 200;
		seen.pattern.state = states[i];
		verdict_decide(&site, &seen, &verdict);
		assert_int_equal(verdict.outcome, OUTCOME_UP);
		verdict_finish(&verdict);
		observation_finish(&seen);
		site_finish(&site);
	}
}

static void slow_by_our_own_hold_up_is_unknown(void **state)
{
	(void)state;
	struct site site;
	struct observation seen;
	struct verdict verdict;
	site_init(&site);
	site.max_response_time_us = 2000000;
	observation_init(&seen);
	seen.trouble = REASON_OK;
	seen.final.http_status_code = 200;
	seen.total_us = 5000000;
	seen.lag_us = 3000000;
	verdict_decide(&site, &seen, &verdict);
	assert_int_equal(verdict.reason, REASON_PROBER_OVERLOADED);
	assert_non_null(strstr(verdict.message, "held up for 3000 ms"));
	verdict_finish(&verdict);
	seen.lag_us = 2999999;
	verdict_decide(&site, &seen, &verdict);
	assert_int_equal(verdict.reason, REASON_SLOW);
	verdict_finish(&verdict);
	observation_finish(&seen);
	site_finish(&site);
}

/* A site that is told nothing for a while loses its patience (408): with a prober that slept meanwhile. */
static void impatience_with_our_own_hold_up_is_unknown(void **state)
{
	static const struct {
		int status;
		int valid; /* further */
		int64_t lag_us;
		enum reason reason;
		size_t failures;
	} answers[] = {
		{408, 0, 100001, REASON_PROBER_OVERLOADED, 1},
		{408, 0, 100000, REASON_STATUS_MISMATCH, 2},
		{408, 0, 0, REASON_STATUS_MISMATCH, 2},
		{503, 0, 3000000, REASON_STATUS_MISMATCH, 2},
		{408, 408, 3000000, REASON_BODY_MISMATCH, 1},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct site site;
		struct observation seen;
		struct verdict verdict;
		make_site(&site);
		observation_init(&seen);
		seen.trouble = REASON_OK;
		if (answers[i].valid != 0) {
			site.valid_status_codes = xcalloc(1, sizeof(site.valid_status_codes[0]));
			site.valid_status_codes[0] =
				(struct status_range){answers[i].valid, answers[i].valid};
			site.valid_status_code_count = 1;
		}
		seen.final.http_status_code = answers[i].status;
		seen.rules = xcalloc(2, sizeof(*seen.rules));
		seen.rule_count = 2;
		seen.rules[0].state = MATCH_NOT_FOUND;
		seen.rules[1].state = MATCH_NOT_FOUND;
		seen.lag_us = answers[i].lag_us;
		verdict_decide(&site, &seen, &verdict);
		assert_int_equal(verdict.reason, answers[i].reason);
		assert_int_equal(verdict.failure_count, answers[i].failures);
		verdict_finish(&verdict);
		observation_finish(&seen);
		site_finish(&site);
	}
}

static void first_end_in_the_chain_counts(void **state)
{
	(void)state;
	struct site site;
	struct observation seen;
	struct verdict verdict;
	site_init(&site);
	site.cert_expiry_warn_us = 14 * DAY;
	observation_init(&seen);
	seen.trouble = REASON_OK;
	seen.final.http_status_code = 200;
	seen.started_at = INT64_C(1800000000000000);
	seen.cert_not_after = seen.started_at + 90 * DAY;
	seen.chain_not_after = seen.started_at + 3 * DAY;
	verdict_decide(&site, &seen, &verdict);
	assert_int_equal(verdict.reason, REASON_CERT_EXPIRING);
	assert_string_equal(verdict.message, "the certificate expires in 3 days, on 2027-01-18");
	verdict_finish(&verdict);
	site.cert_expiry_warn_us = 0;
	verdict_decide(&site, &seen, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_UP);
	verdict_finish(&verdict);
	observation_finish(&seen);
	site_finish(&site);
}

static void messages_are_safe_and_bounded(void **state)
{
	(void)state;
	struct site site;
	struct observation seen;
	struct verdict verdict;
	site_init(&site);
	site.valid_status_codes = xcalloc(SITE_STATUS_RANGES_MAX, sizeof(*site.valid_status_codes));
	site.valid_status_code_count = SITE_STATUS_RANGES_MAX;
	for (int i = 0; i < SITE_STATUS_RANGES_MAX; i++)
		site.valid_status_codes[i] = (struct status_range){100 + i, 100 + i + i % 2};
	site.rules = xcalloc(SITE_RULES_MAX, sizeof(*site.rules));
	site.rule_count = SITE_RULES_MAX;
	for (int i = 0; i < SITE_RULES_MAX; i++) {
		char *text = xmalloc(3001);
		memset(text, i % 2 == 0 ? '\n' : 0xC3, 3000);
		text[3000] = '\0';
		site.rules[i] = (struct site_rule){.text = text, .is_wanted = true};
	}
	observation_init(&seen);
	seen.trouble = REASON_OK;
	seen.final.http_status_code = 500;
	verdict_decide(&site, &seen, &verdict);
	assert_int_equal(verdict.failure_count, 1 + SITE_RULES_MAX);
	for (size_t i = 0; i < verdict.failure_count; i++) {
		const char *message = verdict.failures[i].message;
		assert_true(strlen(message) <= VERDICT_FAILURE_MAX);
		assert_true(text_is_utf8(message, strlen(message)));
		assert_null(strpbrk(message, "\n\t"));
	}
	assert_true(strlen(verdict.message) <= VERDICT_MESSAGE_MAX);
	assert_non_null(strstr(verdict.message, "; and "));
	assert_true(text_is_utf8(verdict.message, strlen(verdict.message)));
	verdict_finish(&verdict);
	observation_finish(&seen);
	site_finish(&site);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_is_judged),
		cmocka_unit_test(rules_without_matches_are_unknown),
		cmocka_unit_test(recorded_pattern_changes_nothing),
		cmocka_unit_test(slow_by_our_own_hold_up_is_unknown),
		cmocka_unit_test(impatience_with_our_own_hold_up_is_unknown),
		cmocka_unit_test(first_end_in_the_chain_counts),
		cmocka_unit_test(messages_are_safe_and_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
