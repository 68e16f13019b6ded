/* From settings to the adapters' own options: one place for producer, consumer and config check. */
#ifndef WEBSENTRY_APP_KAFKA_SETTINGS_H
#define WEBSENTRY_APP_KAFKA_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "kafka/kafka_config.h"

struct settings;

/* Borrows every text from settings. Released with kafka_settings_finish(). */
void kafka_settings_init(struct kafka_config *config, const struct settings *settings);
void kafka_settings_finish(struct kafka_config *config);

/* The topics of settings, without a double; returns how many (1 or 2). */
size_t kafka_settings_topics(const struct settings *settings, const char *ret_topics[2]);

#endif
