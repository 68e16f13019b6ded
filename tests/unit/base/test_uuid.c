#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/uuid.h"

static void random_ones_are_of_version_4(void **state)
{
	(void)state;
	uint8_t seen_zero[16] = {0};
	uint8_t seen_one[16] = {0};
	for (int i = 0; i < 1000; i++) {
		struct uuid uuid = uuid_random();
		assert_int_equal(uuid.bytes[6] >> 4, 4);
		assert_int_equal(uuid.bytes[8] >> 6, 2);
		for (int b = 0; b < 16; b++) {
			seen_one[b] |= uuid.bytes[b];
			seen_zero[b] |= (uint8_t)~uuid.bytes[b];
		}
	}
	for (int b = 0; b < 16; b++) {
		assert_int_equal(seen_one[b], b == 6 ? 0x4F : b == 8 ? 0xBF : 0xFF);
		assert_int_equal(seen_zero[b], b == 6 ? 0xBF : b == 8 ? 0x7F : 0xFF);
	}
}

static void text_reads_back(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		struct uuid uuid = uuid_random();
		struct uuid back;
		char text[UUID_TEXT_SIZE];
		uuid_format(&uuid, text);
		assert_int_equal(strlen(text), 36);
		assert_int_equal(uuid_parse(text, 36, &back), 0);
		assert_true(uuid_equal(&uuid, &back));
		back.bytes[15] ^= 1;
		assert_false(uuid_equal(&uuid, &back));
	}
	struct uuid upper;
	char text[UUID_TEXT_SIZE];
	assert_int_equal(uuid_parse("01234567-89AB-CDEF-0123-456789abcdef", 36, &upper), 0);
	uuid_format(&upper, text);
	assert_string_equal(text, "01234567-89ab-cdef-0123-456789abcdef");
}

static void what_is_none_is_refused(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"",
		"0",
		"01234567-89ab-cdef-0123-456789abcde",
		"01234567-89ab-cdef-0123-456789abcdeff",
		"01234567-89ab-cdef-0123-456789abcdeg",
		"0123456-789ab-cdef-0123-456789abcdef",
		"01234567089ab-cdef-0123-456789abcdef",
		"{1234567-89ab-cdef-0123-456789abcde}",
		"------------------------------------",
		"012345678-9ab-cdef-0123-456789abcdef",
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct uuid uuid = {{7}};
		assert_int_equal(uuid_parse(cases[i], strlen(cases[i]), &uuid), -1);
		assert_int_equal(uuid.bytes[0], 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_ones_are_of_version_4),
		cmocka_unit_test(text_reads_back),
		cmocka_unit_test(what_is_none_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
