/* `websentry config check` and `config print`: what a command would read, without starting it. */
#include <stdio.h>

#include "app/commands.h"
#include "app/kafka_settings.h"
#include "app/process.h"
#include "base/log.h"
#include "check/site.h"
#include "config/settings.h"

/* main has read settings and sites already, and found them sound; Kafka's properties are left. */
int command_config_check(const struct settings *settings, const struct site_list *sites)
{
	struct error err = {0};
	int result = 0;
	if (settings->subject & (COMMAND_PRODUCER | COMMAND_CONSUMER)) {
		struct kafka_settings kafka;
		kafka_settings_init(&kafka, settings);
		result = kafka_config_check(&kafka.config, settings->subject == COMMAND_PRODUCER,
					    &err);
		kafka_settings_finish(&kafka);
	}
	if (result != 0) {
		log_event(LOG_ERROR, err.message);
		return EXIT_USAGE;
	}
	(void)printf("%s: settings are sound, %zu site%s\n", command_name(settings->subject),
		     sites->count, sites->count == 1 ? "" : "s");
	return EXIT_FINE;
}

int command_config_print(const struct settings *settings)
{
	settings_print_effective(stdout, settings);
	return EXIT_FINE;
}
