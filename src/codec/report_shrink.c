/* The message is parsed and written again, but for the members that may go. */
#include <stdbool.h>

#include "base/buffer.h"
#include "base/json_parse.h"
#include "codec/json_print.h"
#include "codec/report_encode.h"
#include "codec/report_fields.h"

struct shrinking {
	yajl_gen out;
	bool is_object;
	bool has_producer_id;
	bool has_seq;
	bool has_dropped;
	bool is_dropping; /* the member that is being read */
	bool has_bad_text;
};

static bool is_droppable(size_t field)
{
	for (size_t i = 0; i < report_droppable_count; i++)
		if (report_droppable[i] == field)
			return true;
	return false;
}

static void take_name(struct shrinking *shrinking, const struct json_event *key)
{
	size_t field = report_field_find(key->bytes, key->length, 0);
	shrinking->has_producer_id |= field == REPORT_FIELD_producer_id;
	shrinking->has_seq |= field == REPORT_FIELD_seq;
	shrinking->has_dropped |= is_droppable(field);
	shrinking->is_dropping =
		is_droppable(field) || field == REPORT_FIELD_truncated; /* said again at the end */
}

static void on_event(void *context, const struct json_event *event)
{
	struct shrinking *shrinking = context;
	shrinking->has_bad_text |= event->is_bad_text;
	if (event->depth == 0) {
		shrinking->is_object = event->kind == JSON_OBJECT || event->kind == JSON_OBJECT_END;
		if (event->kind == JSON_OBJECT_END)
			json_put_bool(shrinking->out, "truncated", true);
		shrinking->is_dropping = false;
	} else if (event->depth == 1 && event->kind == JSON_KEY) {
		take_name(shrinking, event);
	}
	if (!shrinking->is_dropping)
		json_print_event(shrinking->out, event);
}

int report_shrink(struct buffer *out, const char *message, size_t length)
{
	struct shrinking shrinking = {.out = json_print_create()};
	int result = -1;
	/* A text that is bad would be written as another one; ours have none. */
	if (json_parse(message, length, on_event, &shrinking) && shrinking.is_object &&
	    shrinking.has_producer_id && shrinking.has_seq && shrinking.has_dropped &&
	    !shrinking.has_bad_text) {
		size_t shrunk_length = 0;
		const char *shrunk = json_print_bytes(shrinking.out, &shrunk_length);
		result = buffer_append(out, shrunk, shrunk_length);
	}
	yajl_gen_free(shrinking.out);
	return result;
}
