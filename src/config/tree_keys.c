/* The keys of a mapping once all of them are known: merge keys resolved, duplicates refused. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/tree.h"
#include "config/tree_build.h"

static bool is_merge_key(const struct node *key)
{
	return key->is_plain && strcmp(key->text, "<<") == 0;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct node *left = (*(const struct node_pair *const *)a)->key;
	const struct node *right = (*(const struct node_pair *const *)b)->key;
	int order = strcmp(left->text, right->text);
	if (order != 0)
		return order;
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return left->column < right->column ? -1 : left->column > right->column;
}

static void drop_pairs_without_key(struct node *mapping)
{
	size_t kept = 0;
	for (size_t i = 0; i < mapping->count; i++)
		if (mapping->pairs[i].key != NULL)
			mapping->pairs[kept++] = mapping->pairs[i];
	mapping->count = kept;
}

/*
 * Complain of each key that was there before, and go on without it, so that what else is wrong is said as well. Sorted, so
 * that a mapping of a million keys costs no more than its sorting.
 */
static void refuse_duplicates(const struct tree *tree, struct node *mapping,
			      struct problems *problems)
{
	if (mapping->count < 2)
		return;
	struct node_pair **sorted = xreallocarray(NULL, mapping->count, sizeof(struct node_pair *));
	for (size_t i = 0; i < mapping->count; i++)
		sorted[i] = &mapping->pairs[i];
	qsort(sorted, mapping->count, sizeof(struct node_pair *), compare_pairs);
	const struct node *first = sorted[0]->key;
	for (size_t i = 1; i < mapping->count; i++) {
		const struct node *second = sorted[i]->key;
		if (strcmp(first->text, second->text) != 0) {
			first = second;
			continue;
		}
		tree_problem(tree, second, problems,
			     "`%.80s` is given twice (first on line %d), expected it once",
			     second->text, first->line);
		sorted[i]->key = NULL;
	}
	free(sorted);
	drop_pairs_without_key(mapping);
}

/* To whoever reads a key as C text, what stands behind its NUL is not there. */
static void refuse_nul(const struct tree *tree, struct node *mapping, struct problems *problems)
{
	for (size_t i = 0; i < mapping->count; i++) {
		const struct node *key = mapping->pairs[i].key;
		if (strlen(key->text) == key->length)
			continue;
		tree_problem(tree, key, problems, "found a NUL byte in a key, expected none");
		mapping->pairs[i].key = NULL;
	}
	drop_pairs_without_key(mapping);
}

/* Add the pairs of source that mapping has not. Keys are few: mappings of more are not merged. */
static void merge_from(const struct tree *tree, struct node *mapping, const struct node *source,
		       struct problems *problems, bool *is_broken)
{
	enum { MERGED_KEYS_MAX = 256 };
	if (source->kind != NODE_MAPPING || source->count > MERGED_KEYS_MAX ||
	    mapping->count > MERGED_KEYS_MAX) {
		tree_problem(tree, source, problems,
			     "expected a mapping of at most %d keys to merge (<<)",
			     (int)MERGED_KEYS_MAX);
		*is_broken = true;
		return;
	}
	for (size_t i = 0; i < source->count; i++)
		if (tree_find(mapping, source->pairs[i].key->text) == NULL)
			tree_add_pair(mapping, source->pairs[i].key, source->pairs[i].value);
}

void tree_finish_mapping(struct tree *tree, struct node *mapping, struct problems *problems,
			 bool *is_broken)
{
	refuse_nul(tree, mapping, problems);
	refuse_duplicates(tree, mapping, problems);
	for (size_t i = 0; i < mapping->count && !*is_broken; i++) {
		if (!is_merge_key(mapping->pairs[i].key))
			continue;
		const struct node *sources = mapping->pairs[i].value;
		mapping->count--;
		memmove(&mapping->pairs[i], &mapping->pairs[i + 1],
			(mapping->count - i) * sizeof(struct node_pair));
		if (sources->kind != NODE_SEQUENCE) {
			merge_from(tree, mapping, sources, problems, is_broken);
			return;
		}
		for (size_t j = 0; j < sources->count && !*is_broken; j++)
			merge_from(tree, mapping, sources->items[j], problems, is_broken);
		return;
	}
}
