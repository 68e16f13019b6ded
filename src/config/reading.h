/*
 * Settings while they are being read: every value that anybody gave, with where it stood, before it is decided which of
 * them count. Internal to config/; main thread.
 */
#ifndef WEBSENTRY_CONFIG_READING_H
#define WEBSENTRY_CONFIG_READING_H

#include <stdbool.h>
#include <stddef.h>

#include "config/problems.h"
#include "config/settings.h"
#include "config/settings_table.h"

struct given {
	const struct setting *setting;
	enum setting_source source;
	char *place; /* "--interval", "WEBSENTRY_INTERVAL", "websentry.yaml:3:1", "argument 'x'" */
	char *text;
};

struct reading {
	struct settings *settings; /* being filled */
	struct problems *problems;
	char *const *environment;
	unsigned commands; /* the command whose settings count; 0: of any (help, version) */
	struct given *given;
	size_t count;
	size_t capacity;
	struct text_list arguments; /* without dashes, after the command */
	bool has_file_sites;        /* the --config file holds a list of sites itself */
	bool is_credentials_said;   /* that $CREDENTIALS_DIRECTORY can't be looked into */
	bool is_incomplete; /* a flag or a file could not be read: what is missing may stand there */
};

void reading_init(struct reading *reading, struct settings *settings, char *const *environment,
		  struct problems *problems);
void reading_finish(struct reading *reading);

/* Note a value; place and text are copied. */
void reading_add(struct reading *reading, const struct setting *setting, enum setting_source source,
		 const char *place, const char *text);

/* The first value of a setting from a source, or NULL. */
const struct given *reading_find(const struct reading *reading, const char *name,
				 enum setting_source source);
bool reading_has(const struct reading *reading, const char *name, enum setting_source source);

/* A variable's value; NULL where it is unset or empty. Borrowed from the environment. */
const char *reading_variable(const struct reading *reading, const char *name);

void reading_problem(struct reading *reading, const char *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The command line: the command, flags and arguments (arguments.c). */
void arguments_read(struct reading *reading, int argc, char **argv);

/* Variables, secrets in files and credentials (environment.c). */
void environment_read(struct reading *reading);

/* The --config file (config_file.c). */
void config_file_read(struct reading *reading, const char *path);

/* Decide which values count, and fill the settings and their origins (resolve.c). */
void resolve_values(struct reading *reading);

/* Set a setting's text for config print and its origin. */
void reading_set_origin(struct reading *reading, const char *name, enum setting_source source,
			const char *place, const char *text);

#endif
