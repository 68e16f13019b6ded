#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/identity.h"

static const struct identity first = {
	.producer_id = {{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x4c, 0xde, 0x80, 1, 2, 3, 4, 5, 6,
			 7}},
	.seq = 0,
};

static void identity_comes_before_the_body(void **state)
{
	(void)state;
	struct buffer out;
	buffer_init(&out, 1000);
	assert_int_equal(identity_append_message(&out, &first, NULL, "{\"kind\":\"http\"}", 15), 0);
	assert_string_equal(out.data,
			    "{\"v\":1,\"producer_id\":\"01234567-89ab-4cde-8001-020304050607\","
			    "\"seq\":0,\"kind\":\"http\"}");
	buffer_finish(&out);
}

static void the_first_report_names_the_one_before(void **state)
{
	(void)state;
	struct identity prev = first;
	prev.producer_id.bytes[0] = 0xff;
	prev.seq = 41;
	struct buffer out;
	buffer_init(&out, 1000);
	assert_int_equal(identity_append_message(&out, &first, &prev, "{\"a\":1}", 7), 0);
	assert_string_equal(out.data,
			    "{\"v\":1,\"producer_id\":\"01234567-89ab-4cde-8001-020304050607\","
			    "\"seq\":0,\"prev\":{\"producer_id\":"
			    "\"ff234567-89ab-4cde-8001-020304050607\",\"seq\":41},\"a\":1}");
	buffer_finish(&out);
}

static void the_prefix_keeps_to_its_maximum(void **state)
{
	(void)state;
	struct identity last = first;
	last.seq = INT64_MAX;
	struct buffer out;
	buffer_init(&out, 1000);
	assert_int_equal(identity_append_message(&out, &last, &last, "{\"a\":1}", 7), 0);
	assert_true(out.length - 6 <= IDENTITY_PREFIX_MAX);
	buffer_finish(&out);
}

static void no_room_is_said(void **state)
{
	(void)state;
	struct buffer whole;
	buffer_init(&whole, 1000);
	assert_int_equal(identity_append_message(&whole, &first, NULL, "{\"kind\":\"http\"}", 15),
			 0);
	size_t needed = whole.length;
	buffer_finish(&whole);
	for (size_t max = 0; max < needed; max++) {
		struct buffer out;
		buffer_init(&out, max);
		assert_int_equal(
			identity_append_message(&out, &first, NULL, "{\"kind\":\"http\"}", 15), -1);
		assert_true(out.is_overflowed);
		buffer_finish(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity_comes_before_the_body),
		cmocka_unit_test(the_first_report_names_the_one_before),
		cmocka_unit_test(the_prefix_keeps_to_its_maximum),
		cmocka_unit_test(no_room_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
