#include "json_oracle.h"

#include <stdbool.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "base/memory.h"
#include "check/json_pointer.h"
#include "fuzz.h"

/* The next name of a pointer, unescaped; moves behind it. The caller's. */
static char *next_name(const char **at)
{
	size_t length = strcspn(*at + 1, "/");
	char *name = xstrndup(*at + 1, length);
	char *to = name;
	*at += 1 + length;
	for (const char *from = name; *from != '\0'; from++) {
		if (from[0] == '~' && (from[1] == '0' || from[1] == '1'))
			*to++ = *++from == '0' ? '~' : '/';
		else
			*to++ = *from;
	}
	*to = '\0';
	return name;
}

/* Of members with one name the last one counts. */
static yajl_val find_member(yajl_val object, const char *name)
{
	for (size_t i = object->u.object.len; i-- > 0;)
		if (strcmp(object->u.object.keys[i], name) == 0)
			return object->u.object.values[i];
	return NULL;
}

static yajl_val find_element(yajl_val array, const char *name)
{
	size_t index = 0;
	bool is_index = name[0] != '\0' && (name[0] != '0' || name[1] == '\0') &&
			strspn(name, "0123456789") == strlen(name) && strlen(name) < 10;
	for (const char *at = name; is_index && *at != '\0'; at++)
		index = index * 10 + (size_t)(*at - '0');
	return is_index && index < array->u.array.len ? array->u.array.values[index] : NULL;
}

static yajl_val find(yajl_val value, const char *pointer)
{
	while (value != NULL && *pointer != '\0') {
		char *name = next_name(&pointer);
		if (YAJL_IS_OBJECT(value))
			value = find_member(value, name);
		else if (YAJL_IS_ARRAY(value))
			value = find_element(value, name);
		else
			value = NULL;
		free(name);
	}
	return value;
}

static const char *text_of(yajl_val value, enum json_kind *ret_kind)
{
	*ret_kind = JSON_NULL;
	if (YAJL_IS_STRING(value)) {
		*ret_kind = JSON_TEXT;
		return value->u.string;
	}
	if (YAJL_IS_NUMBER(value)) {
		*ret_kind = JSON_NUMBER;
		return value->u.number.r;
	}
	if (YAJL_IS_TRUE(value) || YAJL_IS_FALSE(value)) {
		*ret_kind = JSON_BOOL;
		return YAJL_IS_TRUE(value) ? "true" : "false";
	}
	if (YAJL_IS_OBJECT(value)) {
		*ret_kind = JSON_OBJECT;
		return "{}";
	}
	if (YAJL_IS_ARRAY(value)) {
		*ret_kind = JSON_ARRAY;
		return "[]";
	}
	return "null";
}

/* yajl's texts end at a NUL, and half a surrogate is a question mark to it. */
static bool holds_bad_text(const char *document)
{
	return strcasestr(document, "\\u0000") != NULL || strcasestr(document, "\\ud") != NULL;
}

void json_oracle_compare(const char *document, size_t length, const char *pointer,
			 const struct json_value *value)
{
	char why[256];
	char *text = xstrndup(document, length);
	if (strlen(text) == length && !holds_bad_text(text)) {
		yajl_val tree = yajl_tree_parse(text, why, sizeof(why));
		FUZZ_PROMISE(tree != NULL);
		yajl_val expected = find(tree, pointer);
		FUZZ_PROMISE((expected != NULL) == value->is_found);
		if (expected != NULL) {
			enum json_kind kind;
			const char *shown = text_of(expected, &kind);
			FUZZ_PROMISE(kind == value->kind);
			FUZZ_PROMISE(value->is_cut == (strlen(shown) > JSON_POINTER_VALUE_MAX));
			FUZZ_PROMISE(value->is_cut || strlen(shown) == value->length);
			FUZZ_PROMISE(memcmp(shown, value->text, value->length) == 0);
		}
		yajl_tree_free(tree);
	}
	free(text);
}
