#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/identity.h"
#include "base/memory.h"

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

static void an_identity_is_read_whatever_follows(void **state)
{
	(void)state;
#define ID "01234567-89ab-4cde-8001-020304050607"
	static const struct {
		const char *text;
		int64_t seq; /* -1: none is there */
	} cases[] = {
		{"{\"v\":1,\"producer_id\":\"" ID "\",\"seq\":0,", 0},
		{"{\"v\":77,\"producer_id\":\"" ID "\",\"seq\":41}", 41},
		{"{ \"v\" : 1 ,\n\"producer_id\": \"" ID "\", \"seq\" : 5 , \"kind", 5},
		{"{\"v\":1,\"producer_id\":\"" ID "\",\"seq\":9223372036854775807,", INT64_MAX},
		{"{\"v\":1,\"producer_id\":\"" ID "\",\"seq\":9223372036854775808,", -1},
		{"{\"v\":1,\"producer_id\":\"" ID "\",\"seq\":4",
		 -1}, /* cut: the number may go on */
		{"{\"v\":1,\"producer_id\":\"" ID "\",\"seq\":-4,", -1},
		{"{\"v\":1,\"producer_id\":\"" ID "\",\"seq\":04,", -1},
		{"{\"v\":1,\"producer_id\":\"" ID "\",\"seq\":\"4\",", -1},
		{"{\"v\":1,\"producer_id\":\"nobody\",\"seq\":4,", -1},
		{"{\"v\":1,\"seq\":4,", -1},
		{"[1]", -1},
		{"", -1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct identity found = {.seq = -1};
		char *exact = xmemdup(cases[i].text, strlen(cases[i].text));
		int status = identity_read_message(exact, strlen(cases[i].text), &found);
		free(exact);
		assert_int_equal(status, cases[i].seq < 0 ? -1 : 0);
		assert_int_equal(found.seq, cases[i].seq);
		if (status == 0)
			assert_true(uuid_equal(&found.producer_id, &first.producer_id));
	}
	struct identity found;
	assert_int_equal(identity_read_message(NULL, 0, &found), -1);
}

static void a_range_is_read_as_a_person_writes_it(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t first;
		int64_t last; /* -1: not one */
	} cases[] = {
		{ID ":3-7", 3, 7},
		{ID ":3", 3, 3},
		{ID ":0-9223372036854775807", 0, INT64_MAX},
		{ID ":7-3", 0, -1},
		{ID ":-3", 0, -1},
		{ID ":3-", 0, -1},
		{ID ":", 0, -1},
		{ID, 0, -1},
		{ID ":3-7x", 0, -1},
		{"x:3-7", 0, -1},
		{ID " :3-7", 0, -1},
		{"", 0, -1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct identity_range found = {.last = -1};
		assert_int_equal(identity_parse_range(cases[i].text, &found),
				 cases[i].last < 0 ? -1 : 0);
		assert_int_equal(found.last, cases[i].last);
		assert_int_equal(found.first, cases[i].first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity_comes_before_the_body),
		cmocka_unit_test(the_first_report_names_the_one_before),
		cmocka_unit_test(the_prefix_keeps_to_its_maximum),
		cmocka_unit_test(no_room_is_said),
		cmocka_unit_test(an_identity_is_read_whatever_follows),
		cmocka_unit_test(a_range_is_read_as_a_person_writes_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
