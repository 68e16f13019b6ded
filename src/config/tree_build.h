/* How tree_parse.c puts a tree together; nobody else needs it. */
#ifndef WEBSENTRY_CONFIG_TREE_BUILD_H
#define WEBSENTRY_CONFIG_TREE_BUILD_H

#include "config/tree.h"

/* An empty tree. */
struct tree *tree_create(const char *name);
struct node *tree_make(struct tree *tree, enum node_kind kind, int line, int column);
/* A scalar's text, copied. */
void tree_set_text(struct tree *tree, struct node *node, const char *text, size_t length);
void tree_add_item(struct node *sequence, struct node *item);

/* Drop and report duplicate keys; resolve merge keys, with *is_broken set where that can't be done. */
void tree_finish_mapping(struct tree *tree, struct node *mapping, struct problems *problems,
			 bool *is_broken);

/* Refuse a tag (NULL: none) that is not of the core schema or does not fit; node's text is complete. */
void tree_take_tag(const struct tree *tree, struct node *node, const char *tag,
		   struct problems *problems);

#endif
