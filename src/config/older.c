#include "config/older.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/reading.h"
#include "config/settings.h"
#include "config/settings_table.h"

/* B gave seconds, and nothing above zero meant: once. */
static void translate_interval(struct reading *reading, const char *name, const char *value)
{
	int64_t us;
	if (text_parse_duration(value, &us) != 0 || us > 0) {
		reading_add(reading, settings_table_find("interval"), SOURCE_ENVIRONMENT, name,
			    value);
		return;
	}
	const struct setting *once = settings_table_find("once");
	if (reading_has(reading, "interval", SOURCE_FLAG))
		return; /* the flag wins over all that the variable says */
	if (setting_belongs(once, reading->commands))
		reading_add(reading, once, SOURCE_ENVIRONMENT, name, "true");
	else
		reading_problem(reading, name,
				"found '%s', which means once, expected a time above 0", value);
}

static void translate_daemon(struct reading *reading, const char *name, const char *value)
{
	const struct setting *once = settings_table_find("once");
	char *is_daemon;
	if (setting_parse(once, value, &is_daemon, NULL) != 0) {
		reading_problem(reading, name, "found '%s', expected 1 (daemon) or 0 (once)",
				value);
		return;
	}
	reading_add(reading, once, SOURCE_ENVIRONMENT, name,
		    strcmp(is_daemon, "true") == 0 ? "false" : "true");
	free(is_daemon);
}

const struct older_variable older_variables[] = {
	{.name = "WEBSENTRY_INTERVAL",
	 .setting = "interval",
	 .translate = translate_interval,
	 .note = "seconds; 0 or less means `--once` (producer)"},
	{.name = "WEBSENTRY_CONSUMER_ENABLE_DAEMON",
	 .setting = "once",
	 .commands = COMMAND_CONSUMER,
	 .translate = translate_daemon,
	 .note = "0 means `--once`"},
	{.name = "KAFKA_BOOTSTRAP_SERVERS", .setting = "kafka-servers"},
	{.name = "KAFKA_CAFILE", .setting = "kafka-ca-file"},
	{.name = "KAFKA_CERTFILE", .setting = "kafka-cert-file"},
	{.name = "KAFKA_KEYFILE", .setting = "kafka-key-file"},
	{.name = "KAFKA_KEYILE",
	 .setting = "kafka-key-file",
	 .note = "as one older service spelled it"},
	{.name = "KAFKA_CONSUMER_GROUP", .setting = "kafka-group"},
	{.name = "LOGURU_LEVEL", .setting = "log-level"},
	{.name = "WEBSENTRY_CONSUMER_LOGLEVEL",
	 .setting = "log-level",
	 .commands = COMMAND_CONSUMER},
	{.name = "WEBSENTRY_LOGLEVEL",
	 .setting = "log-level",
	 .commands = COMMAND_PRODUCER | COMMAND_RUN | COMMAND_CONSUMER,
	 .unless = "WEBSENTRY_CONSUMER_LOGLEVEL",
	 .unless_for = COMMAND_CONSUMER,
	 .note = "consumer: only without `WEBSENTRY_CONSUMER_LOGLEVEL`"},
};
const size_t older_variable_count = sizeof(older_variables) / sizeof(older_variables[0]);

const struct older_flag older_flags[] = {
	{"targets-file", "sites"},
	{"seconds", "interval"},
};
const size_t older_flag_count = sizeof(older_flags) / sizeof(older_flags[0]);

const char *const older_ignored_variables[] = {
	"POSTGRES_USER", /* the database container's */
	"POSTGRES_PASSWORD",
};
const size_t older_ignored_variable_count =
	sizeof(older_ignored_variables) / sizeof(older_ignored_variables[0]);

struct word {
	const char *theirs;
	const char *ours;
};

static const char *translate_word(const struct word *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (text_equal_ignoring_case(words[i].theirs, word))
			return words[i].ours;
	return NULL;
}

const char *older_mode_command(const char *mode)
{
	static const struct word modes[] = {
		{"producer", "producer"}, {"consumer", "consumer"}, {"init", "db migrate"}};
	return translate_word(modes, sizeof(modes) / sizeof(modes[0]), mode);
}

const char *older_log_level(const char *word)
{
	static const struct word levels[] = {
		{"error", "error"}, {"warn", "warn"},    {"info", "info"},    {"debug", "debug"},
		{"trace", "trace"}, {"warning", "warn"}, {"success", "info"}, {"critical", "error"},
		{"fatal", "error"}, {"notset", "trace"},
	};
	return translate_word(levels, sizeof(levels) / sizeof(levels[0]), word);
}

const char *older_file_key(const char *key)
{
	return strcmp(key, "targets") == 0 ? "sites" : key;
}
