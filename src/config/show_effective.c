/* config print. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "check/url.h"
#include "config/dsn.h"
#include "config/kafka_file.h"
#include "config/settings.h"
#include "config/settings_table.h"

/* How much of "file:line:column" or "file:line" is said: up to the line. */
static int length_to_line(const char *place)
{
	size_t length = strlen(place);
	size_t end = length;
	while (end > 0 && isdigit((unsigned char)place[end - 1]))
		end--;
	if (end == length || end < 2 || place[end - 1] != ':' ||
	    !isdigit((unsigned char)place[end - 2]))
		return (int)length;
	size_t before = end - 1; /* the colon before the last number */
	while (end > 1 && isdigit((unsigned char)place[end - 2]))
		end--;
	return (int)(end > 1 && place[end - 2] == ':' ? before : length);
}

static void print_place(FILE *out, enum setting_source source, const char *place)
{
	switch (source) {
	case SOURCE_DEFAULT:
		(void)fputs("(default)\n", out);
		break;
	case SOURCE_FILE:
		(void)fprintf(out, "(file %.*s)\n", length_to_line(place), place);
		break;
	case SOURCE_ENVIRONMENT:
		(void)fprintf(out, "(env %s)\n", place);
		break;
	case SOURCE_FLAG:
		(void)fprintf(out, "(%s%s)\n", place[0] == '-' ? "flag " : "", place);
		break;
	}
}

/* A text of whoever wrote the settings, for a terminal; the caller's. */
static char *make_safe(const char *text)
{
	size_t length = strlen(text);
	return text_clean_copy(text, length, 3 * length);
}

/* One line, whatever is in the value. */
static void print_line(FILE *out, const char *name, const char *value, enum setting_source source,
		       const char *place)
{
	char *safe_value = make_safe(value == NULL ? "" : value);
	char *safe_place = make_safe(place == NULL ? "" : place);
	(void)fprintf(out, "%s = %s  ", name, safe_value);
	print_place(out, source, safe_place);
	free(safe_value);
	free(safe_place);
}

/* "KEY=VALUE" with nothing but its key. */
static char *mask_value(const char *pair)
{
	return xasprintf("%.*s=***", (int)strcspn(pair, "="), pair);
}

static void print_property(FILE *out, const char *property, const char *place)
{
	char *masked =
		kafka_property_is_secret(property) ? mask_value(property) : xstrdup(property);
	bool is_flag = strncmp(place, "--", 2) == 0;
	print_line(out, "kafka-property", masked, is_flag ? SOURCE_FLAG : SOURCE_FILE, place);
	free(masked);
}

static void print_list(FILE *out, const struct settings *settings, const struct setting *setting,
		       const struct setting_origin *origin)
{
	const char *field = (const char *)settings + setting->offset;
	const struct text_list *list = (const struct text_list *)(const void *)field;
	if (list->count == 0)
		print_line(out, setting->name, NULL, SOURCE_DEFAULT, NULL);
	for (size_t i = 0; i < list->count; i++) {
		if (list == &settings->kafka_properties) {
			print_property(out, list->items[i],
				       settings->kafka_property_origins.items[i]);
			continue;
		}
		bool is_secret = (setting->traits & SETTING_SECRET) != 0;
		char *redacted =
			is_secret ? mask_value(list->items[i]) : url_redact(list->items[i]);
		print_line(out, setting->name, redacted, origin->source, origin->place);
		free(redacted);
	}
}

/* A secret is never shown, but for the parts of a DSN that are none. */
static char *mask(const struct settings *settings, const struct setting *setting, const char *text)
{
	if (text == NULL)
		return NULL;
	if (strcmp(setting->name, "database-dsn") == 0)
		return settings->database_dsn == NULL ? NULL : dsn_mask(settings->database_dsn);
	if ((setting->traits & SETTING_SECRET) != 0)
		return xstrdup("***");
	return xstrdup(text);
}

void settings_print_effective(FILE *out, const struct settings *settings)
{
	for (size_t i = 0; i < settings_table_count; i++) {
		const struct setting *setting = &settings_table[i];
		const struct setting_origin *origin = &settings->origins[i];
		if (!setting_belongs(setting, settings->subject))
			continue;
		if (setting->type == SETTING_LIST) {
			print_list(out, settings, setting, origin);
			continue;
		}
		char *value = mask(settings, setting, origin->text);
		print_line(out, setting->name, value, origin->source, origin->place);
		free(value);
	}
	for (size_t i = 0; i < settings->site_files.count; i++)
		print_line(out, "sites", settings->site_files.items[i], SOURCE_FLAG, "argument");
}
