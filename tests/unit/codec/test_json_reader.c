#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "codec/json_reader.h"

#define BYTES(text) (text), sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t length;
	bool is_json;
} documents[] = {
	{BYTES("{}"), true},
	{BYTES(" [ ] "), true},
	{BYTES("\t\r\n{\"a\" : [1 , 2.5 , -0 , 1e5 , 1E-5, 0.1e+7] }"), true},
	{BYTES("\"text\""), true},
	{BYTES("true"), true},
	{BYTES("false"), true},
	{BYTES("null"), true},
	{BYTES("0"), true},
	{BYTES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\""), true},
	{BYTES("\"\\ud83d\\ude00\""), true},
	{BYTES("\"\xC3\xA4\xF0\x9F\x98\x80\""), true},
	{BYTES("\"\x7f\""), true},
	{BYTES(""), false},
	{BYTES(" "), false},
	{BYTES("{"), false},
	{BYTES("}"), false},
	{BYTES("[1,]"), false},
	{BYTES("[,1]"), false},
	{BYTES("[1 2]"), false},
	{BYTES("[1}"), false},
	{BYTES("{\"a\"}"), false},
	{BYTES("{\"a\":}"), false},
	{BYTES("{\"a\":1,}"), false},
	{BYTES("{,\"a\":1}"), false},
	{BYTES("{a:1}"), false},
	{BYTES("{1:1}"), false},
	{BYTES("{'a':1}"), false},
	{BYTES("{} {}"), false},
	{BYTES("{}x"), false},
	{BYTES("\xEF\xBB\xBF{}"), false},
	{BYTES("/* c */{}"), false},
	{BYTES("01"), false},
	{BYTES("-"), false},
	{BYTES("+1"), false},
	{BYTES(".5"), false},
	{BYTES("1."), false},
	{BYTES("1e"), false},
	{BYTES("1e+"), false},
	{BYTES("0x1"), false},
	{BYTES("NaN"), false},
	{BYTES("Infinity"), false},
	{BYTES("tru"), false},
	{BYTES("trueish"), false},
	{BYTES("True"), false},
	{BYTES("\"open"), false},
	{BYTES("\"\\"), false},
	{BYTES("\"\\\""), false},
	{BYTES("\"\\x\""), false},
	{BYTES("\"\\u12\""), false},
	{BYTES("\"\\u12g4\""), false},
	{BYTES("\"\\\0\""), false},
	{BYTES("\"tab\there\""), false},
	{BYTES("\"line\nhere\""), false},
	{BYTES("\"nul\0here\""), false},
	{BYTES("\"\xFF\""), false},
	{BYTES("\"\xC0\xAF\""), false},
	{BYTES("\"\xED\xA0\x80\""), false},
	{BYTES("\"\xC3\""), false},
	{BYTES("{}\0"), false},
};

/* The bytes stand at the very end of their allocation, so that valgrind sees one read too many. */
static bool is_json(const char *bytes, size_t length)
{
	char *copy = length > 0 ? xmemdup(bytes, length) : NULL;
	struct json_reader reader;
	json_open(&reader, copy, length);
	bool is_read = json_skip(&reader) && json_is_done(&reader);
	free(copy);
	return is_read;
}

static void json_is_told_from_what_is_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		if (is_json(documents[i].bytes, documents[i].length) != documents[i].is_json)
			fail_msg("%s", documents[i].bytes);
}

static void depth_has_a_bound(void **state)
{
	(void)state;
	char text[2 * (JSON_DEPTH_MAX + 1) + 1];
	for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		assert_int_equal(is_json(text, 2 * depth), depth <= JSON_DEPTH_MAX);
	}
	const size_t many = 1000000;
	static const char opening[] = {'{', '"', 'a', '"', ':'};
	char *deep = xmalloc(many);
	memset(deep, '[', many);
	assert_false(is_json(deep, many));
	for (size_t i = 0; i < many; i++)
		deep[i] = opening[i % sizeof(opening)];
	assert_false(is_json(deep, many));
	free(deep);
}

static const struct {
	const char *json;
	const char *text; /* NULL: NUL or lone surrogate */
} texts[] = {
	{"\"\"", ""},
	{"\"plain\"", "plain"},
	{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
	{"\"\\u0041\\u00e4\\u20AC\"", "A\xC3\xA4\xE2\x82\xAC"},
	{"\"\\uD83D\\uDE00\"", "\xF0\x9F\x98\x80"},
	{"\"\\udbff\\udfff\"", "\xF4\x8F\xBF\xBF"},
	{"\"\\u0001\\u007f\"", "\x01\x7f"},
	{"\"a long text, longer than eight bytes, with \\\" within\"",
	 "a long text, longer than eight bytes, with \" within"},
	{"\"\\u0000\"", NULL},
	{"\"a\\u0000b\"", NULL},
	{"\"\\ud800\"", NULL},
	{"\"\\udc00\"", NULL},
	{"\"\\ud800x\"", NULL},
	{"\"\\ud800\\ud800\"", NULL},
	{"\"\\ud800\\u0041\"", NULL},
	{"\"\\udc00\\ud800\"", NULL},
	{"\"\\ud800\\n\"", NULL},
};

static void texts_are_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct json_reader reader;
		struct json_slice slice;
		char decoded[100];
		json_open(&reader, texts[i].json, strlen(texts[i].json));
		assert_true(json_read_text(&reader, &slice));
		assert_int_equal(reader.is_bad_text, texts[i].text == NULL);
		size_t length = json_decode_text(&slice, decoded);
		assert_true(length <= slice.length);
		decoded[length] = '\0';
		if (texts[i].text != NULL)
			assert_string_equal(decoded, texts[i].text);
		assert_true(json_is_done(&reader));
	}
}

/* Every byte value at every place of a text of 20 bytes: the fast look at eight bytes agrees with the plain rule. */
static void every_byte_at_every_place_is_seen(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		for (size_t place = 1; place <= 20; place++) {
			char text[23] = "\"aaaaaaaaaaaaaaaaaaaa\"";
			text[place] = (char)byte;
			bool is_fine = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
			if (is_json(text, 22) != is_fine)
				fail_msg("byte %d at %zu", byte, place);
		}
	}
}

static const struct {
	const char *number;
	bool is_integer;
	int64_t value;
} numbers[] = {
	{"0", true, 0},
	{"-0", true, 0},
	{"7", true, 7},
	{"-7", true, -7},
	{"9223372036854775807", true, INT64_MAX},
	{"-9223372036854775808", true, INT64_MIN},
	{"9223372036854775808", false, 0},
	{"-9223372036854775809", false, 0},
	{"99999999999999999999999999", false, 0},
	{"1.0", false, 0},
	{"1e3", false, 0},
	{"1E0", false, 0},
};

static void integers_are_told_from_other_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct json_reader reader;
		struct json_slice slice;
		int64_t value = 0;
		json_open(&reader, numbers[i].number, strlen(numbers[i].number));
		assert_true(json_read_number(&reader, &slice));
		if (json_to_int64(&slice, &value) != numbers[i].is_integer ||
		    value != numbers[i].value)
			fail_msg("%s", numbers[i].number);
	}
}

static void numbers_beyond_the_databases_are_marked(void **state)
{
	(void)state;
	static const struct {
		const char *number;
		bool is_bad;
	} table[] = {{"1e999", false},
		     {"1e1000", true},
		     {"1e-999999", true},
		     {"123456789012345678901234567890", false}};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct json_reader reader;
		struct json_slice slice;
		json_open(&reader, table[i].number, strlen(table[i].number));
		assert_true(json_read_number(&reader, &slice));
		assert_int_equal(reader.is_bad_number, table[i].is_bad);
	}
}

static void compact_copy_keeps_texts(void **state)
{
	(void)state;
	static const char json[] = "{ \"a b\" : [ 1 , \"x \\\" y\\\\\" , true ] ,\n\t\"c\" : { } }";
	char out[sizeof(json)];
	size_t length = json_copy_compact(json, strlen(json), out);
	out[length] = '\0';
	assert_string_equal(out, "{\"a b\":[1,\"x \\\" y\\\\\",true],\"c\":{}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_told_from_what_is_not),
		cmocka_unit_test(depth_has_a_bound),
		cmocka_unit_test(texts_are_decoded),
		cmocka_unit_test(every_byte_at_every_place_is_seen),
		cmocka_unit_test(integers_are_told_from_other_numbers),
		cmocka_unit_test(numbers_beyond_the_databases_are_marked),
		cmocka_unit_test(compact_copy_keeps_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
