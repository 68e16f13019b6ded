#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const wall_us second = CLOCK_US_PER_S;

static wall_us parse(const char *text)
{
	wall_us time = -77;
	if (clock_parse(text, strlen(text), &time) != 0)
		fail_msg("'%s' was refused", text);
	return time;
}

static void formats_and_reads_back(void **state)
{
	(void)state;
	static const struct {
		wall_us time;
		const char *text;
	} cases[] = {
		{0, "1970-01-01T00:00:00.000000Z"},
		{-1, "1969-12-31T23:59:59.999999Z"},
		{1, "1970-01-01T00:00:00.000001Z"},
		{INT64_C(951782400) * CLOCK_US_PER_S, "2000-02-29T00:00:00.000000Z"},
		{INT64_C(1709164799) * CLOCK_US_PER_S, "2024-02-28T23:59:59.000000Z"},
		{INT64_C(1709164800) * CLOCK_US_PER_S, "2024-02-29T00:00:00.000000Z"},
		{INT64_C(4107542400) * CLOCK_US_PER_S, "2100-03-01T00:00:00.000000Z"},
		{INT64_C(1795293225123456), "2026-11-21T20:33:45.123456Z"},
		{INT64_C(-62167219200) * CLOCK_US_PER_S, "0000-01-01T00:00:00.000000Z"},
		{INT64_C(253402300800) * CLOCK_US_PER_S - 1, "9999-12-31T23:59:59.999999Z"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[CLOCK_TEXT_SIZE];
		clock_format(cases[i].time, text);
		assert_string_equal(text, cases[i].text);
		assert_true(parse(cases[i].text) == cases[i].time);
	}
}

static void every_day_of_eight_centuries_reads_back(void **state)
{
	(void)state;
	int64_t first = clock_day(parse("1600-01-01T00:00:00Z"));
	int64_t last = clock_day(parse("2400-01-01T00:00:00Z"));
	assert_int_equal(last - first, 2 * 146097);
	for (int64_t day = first; day <= last; day++) {
		char text[CLOCK_TEXT_SIZE];
		clock_format(clock_day_start(day), text);
		assert_true(parse(text) == clock_day_start(day));
	}
}

static void format_clamps_to_four_digit_years(void **state)
{
	(void)state;
	char text[CLOCK_TEXT_SIZE];
	clock_format(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
	clock_format(INT64_MIN, text);
	assert_string_equal(text, "0000-01-01T00:00:00.000000Z");
}

static void forms_of_one_time(void **state)
{
	(void)state;
	const wall_us wanted = parse("2026-11-21T20:33:45.5Z");
	static const char *const forms[] = {
		"2026-11-21t20:33:45.50z",        "2026-11-21 20:33:45.500000Z",
		"2026-11-21T20:33:45.500000999Z", "2026-11-21T20:33:45.5+00:00",
		"2026-11-21T20:33:45.5-00:00",    "2026-11-21T22:03:45.5+01:30",
		"2026-11-20T20:34:45.5-23:59",    "2026-11-22T20:32:45.5+23:59",
	};
	for (size_t i = 0; i < COUNT(forms); i++)
		if (parse(forms[i]) != wanted)
			fail_msg("%s", forms[i]);
	assert_true(parse("2016-12-31T23:59:60Z") == parse("2017-01-01T00:00:00Z"));
	assert_true(parse("2024-02-29T00:00:00Z") + 86400 * second ==
		    parse("2024-03-01T00:00:00Z"));
}

static void what_is_no_time_is_refused(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"",
		"2026",
		"2026-11-21",
		"2026-11-21T20:33:45",
		"2026-11-21T20:33Z",
		"2026-11-21T20:33:45.Z",
		"2026-11-21T20:33:45.1234567890Z",
		"2026-11-21T20:33:45Zx",
		"2026-11-21T20:33:45 Z",
		" 2026-11-21T20:33:45Z",
		"2026-11-21X20:33:45Z",
		"2026-11-21T20:33:45+1:00",
		"2026-11-21T20:33:45+0100",
		"2026-11-21T20:33:45+24:00",
		"2026-11-21T20:33:45+01:60",
		"2026-00-21T20:33:45Z",
		"2026-13-21T20:33:45Z",
		"2026-11-00T20:33:45Z",
		"2026-11-31T20:33:45Z",
		"2026-02-29T20:33:45Z",
		"1900-02-29T20:33:45Z",
		"2026-11-21T24:00:00Z",
		"2026-11-21T20:60:45Z",
		"2026-11-21T20:33:61Z",
		"+2026-11-21T20:33:45Z",
		"-026-11-21T20:33:45Z",
		"12026-11-21T20:33:45Z",
		"0000-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01",
		"9999-12-31T23:59:60Z",
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		wall_us time = -77;
		if (clock_parse(cases[i], strlen(cases[i]), &time) != -1 || time != -77)
			fail_msg("'%s' gave %lld", cases[i], (long long)time);
	}
}

static void only_length_bytes_are_read(void **state)
{
	(void)state;
	static const char text[] = "2026-11-21T20:33:45.123Z";
	wall_us time;
	for (size_t length = 0; length < sizeof(text) - 1; length++) {
		/* a copy of just that many bytes, so that valgrind and the sanitizers see a read
		 * beyond */
		char *copy = test_malloc(length + 1);
		memcpy(copy, text, length);
		assert_int_equal(clock_parse(copy, length, &time), -1);
		test_free(copy);
	}
	assert_int_equal(clock_parse("2026-11-21T20:33:45Z\0junk", 20, &time), 0);
}

static void days_round_down(void **state)
{
	(void)state;
	assert_int_equal(clock_day(0), 0);
	assert_int_equal(clock_day(86400 * second - 1), 0);
	assert_int_equal(clock_day(86400 * second), 1);
	assert_int_equal(clock_day(-1), -1);
	assert_int_equal(clock_day(-86400 * second), -1);
	assert_int_equal(clock_day(-86400 * second - 1), -2);
	assert_true(clock_day_start(-2) == -2 * 86400 * second);
}

static void clocks_run(void **state)
{
	(void)state;
	mono_us before = clock_mono_us();
	assert_true(before > 0);
	assert_true(clock_mono_us() >= before);
	assert_true(clock_wall_us() > parse("2020-01-01T00:00:00Z"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_and_reads_back),
		cmocka_unit_test(every_day_of_eight_centuries_reads_back),
		cmocka_unit_test(format_clamps_to_four_digit_years),
		cmocka_unit_test(forms_of_one_time),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(only_length_bytes_are_read),
		cmocka_unit_test(days_round_down),
		cmocka_unit_test(clocks_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
