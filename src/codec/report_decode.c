/*
 * One pass over the message: each member is looked up, its value checked and put into the row; texts go into one
 * allocation. A problem does not end the pass, because a later member may change what it means: with a v that we do not
 * know, no other rule is ours to apply. In the end the first of these counts:
 *
 *   not_json, unknown_version, foreign_format, the first problem of a field, missing_field
 */
#include "codec/report_decode.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "codec/foreign_format.h"
#include "codec/json_reader.h"
#include "codec/report_fields.h"

enum { MESSAGE_MAX = 1024 * 1024 /* bytes; ours have at most REPORT_MESSAGE_MAX */ };

static_assert(REPORT_FIELD_COUNT <= 64, "a set of fields is a 64-bit number");

/* 0001-01-01T00:00:00Z: PostgreSQL knows no year 0. The year 9999 is clock_parse()'s own end. */
static const wall_us earliest_time = INT64_C(-62135596800) * CLOCK_US_PER_S;

struct decoding {
	struct json_reader reader;
	struct report_row *row;
	char *storage; /* where the next text goes; the whole has room for the message and a NUL */
	uint64_t seen; /* a bit for each field */
	bool has_prev_member;
	enum decode_problem problem; /* the first one of a field */
	const char *field;           /* which one */
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

static void note_problem(struct decoding *decoding, enum decode_problem problem, const char *field)
{
	if (decoding->problem != DECODE_NONE)
		return;
	decoding->problem = problem;
	decoding->field = field;
}

/* Whether the next value is of the wanted kind; otherwise it is skipped. */
static bool is_kind(struct json_reader *reader, enum json_kind wanted)
{
	enum json_kind kind;
	if (!json_peek(reader, &kind))
		return false;
	if (kind == wanted)
		return true;
	(void)json_skip(reader);
	return false;
}

static enum decode_problem read_int(struct json_reader *reader, int64_t min, int64_t max,
				    int64_t *ret_value)
{
	struct json_slice number;
	if (!is_kind(reader, JSON_NUMBER) || !json_read_number(reader, &number) ||
	    !json_to_int64(&number, ret_value) || *ret_value < min || *ret_value > max)
		return DECODE_WRONG_TYPE;
	return DECODE_NONE;
}

static enum decode_problem read_bool(struct json_reader *reader, bool *ret_value)
{
	enum json_kind kind;
	if (!json_peek(reader, &kind))
		return DECODE_WRONG_TYPE;
	(void)json_skip(reader);
	*ret_value = kind == JSON_TRUE;
	return kind == JSON_TRUE || kind == JSON_FALSE ? DECODE_NONE : DECODE_WRONG_TYPE;
}

/* Read a text into out, which has room for it and a NUL. */
static enum decode_problem read_text(struct json_reader *reader, int64_t min, int64_t max,
				     char *out, size_t *ret_length)
{
	struct json_slice text;
	if (!is_kind(reader, JSON_TEXT) || !json_read_text(reader, &text))
		return DECODE_WRONG_TYPE;
	if (reader->is_bad_text)
		return DECODE_BAD_TEXT;
	size_t length = json_decode_text(&text, out);
	out[length] = '\0';
	if ((int64_t)length < min || (int64_t)length > max)
		return DECODE_WRONG_TYPE;
	*ret_length = length;
	return DECODE_NONE;
}

/* Texts of a few bytes that are read for what they mean; a longer one can't be right. */
enum { SHORT_TEXT_MAX = 64 };

static enum decode_problem read_short_text(struct json_reader *reader,
					   char text[static SHORT_TEXT_MAX], size_t *ret_length)
{
	struct json_slice slice;
	if (!is_kind(reader, JSON_TEXT) || !json_read_text(reader, &slice))
		return DECODE_WRONG_TYPE;
	if (reader->is_bad_text)
		return DECODE_BAD_TEXT;
	if (slice.length >= SHORT_TEXT_MAX)
		return DECODE_WRONG_TYPE;
	*ret_length = json_decode_text(&slice, text);
	return DECODE_NONE;
}

static enum decode_problem read_time(struct json_reader *reader, wall_us *ret_time)
{
	char text[SHORT_TEXT_MAX];
	size_t length = 0;
	enum decode_problem problem = read_short_text(reader, text, &length);
	if (problem != DECODE_NONE)
		return problem;
	wall_us time;
	if (clock_parse(text, length, &time) != 0 || time < earliest_time)
		return DECODE_WRONG_TYPE;
	*ret_time = time;
	return DECODE_NONE;
}

static enum decode_problem read_uuid(struct json_reader *reader, struct uuid *ret_uuid)
{
	char text[SHORT_TEXT_MAX];
	size_t length = 0;
	enum decode_problem problem = read_short_text(reader, text, &length);
	if (problem != DECODE_NONE)
		return problem;
	return uuid_parse(text, length, ret_uuid) == 0 ? DECODE_NONE : DECODE_WRONG_TYPE;
}

static enum decode_problem read_outcome(struct json_reader *reader, enum outcome *ret_outcome)
{
	char text[SHORT_TEXT_MAX];
	size_t length = 0;
	enum decode_problem problem = read_short_text(reader, text, &length);
	if (problem != DECODE_NONE)
		return problem;
	return outcome_parse(text, length, ret_outcome) == 0 ? DECODE_NONE : DECODE_WRONG_TYPE;
}

/* A text within a list or object: checked here, kept as JSON. */
static enum decode_problem check_text(struct json_reader *reader, int64_t min, int64_t max)
{
	struct json_slice text;
	if (!is_kind(reader, JSON_TEXT) || !json_read_text(reader, &text))
		return DECODE_WRONG_TYPE;
	if (reader->is_bad_text)
		return DECODE_BAD_TEXT;
	/* As it stands: escapes make it longer, so a text at its bound may be spelled with up to six bytes each. */
	int64_t length = (int64_t)text.length;
	return length < min || length > (text.has_escapes ? ESCAPED_MAX * max : max)
		       ? DECODE_WRONG_TYPE
		       : DECODE_NONE;
}

static enum decode_problem check_member(struct json_reader *reader, const struct member *member)
{
	int64_t number;
	wall_us time;
	enum outcome outcome;
	switch (member->type) {
	case FIELD_INT:
		return read_int(reader, member->min, member->max, &number);
	case FIELD_TEXT:
		return check_text(reader, member->min, member->max);
	case FIELD_TIME:
		return read_time(reader, &time);
	case FIELD_OUTCOME:
		return read_outcome(reader, &outcome);
	case FIELD_UUID:
	case FIELD_BOOL:
	case FIELD_LIST:
	case FIELD_OBJECT:
		break;
	}
	assert(false);
	return DECODE_WRONG_TYPE;
}

/* Decode a key where it has escapes; a key too long for the room is none of ours. */
static size_t key_text(const struct json_slice *key, char *room, size_t size, const char **ret_name)
{
	*ret_name = key->bytes;
	if (!key->has_escapes)
		return key->length;
	*ret_name = room;
	return key->length <= size ? json_decode_text(key, room) : 0;
}

/* An object with a table of members (NULL: any names, with texts). Members that the table does not know are fine. */
static enum decode_problem check_object(struct json_reader *reader, const struct field_rule *rule)
{
	enum decode_problem problem = DECODE_NONE;
	struct json_slice key;
	bool is_first = true;
	size_t count = 0;
	uint32_t seen = 0;
	if (!is_kind(reader, JSON_OBJECT))
		return DECODE_WRONG_TYPE;
	(void)json_enter(reader);
	while (json_next_member(reader, &is_first, &key)) {
		enum decode_problem found = reader->is_bad_text ? DECODE_BAD_TEXT : DECODE_NONE;
		reader->is_bad_text = false;
		char room[ESCAPED_MAX * FIELD_NAME_MAX];
		const char *name;
		size_t length = key_text(&key, room, sizeof(room), &name);
		size_t known = 0;
		while (known < rule->member_count &&
		       (strlen(rule->members[known].name) != length ||
			memcmp(rule->members[known].name, name, length) != 0))
			known++;
		enum decode_problem inner = DECODE_NONE;
		if (rule->members == NULL) {
			inner = check_text(reader, 0, LABEL_TEXT_MAX);
			if (++count > OBJECT_MEMBERS_MAX ||
			    key.length > (size_t)ESCAPED_MAX * LABEL_TEXT_MAX)
				inner = DECODE_WRONG_TYPE;
		} else if (known < rule->member_count) {
			inner = check_member(reader, &rule->members[known]);
			if ((seen & (1U << known)) != 0)
				inner = DECODE_DUPLICATE_FIELD;
			seen |= 1U << known;
		} else if (json_skip(reader)) {
			inner = reader->is_bad_text     ? DECODE_BAD_TEXT
				: reader->is_bad_number ? DECODE_WRONG_TYPE
							: DECODE_NONE;
		}
		reader->is_bad_text = false;
		reader->is_bad_number = false;
		found = found != DECODE_NONE ? found : inner;
		problem = problem != DECODE_NONE ? problem : found;
	}
	for (size_t i = 0; i < rule->member_count; i++)
		if (rule->members[i].is_required && (seen & (1U << i)) == 0 &&
		    problem == DECODE_NONE)
			problem = DECODE_WRONG_TYPE;
	return problem;
}

static enum decode_problem check_list(struct json_reader *reader, const struct field_rule *rule)
{
	enum decode_problem problem = DECODE_NONE;
	bool is_first = true;
	size_t count = 0;
	if (!is_kind(reader, JSON_ARRAY))
		return DECODE_WRONG_TYPE;
	(void)json_enter(reader);
	while (json_next_element(reader, &is_first)) {
		enum decode_problem found = check_object(reader, rule);
		if (++count > LIST_ELEMENTS_MAX)
			found = DECODE_WRONG_TYPE;
		problem = problem != DECODE_NONE ? problem : found;
	}
	return problem;
}

/* Check a list or object, and keep it as compact JSON. */
static enum decode_problem read_json(struct decoding *decoding, enum field_type type,
				     const struct field_rule *rule, struct row_text *ret_text)
{
	struct json_reader *reader = &decoding->reader;
	enum json_kind kind;
	if (!json_peek(reader, &kind))
		return DECODE_WRONG_TYPE;
	const char *start = reader->at;
	enum decode_problem problem =
		type == FIELD_LIST ? check_list(reader, rule) : check_object(reader, rule);
	if (problem != DECODE_NONE || reader->is_broken)
		return problem;
	size_t length = json_copy_compact(start, (size_t)(reader->at - start), decoding->storage);
	decoding->storage[length] = '\0';
	*ret_text = (struct row_text){.bytes = decoding->storage, .length = length};
	decoding->storage += length + 1;
	return DECODE_NONE;
}

static enum decode_problem read_field(struct decoding *decoding, size_t index)
{
	struct json_reader *reader = &decoding->reader;
	const struct field *field = &report_fields[index];
	const struct field_rule rule = report_field_rule(index);
	void *slot = (char *)decoding->row + field->offset;
	enum decode_problem problem = DECODE_NONE;
	switch (field->type) {
	case FIELD_UUID:
		return read_uuid(reader, &((struct row_uuid *)slot)->value);
	case FIELD_INT: {
		struct row_int *number = slot;
		problem = read_int(reader, rule.min, rule.max, &number->value);
		number->is_present = problem == DECODE_NONE;
		return problem;
	}
	case FIELD_BOOL: {
		struct row_bool *fact = slot;
		problem = read_bool(reader, &fact->value);
		fact->is_present = problem == DECODE_NONE;
		return problem;
	}
	case FIELD_TEXT: {
		struct row_text *text = slot;
		size_t length = 0;
		problem = read_text(reader, rule.min, rule.max, decoding->storage, &length);
		if (problem != DECODE_NONE)
			return problem;
		*text = (struct row_text){.bytes = decoding->storage, .length = length};
		decoding->storage += length + 1;
		return DECODE_NONE;
	}
	case FIELD_TIME: {
		struct row_time *time = slot;
		problem = read_time(reader, &time->value);
		time->is_present = problem == DECODE_NONE;
		return problem;
	}
	case FIELD_OUTCOME:
		return read_outcome(reader, &((struct row_outcome *)slot)->value);
	case FIELD_LIST:
	case FIELD_OBJECT:
		return read_json(decoding, field->type, &rule, slot);
	}
	assert(false);
	return DECODE_WRONG_TYPE;
}

/* prev: {"producer_id": …, "seq": …}, both required. */
static enum decode_problem read_prev(struct decoding *decoding)
{
	struct json_reader *reader = &decoding->reader;
	struct identity prev = {0};
	struct json_slice key;
	enum decode_problem problem = DECODE_NONE;
	bool is_first = true;
	bool has_id = false;
	bool has_seq = false;
	if (!is_kind(reader, JSON_OBJECT))
		return DECODE_WRONG_TYPE;
	(void)json_enter(reader);
	while (json_next_member(reader, &is_first, &key)) {
		char room[ESCAPED_MAX * FIELD_NAME_MAX];
		const char *name;
		size_t length = key_text(&key, room, sizeof(room), &name);
		enum decode_problem found = DECODE_NONE;
		if (length == 11 && memcmp(name, "producer_id", 11) == 0) {
			found = has_id ? DECODE_DUPLICATE_FIELD : DECODE_NONE;
			has_id = true;
			enum decode_problem inner = read_uuid(reader, &prev.producer_id);
			found = found != DECODE_NONE ? found : inner;
		} else if (length == 3 && memcmp(name, "seq", 3) == 0) {
			found = has_seq ? DECODE_DUPLICATE_FIELD : DECODE_NONE;
			has_seq = true;
			enum decode_problem inner = read_int(reader, 0, INT64_MAX, &prev.seq);
			found = found != DECODE_NONE ? found : inner;
		} else {
			(void)json_skip(reader);
		}
		reader->is_bad_text = false; /* of a member that is not kept */
		problem = problem != DECODE_NONE ? problem : found;
	}
	if (problem == DECODE_NONE && (!has_id || !has_seq))
		problem = DECODE_WRONG_TYPE;
	if (problem == DECODE_NONE) {
		decoding->row->prev = prev;
		decoding->row->has_prev = true;
	}
	return problem;
}

static void read_member(struct decoding *decoding, const struct json_slice *key, size_t *expected)
{
	struct json_reader *reader = &decoding->reader;
	char room[ESCAPED_MAX * FIELD_NAME_MAX];
	const char *name;
	size_t length = key_text(key, room, sizeof(room), &name);
	size_t index = report_field_find(name, length, *expected);
	enum decode_problem problem = DECODE_NONE;
	const char *field = "prev";
	reader->is_bad_text = false; /* of the key: then it is no field of ours */
	if (index < REPORT_FIELD_COUNT) {
		*expected = index + 1;
		field = report_fields[index].name;
		bool is_again = (decoding->seen & (UINT64_C(1) << index)) != 0;
		decoding->seen |= UINT64_C(1) << index;
		if (is_again) {
			(void)json_skip(reader);
			problem = DECODE_DUPLICATE_FIELD;
		} else {
			problem = read_field(decoding, index);
		}
	} else if (length == 4 && memcmp(name, "prev", 4) == 0) {
		bool is_again = decoding->has_prev_member;
		decoding->has_prev_member = true;
		problem = read_prev(decoding);
		problem = is_again ? DECODE_DUPLICATE_FIELD : problem;
	} else {
		(void)json_skip(reader);
		foreign_format_note(&decoding->foreign, name, length);
	}
	reader->is_bad_text = false;
	reader->is_bad_number = false;
	if (problem != DECODE_NONE)
		note_problem(decoding, problem, field);
}

static void read_members(struct decoding *decoding)
{
	struct json_slice key;
	bool is_first = true;
	size_t expected = 0;
	if (!is_kind(&decoding->reader, JSON_OBJECT)) {
		decoding->reader.is_broken = true;
		return;
	}
	(void)json_enter(&decoding->reader);
	while (json_next_member(&decoding->reader, &is_first, &key))
		read_member(decoding, &key, &expected);
	if (!json_is_done(&decoding->reader))
		decoding->reader.is_broken = true;
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
static enum decode_problem judge(const struct decoding *decoding, const char **ret_field)
{
	const struct row_int *v = &decoding->row->v;
	const char *missing = missing_field(decoding);
	*ret_field = "";
	if (decoding->reader.is_broken)
		return DECODE_NOT_JSON;
	if (v->is_present && v->value != REPORT_VERSION) {
		*ret_field = "v";
		return DECODE_UNKNOWN_VERSION;
	}
	if (is_foreign(decoding))
		return DECODE_FOREIGN_FORMAT;
	if (decoding->problem != DECODE_NONE) {
		*ret_field = decoding->field;
		return decoding->problem;
	}
	if (missing != NULL) {
		*ret_field = missing;
		return DECODE_MISSING_FIELD;
	}
	return DECODE_NONE;
}

enum decode_problem report_decode(const char *bytes, size_t length, struct report_row *ret_row,
				  char *ret_detail, size_t detail_size)
{
	enum decode_problem problem;
	const char *detail = "";
	if (bytes == NULL || length == 0) {
		problem = DECODE_EMPTY;
	} else if (length > MESSAGE_MAX) {
		problem = DECODE_TOO_LARGE;
	} else {
		struct report_row row = {.storage = xmalloc(length + 1)};
		struct decoding decoding = {.row = &row, .storage = row.storage};
		json_open(&decoding.reader, bytes, length);
		read_members(&decoding);
		problem = judge(&decoding, &detail);
		if (problem == DECODE_NONE) {
			row.has_prev = row.has_prev && row.seq.value == 0;
			*ret_row = row;
		} else {
			report_row_finish(&row);
		}
	}
	if (detail_size > 0)
		(void)snprintf(ret_detail, detail_size, "%s", detail);
	return problem;
}
