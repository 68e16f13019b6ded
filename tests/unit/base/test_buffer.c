#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"

static void grows_up_to_its_maximum_and_no_further(void **state)
{
	(void)state;
	for (size_t max = 0; max < 300; max += 7) {
		struct buffer buffer;
		buffer_init(&buffer, max);
		for (size_t i = 0; i < max; i++)
			assert_int_equal(buffer_append_char(&buffer, (char)('a' + i % 26)), 0);
		assert_int_equal(buffer.length, max);
		assert_int_equal(buffer_append_char(&buffer, 'x'), -1);
		assert_true(buffer.is_overflowed);
		assert_int_equal(buffer.length, max);
		if (max > 0) {
			assert_int_equal(buffer.data[max], '\0');
			assert_int_equal(strlen(buffer.data), max);
		}
		buffer_finish(&buffer);
	}
}

static void an_overflow_appends_nothing_and_lasts(void **state)
{
	(void)state;
	struct buffer buffer;
	buffer_init(&buffer, 5);
	assert_int_equal(buffer_append_text(&buffer, "abc"), 0);
	assert_int_equal(buffer_append_text(&buffer, "def"), -1);
	assert_string_equal(buffer.data, "abc");
	assert_int_equal(buffer_append_text(&buffer, "d"),
			 -1); /* it would fit, but what went before is missing */
	assert_string_equal(buffer.data, "abc");
	buffer_clear(&buffer);
	assert_false(buffer.is_overflowed);
	assert_string_equal(buffer.data, "");
	assert_int_equal(buffer_append_text(&buffer, "abcde"), 0);
	assert_string_equal(buffer.data, "abcde");
	buffer_finish(&buffer);
}

static void formats_short_and_long_text(void **state)
{
	(void)state;
	char word[1000];
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	/* around the size of the small array that most calls need */
	for (int length = 250; length < 262; length++) {
		struct buffer buffer;
		buffer_init(&buffer, 400);
		assert_int_equal(buffer_append_format(&buffer, "<%.*s>", length, word), 0);
		assert_int_equal(buffer.length, length + 2);
		assert_int_equal(buffer.data[length + 1], '>');
		assert_int_equal(buffer_append_format(&buffer, "%s", word), -1);
		assert_int_equal(buffer.length, length + 2);
		buffer_finish(&buffer);
	}
}

static void bytes_may_hold_nul(void **state)
{
	(void)state;
	struct buffer buffer;
	buffer_init(&buffer, 10);
	assert_int_equal(buffer_append(&buffer, "a\0b", 3), 0);
	assert_int_equal(buffer_append(&buffer, NULL, 0), 0);
	assert_int_equal(buffer.length, 3);
	assert_memory_equal(buffer.data, "a\0b", 4);
	buffer_finish(&buffer);
}

static void taken_bytes_are_the_callers(void **state)
{
	(void)state;
	struct buffer buffer;
	buffer_init(&buffer, 10);
	char *nothing = buffer_take(&buffer);
	assert_string_equal(nothing, "");
	(void)buffer_append_text(&buffer, "one");
	char *one = buffer_take(&buffer);
	assert_null(buffer.data);
	assert_int_equal(buffer.length, 0);
	(void)buffer_append_text(&buffer, "two");
	assert_string_equal(one, "one");
	assert_string_equal(buffer.data, "two");
	free(nothing);
	free(one);
	buffer_finish(&buffer);
	buffer_finish(&buffer);
}

static void a_maximum_may_be_without_bound(void **state)
{
	(void)state;
	struct buffer buffer;
	buffer_init(&buffer, SIZE_MAX);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buffer_append_text(&buffer, "abc"), 0);
	assert_int_equal(buffer.length, 3000);
	buffer_finish(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_up_to_its_maximum_and_no_further),
		cmocka_unit_test(an_overflow_appends_nothing_and_lasts),
		cmocka_unit_test(formats_short_and_long_text),
		cmocka_unit_test(bytes_may_hold_nul),
		cmocka_unit_test(taken_bytes_are_the_callers),
		cmocka_unit_test(a_maximum_may_be_without_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
