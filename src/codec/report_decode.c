/*
 * One pass over the message: each member is looked up, its value checked and put into the row; texts go into one
 * allocation. A problem does not end the pass, because a later member may change what it means: with a v that we do not
 * know, no other rule is ours to apply. In the end the first of these counts:
 *
 *   not_json, unknown_version, foreign_format, the first problem of a field, missing_field
 *
 * The parser's events have a depth: the message itself is at 0, its members at 1; what is deeper belongs to a part
 * (report_part.c) or to a value that nobody wants.
 */
#include "codec/report_decode.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_parse.h"
#include "base/memory.h"
#include "codec/foreign_format.h"
#include "codec/report_fields.h"
#include "codec/report_part.h"
#include "codec/report_plain.h"
#include "codec/report_round.h"
#include "codec/report_value.h"

enum {
	MESSAGE_MAX = 1024 * 1024, /* bytes; ours have at most REPORT_MESSAGE_MAX */
	/* Beside the fields of the table: */
	FIELD_PREV = REPORT_FIELD_COUNT,
	FIELD_UNWANTED, /* unknown, or known and bad already */
};

static_assert(FIELD_PREV < 64, "a set of fields is a 64-bit number");

/* Its values are taken one by one, see take_prev(). */
static const struct member prev_members[] = {
	{"producer_id", FIELD_UUID, true, 0, 0},
	{"seq", FIELD_INT, true, 0, INT64_MAX},
};

struct decoding {
	struct report_row *row;
	char *storage;  /* where the next text goes; the whole has room for the message and a NUL */
	bool is_object; /* the message is one */
	size_t field;   /* whose value comes next, or is being read */
	size_t expected;         /* where the field of the next name is looked for first */
	uint64_t seen;           /* a bit for each field */
	struct report_part part; /* of the field that is being read, where it is a list or object */
	enum decode_problem problem; /* the first one of a field */
	const char *problem_field;   /* which one */
	struct foreign_signs foreign;
};

const char *decode_problem_name(enum decode_problem problem)
{
	static const char *const names[] = {
#define PROBLEM_NAME(suffix, word, text) [DECODE_##suffix] = (word),
		DECODE_PROBLEM_TABLE(PROBLEM_NAME)
#undef PROBLEM_NAME
	};
	assert((unsigned)problem < DECODE_PROBLEM_COUNT);
	return names[problem];
}

static const char *field_name(size_t field)
{
	return field == FIELD_PREV ? "prev" : report_fields[field].name;
}

/* The field's value is not wanted any more. */
static void note_problem(struct decoding *decoding, enum decode_problem problem)
{
	if (decoding->problem == DECODE_NONE) {
		decoding->problem = problem;
		decoding->problem_field = field_name(decoding->field);
	}
	decoding->field = FIELD_UNWANTED;
}

static void take_name(struct decoding *decoding, const struct json_event *key)
{
	size_t field = FIELD_UNWANTED;
	if (!key->is_bad_text)
		field = report_field_find(key->bytes, key->length, decoding->expected);
	if (field == REPORT_FIELD_COUNT)
		field = key->length == 4 && memcmp(key->bytes, "prev", 4) == 0 ? FIELD_PREV
									       : FIELD_UNWANTED;
	decoding->field = field;
	if (field == FIELD_UNWANTED) {
		foreign_format_note(&decoding->foreign, key->bytes, key->length);
		return;
	}
	if (field < REPORT_FIELD_COUNT)
		decoding->expected = field + 1;
	if ((decoding->seen & (UINT64_C(1) << field)) != 0)
		note_problem(decoding, DECODE_DUPLICATE_FIELD);
	else
		decoding->seen |= UINT64_C(1) << field;
}

/* Into the row's own storage: every text is shorter there than in the message, with its quotes or brackets. */
static void keep_text(struct decoding *decoding, const char *bytes, size_t length,
		      struct row_text *ret_text)
{
	*ret_text = (struct row_text){.bytes = decoding->storage, .length = length};
	memcpy(decoding->storage, bytes, length);
	decoding->storage[length] = '\0';
	decoding->storage += length + 1;
}

static void keep_value(struct decoding *decoding, const struct json_event *event,
		       const union report_value *value)
{
	const struct field *field = &report_fields[decoding->field];
	void *slot = (char *)decoding->row + field->offset;
	switch (field->type) {
	case FIELD_UUID:
		((struct row_uuid *)slot)->value = value->uuid;
		return;
	case FIELD_INT:
		*(struct row_int *)slot = (struct row_int){true, value->number};
		return;
	case FIELD_BOOL:
		*(struct row_bool *)slot = (struct row_bool){true, value->fact};
		return;
	case FIELD_TEXT:
		keep_text(decoding, event->bytes, event->length, slot);
		return;
	case FIELD_TIME:
		*(struct row_time *)slot = (struct row_time){true, value->time};
		return;
	case FIELD_OUTCOME:
		((struct row_outcome *)slot)->value = value->outcome;
		return;
	case FIELD_LIST:
	case FIELD_OBJECT:
		break;
	}
	assert(false);
}

static enum field_type field_type(size_t field)
{
	return field == FIELD_PREV ? FIELD_OBJECT : report_fields[field].type;
}

static struct field_rule field_rule(size_t field)
{
	if (field == FIELD_PREV)
		return (struct field_rule){
			.members = prev_members,
			.member_count = sizeof(prev_members) / sizeof(prev_members[0]),
		};
	return report_field_rule(field);
}

/* The value of a member of the message; of a list or object: its beginning. */
static void take_value(struct decoding *decoding, const struct json_event *event)
{
	const enum field_type type = field_type(decoding->field);
	const struct field_rule rule = field_rule(decoding->field);
	union report_value value;
	if (type == FIELD_LIST || type == FIELD_OBJECT) {
		if (event->kind != (type == FIELD_LIST ? JSON_ARRAY : JSON_OBJECT)) {
			note_problem(decoding, DECODE_WRONG_TYPE);
			return;
		}
		report_part_begin(&decoding->part, type, rule);
		report_part_take(&decoding->part, event);
		return;
	}
	enum decode_problem problem = report_value_read(event, type, rule.min, rule.max, &value);
	if (problem == DECODE_NONE)
		keep_value(decoding, event, &value);
	else
		note_problem(decoding, problem);
}

/* A member of prev, which is no column but two values. */
static void take_prev(struct decoding *decoding, const struct json_event *event)
{
	const struct report_part *part = &decoding->part;
	if (event->kind == JSON_KEY || part->member == NULL || part->problem != DECODE_NONE)
		return;
	if (part->member->type == FIELD_UUID)
		decoding->row->prev.producer_id = part->value.uuid;
	else
		decoding->row->prev.seq = part->value.number;
}

static void end_part(struct decoding *decoding)
{
	struct report_part *part = &decoding->part;
	if (part->problem != DECODE_NONE) {
		note_problem(decoding, part->problem);
	} else if (decoding->field == FIELD_PREV) {
		decoding->row->has_prev = true;
	} else {
		size_t length = 0;
		const char *json = report_part_json(part, &length);
		keep_text(decoding, json, length,
			  (void *)((char *)decoding->row + report_fields[decoding->field].offset));
	}
	report_part_finish(part);
}

static void on_event(void *context, const struct json_event *event)
{
	struct decoding *decoding = context;
	bool is_end = event->kind == JSON_OBJECT_END || event->kind == JSON_ARRAY_END;
	if (event->depth == 0) {
		decoding->is_object = event->kind == JSON_OBJECT || event->kind == JSON_OBJECT_END;
	} else if (event->depth == 1 && event->kind == JSON_KEY) {
		take_name(decoding, event);
	} else if (decoding->field == FIELD_UNWANTED) {
		return;
	} else if (event->depth == 1 && !is_end) {
		take_value(decoding, event);
	} else {
		report_part_take(&decoding->part, event);
		if (event->depth == 1)
			end_part(decoding);
		else if (decoding->field == FIELD_PREV && event->depth == 2)
			take_prev(decoding, event);
	}
}

static bool has_seen(const struct decoding *decoding, enum report_field field)
{
	return (decoding->seen & (UINT64_C(1) << field)) != 0;
}

/* No identity and no verdict, but the fields of a message of an older service. */
static bool is_foreign(const struct decoding *decoding)
{
	if (has_seen(decoding, REPORT_FIELD_v) || has_seen(decoding, REPORT_FIELD_producer_id) ||
	    has_seen(decoding, REPORT_FIELD_seq) || has_seen(decoding, REPORT_FIELD_outcome))
		return false;
	struct foreign_signs signs = decoding->foreign;
	for (size_t i = 0; i < REPORT_FIELD_COUNT; i++)
		if (has_seen(decoding, (enum report_field)i))
			foreign_format_note(&signs, report_fields[i].name,
					    report_fields[i].name_length);
	return foreign_format_is_likely(&signs);
}

static const char *missing_field(const struct decoding *decoding)
{
	for (size_t i = 0; i < REPORT_FIELD_COUNT; i++)
		if (report_fields[i].is_required && !has_seen(decoding, (enum report_field)i))
			return report_fields[i].name;
	return NULL;
}

/* What counts, of all that was found. */
static enum decode_problem judge(const struct decoding *decoding, bool is_json,
				 const char **ret_field)
{
	const struct row_int *v = &decoding->row->v;
	const char *missing = missing_field(decoding);
	*ret_field = "";
	if (!is_json || !decoding->is_object)
		return DECODE_NOT_JSON;
	if (v->is_present && v->value != REPORT_VERSION) {
		*ret_field = "v";
		return DECODE_UNKNOWN_VERSION;
	}
	if (is_foreign(decoding))
		return DECODE_FOREIGN_FORMAT;
	if (decoding->problem != DECODE_NONE) {
		*ret_field = decoding->problem_field;
		return decoding->problem;
	}
	if (missing != NULL) {
		*ret_field = missing;
		return DECODE_MISSING_FIELD;
	}
	return DECODE_NONE;
}

static enum decode_problem decode(const char *bytes, size_t length, struct report_row *ret_row,
				  const char **ret_detail)
{
	if (bytes == NULL || length == 0)
		return DECODE_EMPTY;
	if (length > MESSAGE_MAX)
		return DECODE_TOO_LARGE;
	struct report_row *row = ret_row;
	*row = (struct report_row){.storage = xmalloc(length + 1)};
	if (report_plain_read(bytes, length, row))
		return DECODE_NONE;
	*row = (struct report_row){.storage = row->storage};
	struct decoding decoding = {.row = row, .storage = row->storage, .field = FIELD_UNWANTED};
	bool is_json = json_parse(bytes, length, on_event, &decoding);
	report_part_finish(&decoding.part); /* of a message that broke off within it */
	enum decode_problem problem = judge(&decoding, is_json, ret_detail);
	if (problem != DECODE_NONE) {
		report_row_finish(row);
		return problem;
	}
	row->has_prev = row->has_prev && row->seq.value == 0;
	if (row->round.bytes != NULL)
		report_round_read(row);
	return DECODE_NONE;
}

enum decode_problem report_decode(const char *bytes, size_t length, struct report_row *ret_row,
				  char *ret_detail, size_t detail_size)
{
	const char *detail = "";
	*ret_row = (struct report_row){0};
	enum decode_problem problem = decode(bytes, length, ret_row, &detail);
	if (detail_size > 0 && problem == DECODE_NONE)
		ret_detail[0] = '\0';
	else if (detail_size > 0)
		(void)snprintf(ret_detail, detail_size, "%s", detail);
	return problem;
}
