#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "check/outcome.h"

static void words_are_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < OUTCOME_COUNT; i++) {
		const char *name = outcome_name((enum outcome)i);
		enum outcome outcome;
		assert_int_equal(outcome_parse(name, strlen(name), &outcome), 0);
		assert_int_equal(outcome, i);
	}
	for (int i = 0; i < REASON_COUNT; i++) {
		const char *name = reason_name((enum reason)i);
		enum reason reason;
		assert_int_equal(reason_parse(name, strlen(name), &reason), 0);
		assert_int_equal(reason, i);
		assert_true(strlen(reason_text((enum reason)i)) > 0);
	}
}

static void other_words_are_refused(void **state)
{
	(void)state;
	static const char *const words[] = {"", "u", "UP", "up ", "upp", "ok", "unknown_reason"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		enum outcome outcome = OUTCOME_DOWN;
		assert_int_equal(outcome_parse(words[i], strlen(words[i]), &outcome), -1);
		assert_int_equal(outcome, OUTCOME_DOWN);
	}
	enum reason reason = REASON_SLOW;
	assert_int_equal(reason_parse("okay", 4, &reason), -1);
	assert_int_equal(reason_parse("ok", 1, &reason), -1);
	assert_int_equal(reason, REASON_SLOW);
}

static void our_own_trouble_is_never_down(void **state)
{
	(void)state;
	assert_int_equal(reason_outcome(REASON_OK), OUTCOME_UP);
	assert_int_equal(reason_outcome(REASON_PROBER_OVERLOADED), OUTCOME_UNKNOWN);
	assert_int_equal(reason_outcome(REASON_PROBER_OFFLINE), OUTCOME_UNKNOWN);
	assert_int_equal(reason_outcome(REASON_PROBER_ERROR), OUTCOME_UNKNOWN);
	assert_int_equal(reason_outcome(REASON_MATCH_TRUNCATED), OUTCOME_UNKNOWN);
	assert_int_equal(reason_outcome(REASON_DNS_ERROR), OUTCOME_DOWN);
}

static void the_greater_outcome_is_the_worse_one(void **state)
{
	(void)state;
	assert_true(OUTCOME_UP < OUTCOME_DEGRADED);
	assert_true(OUTCOME_DEGRADED < OUTCOME_UNKNOWN);
	assert_true(OUTCOME_UNKNOWN < OUTCOME_DOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_read_back),
		cmocka_unit_test(other_words_are_refused),
		cmocka_unit_test(the_greater_outcome_is_the_worse_one),
		cmocka_unit_test(our_own_trouble_is_never_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
