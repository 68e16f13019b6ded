/*
 * The parser tells each value with the number of objects and arrays around it, its depth. For each pointer we keep how many of its
 * names lead along the way to where the parser is:
 *
 *   a key or an element at depth d   where the first d - 1 names lead here, name d is compared with it
 *   a value at depth d               is the pointer's where it has d names and all of them lead here
 *   an end at depth d                names beyond the d-th lead nowhere any more
 *
 * A site chooses the document, so what it can cost is bounded: what lies off every pointer's way is passed without a look at them
 * (furthest), and so are the elements behind the last that any of them names (wanted); the rest is counted.
 */
#include "check/json_pointer.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum {
	INDEX_DIGITS_MAX = 9, /* more elements are in no body that we take */
	/* Pointers looked at; names compared and values kept weigh more. Some 30 ms. */
	STEPS_MAX = 20 * 1000 * 1000,
	STEPS_OF_NAME = 4,
	STEPS_OF_VALUE = 16, /* that is kept */
};

/* A pointer, and how far it leads. */
struct way {
	size_t length; /* its names */
	size_t led;    /* those of them that lead to here */
	const char *names[JSON_POINTER_TOKENS_MAX];
};

struct search {
	size_t count;
	struct way *ways;
	size_t furthest; /* the largest led */
	struct json_value *values;
	size_t steps;
	/* Of each object and array around the parser: whether it is an array, which element comes next, and the last one that a
	 * pointer names; -1 for none. */
	bool is_array[JSON_POINTER_DEPTH_MAX + 1];
	long next[JSON_POINTER_DEPTH_MAX + 1];
	long wanted[JSON_POINTER_DEPTH_MAX + 1];
	bool is_deep; /* beyond that nothing is looked at */
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

static void split(const char *pointer, struct way *way)
{
	for (const char *slash = strchr(pointer, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/'))
		way->names[way->length++] = slash + 1;
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

/* The element that an escaped name stands for; -1 for none. */
static long index_of(const char *token)
{
	size_t length = strcspn(token, "/");
	long index = 0;
	if (length == 0 || length > INDEX_DIGITS_MAX || (length > 1 && token[0] == '0'))
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (token[i] < '0' || token[i] > '9')
			return -1;
		index = index * 10 + (token[i] - '0');
	}
	return index;
}

/* Whether the parser may be on this way with so many objects and arrays around it: then the name of that number decides. */
static bool leads_to(const struct way *way, size_t level)
{
	return way->length >= level && way->led >= level - 1;
}

/* The parser is at the member or element of this name, with depth objects and arrays around it. */
static void enter(struct search *search, int depth, const char *name, size_t length)
{
	const size_t level = (size_t)depth;
	if (search->furthest < level - 1)
		return;
	search->furthest = level - 1;
	search->steps += search->count;
	for (size_t i = 0; i < search->count; i++) {
		struct way *way = &search->ways[i];
		if (!leads_to(way, level))
			continue;
		bool is_on_way = is_token(way->names[level - 1], name, length);
		search->steps += STEPS_OF_NAME;
		way->led = is_on_way ? level : level - 1;
		if (!is_on_way)
			continue;
		search->furthest = level;
		search->values[i].is_found =
			false; /* of a member with this name before, nothing counts any more */
	}
}

static void enter_element(struct search *search, int depth)
{
	char text[24];
	size_t used = sizeof(text);
	long number = search->next[depth]++;
	if (number > search->wanted[depth] + 1) /* the one behind the last has ended all ways */
		return;
	do {
		text[--used] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	enter(search, depth, text + used, sizeof(text) - used);
}

/* An array begins, whose elements have depth objects and arrays around them. */
static void find_wanted(struct search *search, int depth)
{
	const size_t level = (size_t)depth;
	search->wanted[depth] = -1;
	if (search->furthest < level - 1)
		return;
	search->steps += search->count;
	for (size_t i = 0; i < search->count; i++) {
		if (!leads_to(&search->ways[i], level))
			continue;
		long index = index_of(search->ways[i].names[level - 1]);
		if (index > search->wanted[depth])
			search->wanted[depth] = index;
		search->steps += STEPS_OF_NAME;
	}
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
	if (search->furthest < level)
		return;
	search->steps += search->count;
	for (size_t i = 0; i < search->count; i++) {
		if (search->ways[i].length != level || search->ways[i].led != level)
			continue;
		keep(&search->values[i], event);
		search->steps += STEPS_OF_VALUE;
	}
}

static void on_end(struct search *search, size_t level)
{
	if (search->furthest <= level)
		return;
	search->furthest = level;
	search->steps += search->count;
	for (size_t i = 0; i < search->count; i++) {
		if (search->ways[i].led > level)
			search->ways[i].led = level;
	}
}

static void on_event(void *context, const struct json_event *event)
{
	struct search *search = context;
	bool is_group = event->kind == JSON_OBJECT || event->kind == JSON_ARRAY;
	if (is_group && event->depth == JSON_POINTER_DEPTH_MAX)
		search->is_deep = true;
	if (search->is_deep || search->steps > STEPS_MAX)
		return;
	if (event->kind == JSON_KEY) {
		enter(search, event->depth, event->bytes, event->length);
		return;
	}
	if (event->kind == JSON_OBJECT_END || event->kind == JSON_ARRAY_END) {
		on_end(search, (size_t)event->depth);
		return;
	}
	on_value(search, event);
	if (is_group) {
		int inside = event->depth + 1;
		search->is_array[inside] = event->kind == JSON_ARRAY;
		search->next[inside] = 0;
		if (event->kind == JSON_ARRAY)
			find_wanted(search, inside);
	}
}

enum json_pointer_result json_pointer_find(const char *bytes, size_t length,
					   const char *const *pointers, size_t count,
					   struct json_value *ret_values)
{
	struct search *search = xcalloc(1, sizeof(*search));
	search->count = count;
	search->ways = xcalloc(count, sizeof(search->ways[0]));
	search->values = ret_values;
	for (size_t i = 0; i < count; i++) {
		split(pointers[i], &search->ways[i]);
		ret_values[i] = (struct json_value){0};
	}
	/* One level more than is looked at, to tell what is too deep from what is no JSON. */
	bool is_read =
		json_parse_within(bytes, length, JSON_POINTER_DEPTH_MAX + 1, on_event, search);
	bool was_deep = search->is_deep;
	bool was_costly = search->steps > STEPS_MAX;
	free(search->ways);
	free(search);
	for (size_t i = 0; (was_costly || was_deep) && i < count; i++)
		ret_values[i].is_found = false; /* what comes behind it might have counted */
	if (was_costly)
		return JSON_POINTER_COSTLY;
	if (was_deep)
		return JSON_POINTER_DEEP;
	return is_read ? JSON_POINTER_READ : JSON_POINTER_BROKEN;
}

void json_value_finish(struct json_value *value)
{
	free(value->text);
	*value = (struct json_value){0};
}
