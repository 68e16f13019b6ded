#include "config/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_parse.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/url.h"
#include "config/problems.h"
#include "config/tree_build.h"

/* For the obstack's macros. */
#define obstack_chunk_alloc xmalloc
#define obstack_chunk_free free

enum { CHUNK_SIZE = 64 * 1024 };

/* glibc's obstack_alloc() aligns by an offset from a null pointer, which clang's sanitizer calls undefined. */
#define ALIGNS_FROM_NULL __attribute__((no_sanitize("pointer-overflow")))

struct tree *tree_create(const char *name)
{
	struct tree *tree = xcalloc(1, sizeof(*tree));
	tree->name = xstrdup(name);
	obstack_begin(&tree->nodes, CHUNK_SIZE);
	return tree;
}

ALIGNS_FROM_NULL struct node *tree_make(struct tree *tree, enum node_kind kind, int line,
					int column)
{
	struct node *node = obstack_alloc(&tree->nodes, sizeof(*node));
	*node = (struct node){.kind = kind, .line = line, .column = column, .expanded = 1};
	if (kind != NODE_SCALAR) {
		node->next_owner = tree->owners;
		tree->owners = node;
	}
	tree->made_count++;
	return node;
}

ALIGNS_FROM_NULL void tree_set_text(struct tree *tree, struct node *node, const char *text,
				    size_t length)
{
	node->text = obstack_alloc(&tree->nodes, (int)length + 1); /* TREE_FILE_MAX is less */
	memcpy(node->text, text, length);
	node->text[length] = '\0';
	node->length = length;
}

struct node *tree_make_scalar(struct tree *tree, const struct node *place, const char *text)
{
	struct node *node = tree_make(tree, NODE_SCALAR, place->line, place->column);
	tree_set_text(tree, node, text, strlen(text));
	node->is_complete = true;
	return node;
}

struct node *tree_make_mapping(struct tree *tree, const struct node *place)
{
	struct node *node = tree_make(tree, NODE_MAPPING, place->line, place->column);
	node->is_complete = true;
	return node;
}

static void grow(struct node *node)
{
	if (node->count < node->capacity)
		return;
	node->capacity = node->capacity == 0 ? 4 : node->capacity * 2;
	if (node->kind == NODE_SEQUENCE)
		node->items = xreallocarray(node->items, node->capacity, sizeof(struct node *));
	else
		node->pairs = xreallocarray(node->pairs, node->capacity, sizeof(struct node_pair));
}

static void count_child(struct node *node, const struct node *child)
{
	if (__builtin_add_overflow(node->expanded, child->expanded, &node->expanded))
		node->expanded = UINT64_MAX;
}

void tree_add_item(struct node *sequence, struct node *item)
{
	grow(sequence);
	sequence->items[sequence->count++] = item;
	count_child(sequence, item);
}

void tree_add_pair(struct node *mapping, struct node *key, struct node *value)
{
	grow(mapping);
	mapping->pairs[mapping->count++] = (struct node_pair){key, value};
	count_child(mapping, value);
}

void tree_destroy(struct tree *tree)
{
	if (tree == NULL)
		return;
	for (struct node *node = tree->owners; node != NULL; node = node->next_owner) {
		free(node->items);
		free(node->pairs);
	}
	obstack_free(&tree->nodes, NULL);
	free(tree->name);
	free(tree);
}

struct node *tree_find(const struct node *mapping, const char *key)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (strcmp(mapping->pairs[i].key->text, key) == 0)
			return mapping->pairs[i].value;
	return NULL;
}

bool node_is_null(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->is_plain &&
	       (node->length == 0 || strcmp(node->text, "~") == 0 ||
		text_equal_ignoring_case(node->text, "null"));
}

static void note_number(void *context, const struct json_event *event)
{
	*(bool *)context = event->kind == JSON_NUMBER && event->depth == 0;
}

bool node_is_json_number(const struct node *node)
{
	bool is_number = false;
	return node->kind == NODE_SCALAR &&
	       json_parse(node->text, node->length, note_number, &is_number) && is_number;
}

/* What may be a URL, or a line of a file of variables, is shown without its secrets. */
static void describe_text(const struct node *node, char *text, size_t size)
{
	bool may_be_secret = strpbrk(node->text, "@=") != NULL;
	char *redacted = may_be_secret ? url_redact(node->text) : NULL;
	const char *shown = redacted != NULL ? redacted : node->text;
	(void)snprintf(text, size, "'%.80s'%s", shown, strlen(shown) > 80 ? "…" : "");
	free(redacted);
}

void node_describe(const struct node *node, char *text, size_t size)
{
	switch (node->kind) {
	case NODE_SEQUENCE:
		(void)snprintf(text, size, "%s", node->count == 0 ? "an empty list" : "a list");
		return;
	case NODE_MAPPING:
		(void)snprintf(text, size, "a mapping");
		return;
	case NODE_SCALAR:
		if (node_is_null(node))
			(void)snprintf(text, size, "nothing");
		else
			describe_text(node, text, size);
		return;
	}
}

void node_name_key(const struct node *key, char text[static NODE_KEY_MAX])
{
	/* {password:sesame}, {password=sesame} and {Bearer sesame} are keys without a value to YAML: it is not shown. */
	int length = (int)strcspn(key->text, ":= ");
	bool is_cut = key->text[length] != '\0' && key->text[length + 1] != '\0';
	if (strncmp(key->text + length, "://", 3) == 0) {
		char *redacted = url_redact(key->text);
		(void)snprintf(text, NODE_KEY_MAX, "%.80s", redacted);
		free(redacted);
		return;
	}
	(void)snprintf(text, NODE_KEY_MAX, "%.*s%s", is_cut && length < 80 ? length + 1 : 80,
		       key->text, is_cut ? "…" : "");
}

void tree_problem(const struct tree *tree, const struct node *node, struct problems *problems,
		  const char *format, ...)
{
	char what[2048];
	va_list args;
	if (node->is_refused)
		return;
	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	char *where = xasprintf("%s:%d:%d", tree->name, node->line, node->column);
	problems_add(problems, where, "%s", what);
	free(where);
}
