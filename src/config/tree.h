/*
 * A YAML document as a tree in which every value knows its line and column (libyaml's events). Bounded in bytes, depth
 * and expanded aliases; duplicate keys, non-UTF-8 and a second document are refused; merge keys (<<) are resolved.
 * Aliases share nodes, so the tree is small whatever they say. Main thread.
 */
#ifndef WEBSENTRY_CONFIG_TREE_H
#define WEBSENTRY_CONFIG_TREE_H

#include <obstack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct problems;

enum {
	TREE_FILE_MAX = 256 * 1024 * 1024, /* bytes of a file: about two million sites */
	TREE_DEPTH_MAX = 64,               /* values within values */
	TREE_EXPANSION_FREE = 1000 * 1000, /* values that aliases may add to any file … */
	TREE_EXPANSION_FACTOR = 16,        /* … and for each value that is written out */
};

enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING };

struct node;

struct node_pair {
	struct node *key; /* always a scalar */
	struct node *value;
};

struct node {
	enum node_kind kind;
	bool is_plain;     /* a scalar without quotes */
	bool is_complete;  /* its end was read */
	bool is_refused;   /* its tag was, which has been said: nothing more is */
	int line;          /* from 1 */
	int column;        /* from 1, in characters */
	uint64_t expanded; /* values in it, those behind aliases counted each time */
	char *text;        /* a scalar's, NUL-terminated, may hold NULs */
	size_t length;
	struct node **items;     /* a sequence's */
	struct node_pair *pairs; /* a mapping's */
	size_t count;
	size_t capacity;
	struct node *next_owner;
};

struct tree {
	char *name;        /* the file's, for complaints */
	struct node *root; /* NULL: the document is empty */
	struct obstack
		nodes; /* all of them, and their texts: there are millions, which go together */
	struct node *owners; /* of items or pairs, latest first */
	uint64_t made_count;
};

/* Read a file. NULL where it is no YAML document that we take; every reason is added to problems. */
struct tree *tree_read(const char *path, struct problems *problems);
struct tree *tree_parse(const char *name, const char *bytes, size_t length,
			struct problems *problems);
void tree_destroy(struct tree *tree); /* accepts NULL */

/* A node of our own making, at the place of another; the tree owns it. text is copied. */
struct node *tree_make_scalar(struct tree *tree, const struct node *place, const char *text);
struct node *tree_make_mapping(struct tree *tree, const struct node *place);
void tree_add_pair(struct node *mapping, struct node *key, struct node *value);

/* The value of a key, or NULL. */
struct node *tree_find(const struct node *mapping, const char *key);

/* "null", "~" or nothing at all, unquoted. */
bool node_is_null(const struct node *node);
/* As JSON writes numbers, quoted or not. */
bool node_is_json_number(const struct node *node);
/* "a list", "a mapping", "'text'": for "found …"; within text[size]. */
void node_describe(const struct node *node, char *text, size_t size);
/* A key for a message, without what looks like its value. */
enum { NODE_KEY_MAX = 96 };
void node_name_key(const struct node *key, char text[static NODE_KEY_MAX]);

/* Add a problem at a node: file:line:column. Of one with a tag that was refused, that is said and no more. */
void tree_problem(const struct tree *tree, const struct node *node, struct problems *problems,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
