#include "config/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/effective.h"
#include "config/named_files.h"
#include "config/problems.h"
#include "config/reading.h"
#include "config/settings_table.h"

/* --config itself can come from a flag only: the file can't name itself. */
static void read_config_file(struct reading *reading)
{
	const struct given *config = reading_find(reading, "config", SOURCE_FLAG);
	if (config != NULL && config->text[0] != '\0')
		config_file_read(reading, config->text);
}

/* Sites in the --config file count only where no flag and no variable names others. */
static void decide_config_sites(struct reading *reading)
{
	struct settings *settings = reading->settings;
	bool has_better = settings->site_files.count > 0;
	for (size_t i = 0; i < reading->count; i++) {
		const struct given *given = &reading->given[i];
		bool is_site = strcmp(given->setting->name, "url") == 0 ||
			       strcmp(given->setting->name, "sites") == 0;
		has_better = has_better || (is_site && given->source > SOURCE_FILE);
	}
	settings->has_config_sites = reading->has_file_sites && !has_better;
}

void settings_read(int argc, char **argv, char *const *environment, struct settings *ret_settings,
		   struct problems *problems)
{
	struct reading reading;
	*ret_settings = (struct settings){.argc = argc, .argv = argv, .environment = environment};
	ret_settings->named_files = named_files_create();
	ret_settings->origins = xcalloc(settings_table_count, sizeof(*ret_settings->origins));
	reading_init(&reading, ret_settings, environment, problems);
	arguments_read(&reading, argc, argv);
	if (reading.commands != 0) {
		environment_read(&reading);
		read_config_file(&reading);
		decide_config_sites(&reading);
	}
	resolve_values(&reading);
	effective_complete(&reading);
	reading_finish(&reading);
}

static void finish_list(struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct text_list){0};
}

void settings_finish(struct settings *settings)
{
	for (size_t i = 0; i < settings_table_count; i++) {
		const struct setting *setting = &settings_table[i];
		char *field = (char *)settings +
			      (setting->offset == SETTING_NO_FIELD ? 0 : setting->offset);
		if (setting->offset != SETTING_NO_FIELD && setting->type == SETTING_TEXT)
			free(*(char **)(void *)field);
		if (setting->offset != SETTING_NO_FIELD && setting->type == SETTING_LIST)
			finish_list((struct text_list *)(void *)field);
		if (settings->origins != NULL) {
			free(settings->origins[i].place);
			free(settings->origins[i].text);
		}
	}
	named_files_destroy(settings->named_files);
	free(settings->origins);
	free(settings->shell);
	finish_list(&settings->site_files);
	finish_list(&settings->words);
	finish_list(&settings->kafka_property_origins);
	*settings = (struct settings){0};
}

static bool is_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_same_list(const struct text_list *a, const struct text_list *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return a->count == b->count;
}

/* Of a list, the whole of it: its origin knows its last item. */
static bool is_same_value(const struct setting *setting, const struct settings *before,
			  const struct settings *after)
{
	ptrdiff_t index = setting - settings_table;
	if (setting->type != SETTING_LIST)
		return is_same_text(before->origins[index].text, after->origins[index].text);
	const void *a = (const char *)before + setting->offset;
	const void *b = (const char *)after + setting->offset;
	return is_same_list(a, b);
}

char *settings_name_fixed_changes(const struct settings *before, const struct settings *after)
{
	char *names = NULL;
	for (size_t i = 0; i < settings_table_count; i++) {
		const struct setting *setting = &settings_table[i];
		if ((setting->traits & SETTING_RELOADABLE) != 0 ||
		    is_same_value(setting, before, after))
			continue;
		char *longer = names == NULL ? xstrdup(setting->name)
					     : xasprintf("%s,%s", names, setting->name);
		free(names);
		names = longer;
	}
	return names;
}

const struct setting_origin *settings_origin(const struct settings *settings, const char *name)
{
	return &settings->origins[settings_table_find(name) - settings_table];
}

bool settings_is_given(const struct settings *settings, const char *name)
{
	return settings_origin(settings, name)->source != SOURCE_DEFAULT;
}
