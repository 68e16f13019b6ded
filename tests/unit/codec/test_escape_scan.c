#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "codec/escape_scan.h"

enum { NONE = -1 };

static const struct {
	const char *bytes;
	int from;
	int at;
} cases[] = {
	{"", 0, NONE},
	{"plain", 0, NONE},
	{"\\n\\\\\\\"\\/", 0, NONE},
	{"\\u0041\\u0001\\uffff\\ue000\\ud7ff", 0, NONE},
	{"\\u0000", 0, 0},
	{"ab\\u0000", 0, 2},
	{"\\\\u0000", 0, NONE},
	{"\\\\\\u0000", 0, 2},
	{"\\ud83d\\ude00", 0, NONE},
	{"\\uD83D\\uDE00", 0, NONE},
	{"\\uDBFF\\uDFFF\\u0000", 0, 12},
	{"\\ud800", 0, 0},
	{"\\udbff\\u0041", 0, 0},
	{"\\ud800\\ud800\\udc00", 0, 0},
	{"\\ud800\\ud800\\udc00", 6, NONE},
	{"\\ud800\\n", 0, 0},
	{"\\udc00", 0, 0},
	{"\\udfff\\ud800", 0, 0},
	{"\\u0000\\u0000", 6, 6},
	{"\\u0000", 6, NONE},
	/* no JSON: nothing is read beyond the end */
	{"\\", 0, NONE},
	{"\\u", 0, NONE},
	{"\\u000", 0, NONE},
	{"\\u00g0", 0, NONE},
	{"\\ud800\\udc0", 0, 0},
};

/* The bytes end where their allocation ends, so that valgrind sees one read too many. */
static void every_escape_that_no_text_may_hold_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t length = strlen(cases[i].bytes);
		char *copy = xmemdup(cases[i].bytes, length);
		size_t expected = cases[i].at == NONE ? length : (size_t)cases[i].at;
		size_t at = escape_scan(copy, length, (size_t)cases[i].from);
		if (at != expected)
			fail_msg("%s: %zu, not %zu", cases[i].bytes, at, expected);
		free(copy);
	}
}

/* Each of the 65,536 units alone, and before a low surrogate. */
static void every_unit_is_judged(void **state)
{
	(void)state;
	for (unsigned unit = 0; unit <= 0xFFFF; unit++) {
		bool is_high = unit >= 0xD800 && unit <= 0xDBFF;
		bool is_low = unit >= 0xDC00 && unit <= 0xDFFF;
		char text[] = "\\u0000x\\udead";
		static const char digits[] = "0123456789abcdef";
		for (size_t i = 0; i < 4; i++)
			text[2 + i] = digits[unit >> (12 - 4 * i) & 15];
		assert_int_equal(escape_scan(text, 7, 0), unit == 0 || is_high || is_low ? 0 : 7);
		memmove(text + 6, text + 7, 7);
		assert_int_equal(escape_scan(text, 12, 0), unit == 0 || is_low ? 0
							   : is_high           ? 12
									       : 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_escape_that_no_text_may_hold_is_found),
		cmocka_unit_test(every_unit_is_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
