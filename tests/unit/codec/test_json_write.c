/* Whatever json_write.h writes is byte by byte what yajl's generator makes of it (json_print.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "codec/json_print.h"
#include "codec/json_write.h"

static const char *const texts[] = {
	"",
	"plain",
	"a \"quote\" and a \\ and a / slash",
	"\b\f\n\r\t",
	"\x01\x02\x1f\x7f",
	"ends in a quote\"",
	"\"",
	"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80",
	"cut within \xE2\x82\xAC",
	"bad \xFF\xC3 bytes \xED\xA0\x80",
	"\xC3",
};

static const int64_t numbers[] = {0,   1,          -1,        9,         10,           99,
				  100, 1234567890, INT64_MAX, INT64_MIN, INT64_MIN + 1};

static void assert_same(const struct buffer *written, yajl_gen printed)
{
	size_t length = 0;
	const char *bytes = json_print_bytes(printed, &length);
	assert_int_equal(written->length, length);
	assert_memory_equal(written->data, bytes, length);
}

static void texts_are_written_as_yajl_writes_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (size_t max = 0; max < 20; max++) {
			struct buffer written;
			struct json_write json;
			yajl_gen printed = json_print_create();
			buffer_init(&written, 4096);
			json_write_init(&json, &written);
			json_write_open(&json, '{');
			json_write_member_text(&json, "name", texts[i], max);
			json_write_text_name(&json, texts[i], max + 1);
			json_write_text(&json, texts[i], 1000);
			json_write_close(&json, '}');
			(void)yajl_gen_map_open(printed);
			json_put_text(printed, "name", texts[i], max);
			json_print_text(printed, texts[i], max + 1);
			json_print_text(printed, texts[i], 1000);
			(void)yajl_gen_map_close(printed);
			assert_same(&written, printed);
			yajl_gen_free(printed);
			buffer_finish(&written);
		}
	}
}

static void values_and_brackets_are_written_as_yajl_writes_them(void **state)
{
	(void)state;
	struct buffer written;
	struct json_write json;
	yajl_gen printed = json_print_create();
	buffer_init(&written, 64 * 1024);
	json_write_init(&json, &written);
	json_write_open(&json, '{');
	(void)yajl_gen_map_open(printed);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		json_write_member_int(&json, "number", numbers[i]);
		json_put_int(printed, "number", numbers[i]);
		json_write_member_time(&json, "time", numbers[i]);
		json_put_time(printed, "time", numbers[i]);
		json_write_member_bool(&json, "is", i % 2 == 0);
		json_put_bool(printed, "is", i % 2 == 0);
	}
	json_write_name(&json, "list");
	json_write_open(&json, '[');
	json_print_name(printed, "list");
	(void)yajl_gen_array_open(printed);
	for (int i = 0; i < 3; i++) {
		json_write_open(&json, '{');
		json_write_close(&json, '}');
		json_write_text(&json, "x", 10);
		(void)yajl_gen_map_open(printed);
		(void)yajl_gen_map_close(printed);
		json_print_text(printed, "x", 10);
	}
	json_write_close(&json, ']');
	json_write_member_int(&json, "last", 1);
	json_write_close(&json, '}');
	(void)yajl_gen_array_close(printed);
	json_put_int(printed, "last", 1);
	(void)yajl_gen_map_close(printed);
	assert_same(&written, printed);
	yajl_gen_free(printed);
	buffer_finish(&written);
}

static void what_does_not_fit_is_said_by_the_buffer(void **state)
{
	(void)state;
	for (size_t max = 0; max < 60; max++) {
		struct buffer written;
		struct json_write json;
		buffer_init(&written, max);
		json_write_init(&json, &written);
		json_write_open(&json, '{');
		json_write_member_text(&json, "name", "a \"text\"", 100);
		json_write_member_int(&json, "number", 1234567);
		json_write_member_bool(&json, "is", true);
		json_write_close(&json, '}');
		const char *whole = "{\"name\":\"a \\\"text\\\"\",\"number\":1234567,\"is\":true}";
		assert_int_equal(written.is_overflowed, max < strlen(whole));
		assert_true(written.length <= max);
		if (!written.is_overflowed)
			assert_string_equal(written.data, whole);
		buffer_finish(&written);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_written_as_yajl_writes_them),
		cmocka_unit_test(values_and_brackets_are_written_as_yajl_writes_them),
		cmocka_unit_test(what_does_not_fit_is_said_by_the_buffer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
