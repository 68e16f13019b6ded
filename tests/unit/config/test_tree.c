/* What libyaml's events become: places, sharing, merging; and that no bytes do harm. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "config/tree.h"

static struct tree *parse(const char *text)
{
	struct problems problems;
	problems_init(&problems);
	struct tree *tree = tree_parse("t.yaml", text, strlen(text), &problems);
	for (size_t i = 0; i < problems.count; i++)
		print_message("%s: %s\n", problems.items[i].where, problems.items[i].what);
	assert_int_equal(problems.count, 0);
	problems_finish(&problems);
	assert_non_null(tree);
	return tree;
}

static void every_value_knows_its_place(void **state)
{
	(void)state;
	struct tree *tree = parse("# first\na: \u00e9\u00e9\nb:\n  - 'x'\n  -  y\n");
	const struct node *b = tree_find(tree->root, "b");
	assert_int_equal(tree->root->line, 2);
	assert_int_equal(b->kind, NODE_SEQUENCE);
	assert_int_equal(b->items[0]->line, 4);
	assert_int_equal(b->items[0]->column, 5);
	assert_false(b->items[0]->is_plain);
	assert_int_equal(b->items[1]->line, 5);
	assert_int_equal(b->items[1]->column, 6);
	assert_true(b->items[1]->is_plain);
	assert_null(tree_find(tree->root, "c"));
	tree_destroy(tree);
}

static void an_alias_is_the_node_itself(void **state)
{
	(void)state;
	struct tree *tree = parse("[&a {x: 1}, *a, &a 2, *a]");
	struct node **items = tree->root->items;
	assert_ptr_equal(items[0], items[1]);
	assert_ptr_equal(items[2], items[3]); /* the latest anchor of a name counts */
	tree_destroy(tree);
}

/* The last of many small merges is what is too much. */
static void merges_cannot_explode(void **state)
{
	(void)state;
	enum { KEYS = 250, MERGES = 5000 };
	struct buffer text;
	buffer_init(&text, 1024 * 1024);
	(void)buffer_append_text(&text, "a: &a {");
	for (int i = 0; i < KEYS; i++)
		(void)buffer_append_format(&text, "k%d: x, ", i);
	(void)buffer_append_text(&text, "}\nb:\n");
	for (int i = 0; i < MERGES; i++)
		(void)buffer_append_text(&text, "- {<<: *a}\n");
	char *whole = buffer_take(&text);
	struct problems problems;
	problems_init(&problems);
	assert_null(tree_parse("t.yaml", whole, strlen(whole), &problems));
	assert_int_equal(problems.error_count, 1);
	/* 10,504 values are written out, and each item is 502: the 2,327th is above 1,000,000 + 16 * 10,504. */
	assert_string_equal(problems.items[0].where, "t.yaml:2329:3");
	problems_finish(&problems);
	free(whole);
}

static void core_tags_that_fit_are_fine(void **state)
{
	(void)state;
	struct tree *tree =
		parse("!!map\n"
		      "numbers: !!seq [!!int 5, !!int -0x1F, !!float 1.5e3, !!float .inf]\n"
		      "words: [!!str null, ! ~, !!bool true, !<tag:yaml.org,2002:str> x]\n"
		      "nothing: [!!null null, !!null '', !!null ]\n");
	struct node **words = tree_find(tree->root, "words")->items;
	const struct node *nothing = tree_find(tree->root, "nothing");
	assert_false(node_is_null(words[0]));
	assert_false(node_is_null(words[1]));
	for (size_t i = 0; i < nothing->count; i++)
		assert_true(node_is_null(nothing->items[i]));
	tree_destroy(tree);
}

static void merging_keeps_what_is_there(void **state)
{
	(void)state;
	struct tree *tree = parse("- &a {x: 1, y: 2}\n- &b {y: 3, z: 4}\n- {<<: [*a, *b], x: 0}\n");
	const struct node *merged = tree->root->items[2];
	assert_int_equal(merged->count, 3);
	assert_string_equal(tree_find(merged, "x")->text, "0");
	assert_string_equal(tree_find(merged, "y")->text, "2");
	assert_string_equal(tree_find(merged, "z")->text, "4");
	assert_null(tree_find(merged, "<<"));
	tree_destroy(tree);
}

static void nothing_comes_in_three_forms(void **state)
{
	(void)state;
	struct tree *tree = parse("{a: ~, b: NULL, c: , d: '', e: 'null', f: x, g: []}");
	const bool expected[] = {true, true, true, false, false, false, false};
	for (size_t i = 0; i < tree->root->count; i++)
		assert_int_equal(node_is_null(tree->root->pairs[i].value), expected[i]);
	tree_destroy(tree);
}

static void an_empty_document_has_no_root(void **state)
{
	(void)state;
	struct tree *tree = parse("# nothing\n");
	assert_null(tree->root);
	tree_destroy(tree);
}

/* A million keys in one mapping are sorted, not compared each with each. */
static void duplicates_in_a_large_mapping_are_found(void **state)
{
	(void)state;
	enum { KEYS = 100000 };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	for (int i = 0; i < KEYS; i++)
		(void)fprintf(out, "k%d: v\n", i);
	(void)fprintf(out, "k77: v\n");
	(void)fclose(out);
	struct problems problems;
	problems_init(&problems);
	struct tree *tree = tree_parse("t.yaml", text, size, &problems);
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems.items[0].where, "t.yaml:100001:1");
	assert_string_equal(problems.items[0].what,
			    "`k77` is given twice (first on line 78), expected it once");
	assert_int_equal(tree->root->count, KEYS);
	tree_destroy(tree);
	problems_finish(&problems);
	free(text);
}

/* Whatever a byte of a good file turns into, or wherever it ends: a tree or a complaint. */
static void damaged_files_are_trees_or_complaints(void **state)
{
	(void)state;
	static const char good[] =
		"x-a: &a {k: [1, \"two\\n\", 'three']}\nsites:\n- {<<: *a, url: http://a/}\n"
		"- ? b\n  : |\n    text\n  c: >-\n    more\n...\n";
	static const char bytes[] = "\0\t\n\r &*[]{}:,#'\"|>-?!%@`\xc3\xff";
	char text[sizeof(good)];
	for (size_t at = 0; at < sizeof(good) - 1; at++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			struct problems problems;
			problems_init(&problems);
			memcpy(text, good, sizeof(good));
			text[at] = bytes[i];
			/* The last byte stands for: it ends here. */
			size_t length = i == sizeof(bytes) - 1 ? at : sizeof(good) - 1;
			struct tree *tree = tree_parse("t.yaml", text, length, &problems);
			assert_true(tree != NULL || problems.error_count > 0);
			tree_destroy(tree);
			problems_finish(&problems);
		}
	}
}

int main(void)
{
	FIXTURE_ADD(every_value_knows_its_place);
	FIXTURE_ADD(an_alias_is_the_node_itself);
	FIXTURE_ADD(merges_cannot_explode);
	FIXTURE_ADD(core_tags_that_fit_are_fine);
	FIXTURE_ADD(merging_keeps_what_is_there);
	FIXTURE_ADD(nothing_comes_in_three_forms);
	FIXTURE_ADD(an_empty_document_has_no_root);
	FIXTURE_ADD(duplicates_in_a_large_mapping_are_found);
	FIXTURE_ADD(damaged_files_are_trees_or_complaints);
	return fixture_run("tree");
}
