/*
 * The parser tells each value with the number of objects and arrays around it, its depth. For each pointer we keep how many of its
 * names lead along the way to where the parser is:
 *
 *   a key or an element at depth d   where the first d - 1 names lead here, name d is compared with it
 *   a value at depth d               is the pointer's where it has d names and all of them lead here
 *   an end at depth d                names beyond the d-th lead nowhere any more
 */
#include "check/json_pointer.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

struct search {
	size_t count;
	const char *const *pointers;
	size_t *led;     /* of each pointer: its names that lead to here */
	size_t *lengths; /* of each pointer: its names */
	struct json_value *values;
	/* Of each object and array around the parser: whether it is an array, and which element comes next. */
	bool is_array[JSON_POINTER_DEPTH_MAX + 1];
	size_t next[JSON_POINTER_DEPTH_MAX + 1];
	int deepest;
};

bool json_pointer_is_valid(const char *pointer)
{
	size_t length = strlen(pointer);
	size_t tokens = 0;
	if (length > JSON_POINTER_MAX || !text_is_utf8(pointer, length) ||
	    (length > 0 && pointer[0] != '/'))
		return false;
	for (const char *at = pointer; *at != '\0'; at++) {
		tokens += *at == '/';
		if (*at == '~' && at[1] != '0' && at[1] != '1')
			return false;
	}
	return tokens <= JSON_POINTER_TOKENS_MAX;
}

static size_t count_tokens(const char *pointer)
{
	size_t count = 0;
	for (; *pointer != '\0'; pointer++)
		count += *pointer == '/';
	return count;
}

/* Where the n-th name begins, counted from 0; it exists. */
static const char *find_token(const char *pointer, size_t n)
{
	const char *at = pointer + 1;
	for (; n > 0; n--)
		at = strchr(at, '/') + 1;
	return at;
}

/* Whether the escaped name at token is these bytes. */
static bool is_token(const char *token, const char *bytes, size_t length)
{
	size_t used = 0;
	for (; *token != '\0' && *token != '/'; token++) {
		char c = *token;
		if (c == '~')
			c = *++token == '0' ? '~' : '/';
		if (used == length || bytes[used] != c)
			return false;
		used++;
	}
	return used == length;
}

/* The parser is at the member or element of this name, with depth objects and arrays around it. */
static void enter(struct search *search, int depth, const char *name, size_t length)
{
	const size_t level = (size_t)depth;
	for (size_t i = 0; i < search->count; i++) {
		if (search->lengths[i] < level || search->led[i] < level - 1)
			continue;
		const char *token = find_token(search->pointers[i], level - 1);
		bool is_on_way = is_token(token, name, length);
		search->led[i] = is_on_way ? level : level - 1;
		if (is_on_way) /* of a member with this name before, nothing counts any more */
			search->values[i].is_found = false;
	}
}

static void enter_element(struct search *search, int depth)
{
	char text[24];
	size_t used = sizeof(text);
	size_t number = search->next[depth]++;
	do {
		text[--used] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	enter(search, depth, text + used, sizeof(text) - used);
}

static void keep(struct json_value *value, const struct json_event *event)
{
	const char *bytes = event->bytes;
	size_t length = event->length;
	if (event->kind == JSON_NULL)
		bytes = "null";
	else if (event->kind == JSON_BOOL)
		bytes = event->is_true ? "true" : "false";
	else if (event->kind == JSON_OBJECT)
		bytes = "{}";
	else if (event->kind == JSON_ARRAY)
		bytes = "[]";
	if (event->kind != JSON_TEXT && event->kind != JSON_NUMBER)
		length = strlen(bytes);
	bool is_cut = length > JSON_POINTER_VALUE_MAX;
	length = is_cut ? JSON_POINTER_VALUE_MAX : length;
	char *text = xrealloc(value->text, length + 1);
	memcpy(text, bytes, length);
	text[length] = '\0';
	*value = (struct json_value){
		.is_found = true,
		.kind = event->kind,
		.text = text,
		.length = length,
		.is_cut = is_cut,
		.is_bad_text = event->is_bad_text,
	};
}

static void on_value(struct search *search, const struct json_event *event)
{
	const size_t level = (size_t)event->depth;
	if (event->depth > 0 && search->is_array[event->depth])
		enter_element(search, event->depth);
	for (size_t i = 0; i < search->count; i++) {
		if (search->lengths[i] == level && search->led[i] == level)
			keep(&search->values[i], event);
	}
}

static void on_event(void *context, const struct json_event *event)
{
	struct search *search = context;
	if (event->kind == JSON_KEY) {
		enter(search, event->depth, event->bytes, event->length);
		return;
	}
	if (event->kind == JSON_OBJECT_END || event->kind == JSON_ARRAY_END) {
		for (size_t i = 0; i < search->count; i++) {
			if (search->led[i] > (size_t)event->depth)
				search->led[i] = (size_t)event->depth;
		}
		return;
	}
	on_value(search, event);
	if (event->kind == JSON_OBJECT || event->kind == JSON_ARRAY) {
		int inside = event->depth + 1;
		search->is_array[inside] = event->kind == JSON_ARRAY;
		search->next[inside] = 0;
		if (inside > search->deepest)
			search->deepest = inside;
	}
}

enum json_pointer_result json_pointer_find(const char *bytes, size_t length,
					   const char *const *pointers, size_t count,
					   struct json_value *ret_values)
{
	struct search *search = xcalloc(1, sizeof(*search));
	search->count = count;
	search->pointers = pointers;
	search->led = xcalloc(count, sizeof(search->led[0]));
	search->lengths = xcalloc(count, sizeof(search->lengths[0]));
	search->values = ret_values;
	for (size_t i = 0; i < count; i++) {
		search->lengths[i] = count_tokens(pointers[i]);
		ret_values[i] = (struct json_value){0};
	}
	bool is_read = json_parse_within(bytes, length, JSON_POINTER_DEPTH_MAX, on_event, search);
	bool was_deep = search->deepest == JSON_POINTER_DEPTH_MAX;
	free(search->led);
	free(search->lengths);
	free(search);
	if (is_read)
		return JSON_POINTER_READ;
	return was_deep ? JSON_POINTER_DEEP : JSON_POINTER_BROKEN;
}

void json_value_finish(struct json_value *value)
{
	free(value->text);
	*value = (struct json_value){0};
}
