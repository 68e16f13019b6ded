#include "codec/report_peek.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json_parse.h"
#include "base/memory.h"
#include "base/text.h"
#include "codec/report_fields.h"
#include "codec/report_value.h"

enum { PEEK_PREV = REPORT_FIELD_COUNT, PEEK_NONE, REPLACEMENT_FACTOR = 3, VALUE_SIZE = 128 };

/* The members of prev, as far as they were met. */
struct prev_parts {
	bool is_producer_next;
	bool is_seq_next;
	bool has_producer;
	bool has_seq;
	struct identity identity;
};

struct peeking {
	struct report_peek *peek;
	size_t field;  /* whose value comes next */
	uint64_t seen; /* a bit for each field and one for prev */
	struct prev_parts prev;
};

static void take_site(struct report_peek *peek, const struct json_event *event)
{
	static const char replacement[] = "\xEF\xBF\xBD";
	if (memmem(event->bytes, event->length, replacement, 3) != NULL)
		return; /* it may stand for what could not be read */
	peek->storage = xmalloc(event->length + 1);
	memcpy(peek->storage, event->bytes, event->length);
	peek->storage[event->length] = '\0';
	peek->site = (struct row_text){.bytes = peek->storage, .length = event->length};
	peek->has_site = true;
}

static void forget(struct report_peek *peek, size_t field)
{
#define FORGET_FIELD(name, type)                                                                   \
	if (field == REPORT_FIELD_##name)                                                          \
		peek->has_##name = false;
	REPORT_IDENTITY_FIELDS(FORGET_FIELD)
#undef FORGET_FIELD
	if (field == PEEK_PREV)
		peek->has_prev = false;
}

static bool is_identity(size_t field)
{
#define IS_FIELD(name, type)                                                                       \
	if (field == REPORT_FIELD_##name)                                                          \
		return true;
	REPORT_IDENTITY_FIELDS(IS_FIELD)
#undef IS_FIELD
	return false;
}

static void take_name(struct peeking *peeking, const struct json_event *key)
{
	size_t field = report_field_find(key->bytes, key->length, 0);
	if (field == REPORT_FIELD_COUNT)
		field = key->length == 4 && memcmp(key->bytes, "prev", 4) == 0 ? PEEK_PREV
									       : PEEK_NONE;
	else if (!is_identity(field))
		field = PEEK_NONE;
	peeking->field = field;
	if (field == PEEK_NONE)
		return;
	if ((peeking->seen & (UINT64_C(1) << field)) != 0) {
		forget(peeking->peek, field); /* which of the two? */
		peeking->field = PEEK_NONE;
	}
	peeking->seen |= UINT64_C(1) << field;
}

static void take_value(struct peeking *peeking, const struct json_event *event)
{
	struct report_peek *peek = peeking->peek;
	const size_t field = peeking->field;
	if (field == PEEK_NONE)
		return;
	if (field == PEEK_PREV) {
		peeking->prev = (struct prev_parts){.is_seq_next = false};
		return;
	}
	struct field_rule rule = report_field_rule(field);
	union report_value value;
	if (event->kind == JSON_OBJECT || event->kind == JSON_ARRAY ||
	    report_value_read(event, report_fields[field].type, rule.min, rule.max, &value) !=
		    DECODE_NONE)
		return;
	switch (field) {
	case REPORT_FIELD_producer_id:
		peek->producer_id.value = value.uuid;
		peek->has_producer_id = true;
		break;
	case REPORT_FIELD_seq:
		peek->seq = (struct row_int){true, value.number};
		peek->has_seq = true;
		break;
	case REPORT_FIELD_scheduled_at:
		peek->scheduled_at = (struct row_time){true, value.time};
		peek->has_scheduled_at = true;
		break;
	case REPORT_FIELD_started_at:
		peek->started_at = (struct row_time){true, value.time};
		peek->has_started_at = true;
		break;
	default:
		assert(field == REPORT_FIELD_site);
		take_site(peek, event);
		break;
	}
}

/* Within prev. */
static void take_prev(struct prev_parts *prev, const struct json_event *event)
{
	union report_value value;
	if (event->kind == JSON_KEY) {
		prev->is_producer_next =
			event->length == 11 && memcmp(event->bytes, "producer_id", 11) == 0;
		prev->is_seq_next = event->length == 3 && memcmp(event->bytes, "seq", 3) == 0;
		return;
	}
	if (prev->is_producer_next &&
	    report_value_read(event, FIELD_UUID, 0, 0, &value) == DECODE_NONE) {
		prev->identity.producer_id = value.uuid;
		prev->has_producer = true;
	} else if (prev->is_seq_next &&
		   report_value_read(event, FIELD_INT, 0, INT64_MAX, &value) == DECODE_NONE) {
		prev->identity.seq = value.number;
		prev->has_seq = true;
	}
}

static void on_event(void *context, const struct json_event *event)
{
	struct peeking *peeking = context;
	bool is_end = event->kind == JSON_OBJECT_END || event->kind == JSON_ARRAY_END;
	if (event->depth == 1 && event->kind == JSON_KEY) {
		take_name(peeking, event);
	} else if (event->depth == 1 && !is_end) {
		take_value(peeking, event);
	} else if (event->depth == 2 && peeking->field == PEEK_PREV && !is_end) {
		take_prev(&peeking->prev, event);
	} else if (event->depth == 1 && peeking->field == PEEK_PREV && peeking->prev.has_producer &&
		   peeking->prev.has_seq) {
		peeking->peek->prev = peeking->prev.identity;
		peeking->peek->has_prev = true;
	}
}

/* What text_clean() replaces, though JSON lets it stand in a text as it is, and so does report_decode(): DEL, C1 and bidirectional controls. */
static size_t late_control_length(const unsigned char *at, size_t length)
{
	if (at[0] == 0x7F)
		return 1;
	if (length > 2 && at[0] == 0xE2 &&
	    ((at[1] == 0x80 && at[2] >= 0xAA && at[2] <= 0xAE) ||
	     (at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9)))
		return 3;
	return length > 1 && at[0] == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0 ? 2 : 0;
}

/* The parser takes no text that is not UTF-8 throughout: what is broken is replaced, and the rest can be read. The caller's. */
static char *make_readable(const char *bytes, size_t length)
{
	struct buffer out;
	buffer_init(&out, length * REPLACEMENT_FACTOR);
	for (size_t at = 0; at < length;) {
		size_t start = at;
		size_t control = 0;
		while (at < length && control == 0) {
			control =
				late_control_length((const unsigned char *)bytes + at, length - at);
			at += control == 0 ? 1 : 0;
		}
		(void)text_clean(&out, bytes + start, at - start, out.max_length);
		(void)buffer_append(&out, bytes + at, control);
		at += control;
	}
	return buffer_take(&out);
}

void report_peek(const char *bytes, size_t length, struct report_peek *ret_peek)
{
	*ret_peek = (struct report_peek){.storage = NULL};
	if (bytes == NULL || length == 0)
		return;
	struct peeking peeking = {.peek = ret_peek, .field = PEEK_NONE};
	char *clean = make_readable(bytes, length);
	(void)json_parse(clean, strlen(clean), on_event, &peeking);
	free(clean);
}

void report_peek_finish(struct report_peek *peek)
{
	free(peek->storage);
	*peek = (struct report_peek){.storage = NULL};
}

void report_peek_missing(const struct report_peek *peek, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
#define ADD_MISSING(name, type)                                                                    \
	if (!peek->has_##name && used < size)                                                      \
		used += (size_t)snprintf(text + used, size - used, "%s" #name,                     \
					 used == 0 ? "" : ", ");
	REPORT_IDENTITY_FIELDS(ADD_MISSING)
#undef ADD_MISSING
}

static void print_UUID(const struct row_uuid *field, char *text)
{
	uuid_format(&field->value, text);
}

static void print_INT(const struct row_int *field, char *text)
{
	(void)snprintf(text, VALUE_SIZE, "%lld", (long long)field->value);
}

static void print_TIME(const struct row_time *field, char *text)
{
	clock_format(field->value, text);
}

static void print_TEXT(const struct row_text *field, char *text)
{
	(void)snprintf(text, VALUE_SIZE, "%.*s", (int)field->length, field->bytes);
}

bool report_peek_matches(const struct report_peek *original, const struct report_row *row,
			 char *text, size_t size)
{
	char before[VALUE_SIZE];
	char now[VALUE_SIZE];
	/* Equal values are written equally; but for names that are the same up to where they are cut. */
#define COMPARE_FIELD(name, type)                                                                  \
	if (original->has_##name) {                                                                \
		print_##type(&original->name, before);                                             \
		print_##type(&row->name, now);                                                     \
		if (strcmp(before, now) != 0) {                                                    \
			(void)snprintf(text, size, #name ": found %s, expected the original's %s", \
				       now, before);                                               \
			return false;                                                              \
		}                                                                                  \
	}
	REPORT_IDENTITY_FIELDS(COMPARE_FIELD)
#undef COMPARE_FIELD
	if (original->has_site &&
	    (original->site.length != row->site.length ||
	     memcmp(original->site.bytes, row->site.bytes, row->site.length) != 0)) {
		(void)snprintf(text, size, "site: found another one than the original's");
		return false;
	}
	if (original->has_prev && row->seq.value == 0 &&
	    (!row->has_prev || original->prev.seq != row->prev.seq ||
	     memcmp(original->prev.producer_id.bytes, row->prev.producer_id.bytes,
		    sizeof(row->prev.producer_id.bytes)) != 0)) {
		(void)snprintf(text, size, "prev: found another one than the original's");
		return false;
	}
	return true;
}
