/* From settings to the adapters' own options: one place for producer, consumer and config check. */
#ifndef WEBSENTRY_APP_KAFKA_SETTINGS_H
#define WEBSENTRY_APP_KAFKA_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "kafka/kafka_config.h"

struct settings;

/* What a handle is made from, and what it points at. Borrows every text but the names from settings. */
struct kafka_settings {
	struct kafka_config config;
	struct kafka_property *properties;
	char **names; /* of the properties: a setting holds "name=value" */
};

/* Released with kafka_settings_finish(). */
void kafka_settings_init(struct kafka_settings *kafka, const struct settings *settings);
void kafka_settings_finish(struct kafka_settings *kafka);

/* The topics of settings, without a double; returns how many (1 or 2). */
size_t kafka_settings_topics(const struct settings *settings, const char *ret_topics[2]);

#endif
