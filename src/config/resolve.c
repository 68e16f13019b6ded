/*
 * Which of the given values count: flags over environment over --config file over defaults; among equals all must say the
 * same. Every value is checked, also one that another wins over, so that each mistake is said.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "check/url.h"
#include "config/dsn.h"
#include "config/reading.h"
#include "config/setting_checks.h"

enum { SHOWN_MAX = 200 };

static bool is_site_source(const struct setting *setting)
{
	return strcmp(setting->name, "sites") == 0 || strcmp(setting->name, "url") == 0;
}

/* The best source of a setting's values; sites by file and by hand are one thing, so that a URL typed today is not
 * joined by those that the environment names. */
static enum setting_source best_source(const struct reading *reading, const struct setting *setting)
{
	enum setting_source best = SOURCE_DEFAULT;
	if (is_site_source(setting) && reading->has_file_sites)
		best = SOURCE_FILE;
	if (is_site_source(setting) && reading->settings->site_files.count > 0)
		best = SOURCE_FLAG;
	for (size_t i = 0; i < reading->count; i++) {
		const struct given *given = &reading->given[i];
		bool is_same = given->setting == setting ||
			       (is_site_source(setting) && is_site_source(given->setting));
		if (is_same && given->source > best)
			best = given->source;
	}
	return best;
}

/* Of key=value no more than the key, for what follows may be a password; the caller's. */
static char *show_key(const char *text)
{
	size_t length =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
	return xasprintf("%.*s%s%s", (int)length, text, text[length] == '=' ? "=" : "",
			 text[length] == '\0' ? "" : "…");
}

/* A value as a complaint may show it, the caller's; NULL: not at all. */
static char *show_found(const struct given *given)
{
	const struct setting *setting = given->setting;
	bool may_be_url =
		(setting->traits & SETTING_HAS_URLS) != 0 || strchr(given->text, '@') != NULL;
	bool is_dsn = setting->check == setting_check_database_part && dsn_is_whole(given->text);
	if ((setting->traits & SETTING_SECRET) != 0 || setting->check == setting_check_file ||
	    is_dsn)
		return NULL;
	if (setting->check == setting_check_property)
		return show_key(given->text);
	return may_be_url ? url_redact(given->text) : xstrdup(given->text);
}

static void complain(struct reading *reading, const struct given *given, const struct error *err)
{
	bool is_expectation = text_starts_with(err->message, "expected ");
	char *found = show_found(given);
	if (is_site_source(given->setting))
		reading->settings->has_bad_sites = true;
	if (found == NULL)
		reading_problem(reading, given->place, "%s", err->message);
	else if (given->text[0] == '\0')
		reading_problem(reading, given->place, "found nothing, expected a value");
	else
		reading_problem(reading, given->place, "found '%.*s'%s %s", SHOWN_MAX, found,
				is_expectation ? "," : ":", err->message);
	free(found);
}

static void complain_of_conflict(struct reading *reading, const struct given *first,
				 const struct given *second)
{
	bool is_secret = (first->setting->traits & SETTING_SECRET) != 0;
	bool is_same_place = strcmp(first->place, second->place) == 0;
	if (is_same_place && is_secret)
		reading_problem(reading, second->place, "found two values, expected it once");
	else if (is_same_place)
		reading_problem(reading, second->place, "found '%.*s' and '%.*s', expected it once",
				SHOWN_MAX, first->text, SHOWN_MAX, second->text);
	else if (is_secret)
		reading_problem(reading, second->place, "differs from %s, expected one of the two",
				first->place);
	else
		reading_problem(reading, second->place,
				"found '%.*s', but %s says '%.*s', expected one of the two",
				SHOWN_MAX, second->text, first->place, SHOWN_MAX, first->text);
}

static void store(struct reading *reading, const struct given *given, const char *canonical)
{
	setting_store(given->setting, canonical, reading->settings);
	reading_set_origin(reading, given->setting->name, given->source, given->place, canonical);
	if (strcmp(given->setting->name, "kafka-property") == 0) {
		struct text_list *origins = &reading->settings->kafka_property_origins;
		origins->items = xreallocarray(origins->items, origins->count + 1, sizeof(char *));
		origins->items[origins->count++] = xstrdup(given->place);
	}
}

static void resolve_setting(struct reading *reading, const struct setting *setting)
{
	enum setting_source best = best_source(reading, setting);
	const struct given *chosen = NULL;
	char *chosen_canonical = NULL;
	for (size_t i = 0; i < reading->count; i++) {
		const struct given *given = &reading->given[i];
		char *canonical = NULL;
		struct error err;
		if (given->setting != setting)
			continue;
		if (setting_parse(setting, given->text, &canonical, &err) != 0) {
			complain(reading, given, &err);
			continue;
		}
		if (given->source == best && setting->type == SETTING_LIST) {
			store(reading, given, canonical);
		} else if (given->source == best && chosen == NULL) {
			chosen = given;
			chosen_canonical = canonical;
			canonical = NULL;
		} else if (given->source == best && strcmp(chosen_canonical, canonical) != 0) {
			complain_of_conflict(reading, chosen, given);
		}
		free(canonical);
	}
	if (chosen != NULL)
		store(reading, chosen, chosen_canonical);
	free(chosen_canonical);
}

void resolve_values(struct reading *reading)
{
	for (size_t i = 0; i < settings_table_count; i++) {
		const struct setting *setting = &settings_table[i];
		if (setting->default_text != NULL) {
			setting_store(setting, setting->default_text, reading->settings);
			reading_set_origin(reading, setting->name, SOURCE_DEFAULT, NULL,
					   setting->default_text);
		}
		if (setting_belongs(setting, reading->commands))
			resolve_setting(reading, setting);
	}
}
