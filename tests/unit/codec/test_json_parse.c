#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/json_parse.h"
#include "base/memory.h"
#include "codec/json_print.h"

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
	{BYTES("{}\""), false},
	{BYTES("{} \"open"), false},
	{BYTES("[]tru"), false},
	{BYTES("[] -"), false},
	{BYTES("1 \""), false},
	{BYTES("null \"\\"), false},
	{BYTES("12 \n"), true},
	{BYTES("\"\" \n"), true},
	{BYTES("[1,\v2]"), false},
	{BYTES("{}\f"), false},
	{BYTES("\"\xED\xB0\x80\""), false},
	{BYTES("\"\xF4\x90\x80\x80\""), false},
	{BYTES("[]\xC2\xA0"), false},
	{BYTES("// c\n{}"), false},
	{BYTES("\"a\\\""), false},
};

/* The bytes stand at the very end of their allocation, so that valgrind sees one read too many. */
static void ignore(void *context, const struct json_event *event)
{
	(void)context;
	(void)event;
}

static bool is_json(const char *bytes, size_t length)
{
	char *copy = length > 0 ? xmemdup(bytes, length) : NULL;
	bool is_read = json_parse(copy, length, ignore, NULL);
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

static void check_text(void *context, const struct json_event *event)
{
	const char *const *expected = context;
	assert_int_equal(event->kind, JSON_TEXT);
	assert_int_equal(event->is_bad_text, *expected == NULL);
	if (*expected == NULL)
		return;
	assert_int_equal(event->length, strlen(*expected));
	assert_memory_equal(event->bytes, *expected, event->length);
}

static void texts_are_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *expected = texts[i].text;
		assert_true(
			json_parse(texts[i].json, strlen(texts[i].json), check_text, &expected));
	}
}

/* A line of letters for the events: a mark on bad texts, and the depth of each. */
static void write_down(void *context, const struct json_event *event)
{
	struct buffer *out = context;
	(void)buffer_append_format(out, "%c%d%s ", "zbntoakOA"[event->kind], event -> depth,
				   event -> is_bad_text ? "!" : "");
}

static const struct {
	const char *json;
	const char *events; /* z null, b bool, n number, t text, k name, o…O object, a…A array */
} transcripts[] = {
	{"{}", "o0 O0 "},
	{"{\"a\":null,\"b\":[true,1.5,\"x\",{}]}", "o0 k1 z1 k1 a1 b2 n2 t2 o2 O2 A1 O0 "},
	{"{\"\\u0000\":\"a\",\"b\":\"c\"}", "o0 k1! t1 k1 t1 O0 "},
	{"{\"a\":\"\\ud800\",\"b\":\"c\"}", "o0 k1 t1! k1 t1 O0 "},
	{"{\"a\":\"\\ud83d\\ude00\",\"b\":\"\\udc00\\u0000\"}", "o0 k1 t1 k1 t1! O0 "},
	{"[\"\\\\u0000\",\"\\\\\\u0000\",1,\"\\u0000\",\"\"]", "a0 t1 t1! n1 t1! t1 A0 "},
	{"[\"a\",]", "a0 t1 "},
};

static void events_come_in_order_with_depth_and_marks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(transcripts) / sizeof(transcripts[0]); i++) {
		struct buffer out;
		buffer_init(&out, 1000);
		(void)json_parse(transcripts[i].json, strlen(transcripts[i].json), write_down,
				 &out);
		assert_string_equal(out.data, transcripts[i].events);
		buffer_finish(&out);
	}
}

/* Every byte value at every place of a text of 20 bytes: the parser's table agrees with the rule. */
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

struct reading {
	bool is_integer;
	int64_t value;
};

static void read_integer(void *context, const struct json_event *event)
{
	struct reading *reading = context;
	assert_int_equal(event->kind, JSON_NUMBER);
	reading->is_integer = json_to_int64(event, &reading->value);
}

static void integers_are_told_from_other_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct reading reading = {0};
		assert_true(json_parse(numbers[i].number, strlen(numbers[i].number), read_integer,
				       &reading));
		if (reading.is_integer != numbers[i].is_integer ||
		    reading.value != numbers[i].value)
			fail_msg("%s", numbers[i].number);
	}
}

static void print(void *context, const struct json_event *event)
{
	json_print_event(context, event);
}

static const struct {
	const char *json;
	const char *printed;
} prints[] = {
	{"{ \"a b\" : [ 1 , \"x \\\" y\\\\\" , true ] ,\n\t\"c\" : { } }",
	 "{\"a b\":[1,\"x \\\" y\\\\\",true],\"c\":{}}"},
	{"[1.50,1E+3,-0,123456789012345678901234567890,null,false]",
	 "[1.50,1E+3,-0,123456789012345678901234567890,null,false]"},
	{"\"\\u00e4\\/\\b\\f\\n\\r\\t\\u0001\\u007f\"", "\"\xC3\xA4/\\b\\f\\n\\r\\t\\u0001\x7f\""},
	{"{\"\":{\"\":[[],{}]}}", "{\"\":{\"\":[[],{}]}}"},
};

static void what_is_printed_is_compact_and_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(prints) / sizeof(prints[0]); i++) {
		yajl_gen out = json_print_create();
		size_t length = 0;
		assert_true(json_parse(prints[i].json, strlen(prints[i].json), print, out));
		const char *printed = json_print_bytes(out, &length);
		assert_int_equal(length, strlen(prints[i].printed));
		assert_memory_equal(printed, prints[i].printed, length);
		yajl_gen_free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_told_from_what_is_not),
		cmocka_unit_test(depth_has_a_bound),
		cmocka_unit_test(texts_are_decoded),
		cmocka_unit_test(events_come_in_order_with_depth_and_marks),
		cmocka_unit_test(every_byte_at_every_place_is_seen),
		cmocka_unit_test(integers_are_told_from_other_numbers),
		cmocka_unit_test(what_is_printed_is_compact_and_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
