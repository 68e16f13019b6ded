/*
 * Depths of a list of objects (members' depth 3) and of an object (2), which is judged like a list's only element:
 *
 *   1  [ … ]                     1  { … }
 *   2    { … }, { … }            2    "name": value
 *   3      "name": value         3      what is within a value that nobody knows
 *   4        what is within …
 */
#include "codec/report_part.h"

#include <assert.h>
#include <string.h>

#include "base/json_parse.h"
#include "codec/json_print.h"

static void note_problem(struct report_part *part, enum decode_problem problem)
{
	if (part->problem == DECODE_NONE)
		part->problem = problem;
}

void report_part_begin(struct report_part *part, enum field_type type, struct field_rule rule)
{
	assert(type == FIELD_LIST || type == FIELD_OBJECT);
	*part = (struct report_part){
		.rule = rule,
		.is_list = type == FIELD_LIST,
		.depth = type == FIELD_LIST ? 3 : 2,
	};
}

/* The beginning or end of an element, or something else where only objects may be. */
static void take_element(struct report_part *part, const struct json_event *event)
{
	switch (event->kind) {
	case JSON_OBJECT:
		part->seen = 0;
		part->member = NULL;
		if (part->is_list && ++part->count > LIST_ELEMENTS_MAX)
			note_problem(part, DECODE_WRONG_TYPE);
		return;
	case JSON_OBJECT_END:
		for (size_t i = 0; i < part->rule.member_count; i++)
			if (part->rule.members[i].is_required && (part->seen & (1U << i)) == 0)
				note_problem(part, DECODE_WRONG_TYPE);
		return;
	case JSON_NULL:
	case JSON_BOOL:
	case JSON_NUMBER:
	case JSON_TEXT:
	case JSON_KEY:
	case JSON_ARRAY:
	case JSON_ARRAY_END:
		note_problem(part, DECODE_WRONG_TYPE);
		return;
	}
}

static void take_name(struct report_part *part, const struct json_event *key)
{
	const struct field_rule *rule = &part->rule;
	part->member = NULL;
	note_problem(part, report_value_check_unknown(key));
	if (rule->members == NULL) {
		if (++part->count > OBJECT_MEMBERS_MAX || key->length > LABEL_TEXT_MAX)
			note_problem(part, DECODE_WRONG_TYPE);
		return;
	}
	for (size_t i = 0; i < rule->member_count; i++) {
		if (strlen(rule->members[i].name) != key->length ||
		    memcmp(rule->members[i].name, key->bytes, key->length) != 0)
			continue;
		if ((part->seen & (1U << i)) != 0)
			note_problem(part, DECODE_DUPLICATE_FIELD);
		part->seen |= 1U << i;
		part->member = &rule->members[i];
		return;
	}
}

static void take_value(struct report_part *part, const struct json_event *event)
{
	const struct member *member = part->member;
	enum decode_problem problem;
	if (event->kind == JSON_OBJECT_END || event->kind == JSON_ARRAY_END)
		return; /* judged at its beginning */
	if (member != NULL)
		problem = report_value_read(event, member->type, member->min, member->max,
					    &part->value);
	else if (part->rule.members == NULL)
		problem = report_value_read(event, FIELD_TEXT, 0, LABEL_TEXT_MAX, &part->value);
	else
		problem = report_value_check_unknown(event);
	note_problem(part, problem);
}

void report_part_take(struct report_part *part, const struct json_event *event)
{
	if (event->depth == 1 && part->begin == NULL)
		part->begin = event->place;
	else if (event->depth == 1)
		part->end = event->place;
	if (event->depth == part->depth - 1)
		take_element(part, event);
	else if (event->depth == part->depth && event->kind == JSON_KEY)
		take_name(part, event);
	else if (event->depth == part->depth)
		take_value(part, event);
	else if (event->depth > part->depth)
		note_problem(part, report_value_check_unknown(event));
}

/* Whether it stands in the message as it would be printed: no space between the tokens, no escapes. */
static bool is_compact(const char *at, const char *end)
{
	bool is_in_text = false;
	for (; at < end; at++) {
		if (*at == '\\' ||
		    (!is_in_text && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')))
			return false;
		if (*at == '"')
			is_in_text = !is_in_text;
	}
	return true;
}

static void print(void *context, const struct json_event *event)
{
	json_print_event(context, event);
}

const char *report_part_json(struct report_part *part, size_t *ret_length)
{
	assert(part->problem == DECODE_NONE && part->begin < part->end);
	*ret_length = (size_t)(part->end - part->begin);
	if (is_compact(part->begin, part->end))
		return part->begin;
	part->json = json_print_create();
	bool is_read = json_parse(part->begin, *ret_length, print, part->json);
	assert(is_read);
	(void)is_read;
	return json_print_bytes(part->json, ret_length);
}

void report_part_finish(struct report_part *part)
{
	if (part->json != NULL)
		yajl_gen_free(part->json);
	part->json = NULL;
}
