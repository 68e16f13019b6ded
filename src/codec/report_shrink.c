#include <stdbool.h>

#include "base/buffer.h"
#include "codec/json_reader.h"
#include "codec/report_encode.h"
#include "codec/report_fields.h"

static bool is_droppable(size_t field)
{
	for (size_t i = 0; i < report_droppable_count; i++)
		if (report_droppable[i] == field)
			return true;
	return false;
}

struct shrinking {
	bool has_producer_id;
	bool has_seq;
	bool has_dropped;
};

/* Copy one member as it stands, or leave it out. */
static void copy_member(struct shrinking *shrinking, struct json_reader *reader,
			const struct json_slice *key, struct buffer *out)
{
	size_t field = key->has_escapes ? REPORT_FIELD_COUNT
					: report_field_find(key->bytes, key->length, 0);
	const char *start = reader->at;
	if (!json_skip(reader))
		return;
	shrinking->has_producer_id |= field == REPORT_FIELD_producer_id;
	shrinking->has_seq |= field == REPORT_FIELD_seq;
	if (is_droppable(field)) {
		shrinking->has_dropped = true;
		return;
	}
	if (field == REPORT_FIELD_truncated)
		return; /* said again at the end */
	(void)buffer_append_char(out, '"');
	(void)buffer_append(out, key->bytes, key->length);
	(void)buffer_append(out, "\":", 2);
	(void)buffer_append(out, start, (size_t)(reader->at - start));
	(void)buffer_append_char(out, ',');
}

int report_shrink(struct buffer *out, const char *message, size_t length)
{
	struct shrinking shrinking = {0};
	struct json_reader reader;
	struct json_slice key;
	enum json_kind kind;
	bool is_first = true;
	const size_t start = out->length;
	json_open(&reader, message, length);
	if (!json_peek(&reader, &kind) || kind != JSON_OBJECT)
		return -1;
	(void)json_enter(&reader);
	(void)buffer_append_char(out, '{');
	while (json_next_member(&reader, &is_first, &key))
		copy_member(&shrinking, &reader, &key, out);
	(void)buffer_append_text(out, "\"truncated\":true}");
	if (json_is_done(&reader) && !out->is_overflowed && shrinking.has_producer_id &&
	    shrinking.has_seq && shrinking.has_dropped)
		return 0;
	if (out->length > start) { /* nothing of a failed call stays */
		out->length = start;
		out->data[start] = '\0';
	}
	return -1;
}
