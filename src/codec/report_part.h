/*
 * A list or an object within a report: its members are judged while it is parsed, and it is written again as compact JSON.
 * Pure; one thread at a time.
 */
#ifndef WEBSENTRY_CODEC_REPORT_PART_H
#define WEBSENTRY_CODEC_REPORT_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/report_value.h"

struct json_event;
struct yajl_gen_t;

/* Opened by report_part_begin(), released by report_part_finish(). */
struct report_part {
	struct field_rule rule;
	bool is_list;
	int depth;     /* of the members: events of an element's own names and values */
	size_t count;  /* elements of the list; members of an object of any names */
	uint32_t seen; /* a bit for each of the rule's members, of the element that is being read */
	const struct member
		*member; /* whose value comes next or came last; NULL: none of the rule's */
	union report_value value;    /* of that member, once it came, where it has no problem */
	enum decode_problem problem; /* the first one */
	const char *begin;           /* in the message */
	const char *end;
	struct yajl_gen_t *json; /* where it had to be printed anew */
};

/* Of type FIELD_LIST or FIELD_OBJECT. */
void report_part_begin(struct report_part *part, enum field_type type, struct field_rule rule);

/* Every event of the value, its own beginning and end among them. */
void report_part_take(struct report_part *part, const struct json_event *event);

/* Where there was no problem: the compact JSON, never longer than it was in the message; the message's or the part's. */
const char *report_part_json(struct report_part *part, size_t *ret_length);

void report_part_finish(struct report_part *part); /* also of a part of zeros, and twice */

#endif
