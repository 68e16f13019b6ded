#include "app/kafka_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/settings.h"

/* "name=value" split in place of a copy: the name is a fresh text, the value points into the item. */
static struct kafka_property read_property(const char *item, const char *origin)
{
	const char *equals = strchr(item, '=');
	return (struct kafka_property){
		.name = xstrndup(item, equals == NULL ? strlen(item) : (size_t)(equals - item)),
		.value = equals == NULL ? "" : equals + 1,
		.origin = origin,
	};
}

void kafka_settings_init(struct kafka_config *config, const struct settings *settings)
{
	size_t count = settings->kafka_properties.count;
	struct kafka_property *properties = xcalloc(count, sizeof(properties[0]));
	for (size_t i = 0; i < count; i++)
		properties[i] = read_property(settings->kafka_properties.items[i],
					      settings->kafka_property_origins.items[i]);
	*config = (struct kafka_config){
		.servers = settings->kafka_servers,
		.ca_file = settings->kafka_ca_file,
		.cert_file = settings->kafka_cert_file,
		.key_file = settings->kafka_key_file,
		.ca_origin = settings_origin(settings, "kafka-ca-file")->place,
		.cert_origin = settings_origin(settings, "kafka-cert-file")->place,
		.key_origin = settings_origin(settings, "kafka-key-file")->place,
		.properties = properties,
		.property_count = count,
		.client_id = "websentry",
	};
}

void kafka_settings_finish(struct kafka_config *config)
{
	for (size_t i = 0; i < config->property_count; i++)
		free((void *)(uintptr_t)config->properties[i].name); /* ours, see read_property() */
	free((void *)(uintptr_t)config->properties);
	*config = (struct kafka_config){0};
}

size_t kafka_settings_topics(const struct settings *settings, const char *ret_topics[2])
{
	ret_topics[0] = settings->kafka_topic_success;
	ret_topics[1] = settings->kafka_topic_failure;
	return strcmp(ret_topics[0], ret_topics[1]) == 0 ? 1 : 2;
}
