/* Kafka properties that say what a setting of ours says: alone they do, beside it they must say the same. */
#include <string.h>

#include "config/effective.h"
#include "config/reading.h"

static const struct {
	const char *property;
	const char *setting;
} twins[] = {
	{"bootstrap.servers", "kafka-servers"},
	{"metadata.broker.list", "kafka-servers"},
	{"group.id", "kafka-group"},
	{"ssl.ca.location", "kafka-ca-file"},
	{"ssl.certificate.location", "kafka-cert-file"},
	{"ssl.key.location", "kafka-key-file"},
};

static void check_twin(struct reading *reading, const char *property, const char *place,
		       const char *name)
{
	const char *value = strchr(property, '=') + 1;
	const struct setting_origin *origin = effective_origin(reading, name);
	if (!setting_belongs(settings_table_find(name), reading->commands) ||
	    origin->text == NULL || strcmp(origin->text, value) == 0)
		return;
	reading_problem(reading, place,
			"found `%.*s`, but `%s` is '%.80s' (%s), expected --%s alone",
			(int)(value - property - 1), property, name, origin->text,
			origin->place == NULL ? "default" : origin->place, name);
}

void effective_check_properties(struct reading *reading)
{
	const struct settings *settings = reading->settings;
	for (size_t i = 0; i < settings->kafka_properties.count; i++) {
		const char *property = settings->kafka_properties.items[i];
		size_t length = strcspn(property, "=");
		for (size_t j = 0; j < sizeof(twins) / sizeof(twins[0]); j++)
			if (strlen(twins[j].property) == length &&
			    strncmp(property, twins[j].property, length) == 0)
				check_twin(reading, property,
					   settings->kafka_property_origins.items[i],
					   twins[j].setting);
	}
}
