/* The line of a monitoring plugin, as whole lines; tests/e2e reads them by the grammar of the guidelines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/nagios.h"
#include "base/buffer.h"
#include "subject.h"

#define PLAIN                                                                                      \
	"total=0.010000s;;;0 dns=0.001000s;;;0 connect=0.002000s;;;0 wait=0.006000s;;;0 "          \
	"transfer=0.001000s;;;0 size=512B;;;0"

static void expect(struct subject *subjects, size_t count, size_t unchecked, const char *expected)
{
	struct nagios_result results[4];
	struct buffer line;
	buffer_init(&line, NAGIOS_LINE_MAX);
	for (size_t i = 0; i < count; i++)
		nagios_result_make(&subjects[i].report, count > 1, &results[i]);
	nagios_write(&line, results, count, unchecked);
	assert_string_equal(line.data, expected);
	for (size_t i = 0; i < count; i++)
		nagios_result_finish(&results[i]);
	buffer_finish(&line);
}

static void one_site_is_ok(void **state)
{
	(void)state;
	struct subject subject;
	subject_init(&subject, "Shop");
	expect(&subject, 1, 0, "OK - Shop: HTTP/1.1 200 in 10.0 ms | " PLAIN "\n");
}

static void every_outcome_has_its_state(void **state)
{
	(void)state;
	static const struct {
		enum outcome outcome;
		const char *state;
	} cases[] = {{OUTCOME_UP, "OK - "},
		     {OUTCOME_DEGRADED, "WARNING - "},
		     {OUTCOME_DOWN, "CRITICAL - "},
		     {OUTCOME_UNKNOWN, "UNKNOWN - "}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct subject subject;
		struct nagios_result result;
		struct buffer line;
		subject_init(&subject, "a");
		subject.verdict.outcome = cases[i].outcome;
		buffer_init(&line, NAGIOS_LINE_MAX);
		nagios_result_make(&subject.report, false, &result);
		nagios_write(&line, &result, 1, 0);
		assert_memory_equal(line.data, cases[i].state, strlen(cases[i].state));
		nagios_result_finish(&result);
		buffer_finish(&line);
	}
}

static void limits_are_ranges(void **state)
{
	(void)state;
	struct subject subject;
	subject_init(&subject, "a");
	subject.site.limits = &subject.limits;
	subject.site.max_response_time_us = 1500000;
	subject.limits.total_fail_us = 5 * CLOCK_US_PER_S;
	subject.limits.phases[LIMIT_DNS].warn_us = 50000;
	subject.limits.phases[LIMIT_TLS].fail_us = 1;
	subject.limits.is_body_limited = true;
	subject.limits.body_bytes_min = 10;
	subject.limits.body_bytes_max = 2048;
	subject.site.cert_expiry_warn_us = 14 * INT64_C(86400) * CLOCK_US_PER_S;
	subject.limits.cert_expiry_fail_us = INT64_C(36) * 3600 * CLOCK_US_PER_S;
	subject.observation.final.url = subject_text("https://a/");
	subject.observation.final.tls_us = 2000001;
	subject.observation.cert_not_after =
		subject.observation.started_at - INT64_C(43200) * CLOCK_US_PER_S;
	expect(&subject, 1, 0,
	       "OK - a: HTTP/1.1 200 in 10.0 ms | total=0.010000s;1.5;5;0 dns=0.001000s;0.05;;0 "
	       "connect=0.002000s;;;0 tls=2.000001s;;0.000001;0 wait=0.006000s;;;0 "
	       "transfer=0.001000s;;;0 size=512B;;10:2048;0 certificate_days=-0.50;14:;1.5:\n");
}

static void what_was_not_reached_is_u(void **state)
{
	(void)state;
	struct subject subject;
	subject_init(&subject, "a");
	subject_fail(&subject, OUTCOME_DOWN, "connection refused");
	expect(&subject, 1, 0,
	       "CRITICAL - a: connection refused | total=0.000300s;;;0 dns=U;;;0 connect=U;;;0 "
	       "wait=U;;;0 transfer=U;;;0 size=U;;;0\n");
}

static void text_can_not_end_it(void **state)
{
	(void)state;
	struct subject subject;
	subject_init(&subject, "a|b");
	subject.verdict.outcome = OUTCOME_DOWN;
	subject.verdict.message = subject_text("got \"x|y\"\nOK - all is well | a=1\x1b[31m");
	expect(&subject, 1, 0,
	       "CRITICAL - a/b: got \"x/y\" OK - all is well / a=1 [31m | " PLAIN "\n");
}

static void long_texts_are_cut(void **state)
{
	(void)state;
	struct subject subject;
	struct nagios_result result;
	char message[3 * NAGIOS_TEXT_MAX];
	memset(message, 'a', sizeof(message));
	message[sizeof(message) - 1] = '\0';
	subject_init(&subject, "a");
	subject.verdict.message = message;
	nagios_result_make(&subject.report, false, &result);
	assert_int_equal(strlen(result.text), NAGIOS_TEXT_MAX);
	nagios_result_finish(&result);
}

static void several_sites_have_labels_of_their_own(void **state)
{
	(void)state;
	struct subject subjects[3];
	subject_init(&subjects[0], "it's a=b|c");
	subject_init(&subjects[1], "Down");
	subject_init(&subjects[2], "Slow");
	subject_fail(&subjects[1], OUTCOME_DOWN, "refused");
	subjects[2].verdict.outcome = OUTCOME_DEGRADED;
	subjects[2].verdict.message = subject_text("too slow");
	struct nagios_result results[3];
	for (size_t i = 0; i < 3; i++)
		nagios_result_make(&subjects[i].report, true, &results[i]);
	assert_string_equal(results[0].perfdata,
			    "'it''s a:b/c total'=0.010000s;;;0 'it''s a:b/c dns'=0.001000s;;;0 "
			    "'it''s a:b/c connect'=0.002000s;;;0 'it''s a:b/c wait'=0.006000s;;;0 "
			    "'it''s a:b/c transfer'=0.001000s;;;0 'it''s a:b/c size'=512B;;;0");
	struct buffer line;
	static const char begin[] =
		"CRITICAL - 1 down, 1 degraded, 1 up: Down: refused; Slow: too slow | 'it''s";
	buffer_init(&line, NAGIOS_LINE_MAX);
	nagios_write(&line, results, 3, 0);
	assert_memory_equal(line.data, begin, strlen(begin));
	for (size_t i = 0; i < 3; i++)
		nagios_result_finish(&results[i]);
	buffer_finish(&line);
}

static void what_was_not_checked_is_unknown(void **state)
{
	(void)state;
	struct subject subject;
	subject_init(&subject, "a");
	expect(&subject, 1, 2, "UNKNOWN - 1 up, 2 not checked | " PLAIN "\n");
	expect(&subject, 0, 1, "UNKNOWN - 1 not checked\n");
	subject_fail(&subject, OUTCOME_DOWN, "refused");
	struct nagios_result result;
	struct buffer line;
	buffer_init(&line, NAGIOS_LINE_MAX);
	nagios_result_make(&subject.report, false, &result);
	nagios_write(&line, &result, 1, 1);
	assert_memory_equal(line.data, "CRITICAL", strlen("CRITICAL"));
	buffer_clear(&line);
	nagios_write_unknown(&line, "no | such\nthread");
	assert_string_equal(line.data, "UNKNOWN - no / such thread\n");
	nagios_result_finish(&result);
	buffer_finish(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_site_is_ok),
		cmocka_unit_test(every_outcome_has_its_state),
		cmocka_unit_test(limits_are_ranges),
		cmocka_unit_test(what_was_not_reached_is_u),
		cmocka_unit_test(text_can_not_end_it),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(several_sites_have_labels_of_their_own),
		cmocka_unit_test(what_was_not_checked_is_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
