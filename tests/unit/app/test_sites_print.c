/* The lines of `websentry sites`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/sites_print.h"
#include "base/buffer.h"
#include "check/schedule.h"
#include "subject.h"

/* A site that is due so much after now: at 2026-11-21T20:00:00Z on the wall. */
static struct sites_now now_before(const struct site *site, int64_t wait_us)
{
	int64_t offset = schedule_offset_us(site->name, site->interval_us);
	return (struct sites_now){.boot = 100 * site->interval_us + offset - wait_us,
				  .wall = INT64_C(1795291200) * CLOCK_US_PER_S};
}

static void a_site_is_one_line(void **state)
{
	(void)state;
	struct subject subject;
	struct buffer out;
	subject_init(&subject, "Shop");
	subject.site.interval_us = 90 * CLOCK_US_PER_S;
	subject.site.timeout_us = 1500000;
	struct sites_now now = now_before(&subject.site, 12345678);
	buffer_init(&out, SITES_PRINT_LINE_MAX);
	sites_print_head(&out);
	sites_print_line(&out, &subject.site, &now);
	now = now_before(&subject.site, 0);
	subject.site.redacted_url = subject.site.name;
	sites_print_line(&out, &subject.site, &now);
	now = now_before(&subject.site, 75500000);
	sites_print_line(&out, &subject.site, &now);
	assert_string_equal(
		out.data,
		"NEXT RUN                        IN     EVERY   TIMEOUT  SITE\n"
		"2026-11-21T20:00:12.345Z     12.3s     1m30s    1500ms  Shop  http://a/\n"
		"2026-11-21T20:00:00.000Z      0.0s     1m30s    1500ms  Shop\n"
		"2026-11-21T20:01:15.500Z     1m15s     1m30s    1500ms  Shop\n");
	buffer_finish(&out);
}

static void json_has_all_of_it(void **state)
{
	(void)state;
	struct subject subject;
	struct buffer out;
	char expected[512];
	subject_init(&subject, "a \"b\"");
	subject.site.interval_us = 60 * CLOCK_US_PER_S;
	subject.site.timeout_us = 5 * CLOCK_US_PER_S;
	const struct sites_now now = now_before(&subject.site, 1);
	buffer_init(&out, SITES_PRINT_LINE_MAX);
	sites_print_json(&out, &subject.site, &now);
	(void)snprintf(expected, sizeof(expected),
		       "{\"site\":\"a \\\"b\\\"\",\"url\":\"http://a/\",\"interval_us\":60000000,"
		       "\"timeout_us\":5000000,\"offset_us\":%d,"
		       "\"next_run_at\":\"2026-11-21T20:00:00.000001Z\"}\n",
		       (int)schedule_offset_us(subject.site.name, subject.site.interval_us));
	assert_string_equal(out.data, expected);
	buffer_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_site_is_one_line),
		cmocka_unit_test(json_has_all_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
