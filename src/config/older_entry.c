/*
 * request_kwargs of a sites file: what the older service handed to its HTTP client (aiohttp; requests is much the same),
 * said in our keys.
 */
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/older.h"
#include "config/problems.h"
#include "config/tree.h"

#include <stdlib.h>

enum { JSON_MAX = 1024 * 1024, FOUND_MAX = 128 };

struct translation {
	struct tree *tree;
	struct node *entry;
	struct problems *problems;
};

static void add(struct translation *translation, const struct node *place, const char *key,
		struct node *value)
{
	const struct node *other = tree_find(translation->entry, key);
	if (other != NULL)
		tree_problem(translation->tree, place, translation->problems,
			     "`%s` is given here and on line %d, expected it once", key,
			     other->line);
	else
		tree_add_pair(translation->entry, tree_make_scalar(translation->tree, place, key),
			      value);
}

static bool is_word(const struct node *node, const char *word)
{
	return node->kind == NODE_SCALAR && text_equal_ignoring_case(node->text, word);
}

static bool is_false(const struct node *node)
{
	return is_word(node, "false") || is_word(node, "no") || is_word(node, "off");
}

static bool is_true(const struct node *node)
{
	return is_word(node, "true") || is_word(node, "yes") || is_word(node, "on");
}

/* ssl: false and verify: false turn verification off; verify may name authorities instead. */
static void take_verification(struct translation *translation, const struct node_pair *pair)
{
	if (is_false(pair->value))
		add(translation, pair->key, "insecure_skip_verify",
		    tree_make_scalar(translation->tree, pair->value, "true"));
	else if (is_true(pair->value))
		; /* as it is anyway */
	else if (strcmp(pair->key->text, "verify") == 0)
		add(translation, pair->key, "ca_file", pair->value);
	else
		tree_problem(translation->tree, pair->value, translation->problems,
			     "expected true or false for `%s`", pair->key->text);
}

/* aiohttp's ClientTimeout has a total and parts; ours is the total. */
static void take_timeout(struct translation *translation, const struct node_pair *pair)
{
	struct node *total =
		pair->value->kind == NODE_MAPPING ? tree_find(pair->value, "total") : NULL;
	add(translation, pair->key, "timeout", total != NULL ? total : pair->value);
}

static void append_json_text(struct buffer *out, const struct node *node)
{
	(void)buffer_append_char(out, '"');
	for (size_t i = 0; i < node->length; i++) {
		unsigned char c = (unsigned char)node->text[i];
		if (c == '"' || c == '\\')
			(void)buffer_append_format(out, "\\%c", c);
		else if (c < 0x20)
			(void)buffer_append_format(out, "\\u%04x", c);
		else
			(void)buffer_append_char(out, (char)c);
	}
	(void)buffer_append_char(out, '"');
}

static void append_json_scalar(struct buffer *out, const struct node *node)
{
	if (node_is_null(node))
		(void)buffer_append_text(out, "null");
	else if (node->is_plain && (is_true(node) || is_false(node)))
		(void)buffer_append_text(out, is_true(node) ? "true" : "false");
	else if (node->is_plain && node_is_json_number(node))
		(void)buffer_append_text(out, node->text);
	else
		append_json_text(out, node);
}

/* As deep as the tree is (TREE_DEPTH_MAX); stops at the buffer's bound. */
static void append_json(struct buffer *out, const struct node *node)
{
	if (node->kind == NODE_SCALAR) {
		append_json_scalar(out, node);
		return;
	}
	(void)buffer_append_char(out, node->kind == NODE_SEQUENCE ? '[' : '{');
	for (size_t i = 0; i < node->count && !out->is_overflowed; i++) {
		if (i > 0)
			(void)buffer_append_char(out, ',');
		if (node->kind == NODE_MAPPING) {
			append_json_text(out, node->pairs[i].key);
			(void)buffer_append_char(out, ':');
		}
		append_json(out,
			    node->kind == NODE_MAPPING ? node->pairs[i].value : node->items[i]);
	}
	(void)buffer_append_char(out, node->kind == NODE_SEQUENCE ? ']' : '}');
}

static bool has_header(const struct node *headers, const char *name)
{
	for (size_t i = 0; headers != NULL && headers->kind == NODE_MAPPING && i < headers->count;
	     i++)
		if (text_equal_ignoring_case(headers->pairs[i].key->text, name))
			return true;
	return false;
}

/* The entry's headers and Content-Type; a copy, for an alias may share them with other entries. */
static void add_content_type(struct translation *translation, const struct node *place)
{
	struct node *entry = translation->entry;
	struct node *headers = tree_find(entry, "headers");
	if (has_header(headers, "Content-Type") ||
	    (headers != NULL && headers->kind != NODE_MAPPING))
		return;
	struct node *more = tree_make_mapping(translation->tree, headers != NULL ? headers : place);
	for (size_t i = 0; headers != NULL && i < headers->count; i++)
		tree_add_pair(more, headers->pairs[i].key, headers->pairs[i].value);
	tree_add_pair(more, tree_make_scalar(translation->tree, place, "Content-Type"),
		      tree_make_scalar(translation->tree, place, "application/json"));
	for (size_t i = 0; i < entry->count; i++) {
		if (entry->pairs[i].value == headers) {
			entry->pairs[i].value = more;
			return;
		}
	}
	add(translation, place, "headers", more);
}

static void take_json(struct translation *translation, const struct node_pair *pair)
{
	struct buffer out;
	buffer_init(&out, JSON_MAX);
	append_json(&out, pair->value);
	if (out.is_overflowed) {
		tree_problem(translation->tree, pair->value, translation->problems,
			     "found more than %d KiB of JSON, expected less", JSON_MAX / 1024);
	} else {
		char *body = buffer_take(&out);
		add(translation, pair->key, "body",
		    tree_make_scalar(translation->tree, pair->value, body));
		free(body);
		add_content_type(translation, pair->key);
	}
	buffer_finish(&out);
}

static const char *const kwargs_names[] = {
	"timeout", "headers", "allow_redirects", "max_redirects", "ssl", "verify_ssl", "verify",
	"data",    "json",    "cookies"};

/* Also of a key without a value: it says as little as another that we don't know. */
static void complain_unknown(struct translation *translation, const struct node *key)
{
	char found[NODE_KEY_MAX];
	node_name_key(key, found);
	const char *nearest = text_nearest(key->text, kwargs_names,
					   sizeof(kwargs_names) / sizeof(kwargs_names[0]));
	tree_problem(translation->tree, key, translation->problems,
		     "unknown key `%s` in request_kwargs, %s%s%s", found,
		     nearest == NULL
			     ? "expected timeout, headers, allow_redirects, ssl, data or json"
			     : "did you mean `",
		     nearest == NULL ? "" : nearest, nearest == NULL ? "" : "`?");
}

static bool is_known(const char *key)
{
	for (size_t i = 0; i < sizeof(kwargs_names) / sizeof(kwargs_names[0]); i++)
		if (strcmp(kwargs_names[i], key) == 0)
			return true;
	return false;
}

static void take_pair(struct translation *translation, const struct node_pair *pair)
{
	const char *key = pair->key->text;
	if (!is_known(key) && (!node_is_null(pair->value) || pair->value->length == 0)) {
		complain_unknown(translation, pair->key);
		return;
	}
	if (node_is_null(pair->value))
		return;
	if (strcmp(key, "timeout") == 0)
		take_timeout(translation, pair);
	else if (strcmp(key, "headers") == 0 || strcmp(key, "max_redirects") == 0 ||
		 strcmp(key, "cookies") == 0)
		add(translation, pair->key, key, pair->value);
	else if (strcmp(key, "allow_redirects") == 0)
		add(translation, pair->key, "follow_redirects", pair->value);
	else if (strcmp(key, "data") == 0)
		add(translation, pair->key, pair->value->kind == NODE_MAPPING ? "form" : "body",
		    pair->value);
	else if (strcmp(key, "ssl") == 0 || strcmp(key, "verify_ssl") == 0 ||
		 strcmp(key, "verify") == 0)
		take_verification(translation, pair);
}

void older_translate_entry(struct tree *tree, struct node *entry, struct problems *problems)
{
	struct translation translation = {.tree = tree, .entry = entry, .problems = problems};
	const struct node *kwargs = tree_find(entry, "request_kwargs");
	char found[FOUND_MAX];
	if (kwargs == NULL)
		return;
	size_t kept = 0;
	for (size_t i = 0; i < entry->count; i++)
		if (strcmp(entry->pairs[i].key->text, "request_kwargs") != 0)
			entry->pairs[kept++] = entry->pairs[i];
	entry->count = kept;
	if (node_is_null(kwargs))
		return;
	if (kwargs->kind != NODE_MAPPING) {
		node_describe(kwargs, found, sizeof(found));
		tree_problem(tree, kwargs, problems,
			     "found %s, expected a mapping for `request_kwargs`", found);
		return;
	}
	for (size_t i = 0; i < kwargs->count; i++)
		take_pair(&translation, &kwargs->pairs[i]);
	/* After the headers, to which it may add one. */
	for (size_t i = 0; i < kwargs->count; i++)
		if (strcmp(kwargs->pairs[i].key->text, "json") == 0 &&
		    !node_is_null(kwargs->pairs[i].value))
			take_json(&translation, &kwargs->pairs[i]);
}
