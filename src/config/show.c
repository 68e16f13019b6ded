#include "config/show.h"

#include <stdio.h>
#include <string.h>

#include "config/older.h"
#include "config/settings.h"

void show_flag(const struct setting *setting, char *text, size_t size)
{
	if ((setting->traits & SETTING_NO_FLAG) != 0) {
		text[0] = '\0';
		return;
	}
	bool is_on = setting->default_text != NULL && strcmp(setting->default_text, "true") == 0;
	if (setting->type == SETTING_BOOL) {
		const char letter[] = {'-', setting->letter, ',', ' ', '\0'};
		(void)snprintf(text, size, "%s--%s%s", setting->letter != '\0' ? letter : "",
			       is_on ? "no-" : "", setting->name);
		return;
	}
	size_t used = (size_t)snprintf(text, size, "--%s ", setting->name);
	if (setting->type != SETTING_CHOICE) {
		(void)snprintf(text + used, size - used, "%s", setting->placeholder);
		return;
	}
	for (size_t i = 0; i < SETTING_CHOICES_MAX && setting->choices[i] != NULL && used < size;
	     i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i == 0 ? "" : "|",
					 setting->choices[i]);
}

static const char *older_note(const char *name)
{
	for (size_t i = 0; i < older_variable_count; i++)
		if (strcmp(older_variables[i].name, name) == 0)
			return older_variables[i].note;
	return NULL;
}

static bool is_own(const struct setting *setting, const char *name)
{
	for (size_t i = 0; i < SETTING_ENVIRONMENT_MAX && setting->environment[i] != NULL; i++)
		if (strcmp(setting->environment[i], name) == 0)
			return true;
	return false;
}

void show_each_variable(const struct setting *setting, unsigned commands,
			void (*on_variable)(void *context, const char *name, const char *note),
			void *context)
{
	bool is_counting = setting_environment_counts(setting, commands);
	for (size_t i = 0;
	     is_counting && i < SETTING_ENVIRONMENT_MAX && setting->environment[i] != NULL; i++)
		on_variable(context, setting->environment[i], older_note(setting->environment[i]));
	for (size_t i = 0; i < older_variable_count; i++)
		if (strcmp(older_variables[i].setting, setting->name) == 0 &&
		    (older_variables[i].commands == 0
			     ? is_counting
			     : (older_variables[i].commands & commands) != 0) &&
		    !is_own(setting, older_variables[i].name))
			on_variable(context, older_variables[i].name, older_variables[i].note);
}

void show_each_older_flag(const struct setting *setting,
			  void (*on_flag)(void *context, const char *name), void *context)
{
	for (size_t i = 0; i < older_flag_count; i++)
		if (strcmp(older_flags[i].setting, setting->name) == 0)
			on_flag(context, older_flags[i].name);
}

const char *show_group(size_t index)
{
	const char *group = NULL;
	size_t count = 0;
	for (size_t i = 0; i < settings_table_count; i++) {
		if (group != NULL && strcmp(group, settings_table[i].group) == 0)
			continue;
		group = settings_table[i].group;
		if (count++ == index)
			return group;
	}
	return NULL;
}
