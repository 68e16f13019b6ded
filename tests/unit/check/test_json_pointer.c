#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "check/json_pointer.h"

/* The document of RFC 6901, 5, and what its pointers lead to. */
static const char rfc_document[] =
	"{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, "
	"\"e^f\": 3, \"g|h\": 4, \"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7, "
	"\"m~n\": 8}";

struct pointer_case {
	const char *name;
	const char *document;
	const char *pointer;
	const char *text; /* NULL: leads nowhere */
	enum json_kind kind;
};

static const struct pointer_case cases[] = {
	{"the whole document", rfc_document, "", "{}", JSON_OBJECT},
	{"an array", rfc_document, "/foo", "[]", JSON_ARRAY},
	{"an element", rfc_document, "/foo/0", "bar", JSON_TEXT},
	{"an empty name", rfc_document, "/", "0", JSON_NUMBER},
	{"a slash", rfc_document, "/a~1b", "1", JSON_NUMBER},
	{"a per cent sign", rfc_document, "/c%d", "2", JSON_NUMBER},
	{"a caret", rfc_document, "/e^f", "3", JSON_NUMBER},
	{"a bar", rfc_document, "/g|h", "4", JSON_NUMBER},
	{"a backslash", rfc_document, "/i\\j", "5", JSON_NUMBER},
	{"a quote", rfc_document, "/k\"l", "6", JSON_NUMBER},
	{"a space", rfc_document, "/ ", "7", JSON_NUMBER},
	{"a tilde", rfc_document, "/m~0n", "8", JSON_NUMBER},
	{"~01 is ~1", "{\"~1\": 1, \"/\": 2}", "/~01", "1", JSON_NUMBER},
	{"a name that is not there", rfc_document, "/nope", NULL, JSON_NULL},
	{"an element beyond the last", rfc_document, "/foo/2", NULL, JSON_NULL},
	{"the element after the last", rfc_document, "/foo/-", NULL, JSON_NULL},
	{"an index with a zero in front", rfc_document, "/foo/01", NULL, JSON_NULL},
	{"beyond a text", rfc_document, "/foo/0/x", NULL, JSON_NULL},
	{"the tenth element", "[0,1,2,3,4,5,6,7,8,9,[10,\"x\"]]", "/10/1", "x", JSON_TEXT},
	{"an index in an object", "{\"0\": true}", "/0", "true", JSON_BOOL},
	{"deep", "{\"a\":{\"b\":[{\"c\":null},{\"c\":false}]}}", "/a/b/1/c", "false", JSON_BOOL},
	{"null is a value", "{\"a\":{\"b\":[{\"c\":null}]}}", "/a/b/0/c", "null", JSON_NULL},
	{"the last of one name", "{\"a\":1,\"a\":2}", "/a", "2", JSON_NUMBER},
	{"nothing of an earlier one of that name", "{\"a\":{\"b\":1},\"a\":{}}", "/a/b", NULL,
	 JSON_NULL},
	{"a name of a sibling's child", "{\"a\":{\"b\":1},\"c\":{\"b\":2}}", "/c/b", "2",
	 JSON_NUMBER},
	{"the way back up", "{\"a\":{\"x\":{\"y\":1}},\"b\":{\"y\":2}}", "/a/y", NULL, JSON_NULL},
	{"elements after an array within", "[[1,2],[3,4]]", "/1/0", "3", JSON_NUMBER},
	{"an element before others", "[[1,2,3,4,5],[6,7,8,9]]", "/1/1", "7", JSON_NUMBER},
	{"no element of an earlier array", "{\"a\":[0,1,2,3,4],\"a\":[5]}", "/a/1", NULL,
	 JSON_NULL},
	{"below an element before others", "[0,{\"a\":1},{\"a\":2},[3],{\"a\":4}]", "/1/a", "1",
	 JSON_NUMBER},
	{"an index that no array has", "[0,1]", "/99999999999999999999", NULL, JSON_NULL},
	{"a name with escapes below", "{\"a\":{\"b/c\":{\"~\":1}}}", "/a/b~1c/~0", "1",
	 JSON_NUMBER},
	{"a text with escapes", "{\"a\":\"x\\u00e9\\n\"}", "/a", "x\xC3\xA9\n", JSON_TEXT},
	{"a name with escapes", "{\"\\u0061\":1}", "/a", "1", JSON_NUMBER},
	{"a scalar alone", "\"hello\"", "", "hello", JSON_TEXT},
};

static void every_pointer_leads_where_it_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct pointer_case *c = &cases[i];
		struct json_value value;
		assert_true(json_pointer_is_valid(c->pointer));
		assert_int_equal(
			json_pointer_find(c->document, strlen(c->document), &c->pointer, 1, &value),
			JSON_POINTER_READ);
		if (value.is_found != (c->text != NULL))
			fail_msg("%s: %s", c->name, value.is_found ? value.text : "nothing");
		if (c->text != NULL) {
			assert_string_equal(value.text, c->text);
			assert_int_equal(value.kind, c->kind);
		}
		json_value_finish(&value);
	}
}

/* All at once, as a site asks for them. */
static void many_are_found_in_one_reading(void **state)
{
	(void)state;
	const char *pointers[] = {"/foo/1", "/m~0n", "", "/foo/1", "/none"};
	struct json_value values[5];
	(void)json_pointer_find(rfc_document, strlen(rfc_document), pointers, 5, values);
	assert_string_equal(values[0].text, "baz");
	assert_string_equal(values[1].text, "8");
	assert_string_equal(values[2].text, "{}");
	assert_string_equal(values[3].text, "baz");
	assert_false(values[4].is_found);
	for (size_t i = 0; i < 5; i++)
		json_value_finish(&values[i]);
}

static void what_is_no_json_is_told(void **state)
{
	(void)state;
	static const struct {
		const char *document;
		enum json_pointer_result result;
		bool is_found;
	} broken[] = {
		{"", JSON_POINTER_BROKEN, false},
		{"<html>", JSON_POINTER_BROKEN, false},
		{"{\"a\":1", JSON_POINTER_BROKEN, true},
		{"{\"a\":1} x", JSON_POINTER_BROKEN, true},
		{"{\"b\":1,", JSON_POINTER_BROKEN, false},
		{"{\"a\":\xFF}", JSON_POINTER_BROKEN, false},
	};
	const char *pointer = "/a";
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct json_value value;
		assert_int_equal(json_pointer_find(broken[i].document, strlen(broken[i].document),
						   &pointer, 1, &value),
				 broken[i].result);
		assert_int_equal(value.is_found, broken[i].is_found);
		json_value_finish(&value);
	}
}

static void depth_is_bounded(void **state)
{
	(void)state;
	const size_t depth = 100000;
	char *document = xmalloc(depth + 1);
	const char *pointer = "/0";
	struct json_value value;
	memset(document, '[', depth);
	document[depth] = '\0';
	assert_int_equal(json_pointer_find(document, depth, &pointer, 1, &value),
			 JSON_POINTER_DEEP);
	assert_false(value.is_found);
	json_value_finish(&value);
	free(document);
}

/* So many arrays within one another, with their ends, and text behind them. To be freed by the caller. */
static char *nest(size_t depth, const char *rest)
{
	char *document = xmalloc(2 * depth + strlen(rest) + 1);
	memset(document, '[', depth);
	memset(document + depth, ']', depth);
	memcpy(document + 2 * depth, rest, strlen(rest) + 1);
	return document;
}

static void what_is_too_deep_is_told_from_what_is_no_json(void **state)
{
	(void)state;
	static const struct {
		size_t depth;
		const char *rest;
		enum json_pointer_result result;
	} documents[] = {
		{JSON_POINTER_DEPTH_MAX, "", JSON_POINTER_READ},
		{JSON_POINTER_DEPTH_MAX, "]", JSON_POINTER_BROKEN},
		{JSON_POINTER_DEPTH_MAX + 1, "", JSON_POINTER_DEEP},
		{JSON_POINTER_DEPTH_MAX + 2, "", JSON_POINTER_DEEP},
	};
	const char *pointer = "/0";
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		struct json_value value;
		char *document = nest(documents[i].depth, documents[i].rest);
		assert_int_equal(json_pointer_find(document, strlen(document), &pointer, 1, &value),
				 documents[i].result);
		/* what cannot be read is not judged by its beginning */
		assert_int_equal(value.is_found, documents[i].result != JSON_POINTER_DEEP);
		json_value_finish(&value);
		free(document);
	}
}

/* Each of these names is on the way of all pointers, and each value is theirs. */
static void what_lies_on_all_ways_is_bounded(void **state)
{
	(void)state;
	enum { POINTERS = 64, NAMES = 50000 };
	static const char member[] = "\"a\":0,";
	const char *pointers[POINTERS];
	struct json_value values[POINTERS];
	struct buffer document;
	buffer_init(&document, NAMES * sizeof(member));
	for (size_t i = 0; i < POINTERS; i++)
		pointers[i] = "/a";
	(void)buffer_append_char(&document, '{');
	for (int i = 0; i < NAMES; i++)
		(void)buffer_append_text(&document, member);
	document.data[document.length - 1] = '}';
	assert_int_equal(
		json_pointer_find(document.data, document.length, pointers, POINTERS, values),
		JSON_POINTER_COSTLY);
	for (size_t i = 0; i < POINTERS; i++) {
		assert_false(values[i].is_found);
		json_value_finish(&values[i]);
	}
	assert_int_equal(json_pointer_find(document.data, document.length, pointers, 4, values),
			 JSON_POINTER_READ);
	for (size_t i = 0; i < 4; i++) {
		assert_true(values[i].is_found);
		json_value_finish(&values[i]);
	}
	buffer_finish(&document);
}

static void long_values_are_cut(void **state)
{
	(void)state;
	const size_t length = 2 * (size_t)JSON_POINTER_VALUE_MAX;
	char *document = xmalloc(length);
	const char *pointer = "";
	struct json_value value;
	memset(document, 'x', length);
	document[0] = document[length - 1] = '"';
	assert_int_equal(json_pointer_find(document, length, &pointer, 1, &value),
			 JSON_POINTER_READ);
	assert_true(value.is_cut);
	assert_int_equal(value.length, JSON_POINTER_VALUE_MAX);
	json_value_finish(&value);
	free(document);
}

static void only_pointers_are_taken(void **state)
{
	(void)state;
	char longest[JSON_POINTER_MAX + 2];
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[JSON_POINTER_MAX] = '\0';
	assert_true(json_pointer_is_valid(longest));
	longest[JSON_POINTER_MAX] = 'a';
	longest[JSON_POINTER_MAX + 1] = '\0';
	assert_false(json_pointer_is_valid(longest));
	assert_false(json_pointer_is_valid("a"));
	assert_false(json_pointer_is_valid("#/a"));
	assert_false(json_pointer_is_valid("/~"));
	assert_false(json_pointer_is_valid("/~2"));
	assert_false(json_pointer_is_valid("/\xFF"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pointer_leads_where_it_should),
		cmocka_unit_test(many_are_found_in_one_reading),
		cmocka_unit_test(what_is_no_json_is_told),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(what_is_too_deep_is_told_from_what_is_no_json),
		cmocka_unit_test(what_lies_on_all_ways_is_bounded),
		cmocka_unit_test(long_values_are_cut),
		cmocka_unit_test(only_pointers_are_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
