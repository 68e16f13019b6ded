/*
 * The environment. A name counts only for the commands that its setting belongs to; an empty variable is an unset one.
 * Every secret can come from a file: NAME_FILE, or $CREDENTIALS_DIRECTORY/<setting>.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/file.h"
#include "config/older.h"
#include "config/reading.h"

enum { SECRET_MAX = 64 * 1024, NAMES_MAX = 128 };

/* The start of the next URL of a list: after a comma, where a scheme follows. NULL: there is none. */
static const char *next_url(const char *text)
{
	for (const char *comma = strchr(text, ','); comma != NULL; comma = strchr(comma + 1, ',')) {
		const char *at = comma + 1 + strspn(comma + 1, " \t\n,");
		const char *end = at;
		while (isalnum((unsigned char)*end) || *end == '+' || *end == '-' || *end == '.')
			end++;
		if (end > at && isalpha((unsigned char)*at) && strncmp(end, "://", 3) == 0)
			return at;
	}
	return NULL;
}

static void add_urls(struct reading *reading, const struct setting *setting, const char *name,
		     const char *value)
{
	const char *at = value + strspn(value, " \t\n,");
	while (at != NULL && *at != '\0') {
		const char *next = next_url(at);
		size_t length = next == NULL ? strlen(at) : (size_t)(next - at);
		while (length > 0 && strchr(" \t\n,", at[length - 1]) != NULL)
			length--;
		char *url = xstrndup(at, length);
		reading_add(reading, setting, SOURCE_ENVIRONMENT, name, url);
		free(url);
		at = next;
	}
}

static void add_value(struct reading *reading, const struct setting *setting, const char *name,
		      const char *value)
{
	if (strcmp(name, "STATE_DIRECTORY") == 0) { /* systemd lists several with colons */
		char *first = xstrndup(value, strcspn(value, ":"));
		reading_add(reading, setting, SOURCE_ENVIRONMENT, name, first);
		free(first);
	} else if (setting->type == SETTING_LIST) {
		add_urls(reading, setting, name, value);
	} else {
		reading_add(reading, setting, SOURCE_ENVIRONMENT, name, value);
	}
}

/* A secret's file: its text without the newline at its end. */
static void add_secret_file(struct reading *reading, const struct setting *setting,
			    const char *name, const char *path)
{
	struct error err;
	size_t length;
	char *text = file_read(path, SECRET_MAX, &length, &err);
	if (text == NULL) {
		reading_problem(reading, name, "%s", err.message);
		reading->is_incomplete = true;
		return;
	}
	if (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	if (length > 0 && text[length - 1] == '\r')
		text[--length] = '\0';
	if (length == 0 || strlen(text) != length) {
		reading_problem(reading, name, "%s %s, expected one line of text", path,
				length == 0 ? "is empty" : "holds a NUL byte");
		reading->is_incomplete = true;
	} else {
		reading_add(reading, setting, SOURCE_ENVIRONMENT, name, text);
	}
	free(text);
}

static void read_secret_variable(struct reading *reading, const struct setting *setting,
				 const char *name)
{
	if ((setting->traits & SETTING_SECRET) == 0)
		return;
	char *file_name = xasprintf("%s_FILE", name);
	const char *path = reading_variable(reading, file_name);
	if (path != NULL)
		add_secret_file(reading, setting, file_name, path);
	free(file_name);
}

/* A file may be there, or not: to start without it could mean to start without a password. Said once for the folder. */
static void complain_credentials(struct reading *reading, const char *folder, int reason)
{
	struct error err;
	if (reading->is_credentials_said)
		return;
	reading->is_credentials_said = true;
	error_set_errno(&err, ERROR_REJECT, reason, "can't look into %s", folder);
	reading_problem(reading, "CREDENTIALS_DIRECTORY", "%s", err.message);
	reading->is_incomplete = true;
}

/* systemd's LoadCredential=: a file named as the setting. */
static void read_credential(struct reading *reading, const struct setting *setting)
{
	const char *folder = reading_variable(reading, "CREDENTIALS_DIRECTORY");
	if (folder == NULL || (setting->traits & (SETTING_SECRET | SETTING_CREDENTIAL)) == 0)
		return;
	char *path = xasprintf("%s/%s", folder, setting->name);
	errno = 0;
	bool is_there = faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (!is_there && errno == ENOENT)
		; /* systemd passes those that the unit names */
	else if (!is_there)
		complain_credentials(reading, folder, errno);
	else if ((setting->traits & SETTING_SECRET) != 0)
		add_secret_file(reading, setting, path, path);
	else
		reading_add(reading, setting, SOURCE_ENVIRONMENT, path, path);
	free(path);
}

static bool is_translated(const char *name)
{
	for (size_t i = 0; i < older_variable_count; i++)
		if (older_variables[i].translate != NULL &&
		    strcmp(older_variables[i].name, name) == 0)
			return true;
	return false;
}

static void read_setting(struct reading *reading, const struct setting *setting)
{
	if (!setting_environment_counts(setting, reading->commands))
		return;
	for (size_t i = 0; i < SETTING_ENVIRONMENT_MAX && setting->environment[i] != NULL; i++) {
		const char *name = setting->environment[i];
		const char *value = reading_variable(reading, name);
		if (value != NULL && !is_translated(name))
			add_value(reading, setting, name, value);
		read_secret_variable(reading, setting, name);
	}
	read_credential(reading, setting);
}

static void read_older(struct reading *reading, const struct older_variable *variable)
{
	const struct setting *setting = settings_table_find(variable->setting);
	const char *value = reading_variable(reading, variable->name);
	bool is_counting = variable->commands == 0
				   ? setting_environment_counts(setting, reading->commands)
				   : (variable->commands & reading->commands) != 0;
	if (value == NULL || !is_counting)
		return;
	if (variable->unless != NULL && (variable->unless_for & reading->commands) != 0 &&
	    reading_variable(reading, variable->unless) != NULL)
		return;
	if (variable->translate != NULL)
		variable->translate(reading, variable->name, value);
	else
		add_value(reading, setting, variable->name, value);
}

static bool is_known(const char *name)
{
	for (size_t i = 0; i < settings_table_count; i++) {
		const struct setting *setting = &settings_table[i];
		for (size_t j = 0; j < SETTING_ENVIRONMENT_MAX && setting->environment[j] != NULL;
		     j++) {
			size_t length = strlen(setting->environment[j]);
			if (strncmp(name, setting->environment[j], length) == 0 &&
			    (name[length] == '\0' || ((setting->traits & SETTING_SECRET) != 0 &&
						      strcmp(name + length, "_FILE") == 0)))
				return true;
		}
	}
	for (size_t i = 0; i < older_variable_count; i++)
		if (strcmp(older_variables[i].name, name) == 0)
			return true;
	return false;
}

/* All our names without the prefix that they share, which would make any two of them look alike. */
static size_t list_names(const char **names, const char *prefix)
{
	size_t count = 0;
	for (size_t i = 0; i < settings_table_count; i++)
		for (size_t j = 0; j < SETTING_ENVIRONMENT_MAX; j++)
			if (settings_table[i].environment[j] != NULL && count < NAMES_MAX &&
			    text_starts_with(settings_table[i].environment[j], prefix))
				names[count++] = settings_table[i].environment[j] + strlen(prefix);
	for (size_t i = 0; i < older_variable_count && count < NAMES_MAX; i++)
		if (text_starts_with(older_variables[i].name, prefix))
			names[count++] = older_variables[i].name + strlen(prefix);
	return count;
}

/*
 * A name of ours that is none is most likely misspelt. It can't be an error: others put names of this form there too
 * (Kubernetes, for a service named so).
 */
static void warn_of_typos(struct reading *reading)
{
	static const char prefix[] = "WEBSENTRY_";
	const char *names[NAMES_MAX];
	size_t count = list_names(names, prefix);
	for (char *const *at = reading->environment; at != NULL && *at != NULL; at++) {
		const char *equals = strchr(*at, '=');
		if (!text_starts_with(*at, prefix) || equals == NULL || equals[1] == '\0')
			continue;
		char *name = xstrndup(*at, (size_t)(equals - *at));
		const char *nearest =
			is_known(name) ? NULL : text_nearest(name + strlen(prefix), names, count);
		if (nearest != NULL)
			problems_warn(reading->problems, name,
				      "unknown variable, did you mean %s%s?", prefix, nearest);
		free(name);
	}
}

void environment_read(struct reading *reading)
{
	for (size_t i = 0; i < settings_table_count; i++)
		read_setting(reading, &settings_table[i]);
	for (size_t i = 0; i < older_variable_count; i++)
		read_older(reading, &older_variables[i]);
	warn_of_typos(reading);
}
