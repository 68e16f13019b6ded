/*
 * A third of what a row cost the consumer was going from one event of the parser to the next, and finding out again for each name
 * which field it is. Here the table of fields is unrolled: after one field, what stands there is compared with the name of
 * the next. What a value may be is told by the same rules and functions as the long way's; a test compares the two ways.
 */
#include "codec/report_plain.h"

#include <string.h>

#include "base/json_parse.h"
#include "base/text.h"
#include "codec/report_fields.h"
#include "codec/report_value.h"

enum { DIGITS_MAX = 18 }; /* of a number that surely fits into 64 bits */

struct reading {
	const char *at; /* NULL: this is not for us */
	const char *end;
	char *storage;
};

static bool pass(struct reading *reading, char c)
{
	if (reading->at == reading->end || *reading->at != c)
		return false;
	reading->at++;
	return true;
}

/* A text without escapes, as it stands; its quotes are passed. */
static bool read_quoted(struct reading *reading, struct json_event *ret_text)
{
	if (!pass(reading, '"'))
		return false;
	const char *begin = reading->at;
	reading->at = json_plain_end(begin, reading->end);
	*ret_text = (struct json_event){
		.kind = JSON_TEXT, .bytes = begin, .length = (size_t)(reading->at - begin)};
	return pass(reading, '"');
}

static bool read_value(struct reading *reading, enum field_type type, union report_value *ret_value)
{
	struct json_event text;
	return read_quoted(reading, &text) &&
	       report_value_read(&text, type, 0, INT64_MAX, ret_value) == DECODE_NONE;
}

static bool read_UUID(struct reading *reading, enum report_field field, struct row_uuid *slot)
{
	union report_value value;
	(void)field;
	if (!read_value(reading, FIELD_UUID, &value))
		return false;
	slot->value = value.uuid;
	return true;
}

static bool read_TIME(struct reading *reading, enum report_field field, struct row_time *slot)
{
	union report_value value;
	(void)field;
	if (!read_value(reading, FIELD_TIME, &value))
		return false;
	*slot = (struct row_time){true, value.time};
	return true;
}

static bool read_OUTCOME(struct reading *reading, enum report_field field, struct row_outcome *slot)
{
	union report_value value;
	(void)field;
	if (!read_value(reading, FIELD_OUTCOME, &value))
		return false;
	slot->value = value.outcome;
	return true;
}

/* No sign: below zero nothing is allowed. */
static bool read_INT(struct reading *reading, enum report_field field, struct row_int *slot)
{
	const struct field_rule *rule = &report_field_rules[field];
	const char *begin = reading->at;
	int64_t number = 0;
	while (reading->at < reading->end && *reading->at >= '0' && *reading->at <= '9' &&
	       reading->at - begin < DIGITS_MAX)
		number = number * 10 + (*reading->at++ - '0');
	if (reading->at == begin || (*begin == '0' && reading->at - begin > 1) ||
	    number < rule->min || (rule->max != 0 && number > rule->max))
		return false;
	*slot = (struct row_int){true, number};
	return true;
}

static bool pass_word(struct reading *reading, const char *word, size_t length)
{
	if ((size_t)(reading->end - reading->at) < length || memcmp(reading->at, word, length) != 0)
		return false;
	reading->at += length;
	return true;
}

static bool read_BOOL(struct reading *reading, enum report_field field, struct row_bool *slot)
{
	(void)field;
	bool value = pass_word(reading, "true", 4);
	*slot = (struct row_bool){true, value};
	return value || pass_word(reading, "false", 5);
}

/* Behind a backslash: into the storage. What is written as \u is rare. */
static bool read_escape(struct reading *reading)
{
	static const char names[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	if (reading->at == reading->end || *reading->at == '\0')
		return false;
	const char *name = strchr(names, *reading->at++);
	if (name == NULL)
		return false;
	*reading->storage++ = meanings[name - names];
	return true;
}

static void keep(struct reading *reading, const char *bytes, size_t length)
{
	memcpy(reading->storage, bytes, length);
	reading->storage += length;
}

static bool read_TEXT(struct reading *reading, enum report_field field, struct row_text *slot)
{
	const struct field_rule *rule = &report_field_rules[field];
	const char *begin = reading->storage;
	if (!pass(reading, '"'))
		return false;
	for (;;) {
		const char *plain = reading->at;
		reading->at = json_plain_end(plain, reading->end);
		keep(reading, plain, (size_t)(reading->at - plain));
		if (!pass(reading, '\\'))
			break;
		if (!read_escape(reading))
			return false;
	}
	size_t length = (size_t)(reading->storage - begin);
	if (!pass(reading, '"') || (int64_t)length < rule->min ||
	    (rule->max != 0 && (int64_t)length > rule->max))
		return false;
	*reading->storage++ = '\0';
	*slot = (struct row_text){.bytes = begin, .length = length};
	return true;
}

static bool read_empty(struct reading *reading, const char *empty, struct row_text *slot)
{
	if (!pass_word(reading, empty, 2))
		return false;
	*slot = (struct row_text){.bytes = reading->storage, .length = 2};
	keep(reading, empty, 3);
	return true;
}

static bool read_LIST(struct reading *reading, enum report_field field, struct row_text *slot)
{
	(void)field;
	return read_empty(reading, "[]", slot);
}

static bool read_OBJECT(struct reading *reading, enum report_field field, struct row_text *slot)
{
	const struct field_rule *rule = &report_field_rules[field];
	if (rule->members != NULL && rule->members[0].is_required)
		return false;
	return read_empty(reading, "{}", slot);
}

bool report_plain_read(const char *bytes, size_t length, struct report_row *row)
{
	struct reading reading = {.at = bytes, .end = bytes + length, .storage = row->storage};
	if (!pass(&reading, '{') || !text_is_utf8(bytes, length))
		return false;
		/* A comma belongs to the name behind it; v, the first, is always there. */
#define READ_FIELD(name, type, is_required)                                                        \
	if (pass_word(&reading, &",\"" #name "\":"[REPORT_FIELD_##name == 0],                      \
		      sizeof(",\"" #name "\":") - 1 - (REPORT_FIELD_##name == 0))) {               \
		if (!read_##type(&reading, REPORT_FIELD_##name, &row->name))                       \
			return false;                                                              \
	} else if (is_required) {                                                                  \
		return false;                                                                      \
	}
	REPORT_FIELDS(READ_FIELD)
#undef READ_FIELD
	return pass(&reading, '}') && reading.at == reading.end && row->v.value == REPORT_VERSION;
}
