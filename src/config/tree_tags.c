/* YAML's tags: those of the core schema where they fit the value; what another would change, we would not do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/tree_build.h"

#define CORE "tag:yaml.org,2002:"
#define TAGS "!!str, !!int, !!float, !!bool, !!null, !!seq and !!map"

static bool is_integer(const char *text)
{
	text += *text == '-' || *text == '+';
	bool is_based = text_starts_with(text, "0x") || text_starts_with(text, "0o");
	const char *digits = !is_based        ? "0123456789"
			     : text[1] == 'o' ? "01234567"
					      : "0123456789abcdefABCDEF";
	text += is_based ? 2 : 0;
	return *text != '\0' && text[strspn(text, digits)] == '\0';
}

static bool is_float(const char *text)
{
	char *end;
	const char *unsigned_text = text + (*text == '-' || *text == '+');
	if (text_equal_ignoring_case(unsigned_text, ".inf") ||
	    text_equal_ignoring_case(text, ".nan"))
		return true;
	(void)strtod(text, &end);
	return end != text && *end == '\0' && text[strspn(text, "+-.0123456789eE")] == '\0';
}

static bool is_bool(const char *text)
{
	return text_equal_ignoring_case(text, "true") || text_equal_ignoring_case(text, "false");
}

static bool is_null(const char *text)
{
	return text[0] == '\0' || strcmp(text, "~") == 0 || text_equal_ignoring_case(text, "null");
}

static bool is_merge(const char *text)
{
	return strcmp(text, "<<") == 0;
}

static bool fits_scalar(const char *name, struct node *node)
{
	static const struct {
		const char *name;
		bool (*fits)(const char *text);
	} kinds[] = {{"int", is_integer},
		     {"float", is_float},
		     {"bool", is_bool},
		     {"null", is_null},
		     {"merge", is_merge}};
	if (strcmp(name, "str") == 0) {
		node->is_plain = false; /* "null" is a word then */
		return true;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(name, kinds[i].name) == 0) {
			node->is_plain = true;
			return strlen(node->text) == node->length && kinds[i].fits(node->text);
		}
	}
	return false;
}

static bool fits(const char *tag, struct node *node)
{
	bool is_core = text_starts_with(tag, CORE);
	const char *name = is_core ? tag + strlen(CORE) : "";
	if (strcmp(tag, "!") == 0) { /* "as it is written": text, a list, a mapping */
		node->is_plain = false;
		return true;
	}
	switch (node->kind) {
	case NODE_SCALAR:
		return fits_scalar(name, node);
	case NODE_SEQUENCE:
		return strcmp(name, "seq") == 0;
	case NODE_MAPPING:
		return strcmp(name, "map") == 0;
	}
	return false;
}

static bool is_known(const char *name)
{
	static const char *const names[] = {"str", "int", "float", "bool", "null", "seq", "map"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

void tree_take_tag(const struct tree *tree, struct node *node, const char *tag,
		   struct problems *problems)
{
	if (tag == NULL || fits(tag, node))
		return;
	/* neither another's name, which may be the beginning of a password, nor what stands behind it: `password: !vault …` */
	const char *name = text_starts_with(tag, CORE) ? tag + strlen(CORE) : "";
	if (is_known(name))
		tree_problem(tree, node, problems,
			     "found the tag !!%s, expected none or one of %s that fits it", name,
			     TAGS);
	else
		tree_problem(tree, node, problems,
			     "found an unknown tag, expected none or one of %s that fits it; text "
			     "that begins with '!' is to be put in quotes",
			     TAGS);
	node->is_refused = true;
}
