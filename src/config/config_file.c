/* The --config file: settings by the names of the table; its `sites:` and `defaults:` are read by sites.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/reading.h"
#include "config/tree.h"

enum { NAMES_MAX = 128, DESCRIBED_MAX = 128 };

/* What is missing now would have stood there, had the tag before it been none. */
static void pass_over(struct reading *reading, const struct setting *setting)
{
	reading->is_incomplete = true;
	if (strcmp(setting->name, "url") == 0 || strcmp(setting->name, "sites") == 0)
		reading->settings->has_bad_sites = true;
}

static void add_scalar(struct reading *reading, const struct tree *tree,
		       const struct setting *setting, const struct node *value)
{
	char found[DESCRIBED_MAX];
	if (value->is_refused) {
		pass_over(reading, setting);
		return;
	}
	if (value->kind != NODE_SCALAR || strlen(value->text) != value->length) {
		node_describe(value, found, sizeof(found));
		tree_problem(tree, value, reading->problems,
			     "found %s, expected one value for `%s`",
			     value->kind == NODE_SCALAR ? "a NUL byte" : found, setting->name);
		return;
	}
	char *place = xasprintf("%s:%d:%d", tree->name, value->line, value->column);
	reading_add(reading, setting, SOURCE_FILE, place, value->text);
	free(place);
}

/* A list, one value, or for key=value settings a mapping. */
static void add_list(struct reading *reading, struct tree *tree, const struct setting *setting,
		     const struct node *value)
{
	if (value->kind == NODE_SCALAR) {
		add_scalar(reading, tree, setting, value);
	} else if (value->kind == NODE_SEQUENCE) {
		for (size_t i = 0; i < value->count; i++)
			add_scalar(reading, tree, setting, value->items[i]);
	} else {
		for (size_t i = 0; i < value->count; i++) {
			const struct node_pair *pair = &value->pairs[i];
			if (pair->value->kind != NODE_SCALAR ||
			    strlen(pair->value->text) != pair->value->length) {
				add_scalar(reading, tree, setting, pair->value);
				continue;
			}
			char *joined = xasprintf("%s=%s", pair->key->text, pair->value->text);
			add_scalar(reading, tree, setting,
				   tree_make_scalar(tree, pair->key, joined));
			free(joined);
		}
	}
}

static void complain_unknown(struct reading *reading, const struct tree *tree,
			     const struct node *key)
{
	const char *names[NAMES_MAX] = {"defaults"};
	size_t count = 1;
	char found[NODE_KEY_MAX];
	node_name_key(key, found);
	for (size_t i = 0; i < settings_table_count; i++)
		names[count++] = settings_table[i].name;
	char *name = xstrndup(key->text, strcspn(key->text, ":="));
	const char *nearest = text_nearest(name, names, count);
	free(name);
	if (nearest != NULL)
		tree_problem(tree, key, reading->problems, "unknown key `%s`, did you mean `%s`?",
			     found, nearest);
	else
		tree_problem(tree, key, reading->problems,
			     "unknown key `%s`, expected the name of a setting", found);
}

static void take_pair(struct reading *reading, struct tree *tree, const struct node_pair *pair)
{
	const char *key = pair->key->text;
	const struct setting *setting = settings_table_find(key);
	if (text_starts_with(key, "x-") || strcmp(key, "defaults") == 0)
		return;
	if (strcmp(key, "sites") == 0 && pair->value->kind != NODE_SCALAR) {
		reading->has_file_sites = true;
		return;
	}
	if (strcmp(key, "config") == 0)
		tree_problem(tree, pair->key, reading->problems,
			     "found `config` within the file itself, expected it as a flag");
	else if (setting == NULL)
		complain_unknown(reading, tree, pair->key);
	else if (node_is_null(pair->value))
		; /* nothing is unset, as in the environment */
	else if (setting->type == SETTING_LIST)
		add_list(reading, tree, setting, pair->value);
	else
		add_scalar(reading, tree, setting, pair->value);
}

void config_file_read(struct reading *reading, const char *path)
{
	struct tree *tree = tree_read(path, reading->problems);
	if (tree == NULL) {
		reading->is_incomplete = true;
		reading->settings->has_bad_sites = true;
		return;
	}
	if (tree->root != NULL && tree->root->kind != NODE_MAPPING)
		tree_problem(tree, tree->root, reading->problems,
			     "found no mapping, expected settings such as `interval: 30s`");
	for (size_t i = 0;
	     tree->root != NULL && tree->root->kind == NODE_MAPPING && i < tree->root->count; i++)
		take_pair(reading, tree, &tree->root->pairs[i]);
	tree_destroy(tree);
}
