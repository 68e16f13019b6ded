/*
 * What the two services that this one grew from called things, and what we call them. Nothing else in the program knows
 * these names: A is the service with --mode and KAFKA_*, B the one with WEBSENTRY_*. Main thread.
 */
#ifndef WEBSENTRY_CONFIG_OLDER_H
#define WEBSENTRY_CONFIG_OLDER_H

#include <stddef.h>

struct node;
struct problems;
struct reading;
struct tree;

/* A variable that means a setting too, beside the setting's own. */
struct older_variable {
	const char *name;
	const char *setting;
	const char *unless;  /* not read where this variable is set … */
	unsigned unless_for; /* … for these commands */
	unsigned commands;   /* where it counts; 0: wherever the setting does */
	/* Puts the value into the reading itself; NULL: it is the setting's value as it stands. */
	void (*translate)(struct reading *reading, const char *name, const char *value);
	const char *note; /* for documents, or NULL */
};

/* A flag that means a setting too. */
struct older_flag {
	const char *name; /* without the dashes */
	const char *setting;
};

extern const struct older_variable older_variables[];
extern const size_t older_variable_count;
extern const struct older_flag older_flags[];
extern const size_t older_flag_count;

/* Variables that are somebody else's, though they look like ours: never read, never warned of. */
extern const char *const older_ignored_variables[];
extern const size_t older_ignored_variable_count;

/* --mode=producer|consumer|init: the command's word today, or NULL. */
const char *older_mode_command(const char *mode);

/* Our word for a log level of ours, Python's or loguru's, in any case; NULL for none. */
const char *older_log_level(const char *word);

/* Our key for the list of sites at the top of a file ("targets"), or the key itself. */
const char *older_file_key(const char *key);

/*
 * Replace what an entry of a sites file says in the older way (request_kwargs, as the older service handed them to its
 * HTTP client) by our keys, in place. Problems are added.
 */
void older_translate_entry(struct tree *tree, struct node *entry, struct problems *problems);

#endif
