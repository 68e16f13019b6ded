/* What follows from several settings at once, and what a command lacks. The database is in effective_database.c. */
#include "config/effective.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/file.h"
#include "config/kafka_file.h"
#include "config/older.h"
#include "config/reading.h"

const struct setting_origin *effective_origin(const struct reading *reading, const char *name)
{
	return &reading->settings->origins[settings_table_find(name) - settings_table];
}

static void replace(char **field, const char *text)
{
	char *copy = xstrdup(text);
	free(*field);
	*field = copy;
}

/* " or NAME, NAME": the variables of a setting; within text[size]. */
static void describe_variables(const struct setting *setting, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < SETTING_ENVIRONMENT_MAX && setting->environment[i] != NULL; i++)
		used += (size_t)snprintf(text + used, size - used, " or %s",
					 setting->environment[i]);
	for (size_t i = 0; i < older_variable_count && used < size; i++)
		if (strcmp(older_variables[i].setting, setting->name) == 0)
			used += (size_t)snprintf(text + used, size - used, " or %s",
						 older_variables[i].name);
}

void effective_complain_missing(struct reading *reading, const char *name, const char *what)
{
	char variables[256];
	char where[64];
	if (reading->is_incomplete)
		return;
	describe_variables(settings_table_find(name), variables, sizeof(variables));
	(void)snprintf(where, sizeof(where), "--%s", name);
	reading_problem(reading, where, "missing, `%s` needs %s: expected --%s%s",
			command_name(reading->settings->subject), what, name, variables);
}

/* One topic or the pair; of one source, both is too much; of the pair, one gives the other its older name. */
static void complete_topics(struct reading *reading)
{
	struct settings *settings = reading->settings;
	const struct setting_origin *one = effective_origin(reading, "kafka-topic");
	const struct setting_origin *success = effective_origin(reading, "kafka-topic-success");
	const struct setting_origin *failure = effective_origin(reading, "kafka-topic-failure");
	const struct setting_origin *pair = success->source >= failure->source ? success : failure;
	if (pair->source == SOURCE_DEFAULT || one->source > pair->source) {
		char *topic = xstrdup(one->text);
		enum setting_source source = one->source;
		char *place = xstrdup(one->place);
		replace(&settings->kafka_topic_success, topic);
		replace(&settings->kafka_topic_failure, topic);
		reading_set_origin(reading, "kafka-topic-success", source, place, topic);
		reading_set_origin(reading, "kafka-topic-failure", source, place, topic);
		free(topic);
		free(place);
		return;
	}
	if (one->source == pair->source && one->source != SOURCE_DEFAULT)
		reading_problem(reading, one->place,
				"given beside %s, expected one topic or the pair", pair->place);
	reading_set_origin(reading, "kafka-topic", SOURCE_DEFAULT, NULL, NULL);
	if (settings->kafka_topic_success == NULL) {
		replace(&settings->kafka_topic_success, "checks-success");
		reading_set_origin(reading, "kafka-topic-success", SOURCE_DEFAULT, NULL,
				   "checks-success");
	}
	if (settings->kafka_topic_failure == NULL) {
		replace(&settings->kafka_topic_failure, "checks-failure");
		reading_set_origin(reading, "kafka-topic-failure", SOURCE_DEFAULT, NULL,
				   "checks-failure");
	}
}

static void append_list(struct text_list *to, struct text_list *from)
{
	for (size_t i = 0; i < from->count; i++) {
		to->items = xreallocarray(to->items, to->count + 1, sizeof(char *));
		to->items[to->count++] = from->items[i];
	}
	free(from->items);
	*from = (struct text_list){0};
}

/* The file's properties first, so that those of flags win. */
static void complete_properties(struct reading *reading)
{
	struct settings *settings = reading->settings;
	const struct setting_origin *file = effective_origin(reading, "kafka-config");
	struct text_list properties = {0};
	struct text_list origins = {0};
	if (file->text != NULL &&
	    kafka_file_read(file->text, file->place, &properties, &origins, reading->problems) != 0)
		reading->is_incomplete = true;
	append_list(&properties, &settings->kafka_properties);
	append_list(&origins, &settings->kafka_property_origins);
	settings->kafka_properties = properties;
	settings->kafka_property_origins = origins;
}

/* The value of the last property of a name, or NULL. */
static const char *find_property(const struct settings *settings, const char *name,
				 size_t *ret_index)
{
	size_t length = strlen(name);
	for (size_t i = settings->kafka_properties.count; i-- > 0;) {
		const char *property = settings->kafka_properties.items[i];
		if (strncmp(property, name, length) == 0 && property[length] == '=') {
			*ret_index = i;
			return property + length + 1;
		}
	}
	return NULL;
}

static void complete_servers(struct reading *reading)
{
	struct settings *settings = reading->settings;
	size_t index = 0;
	size_t other_index = 0;
	const char *servers = find_property(settings, "bootstrap.servers", &index);
	const char *other = find_property(settings, "metadata.broker.list", &other_index);
	if (other != NULL && (servers == NULL || other_index > index)) { /* the last one counts */
		servers = other;
		index = other_index;
	}
	if (settings->kafka_servers == NULL && !text_is_empty(servers)) {
		assert(settings->kafka_property_origins.count > index); /* parallel lists */
		const char *place = settings->kafka_property_origins.items[index];
		settings->kafka_servers = xstrdup(servers);
		reading_set_origin(reading, "kafka-servers",
				   text_starts_with(place, "--") ? SOURCE_FLAG : SOURCE_FILE, place,
				   servers);
	}
	if (settings->kafka_servers == NULL &&
	    effective_origin(reading, "kafka-servers")->source == SOURCE_DEFAULT &&
	    !effective_was_tried(reading, "kafka-servers"))
		effective_complain_missing(reading, "kafka-servers", "Kafka's address");
}

bool effective_was_tried(const struct reading *reading, const char *name)
{
	return reading_has(reading, name, SOURCE_FLAG) ||
	       reading_has(reading, name, SOURCE_ENVIRONMENT) ||
	       reading_has(reading, name, SOURCE_FILE);
}

/* A certificate and its key come together, unless a property brings the other. */
static void check_key_pair(struct reading *reading)
{
	struct settings *settings = reading->settings;
	size_t index;
	bool has_cert = effective_was_tried(reading, "kafka-cert-file") ||
			find_property(settings, "ssl.certificate.location", &index) != NULL ||
			find_property(settings, "ssl.certificate.pem", &index) != NULL ||
			find_property(settings, "ssl.keystore.location", &index) != NULL;
	bool has_key = effective_was_tried(reading, "kafka-key-file") ||
		       find_property(settings, "ssl.key.location", &index) != NULL ||
		       find_property(settings, "ssl.key.pem", &index) != NULL ||
		       find_property(settings, "ssl.keystore.location", &index) != NULL;
	if (settings->kafka_cert_file != NULL && !has_key)
		reading_problem(
			reading, effective_origin(reading, "kafka-cert-file")->place,
			"found a certificate without its key, expected --kafka-key-file too");
	if (settings->kafka_key_file != NULL && !has_cert)
		reading_problem(
			reading, effective_origin(reading, "kafka-key-file")->place,
			"found a key without its certificate, expected --kafka-cert-file too");
}

static void complete_kafka(struct reading *reading)
{
	if ((reading->commands & (COMMAND_PRODUCER | COMMAND_CONSUMER)) == 0)
		return;
	complete_topics(reading);
	complete_properties(reading);
	effective_check_properties(reading); /* before the servers come from them */
	complete_servers(reading);
	check_key_pair(reading);
}

static void complete_listen(struct reading *reading)
{
	struct settings *settings = reading->settings;
	if (settings->listen == NULL && (reading->commands & (COMMAND_RUN | COMMAND_WEB)) != 0 &&
	    !effective_was_tried(reading, "listen")) {
		settings->listen = xstrdup("127.0.0.1:8080");
		reading_set_origin(reading, "listen", SOURCE_DEFAULT, NULL, settings->listen);
	} else if (settings->listen != NULL && strcmp(settings->listen, "off") == 0) {
		free(settings->listen);
		settings->listen = NULL;
		if (reading->commands == COMMAND_WEB)
			reading_problem(reading, effective_origin(reading, "listen")->place,
					"found 'off', expected an address for `web`");
	}
}

static void complete_host(struct reading *reading)
{
	struct settings *settings = reading->settings;
	char name[HOST_NAME_MAX + 1];
	if (settings->host != NULL)
		return;
	if (gethostname(name, sizeof(name)) != 0 || name[0] == '\0')
		(void)snprintf(name, sizeof(name), "localhost");
	name[sizeof(name) - 1] = '\0';
	settings->host = text_clean_copy(name, strlen(name), sizeof(name));
	reading_set_origin(reading, "host", SOURCE_DEFAULT, NULL, settings->host);
}

/* The XDG state folder; NULL where the environment does not say. The caller's. */
static char *default_data_dir(const struct reading *reading)
{
	const char *state = reading_variable(reading, "XDG_STATE_HOME");
	const char *home = reading_variable(reading, "HOME");
	if (state != NULL && state[0] == '/')
		return xasprintf("%s/websentry", state);
	if (home != NULL && home[0] == '/')
		return xasprintf("%s/.local/state/websentry", home);
	return NULL;
}

static void make_absolute(char **path)
{
	char cwd[PATH_MAX];
	if ((*path)[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
		return;
	char *joined = xasprintf("%s/%s", cwd, *path);
	free(*path);
	*path = joined;
}

/* What these read is a store that another command made. */
static const unsigned from_store = COMMAND_WEB | COMMAND_AUDIT | COMMAND_QUARANTINE_LIST |
				   COMMAND_QUARANTINE_SHOW | COMMAND_QUARANTINE_RETRY;

/* These change what is there; the others of from_store can read what lies on read-only media. */
static const unsigned to_folder =
	COMMAND_PRODUCER | COMMAND_RUN | COMMAND_OUTBOX_SALVAGE | COMMAND_QUARANTINE_RETRY;

static void complete_data_dir(struct reading *reading)
{
	struct settings *settings = reading->settings;
	struct error err;
	bool is_needed =
		(reading->commands & (COMMAND_PRODUCER | COMMAND_RUN | COMMAND_OUTBOX_SHOW |
				      COMMAND_OUTBOX_SALVAGE)) != 0 ||
		((reading->commands & from_store) != 0 && settings->database_dsn == NULL);
	bool is_written = (reading->commands & to_folder) != 0 || settings->declare_lost.count > 0;
	const struct setting_origin *origin = effective_origin(reading, "data-dir");
	if (!setting_belongs(settings_table_find("data-dir"), reading->commands))
		return;
	if (settings->data_dir == NULL) {
		settings->data_dir = default_data_dir(reading);
		reading_set_origin(reading, "data-dir", SOURCE_DEFAULT, NULL, settings->data_dir);
	}
	if (settings->data_dir == NULL) {
		if (is_needed)
			effective_complain_missing(reading, "data-dir",
						   "a folder, and HOME is not set");
		return;
	}
	make_absolute(&settings->data_dir);
	if (is_needed && file_check_folder(settings->data_dir, is_written, &err) != 0)
		reading_problem(reading, origin->place == NULL ? "--data-dir" : origin->place,
				"%s, expected a folder that can be %s", err.message,
				is_written ? "written to" : "read");
}

void effective_complete(struct reading *reading)
{
	if (reading->commands == 0)
		return;
	complete_kafka(reading);
	effective_complete_database(reading);
	complete_listen(reading);
	complete_host(reading);
	complete_data_dir(reading);
	effective_check_quarantine(reading);
	effective_complete_check(reading);
}
