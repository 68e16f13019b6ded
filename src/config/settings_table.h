/*
 * The one table of settings. Parser, --help, config print, completion, man page and docs/configuration.md come from it.
 * Const; any thread.
 */
#ifndef WEBSENTRY_CONFIG_SETTINGS_TABLE_H
#define WEBSENTRY_CONFIG_SETTINGS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct settings;

enum setting_type {
	SETTING_TEXT,
	SETTING_BOOL,
	SETTING_DURATION, /* microseconds */
	SETTING_INTEGER,
	SETTING_CHOICE, /* the index of a word */
	SETTING_LIST,   /* may be given more than once */
};

enum setting_trait {
	SETTING_SECRET = 1 << 0,     /* masked wherever it is shown; can come from a file */
	SETTING_RELOADABLE = 1 << 1, /* may change while we run: on SIGHUP, or with its file */
	SETTING_NO_FLAG = 1 << 2,    /* environment and --config only */
	SETTING_INVERTED = 1 << 3,   /* the field holds the opposite: --no-migrate */
	SETTING_HAS_URLS = 1 << 4,   /* URLs are redacted where they are shown */
	SETTING_CREDENTIAL =
		1 << 5, /* $CREDENTIALS_DIRECTORY/<name>, when there, is the file that it names */
};

enum { SETTING_NO_FIELD = -1 };
enum { SETTING_ENVIRONMENT_MAX = 2, SETTING_CHOICES_MAX = 5 };

struct setting {
	const char *group; /* the heading in help and documents */
	const char *name;  /* the flag is "--" and this, the key in a --config file is this */
	char letter;       /* a short flag, -v; 0: none */
	enum setting_type type;
	unsigned commands; /* enum command */
	/* Where the variables count for fewer commands than the flag does; 0: for the same. */
	unsigned environment_commands;
	unsigned traits; /* enum setting_trait */
	ptrdiff_t
		offset; /* of the field in struct settings; SETTING_NO_FIELD: others are made of it */
	size_t size;    /* of that field */
	int64_t min;    /* of durations and integers */
	int64_t max;
	const char *default_text; /* as a user would type it; NULL: none */
	const char *default_note; /* said in documents where the default is worked out */
	const char *environment[SETTING_ENVIRONMENT_MAX];
	const char *placeholder; /* "FILE" */
	const char *choices[SETTING_CHOICES_MAX];
	/* Further rules of a text: 0 and its canonical form (the caller's), or -1 and "expected …". NULL: any text. */
	int (*check)(const char *text, char **ret_canonical, struct error *err);
	const char *help;
};

extern const struct setting settings_table[];
extern const size_t settings_table_count;

/* The row of a name, or NULL. */
const struct setting *settings_table_find(const char *name);

/* Whether a row, or its variables, belong to any of these commands. */
bool setting_belongs(const struct setting *setting, unsigned commands);
bool setting_environment_counts(const struct setting *setting, unsigned commands);

/*
 * Read a value as a user types it. Returns 0 and its canonical form (two spellings of one value have the same; the
 * caller's), or -1 and "expected …" in err.
 */
int setting_parse(const struct setting *setting, const char *text, char **ret_canonical,
		  struct error *err);

/* Put a canonical value into its field. Lists grow. */
void setting_store(const struct setting *setting, const char *canonical, struct settings *settings);

/* "a time from 100ms to 366d", "one of text, json": what a value looks like; within text[size]. */
void setting_describe_type(const struct setting *setting, char *text, size_t size);

#endif
