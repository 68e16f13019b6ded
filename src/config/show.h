/* What the table's rows look like to people; shared by help, config print, completion and documents. Any thread. */
#ifndef WEBSENTRY_CONFIG_SHOW_H
#define WEBSENTRY_CONFIG_SHOW_H

#include <stddef.h>

#include "config/settings_table.h"

/* "--interval TIME", "--no-migrate", "--kafka-ca-file FILE"; "" for a row without a flag. Within text[size]. */
void show_flag(const struct setting *setting, char *text, size_t size);

/*
 * Call each variable's name of a row that counts for any of these commands, those of older.c too, with its note (NULL for none).
 */
void show_each_variable(const struct setting *setting, unsigned commands,
			void (*on_variable)(void *context, const char *name, const char *note),
			void *context);

/* Call each older flag's name of a row ("targets-file"). */
void show_each_older_flag(const struct setting *setting,
			  void (*on_flag)(void *context, const char *name), void *context);

/* The headings in the order of the table: the n-th, or NULL. */
const char *show_group(size_t index);

#endif
