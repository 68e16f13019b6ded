#include "app/kafka_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/settings.h"

static void read_properties(struct kafka_settings *kafka, const struct settings *settings)
{
	size_t count = settings->kafka_properties.count;
	kafka->properties = xcalloc(count, sizeof(kafka->properties[0]));
	kafka->names = xcalloc(count, sizeof(kafka->names[0]));
	for (size_t i = 0; i < count; i++) {
		const char *item = settings->kafka_properties.items[i];
		const char *equals = strchr(item, '=');
		size_t length = equals == NULL ? strlen(item) : (size_t)(equals - item);
		kafka->names[i] = xstrndup(item, length);
		kafka->properties[i] = (struct kafka_property){
			.name = kafka->names[i],
			.value = equals == NULL ? "" : equals + 1,
			.origin = settings->kafka_property_origins.items[i],
		};
	}
	kafka->config.properties = kafka->properties;
	kafka->config.property_count = count;
}

void kafka_settings_init(struct kafka_settings *kafka, const struct settings *settings)
{
	kafka->config = (struct kafka_config){
		.servers = settings->kafka_servers,
		.ca_file = settings->kafka_ca_file,
		.cert_file = settings->kafka_cert_file,
		.key_file = settings->kafka_key_file,
		.ca_origin = settings_origin(settings, "kafka-ca-file")->place,
		.cert_origin = settings_origin(settings, "kafka-cert-file")->place,
		.key_origin = settings_origin(settings, "kafka-key-file")->place,
		.client_id = "websentry",
	};
	read_properties(kafka, settings);
}

void kafka_settings_finish(struct kafka_settings *kafka)
{
	for (size_t i = 0; i < kafka->config.property_count; i++)
		free(kafka->names[i]);
	free(kafka->names);
	free(kafka->properties);
	*kafka = (struct kafka_settings){0};
}

size_t kafka_settings_topics(const struct settings *settings, const char *ret_topics[2])
{
	ret_topics[0] = settings->kafka_topic_success;
	ret_topics[1] = settings->kafka_topic_failure;
	return strcmp(ret_topics[0], ret_topics[1]) == 0 ? 1 : 2;
}
