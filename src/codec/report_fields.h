/*
 * What the decoder demands of each field beyond its type: the bounds that protect the database, and the members of lists and
 * objects. schema/report.schema.json says the same; a test compares the two. Pure; const tables.
 */
#ifndef WEBSENTRY_CODEC_REPORT_FIELDS_H
#define WEBSENTRY_CODEC_REPORT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/report_row.h"

enum field_type {
	FIELD_UUID,
	FIELD_INT,
	FIELD_BOOL,
	FIELD_TEXT,
	FIELD_TIME,
	FIELD_OUTCOME,
	FIELD_LIST,
	FIELD_OBJECT,
};

enum {
	LIST_ELEMENTS_MAX = 100,  /* redirects, failures, attempts */
	OBJECT_MEMBERS_MAX = 100, /* labels */
	LABEL_TEXT_MAX = 1024,    /* bytes of a label's name, and of its value */
	REPORT_HOST_MAX = 255,    /* bytes; the encoder cuts at these two, too */
	REPORT_LOCATION_MAX = 255,
	REPORT_PATTERN_MAX =
		4096, /* bytes of a pattern's text that the encoder puts into a report */
};

/* A member of a list's elements or of an object. */
struct member {
	const char *name;
	enum field_type type; /* INT, TEXT, TIME or OUTCOME */
	bool is_required;
	int64_t min; /* INT: value; TEXT: bytes */
	int64_t max;
};

struct field {
	const char *name;
	size_t name_length;
	enum field_type type;
	bool is_required;
	size_t offset; /* in struct report_row */
};

/* What is demanded beyond the type. */
struct field_rule {
	int64_t min; /* INT: value; TEXT: bytes */
	int64_t max;
	const struct member *
		members; /* LIST: of each element; OBJECT: of itself, NULL: any names, with texts (labels) */
	size_t member_count;
};

enum report_field {
#define REPORT_FIELD_ENUM(name, type, is_required) REPORT_FIELD_##name,
	REPORT_FIELDS(REPORT_FIELD_ENUM)
#undef REPORT_FIELD_ENUM
		REPORT_FIELD_COUNT,
};

extern const struct field report_fields[REPORT_FIELD_COUNT];

/* By field. max 0: no bound of its own. */
extern const struct field_rule report_field_rules[REPORT_FIELD_COUNT];

/* The same; of fields that have none of their own: INT from 0 on, TEXT of any length. */
struct field_rule report_field_rule(size_t field);

/*
 * The field of a name, or REPORT_FIELD_COUNT. expected is where the search begins: messages have their fields in the order of
 * the table, so the first look finds most.
 */
size_t report_field_find(const char *name, size_t length, size_t expected);

/* What a full message loses when it is too large, in this order. */
extern const enum report_field report_droppable[];
extern const size_t report_droppable_count;

#endif
