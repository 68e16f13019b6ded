/* The words of commands. Any thread. */
#ifndef WEBSENTRY_CONFIG_COMMANDS_H
#define WEBSENTRY_CONFIG_COMMANDS_H

#include <stddef.h>

#include "config/settings.h"

struct command_row {
	enum command command;
	const char *name;      /* "config check" */
	const char *arguments; /* "URL…", or "" */
	const char *help;      /* one line; NULL: not shown */
};

extern const struct command_row commands_table[];
extern const size_t commands_table_count;

/* The command that words begin with, and how many of them name it; COMMAND_NONE (and 0) where they name none. */
enum command commands_find(char *const *words, size_t count, size_t *ret_used);
enum command commands_by_name(const char *name);

/* The nearest command's name, or NULL. */
const char *commands_nearest(const char *word);

/* All of them, "producer, consumer, …". */
const char *commands_list(void);

/* Those of a set, "producer, run"; within text[size]. */
void commands_describe(unsigned commands, char *text, size_t size);

#endif
