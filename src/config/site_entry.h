/* One entry of a sites file into a site. Internal to config/; main thread. */
#ifndef WEBSENTRY_CONFIG_SITE_ENTRY_H
#define WEBSENTRY_CONFIG_SITE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/site.h"
#include "config/tree.h"

struct problems;
struct settings;

/* How near to the site a value was given. */
enum entry_level {
	LEVEL_BUILT_IN,
	LEVEL_DEFAULTS, /* the file's `defaults:` */
	LEVEL_SETTINGS, /* --interval and its like */
	LEVEL_SITE,
};

struct entry {
	struct site site;
	enum entry_level interval_level;
	enum entry_level timeout_level;
	const struct node *timeout_place; /* NULL: not in the file */
};

struct entry_reader {
	struct tree *tree;
	const struct settings *settings;
	struct problems *problems;
	bool is_quiet;          /* problems were said before: only the values are wanted */
	enum entry_level level; /* of what is being read */
	struct entry *entry;    /* being filled */
};

/* A site as the settings alone make it; url may be NULL. */
void entry_init(struct entry *entry, const struct settings *settings, const char *url);
/* Everything that it owns, patterns too. */
void entry_finish(struct entry *entry);

/* Check the keys and values of `defaults:` once, for its complaints. */
void entry_check_defaults(struct entry_reader *reader, struct node *defaults);

/*
 * Fill reader->entry (begun with entry_init) from an entry of the file and its defaults (NULL: none). Problems are
 * added; the entry is released with entry_finish() where it is not wanted.
 */
void entry_read(struct entry_reader *reader, struct node *node, const struct node *defaults);

/* Whether the timeout is longer than the interval and nobody may shorten it; otherwise the entry is made to fit. */
bool entry_is_timeout_too_long(struct entry *entry, const struct settings *settings);

/* The table of keys (site_keys.c). */
struct entry_key {
	const char *name;
	void (*take)(struct entry_reader *reader, const struct node *value);
	bool is_own;    /* makes no sense in `defaults:` */
	bool is_merged; /* a mapping whose parts override each other one by one */
};
extern const struct entry_key entry_keys[];
extern const size_t entry_key_count;

/* Values (site_values.c): 0 and the value, or -1 with a problem added. name is the key's, for the message. */
int entry_take_text(struct entry_reader *reader, const char *name, const struct node *value,
		    size_t max, char **ret_text); /* one line; the caller's */
int entry_take_block(struct entry_reader *reader, const char *name, const struct node *value,
		     size_t max, char **ret_text); /* any text without NUL; the caller's */
int entry_take_bool(struct entry_reader *reader, const char *name, const struct node *value,
		    bool *ret_value);
int entry_take_integer(struct entry_reader *reader, const char *name, const struct node *value,
		       int64_t min, int64_t max, int64_t *ret_value);
int entry_take_size(struct entry_reader *reader, const char *name, const struct node *value,
		    int64_t min, int64_t max, int64_t *ret_bytes);
int entry_take_duration(struct entry_reader *reader, const char *name, const struct node *value,
			int64_t min, int64_t max, int64_t *ret_us);

/* "found …, expected …" at a node. */
void entry_expect(struct entry_reader *reader, const struct node *value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Any problem at a node. */
void entry_problem(struct entry_reader *reader, const struct node *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
