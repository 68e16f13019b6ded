/* A file of librdkafka properties: key=value a line, # starts a comment line. Main thread. */
#ifndef WEBSENTRY_CONFIG_KAFKA_FILE_H
#define WEBSENTRY_CONFIG_KAFKA_FILE_H

#include <stdbool.h>

#include "config/settings.h"

struct problems;

/*
 * Append the file's properties and their places ("kafka.conf:3"); every mistake in it is added to problems. 0, or -1 where
 * nothing of it could be read.
 */
int kafka_file_read(const char *path, const char *where, struct text_list *properties,
		    struct text_list *origins, struct problems *problems);

/* Whether a property's value must not be shown. */
bool kafka_property_is_secret(const char *property);

#endif
