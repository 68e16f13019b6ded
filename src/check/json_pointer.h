/*
 * JSON pointers (RFC 6901) into a document that is read once, as it lies, whatever is in it. Pure; any thread.
 */
#ifndef WEBSENTRY_CHECK_JSON_POINTER_H
#define WEBSENTRY_CHECK_JSON_POINTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json_parse.h"

enum {
	JSON_POINTER_MAX = 1024,        /* bytes */
	JSON_POINTER_TOKENS_MAX = 64,   /* names and indexes in one */
	JSON_POINTER_DEPTH_MAX = 512,   /* objects and arrays in one another; deeper is not read */
	JSON_POINTER_VALUE_MAX = 16384, /* bytes of a value that are kept */
};

/* What a pointer leads to: the last of its name, as most readers have it. */
struct json_value {
	bool is_found;       /* else the rest means nothing */
	enum json_kind kind; /* NULL, BOOL, NUMBER, TEXT, OBJECT or ARRAY */
	char *text; /* decoded; "true", "null", "{}" and "[]" for the others. NUL-terminated */
	size_t length;
	bool is_cut;      /* it was longer */
	bool is_bad_text; /* has a NUL or half a surrogate, in whose place text may have anything */
};

enum json_pointer_result {
	JSON_POINTER_READ,   /* to the end */
	JSON_POINTER_BROKEN, /* that is no JSON; what stood before holds */
	JSON_POINTER_DEEP,   /* it nests deeper than we read; nothing is found */
	JSON_POINTER_COSTLY, /* so much of it lies on the way of so many pointers that it takes too long; nothing is found */
};

/* Whether it is one that we take: empty, or names with a '/' before each; "~0" is '~', "~1" is '/'. */
bool json_pointer_is_valid(const char *pointer);

/*
 * Fill ret_values[i] for pointers[i], all of which are valid; each is to be finished, whatever the result. A document of which only the beginning is given
 * is JSON_POINTER_BROKEN.
 */
enum json_pointer_result json_pointer_find(const char *bytes, size_t length,
					   const char *const *pointers, size_t count,
					   struct json_value *ret_values);
void json_value_finish(struct json_value *value);

#endif
