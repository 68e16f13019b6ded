/*
 * What yajl would let pass is looked for before it starts: UTF-8 that is none, and vertical tabs and form feeds, which it takes
 * for white space. Behind the document it lets an open text or half a word stand, so that is looked at in the end. What yajl
 * would change without a word is looked for beside it: bad_at is the place of the next escape that no text may hold, and a text
 * that ends behind it is the one that has it, since escapes stand in texts only.
 */
#include "codec/json_parse.h"

#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/text.h"
#include "codec/escape_scan.h"
#include "codec/json_memory.h"

enum { GO_ON = 1, STOP = 0 }; /* what a callback of yajl returns */

struct parsing {
	yajl_handle yajl;
	json_handler *on_event;
	void *context;
	const char *bytes;
	size_t length;
	size_t bad_at;
	size_t end; /* of the document's one value, once it was read */
	int depth;
	bool is_given; /* all bytes were; a number may still come */
};

static int give(struct parsing *parsing, const struct json_event *event)
{
	if (event->depth == 0 && event->kind != JSON_OBJECT && event->kind != JSON_ARRAY)
		parsing->end = parsing->is_given ? parsing->length
						 : yajl_get_bytes_consumed(parsing->yajl);
	parsing->on_event(parsing->context, event);
	return GO_ON;
}

/* Whether the text that yajl has just read holds an escape that it may not. */
static bool is_bad_text(struct parsing *parsing)
{
	if (parsing->bad_at == parsing->length)
		return false;
	size_t end = yajl_get_bytes_consumed(parsing->yajl);
	if (parsing->bad_at >= end)
		return false;
	parsing->bad_at = escape_scan(parsing->bytes, parsing->length, end);
	return true;
}

static int give_text(struct parsing *parsing, enum json_kind kind, const unsigned char *bytes,
		     size_t length)
{
	return give(parsing, &(struct json_event){.kind = kind,
						  .depth = parsing->depth,
						  .bytes = (const char *)bytes,
						  .length = length,
						  .is_bad_text = is_bad_text(parsing)});
}

static int on_null(void *context)
{
	struct parsing *parsing = context;
	return give(parsing, &(struct json_event){.kind = JSON_NULL, .depth = parsing->depth});
}

static int on_bool(void *context, int value)
{
	struct parsing *parsing = context;
	return give(parsing, &(struct json_event){.kind = JSON_BOOL,
						  .depth = parsing->depth,
						  .is_true = value != 0});
}

static int on_number(void *context, const char *bytes, size_t length)
{
	struct parsing *parsing = context;
	return give(parsing, &(struct json_event){.kind = JSON_NUMBER,
						  .depth = parsing->depth,
						  .bytes = bytes,
						  .length = length});
}

static int on_text(void *context, const unsigned char *bytes, size_t length)
{
	return give_text(context, JSON_TEXT, bytes, length);
}

static int on_key(void *context, const unsigned char *bytes, size_t length)
{
	return give_text(context, JSON_KEY, bytes, length);
}

static int begin(struct parsing *parsing, enum json_kind kind)
{
	if (parsing->depth == JSON_DEPTH_MAX)
		return STOP;
	return give(parsing, &(struct json_event){.kind = kind, .depth = parsing->depth++});
}

static int end(struct parsing *parsing, enum json_kind kind)
{
	return give(parsing, &(struct json_event){.kind = kind, .depth = --parsing->depth});
}

static int on_object(void *context)
{
	return begin(context, JSON_OBJECT);
}

static int on_object_end(void *context)
{
	return end(context, JSON_OBJECT_END);
}

static int on_array(void *context)
{
	return begin(context, JSON_ARRAY);
}

static int on_array_end(void *context)
{
	return end(context, JSON_ARRAY_END);
}

/* A number comes as text: 1.0, 1e3 and what is larger than 64 bits are to be told apart. */
static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	.yajl_number = on_number,
	.yajl_string = on_text,
	.yajl_map_key = on_key,
	.yajl_start_map = on_object,
	.yajl_end_map = on_object_end,
	.yajl_start_array = on_array,
	.yajl_end_array = on_array_end,
};

static bool has_wrong_space(const char *bytes, size_t length)
{
	return memchr(bytes, '\v', length) != NULL || memchr(bytes, '\f', length) != NULL;
}

static bool is_space(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\r' && bytes[i] != '\n')
			return false;
	return true;
}

bool json_parse(const char *bytes, size_t length, json_handler *on_event, void *context)
{
	if (length == 0 || has_wrong_space(bytes, length) || !text_is_utf8(bytes, length))
		return false;
	struct parsing parsing = {
		.on_event = on_event,
		.context = context,
		.bytes = bytes,
		.length = length,
		.bad_at = escape_scan(bytes, length, 0),
	};
	parsing.yajl = yajl_alloc(&callbacks, &json_memory, &parsing);
	bool is_read =
		yajl_parse(parsing.yajl, (const unsigned char *)bytes, length) == yajl_status_ok;
	parsing.is_given = true;
	is_read = is_read && yajl_complete_parse(parsing.yajl) == yajl_status_ok;
	yajl_free(parsing.yajl);
	return is_read && is_space(bytes + parsing.end, length - parsing.end);
}

bool json_to_int64(const struct json_event *number, int64_t *ret_value)
{
	char text[sizeof("-9223372036854775808")];
	if (number->length >= sizeof(text))
		return false;
	memcpy(text, number->bytes, number->length);
	text[number->length] = '\0';
	return text_parse_int64(text, ret_value) == 0;
}
