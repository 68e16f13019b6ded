#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "check/observation.h"
#include "probe/head_fields.h"

/* Sun, 22 Nov 2026 12:00:00 GMT */
#define NOON (INT64_C(1795348800) * CLOCK_US_PER_S)
#define HOUR_US (INT64_C(3600) * CLOCK_US_PER_S)

static struct raw_response raw_of(const char *head)
{
	return (struct raw_response){.head = head, .head_length = strlen(head)};
}

static void fields_are_found_by_name(void **state)
{
	(void)state;
	const struct raw_response raw =
		raw_of("HTTP/1.1 200 OK\r\nX-A:  one \r\nX-AB: no\r\nx-a:two\r\n"
		       "X-A :no\r\nX-B:\r\nX-C: cut");
	struct head_field field = {0};
	assert_true(head_fields_next(&raw, "X-A", &field));
	assert_int_equal(field.length, 3);
	assert_memory_equal(field.value, "one", 3);
	assert_true(head_fields_next(&raw, "X-A", &field));
	assert_memory_equal(field.value, "two", 3);
	assert_false(head_fields_next(&raw, "X-A", &field));
	field = (struct head_field){0};
	assert_true(head_fields_next(&raw, "x-b", &field));
	assert_int_equal(field.length, 0);
	field = (struct head_field){0};
	assert_true(head_fields_next(&raw, "X-C", &field));
	assert_int_equal(field.length, 3);
	field = (struct head_field){0};
	assert_false(head_fields_next(&raw, "HTTP/1.1 200 OK", &field));
	const struct raw_response nothing = {0};
	assert_false(head_fields_next(&nothing, "X", &field));
}

#define DATE(time) "Date: Sun, 22 Nov 2026 " time " GMT\r\n"
#define MODIFIED(time) "Last-Modified: Sun, 22 Nov 2026 " time " GMT\r\n"

static void age_is_told_by_what_there_is(void **state)
{
	(void)state;
	static const struct {
		const char *head;
		int64_t age_us;
	} ages[] = {
		{"", DURATION_UNKNOWN},
		{MODIFIED("11:00:00"), HOUR_US},
		{MODIFIED("13:00:00"), 0},
		{MODIFIED("11:00:00") DATE("11:30:00"), HOUR_US / 2},
		{MODIFIED("11:00:00") DATE("11:00:00") "Age: 3600\r\n", HOUR_US},
		{"Age: 7200\r\n" DATE("12:00:00"), 2 * HOUR_US},
		{DATE("10:00:00"), 2 * HOUR_US},
		{DATE("14:00:00"), 0},
		{"Age: 99999999999999999999\r\n", DURATION_UNKNOWN},
		{"Age: 9999999999\r\n", (INT64_C(1) << 31) * CLOCK_US_PER_S},
		{"Age: -5\r\nDate: never\r\n", DURATION_UNKNOWN},
		{"Age: -9223372036854775808\r\n", DURATION_UNKNOWN},
		{"Last-Modified: 0\r\nAge: 1\r\n", CLOCK_US_PER_S},
		{"Last-Modified: Sun, 22 Nov 999999 12:00:00 GMT\r\nAge: 1\r\n", CLOCK_US_PER_S},
		{"Last-Modified: Fri, 31 Dec 9999 23:59:59 GMT\r\n", 0},
	};
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		const struct raw_response raw = raw_of(ages[i].head);
		int64_t age_us = head_fields_age_us(&raw, NOON);
		if (age_us != ages[i].age_us)
			fail_msg("%s: %lld", ages[i].head, (long long)age_us);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_found_by_name),
		cmocka_unit_test(age_is_told_by_what_there_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
