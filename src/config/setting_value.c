/* The types of the table: how a value is read, stored and described. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/settings.h"
#include "config/settings_table.h"

enum { EXPECTED_MAX = 160, DURATION_TEXT_MAX = 48 };

void setting_describe_type(const struct setting *setting, char *text, size_t size)
{
	char min[DURATION_TEXT_MAX];
	char max[DURATION_TEXT_MAX];
	size_t used;
	switch (setting->type) {
	case SETTING_TEXT:
	case SETTING_LIST:
		(void)snprintf(text, size, "%s", "text");
		return;
	case SETTING_BOOL:
		(void)snprintf(text, size, "true or false");
		return;
	case SETTING_DURATION:
		text_format_duration(setting->min, min, sizeof(min));
		text_format_duration(setting->max, max, sizeof(max));
		(void)snprintf(text, size, "a time such as 30s or 1m30s, from %s to %s", min, max);
		return;
	case SETTING_INTEGER:
		(void)snprintf(text, size, "a whole number from %lld to %lld",
			       (long long)setting->min, (long long)setting->max);
		return;
	case SETTING_CHOICE:
		used = (size_t)snprintf(text, size, "one of");
		for (size_t i = 0;
		     i < SETTING_CHOICES_MAX && setting->choices[i] != NULL && used < size; i++)
			used += (size_t)snprintf(text + used, size - used, "%s %s",
						 i == 0 ? "" : ",", setting->choices[i]);
		return;
	}
}

static int expect_type(const struct setting *setting, struct error *err)
{
	char expected[EXPECTED_MAX];
	setting_describe_type(setting, expected, sizeof(expected));
	error_set(err, ERROR_REJECT, "expected %s", expected);
	return -1;
}

static int parse_bool(const char *text, bool *ret_value)
{
	static const char *const yes[] = {"true", "yes", "on", "1"};
	static const char *const no[] = {"false", "no", "off", "0"};
	for (size_t i = 0; i < 4; i++) {
		if (text_equal_ignoring_case(text, yes[i])) {
			*ret_value = true;
			return 0;
		}
		if (text_equal_ignoring_case(text, no[i])) {
			*ret_value = false;
			return 0;
		}
	}
	return -1;
}

static int parse_number(const struct setting *setting, const char *text, int64_t *ret_value)
{
	int result = setting->type == SETTING_DURATION ? text_parse_duration(text, ret_value)
						       : text_parse_int64(text, ret_value);
	return result == 0 && *ret_value >= setting->min && *ret_value <= setting->max ? 0 : -1;
}

/* The index of a word, or -1. */
static int find_choice(const struct setting *setting, const char *word)
{
	for (int i = 0; i < SETTING_CHOICES_MAX && setting->choices[i] != NULL; i++)
		if (text_equal_ignoring_case(setting->choices[i], word))
			return i;
	return -1;
}

static int parse_by_type(const struct setting *setting, const char *text, char **ret_canonical,
			 struct error *err)
{
	bool is_true = false;
	int64_t number = 0;
	int choice;
	char formatted[DURATION_TEXT_MAX];
	switch (setting->type) {
	case SETTING_TEXT:
	case SETTING_LIST:
		*ret_canonical = xstrdup(text);
		return 0;
	case SETTING_BOOL:
		if (parse_bool(text, &is_true) != 0)
			return expect_type(setting, err);
		*ret_canonical = xstrdup(is_true ? "true" : "false");
		return 0;
	case SETTING_DURATION:
		if (parse_number(setting, text, &number) != 0)
			return expect_type(setting, err);
		text_format_duration(number, formatted, sizeof(formatted));
		*ret_canonical = xstrdup(formatted);
		return 0;
	case SETTING_INTEGER:
		if (parse_number(setting, text, &number) != 0)
			return expect_type(setting, err);
		*ret_canonical = xasprintf("%lld", (long long)number);
		return 0;
	case SETTING_CHOICE:
		choice = find_choice(setting, text);
		if (choice < 0)
			return expect_type(setting, err);
		*ret_canonical = xstrdup(setting->choices[choice]);
		return 0;
	}
	return expect_type(setting, err);
}

int setting_parse(const struct setting *setting, const char *text, char **ret_canonical,
		  struct error *err)
{
	if (text[0] == '\0') {
		error_set(err, ERROR_REJECT, "expected a value");
		return -1;
	}
	if (setting->check != NULL)
		return setting->check(text, ret_canonical, err);
	return parse_by_type(setting, text, ret_canonical, err);
}

static void store_bool(char *field, bool is_true)
{
	memcpy(field, &is_true, sizeof(is_true));
}

/* A choice's field is an int, or a bool for one of two. */
static void store_choice(const struct setting *setting, const char *canonical, char *field)
{
	int choice = find_choice(setting, canonical);
	if (setting->size == sizeof(bool))
		store_bool(field, choice == 1);
	else
		memcpy(field, &choice, sizeof(choice));
}

static void store_text(const char *canonical, char *field)
{
	char **text = (char **)(void *)field;
	free(*text);
	*text = xstrdup(canonical);
}

static void store_item(const char *canonical, char *field)
{
	struct text_list *list = (struct text_list *)(void *)field;
	list->items = xreallocarray(list->items, list->count + 1, sizeof(char *));
	list->items[list->count++] = xstrdup(canonical);
}

void setting_store(const struct setting *setting, const char *canonical, struct settings *settings)
{
	if (setting->offset == SETTING_NO_FIELD)
		return;
	char *field = (char *)settings + setting->offset;
	bool is_true = false;
	int64_t number = 0;
	switch (setting->type) {
	case SETTING_TEXT:
		store_text(canonical, field);
		break;
	case SETTING_LIST:
		store_item(canonical, field);
		break;
	case SETTING_BOOL:
		(void)parse_bool(canonical, &is_true);
		store_bool(field, is_true != ((setting->traits & SETTING_INVERTED) != 0));
		break;
	case SETTING_DURATION:
	case SETTING_INTEGER:
		(void)parse_number(setting, canonical, &number);
		memcpy(field, &number, sizeof(number));
		break;
	case SETTING_CHOICE:
		store_choice(setting, canonical, field);
		break;
	}
}
