/* Numbers of JSON, from the least to the greatest, and those that are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/decimal.h"

static const char *const ascending[] = {
	"-1e400",
	"-1e308",
	"-9007199254740994",
	"-9007199254740993",
	"-123.46",
	"-123.456",
	"-1",
	"-0.1",
	"-0.01",
	"-1e-400",
	"0",
	"1e-99999999999999999999",
	"1e-400",
	"2e-400",
	"0.01",
	"0.1",
	"0.10000000000000000000000000000000000001",
	"0.11",
	"1",
	"9.99999999999999999999999999",
	"10",
	"123.456",
	"123.46",
	"9007199254740992",
	"9007199254740993",
	"9007199254740993.5",
	"9007199254740994",
	"18446744073709551615",
	"18446744073709551616",
	"1e308",
	"1e400",
	"1.0000000000000000000001e400",
	"1e401",
	"1e9999999999",
	"1e99999999999999999999",
};

static const struct {
	const char *a;
	const char *b;
} same[] = {
	{"0", "-0"},
	{"0", "0.000e99999999999999999999"},
	{"1", "1.0"},
	{"1", "10E-1"},
	{"1", "0.01e+2"},
	{"-12.50", "-1250e-2"},
	{"9007199254740993", "9.007199254740993e15"},
	{"9007199254740993.000", "90071992547409930e-1"},
	{"1e-400", "0.1e-399"},
	{"100", "1e2"},
	{"1e00000000000000000000002", "100"},
};

static void orders(void **state)
{
	(void)state;
	const size_t count = sizeof(ascending) / sizeof(ascending[0]);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++) {
			int expected = (i > j) - (i < j);
			if (decimal_compare(ascending[i], ascending[j]) != expected)
				fail_msg("%s and %s", ascending[i], ascending[j]);
		}
	}
}

static void tells_what_is_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (decimal_compare(same[i].a, same[i].b) != 0 ||
		    decimal_compare(same[i].b, same[i].a) != 0)
			fail_msg("%s and %s", same[i].a, same[i].b);
}

/* As many digits as a value has at most. */
static void reads_long_numbers(void **state)
{
	(void)state;
	enum { DIGITS = 16384 };
	char *whole = xmalloc(DIGITS + 1);
	memset(whole, '9', DIGITS);
	whole[DIGITS] = '\0';
	char *next = xstrdup(whole);
	next[DIGITS - 1] = '8';
	assert_int_equal(decimal_compare(next, whole), -1);
	assert_int_equal(decimal_compare(whole, "1e16384"), -1);
	assert_int_equal(decimal_compare(whole, "1e16383"), 1);
	free(whole);
	free(next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),
		cmocka_unit_test(tells_what_is_the_same),
		cmocka_unit_test(reads_long_numbers),
	};
	return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
