/*
 * How to reach Kafka: librdkafka properties from settings, TLS files and the user's own. Read-only once made.
 */
#ifndef WEBSENTRY_KAFKA_KAFKA_CONFIG_H
#define WEBSENTRY_KAFKA_KAFKA_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct kafka_property {
	const char *name;
	const char *value;
	const char *origin; /* for complaints: "--kafka-property", "kafka.conf:3" */
};

struct kafka_config {
	const char *servers;
	const char *ca_file; /* each NULL where not given; any of them turns TLS on */
	const char *cert_file;
	const char *key_file;
	const char *
		ca_origin; /* for complaints: "--kafka-ca-file", "KAFKA_CAFILE"; NULL where not known */
	const char *cert_origin;
	const char *key_origin;
	const struct kafka_property *properties; /* the user's, they win over ours */
	size_t property_count;
	const char *client_id; /* "websentry" */
};

/*
 * Check everything that can be checked without a network: names and values of properties, files that can be read. Refuses
 * those that the promise rests on (idempotence, acks, offsets …), saying why. 0, or -1 with ERROR_REJECT.
 * is_producer tells which of librdkafka's two kinds of properties are meant.
 */
int kafka_config_check(const struct kafka_config *config, bool is_producer, struct error *err);

#endif
