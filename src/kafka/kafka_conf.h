/* From struct kafka_config to librdkafka's configuration. Inside src/kafka only. */
#ifndef WEBSENTRY_KAFKA_KAFKA_CONF_H
#define WEBSENTRY_KAFKA_KAFKA_CONF_H

#include <stdbool.h>

#include <librdkafka/rdkafka.h>

#include "base/error.h"

struct kafka_config;

/*
 * Ours, then TLS, then the user's. group (consumers; may be NULL) gives way to the user's group.id. NULL with ERROR_REJECT.
 * The result belongs to the caller until rd_kafka_new() has taken it.
 */
rd_kafka_conf_t *kafka_conf_create(const struct kafka_config *config, bool is_producer,
				   const char *group, struct error *err);

#endif
