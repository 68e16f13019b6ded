/*
 * libyaml's events into a tree. A stack holds the open sequences and mappings; an anchor is remembered by name and an
 * alias is the same node again, so that "billion laughs" stay a few nodes here. How large the document would be with its
 * aliases written out is added up on the way, and bounded: nothing that walks the tree can be made to run for ever.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <yaml.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/file.h"
#include "config/problems.h"
#include "config/tree.h"
#include "config/tree_build.h"

struct anchor {
	char *name;
	struct node *node;
	struct anchor *before;
	UT_hash_handle hh;
};

struct building {
	struct tree *tree;
	struct problems *problems;
	const char *bytes;
	size_t length;
	struct node *stack[TREE_DEPTH_MAX];
	struct node
		*keys[TREE_DEPTH_MAX]; /* the key that waits for its value, of each open mapping */
	size_t depth;
	struct anchor *anchors;
	struct anchor *latest_anchor; /* the same, linked by before */
	int documents;
	bool is_broken;
	uint64_t most;    /* values that one may expand to; 0: not known before the end */
	size_t over_line; /* where it did to more; 0: nowhere yet */
	size_t over_column;
};

static void complain_at(struct building *building, size_t line, size_t column, const char *what)
{
	char *where = xasprintf("%s:%zu:%zu", building->tree->name, line, column);
	problems_add(building->problems, where, "%s", what);
	free(where);
	building->is_broken = true;
}

static void complain(struct building *building, const struct node *node, const char *what)
{
	complain_at(building, (size_t)node->line, (size_t)node->column, what);
}

/* The line and the column (in bytes) of an offset. */
static void locate(const char *bytes, size_t offset, size_t *ret_line, size_t *ret_column)
{
	size_t line = 1;
	size_t start = 0;
	for (size_t i = 0; i < offset; i++) {
		if (bytes[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	*ret_line = line;
	*ret_column = offset - start + 1;
}

/* What stands at a mark, whose column counts characters, of a file in UTF-8; to the end, where there is no such place. */
static const char *find_mark(const struct building *building, const yaml_mark_t *mark)
{
	static const char byte_order[] = "\xEF\xBB\xBF";
	const char *at = building->bytes;
	const char *end = building->bytes + building->length;
	if (building->length >= strlen(byte_order) &&
	    memcmp(at, byte_order, strlen(byte_order)) == 0)
		at += strlen(byte_order);
	for (size_t line = 0; line < mark->line && at != end; line++) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at == NULL ? end : at + 1;
	}
	for (size_t column = 0; column < mark->column && at != end; column++)
		do
			at++;
		while (at != end && ((unsigned char)*at & 0xC0) == 0x80);
	return at;
}

/* Four digits of an escape: the half of a character that they are, \uD800 to \uDFFF; 0 for what is none. */
static unsigned read_half(const char *at, const char *end)
{
	char digits[5] = "";
	if (end - at < 4)
		return 0;
	memcpy(digits, at, 4);
	if (strspn(digits, "0123456789abcdefABCDEF") != 4)
		return 0;
	unsigned half = (unsigned)strtoul(digits, NULL, 16);
	return half >= 0xD800 && half <= 0xDFFF ? half : 0;
}

/* JSON escapes a character beyond \uFFFF in two halves, which YAML does not know: what to write in their place, into text. */
static bool is_half_character(const struct building *building, const yaml_mark_t *mark, char *text,
			      size_t size)
{
	const char *at = find_mark(building, mark);
	const char *end = building->bytes + building->length;
	bool is_escape = at - building->bytes >= 2 && at[-2] == '\\' && at[-1] == 'u';
	unsigned high = is_escape ? read_half(at, end) : 0;
	if (high == 0)
		return false;
	bool is_pair = high < 0xDC00 && end - at >= 10 && at[4] == '\\' && at[5] == 'u';
	unsigned low = is_pair ? read_half(at + 6, end) : 0;
	if (low >= 0xDC00)
		(void)snprintf(text, size,
			       "found '\\%.11s', which is how JSON escapes a character in two "
			       "halves, expected the character itself or '\\U%08X'",
			       at - 1, 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
	else
		(void)snprintf(text, size,
			       "found '\\u%.4s', which is half a character, expected a whole one",
			       at);
	return true;
}

static void complain_of_parser(struct building *building, const yaml_parser_t *parser)
{
	char what[512];
	size_t line;
	size_t column;
	if (parser->error == YAML_READER_ERROR) {
		locate(building->bytes,
		       parser->problem_offset < building->length ? parser->problem_offset : 0,
		       &line, &column);
		complain_at(building, line, column, parser->problem);
		return;
	}
	line = parser->problem_mark.line + 1;
	column = parser->problem_mark.column + 1;
	const char *at = find_mark(building, &parser->problem_mark);
	/* by far the most common reason for "cannot start any token" */
	bool is_tab = at != building->bytes + building->length && *at == '\t';
	if (is_half_character(building, &parser->problem_mark, what, sizeof(what)))
		column -= 2; /* its backslash */
	else if (is_tab)
		(void)snprintf(what, sizeof(what), "found a tab, expected spaces");
	else if (parser->context != NULL)
		(void)snprintf(what, sizeof(what), "%s %s", parser->problem, parser->context);
	else
		(void)snprintf(what, sizeof(what), "%s",
			       parser->problem == NULL ? "no YAML" : parser->problem);
	complain_at(building, line, column, what);
}

/* Whether a node that was added to is too large now. The first place where one is stays. */
static void note_expansion(struct building *building, const struct node *node, size_t line,
			   size_t column)
{
	if (building->most == 0 || building->over_line != 0 || node->expanded <= building->most)
		return;
	building->over_line = line;
	building->over_column = column;
}

/* Put a complete node where it belongs: as the root, an item, a key or a value. It, or its alias, stands at line and column. */
static void place(struct building *building, struct node *node, size_t line, size_t column)
{
	if (building->depth == 0) {
		building->tree->root = node;
		return;
	}
	struct node *parent = building->stack[building->depth - 1];
	struct node **key = &building->keys[building->depth - 1];
	if (parent->kind == NODE_SEQUENCE) {
		tree_add_item(parent, node);
	} else if (*key != NULL) {
		tree_add_pair(parent, *key, node);
		*key = NULL;
	} else if (node->kind != NODE_SCALAR) {
		complain(building, node, "found a list or a mapping as a key, expected a word");
	} else {
		*key = node;
	}
	note_expansion(building, parent, line, column);
}

static void place_here(struct building *building, struct node *node)
{
	place(building, node, (size_t)node->line, (size_t)node->column);
}

static void remember_anchor(struct building *building, const yaml_char_t *name, struct node *node)
{
	if (name == NULL)
		return;
	struct anchor *anchor;
	HASH_FIND_STR(building->anchors, (const char *)name, anchor);
	if (anchor == NULL) {
		anchor = xcalloc(1, sizeof(*anchor));
		anchor->name = xstrdup((const char *)name);
		anchor->before = building->latest_anchor;
		building->latest_anchor = anchor;
		HASH_ADD_KEYPTR(hh, building->anchors, anchor->name, strlen(anchor->name), anchor);
	}
	anchor->node = node; /* YAML: the latest one counts */
}

static void take_alias(struct building *building, const yaml_event_t *event)
{
	size_t line = event->start_mark.line + 1;
	size_t column = event->start_mark.column + 1;
	const char *name = (const char *)event->data.alias.anchor;
	struct anchor *anchor;
	HASH_FIND_STR(building->anchors, name, anchor);
	if (anchor == NULL) {
		/* not its name: it may be the beginning of a password */
		complain_at(building, line, column,
			    "found an alias, but no anchor of this name before it; text that "
			    "begins with '*' is to be put in quotes");
	} else if (!anchor->node->is_complete) {
		complain_at(building, line, column,
			    "found an alias within what it stands for, expected it outside");
	} else {
		place(building, anchor->node, line, column);
	}
}

static void take_scalar(struct building *building, const yaml_event_t *event)
{
	struct node *node = tree_make(building->tree, NODE_SCALAR, (int)event->start_mark.line + 1,
				      (int)event->start_mark.column + 1);
	tree_set_text(building->tree, node, (const char *)event->data.scalar.value,
		      event->data.scalar.length);
	node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->is_complete = true;
	if (event->data.scalar.anchor != NULL && node->is_plain && node->length == 0)
		complain(building, node,
			 "found an anchor without a value, expected one; text that begins with "
			 "'&' is to be put in quotes");
	tree_take_tag(building->tree, node, (const char *)event->data.scalar.tag,
		      building->problems);
	remember_anchor(building, event->data.scalar.anchor, node);
	place_here(building, node);
}

static void open_node(struct building *building, const yaml_event_t *event, enum node_kind kind,
		      const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct node *node = tree_make(building->tree, kind, (int)event->start_mark.line + 1,
				      (int)event->start_mark.column + 1);
	if (building->depth == TREE_DEPTH_MAX) {
		complain(building, node, "found more than 64 values within one another");
		return;
	}
	tree_take_tag(building->tree, node, (const char *)tag, building->problems);
	/* A child is counted when it is complete: close_node() puts it into its parent. */
	remember_anchor(building, anchor, node);
	building->keys[building->depth] = NULL;
	building->stack[building->depth++] = node;
}

static void close_node(struct building *building)
{
	struct node *node = building->stack[--building->depth];
	if (node->kind == NODE_MAPPING)
		tree_finish_mapping(building->tree, node, building->problems, &building->is_broken);
	note_expansion(building, node, (size_t)node->line, (size_t)node->column); /* by merging */
	node->is_complete = true;
	place_here(building, node);
}

static void take_event(struct building *building, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++building->documents == 2)
			complain_at(building, event->start_mark.line + 1,
				    event->start_mark.column + 1,
				    "found a second document, expected one a file");
		break;
	case YAML_SCALAR_EVENT:
		take_scalar(building, event);
		break;
	case YAML_ALIAS_EVENT:
		take_alias(building, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		open_node(building, event, NODE_SEQUENCE, event->data.sequence_start.anchor,
			  event->data.sequence_start.tag);
		break;
	case YAML_MAPPING_START_EVENT:
		open_node(building, event, NODE_MAPPING, event->data.mapping_start.anchor,
			  event->data.mapping_start.tag);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		close_node(building);
		break;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
}

static void forget_anchors(struct building *building)
{
	HASH_CLEAR(hh, building->anchors);
	for (struct anchor *anchor = building->latest_anchor; anchor != NULL;) {
		struct anchor *before = anchor->before;
		free(anchor->name);
		free(anchor);
		anchor = before;
	}
}

static void run_parser(struct building *building)
{
	yaml_parser_t parser;
	yaml_event_t event;
	if (yaml_parser_initialize(&parser) == 0)
		abort(); /* out of memory */
	yaml_parser_set_input_string(&parser, (const unsigned char *)building->bytes,
				     building->length);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	for (bool is_done = false; !is_done && !building->is_broken && building->over_line == 0;) {
		if (yaml_parser_parse(&parser, &event) == 0) {
			complain_of_parser(building, &parser);
			break;
		}
		take_event(building, &event);
		is_done = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	forget_anchors(building);
}

/*
 * How much aliases may add depends on how much is written out, which is known at the end: only then, and only of a file that
 * is refused, is the place looked for by reading it once more.
 */
static void check_expansion(struct building *building)
{
	const struct tree *tree = building->tree;
	uint64_t most = TREE_EXPANSION_FREE + TREE_EXPANSION_FACTOR * tree->made_count;
	if (building->is_broken || tree->root == NULL || tree->root->expanded <= most)
		return;
	struct tree *second_tree = tree_create(tree->name);
	struct problems unsaid;
	problems_init(&unsaid);
	struct building second = {.tree = second_tree,
				  .problems = &unsaid,
				  .bytes = building->bytes,
				  .length = building->length,
				  .most = most};
	run_parser(&second);
	char what[160];
	(void)snprintf(what, sizeof(what),
		       "aliases expand this file of %llu values to more than %llu from here on",
		       (unsigned long long)tree->made_count, (unsigned long long)most);
	complain_at(building, second.over_line, second.over_column, what);
	problems_finish(&unsaid);
	tree_destroy(second_tree);
}

/* The first byte that is no UTF-8; length where all is. */
static size_t find_bad_byte(const char *bytes, size_t length)
{
	size_t low = 0; /* by lines, so that the search stays linear */
	while (low < length) {
		const char *newline = memchr(bytes + low, '\n', length - low);
		size_t end = newline == NULL ? length : (size_t)(newline - bytes) + 1;
		if (!text_is_utf8(bytes + low, end - low))
			break;
		low = end;
	}
	while (low < length) {
		size_t step = 1;
		while (step <= 4 && low + step <= length && !text_is_utf8(bytes + low, step))
			step++;
		if (step > 4 || low + step > length)
			return low;
		low += step;
	}
	return length;
}

struct tree *tree_parse(const char *name, const char *bytes, size_t length,
			struct problems *problems)
{
	struct tree *tree = tree_create(name);
	struct building building = {
		.tree = tree, .problems = problems, .bytes = bytes, .length = length};
	if (!text_is_utf8(bytes, length)) {
		size_t line;
		size_t column;
		size_t offset = find_bad_byte(bytes, length);
		char what[80];
		locate(bytes, offset, &line, &column);
		(void)snprintf(what, sizeof(what), "found the byte 0x%02X, expected UTF-8",
			       (unsigned)(unsigned char)bytes[offset]);
		complain_at(&building, line, column, what);
	} else {
		run_parser(&building);
		check_expansion(&building);
	}
	if (building.is_broken) {
		tree_destroy(tree);
		return NULL;
	}
	return tree;
}

struct tree *tree_read(const char *path, struct problems *problems)
{
	struct error err;
	size_t length;
	char *bytes = file_read(path, TREE_FILE_MAX, &length, &err);
	if (bytes == NULL) {
		/* The place names the file already. */
		bool is_named = text_starts_with(err.message, path);
		const char *rest = is_named ? err.message + strlen(path) : err.message;
		problems_add(problems, path, "%s", rest + strspn(rest, ": "));
		return NULL;
	}
	struct tree *tree = tree_parse(path, bytes, length, problems);
	free(bytes);
	return tree;
}
