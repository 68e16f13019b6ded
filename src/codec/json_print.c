#include "codec/json_print.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_parse.h"
#include "base/text.h"
#include "codec/json_memory.h"
#include "codec/json_write.h"

/* The generator refuses only what would be no JSON, which is a mistake of ours. */
static void check(yajl_gen_status status)
{
	assert(status == yajl_gen_status_ok);
	(void)status;
}

static void print_string(yajl_gen out, const char *bytes, size_t length)
{
	check(yajl_gen_string(out, (const unsigned char *)bytes, length));
}

yajl_gen json_print_create(void)
{
	return yajl_gen_alloc(&json_memory);
}

void json_print_event(yajl_gen out, const struct json_event *event)
{
	switch (event->kind) {
	case JSON_NULL:
		check(yajl_gen_null(out));
		return;
	case JSON_BOOL:
		check(yajl_gen_bool(out, event->is_true));
		return;
	case JSON_NUMBER:
		check(yajl_gen_number(out, event->bytes, event->length));
		return;
	case JSON_KEY:
	case JSON_TEXT:
		print_string(out, event->bytes, event->length);
		return;
	case JSON_OBJECT:
		check(yajl_gen_map_open(out));
		return;
	case JSON_ARRAY:
		check(yajl_gen_array_open(out));
		return;
	case JSON_OBJECT_END:
		check(yajl_gen_map_close(out));
		return;
	case JSON_ARRAY_END:
		check(yajl_gen_array_close(out));
		return;
	}
	assert(false);
}

void json_print_text(yajl_gen out, const char *text, size_t max_bytes)
{
	size_t length = strlen(text);
	if (text_is_utf8(text, length)) {
		print_string(out, text, json_write_cut(text, length, max_bytes));
		return;
	}
	char *clean = text_clean_copy(text, length, max_bytes);
	print_string(out, clean, strlen(clean));
	free(clean);
}

void json_print_name(yajl_gen out, const char *name)
{
	print_string(out, name, strlen(name));
}

void json_put_text(yajl_gen out, const char *name, const char *text, size_t max_bytes)
{
	json_print_name(out, name);
	json_print_text(out, text, max_bytes);
}

void json_put_int(yajl_gen out, const char *name, int64_t value)
{
	json_print_name(out, name);
	check(yajl_gen_integer(out, value));
}

void json_put_bool(yajl_gen out, const char *name, bool value)
{
	json_print_name(out, name);
	check(yajl_gen_bool(out, value));
}

void json_put_time(yajl_gen out, const char *name, wall_us time)
{
	char text[CLOCK_TEXT_SIZE];
	clock_format(time, text);
	json_print_name(out, name);
	print_string(out, text, CLOCK_TEXT_SIZE - 1);
}

const char *json_print_bytes(yajl_gen out, size_t *ret_length)
{
	const unsigned char *bytes = NULL;
	check(yajl_gen_get_buf(out, &bytes, ret_length));
	return (const char *)bytes;
}
