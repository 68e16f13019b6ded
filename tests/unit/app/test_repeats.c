/* The figures of repeated checks, and how they and single lines look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/check_line.h"
#include "app/check_print.h"
#include "app/check_summary.h"
#include "app/samples.h"
#include "app/sparkline.h"
#include "base/buffer.h"
#include "subject.h"

/* Totals in this order; 0 is a check without a response. */
static void add_totals(struct samples *samples, struct subject *subject, const int64_t *totals,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		subject_init(subject, "Shop");
		subject->observation.total_us = totals[i];
		if (totals[i] == 0)
			subject_fail(subject, OUTCOME_DOWN, "refused");
		samples_add(samples, &subject->report);
	}
}

static void quantiles_are_of_the_nearest_rank(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t count;
		int64_t totals[21];
		int64_t median;
		int64_t p95;
	} cases[] = {
		{"one", 1, {7}, 7, 7},
		{"two: the lower", 2, {9, 5}, 5, 9},
		{"three", 3, {3, 1, 2}, 2, 3},
		{"four: the lower of the middle", 4, {4, 3, 2, 1}, 2, 4},
		{"failures do not count", 5, {0, 8, 0, 6, 0}, 6, 8},
		{"twenty: the nineteenth",
		 20,
		 {20, 1, 19, 2, 18, 3, 17, 4, 16, 5, 15, 6, 14, 7, 13, 8, 12, 9, 11, 10},
		 10,
		 19},
		{"twenty-one: the twentieth",
		 21,
		 {21, 20, 1, 19, 2, 18, 3, 17, 4, 16, 5, 15, 6, 14, 7, 13, 8, 12, 9, 11, 10},
		 11,
		 20},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct samples samples = {0};
		struct subject subject;
		add_totals(&samples, &subject, cases[i].totals, cases[i].count);
		const struct sample_figures found = samples_sum_up(&samples, SAMPLE_TOTAL);
		if (found.median != cases[i].median || found.p95 != cases[i].p95)
			fail_msg("%s: median %d, p95 %d", cases[i].name, (int)found.median,
				 (int)found.p95);
		assert_true(found.min <= found.median && found.p95 <= found.max);
		samples_finish(&samples);
	}
}

static void phases_that_were_not_reached_have_no_figures(void **state)
{
	(void)state;
	struct samples samples = {0};
	struct subject subject;
	add_totals(&samples, &subject, (const int64_t[]){10000, 0}, 2);
	assert_int_equal(samples_sum_up(&samples, LIMIT_TLS).count, 0);
	assert_int_equal(samples_sum_up(&samples, LIMIT_WAIT).count, 1);
	assert_int_equal(samples_sum_up(&samples, LIMIT_WAIT).max, 6000);
	assert_int_equal(samples.measured, 1);
	assert_int_equal(samples.outcomes[OUTCOME_DOWN], 1);
	samples_finish(&samples);
}

static void sparkline_shows_every_value(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t count;
		int64_t values[12];
		size_t cells;
		bool is_utf8;
		const char *expected;
	} cases[] = {
		{"none", 0, {0}, 10, true, ""},
		{"all levels", 8, {0, 1, 2, 3, 4, 5, 6, 7}, 8, true, "▁▂▃▄▅▆▇█"},
		{"all levels in ASCII", 8, {0, 1, 2, 3, 4, 5, 6, 7}, 8, false, "_.:-=+*#"},
		{"equal ones", 3, {5, 5, 5}, 10, true, "▁▁▁"},
		{"only differences show", 3, {1000, 1001, 1000}, 10, false, "_#_"},
		{"failures", 4, {10, -1, 20, -1}, 10, true, "▁×█×"},
		{"failures in ASCII", 2, {-1, 20}, 10, false, "x_"},
		{"nothing but failures", 2, {-1, -1}, 10, false, "xx"},
		{"narrow: the greatest shows", 6, {1, 8, 1, 1, 1, 2}, 3, false, "#_."},
		{"narrow: a failure is not hidden", 6, {1, -1, 1, 1, 1, 8}, 3, false, "x_#"},
		{"one cell", 3, {1, 2, 3}, 1, false, "#"},
		{"huge", 2, {0, INT64_MAX}, 2, false, "_#"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer out;
		buffer_init(&out, 1024);
		sparkline_write(&out, cases[i].values, cases[i].count, cases[i].cells,
				cases[i].is_utf8);
		const char *found = out.data == NULL ? "" : out.data;
		if (strcmp(found, cases[i].expected) != 0)
			fail_msg("%s: '%s', expected '%s'", cases[i].name, found,
				 cases[i].expected);
		buffer_finish(&out);
	}
}

static void summary_has_a_table_and_a_sparkline(void **state)
{
	(void)state;
	struct samples samples = {0};
	struct subject subject;
	const struct check_print_style style = {.width = 80};
	struct buffer out;
	buffer_init(&out, CHECK_PRINT_MAX);
	add_totals(&samples, &subject, (const int64_t[]){10000, 20000, 0, 30000}, 4);
	check_summary_write(&out, &subject.site, &samples, &style);
	assert_string_equal(out.data,
			    "Shop: 4 checks, 3 up, 1 down\n"
			    "                     min      median         p95         max\n"
			    "  dns            1.00 ms     1.00 ms     1.00 ms     1.00 ms\n"
			    "  connect        2.00 ms     2.00 ms     2.00 ms     2.00 ms\n"
			    "  wait           6.00 ms     6.00 ms     6.00 ms     6.00 ms\n"
			    "  transfer       1.00 ms     1.00 ms     1.00 ms     1.00 ms\n"
			    "  total          10.0 ms     20.0 ms     30.0 ms     30.0 ms\n"
			    "  _=x#\n");
	buffer_clear(&out);
	check_summary_write_json(&out, &subject.site, &samples);
	assert_string_equal(
		out.data,
		"{\"kind\":\"summary\",\"site\":\"Shop\",\"url\":\"http://a/\",\"checks\":4,"
		"\"up\":3,\"degraded\":0,\"unknown\":0,\"down\":1,\"measured\":3,"
		"\"dns_us\":{\"min\":1000,\"median\":1000,\"p95\":1000,\"max\":1000},"
		"\"connect_us\":{\"min\":2000,\"median\":2000,\"p95\":2000,\"max\":2000},"
		"\"wait_us\":{\"min\":6000,\"median\":6000,\"p95\":6000,\"max\":6000},"
		"\"transfer_us\":{\"min\":1000,\"median\":1000,\"p95\":1000,\"max\":1000},"
		"\"total_us\":{\"min\":10000,\"median\":20000,\"p95\":30000,\"max\":30000}}\n");
	samples_finish(&samples);
	buffer_clear(&out);
	add_totals(&samples, &subject, (const int64_t[]){0}, 1);
	check_summary_write(&out, &subject.site, &samples, &style);
	assert_string_equal(out.data, "Shop: 1 check, 1 down\n"
				      "  no complete response, so there are no figures\n");
	samples_finish(&samples);
	buffer_finish(&out);
}

static void a_check_is_one_line(void **state)
{
	(void)state;
	struct subject subject;
	const struct check_print_style plain = {.width = 80};
	const struct check_print_style coloured = {
		.width = 80, .is_utf8 = true, .is_coloured = true};
	struct buffer out;
	buffer_init(&out, CHECK_PRINT_MAX);
	subject_init(&subject, "Shop");
	check_line_write(&out, &subject.report, 1, 0, &plain);
	check_line_write(&out, &subject.report, 1, 1, &plain);
	check_line_write(&out, &subject.report, 3, 100, &coloured);
	subject_fail(&subject, OUTCOME_DOWN, "refused\nby\x1b[31m all");
	check_line_write(&out, &subject.report, 4, 100, &plain);
	assert_string_equal(out.data, "UP          10.0 ms  200  Shop\n"
				      "UP          10.0 ms  200  Shop\n"
				      "  3  \033[1;32m✔ UP      \033[0m    10.0 ms  200  Shop\n"
				      "  4  DOWN        0.30 ms    -  Shop: refused by [31m all\n");
	buffer_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_of_the_nearest_rank),
		cmocka_unit_test(phases_that_were_not_reached_have_no_figures),
		cmocka_unit_test(sparkline_shows_every_value),
		cmocka_unit_test(summary_has_a_table_and_a_sparkline),
		cmocka_unit_test(a_check_is_one_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
