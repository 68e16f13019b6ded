#include "config/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

void reading_init(struct reading *reading, struct settings *settings, char *const *environment,
		  struct problems *problems)
{
	*reading = (struct reading){
		.settings = settings, .environment = environment, .problems = problems};
}

void reading_finish(struct reading *reading)
{
	for (size_t i = 0; i < reading->count; i++) {
		free(reading->given[i].place);
		free(reading->given[i].text);
	}
	free(reading->given);
	for (size_t i = 0; i < reading->arguments.count; i++)
		free(reading->arguments.items[i]);
	free(reading->arguments.items);
}

void reading_add(struct reading *reading, const struct setting *setting, enum setting_source source,
		 const char *place, const char *text)
{
	if (reading->count == reading->capacity) {
		reading->capacity = reading->capacity == 0 ? 32 : reading->capacity * 2;
		reading->given =
			xreallocarray(reading->given, reading->capacity, sizeof(*reading->given));
	}
	reading->given[reading->count++] =
		(struct given){setting, source, xstrdup(place), xstrdup(text)};
}

const struct given *reading_find(const struct reading *reading, const char *name,
				 enum setting_source source)
{
	for (size_t i = 0; i < reading->count; i++)
		if (reading->given[i].source == source &&
		    strcmp(reading->given[i].setting->name, name) == 0)
			return &reading->given[i];
	return NULL;
}

bool reading_has(const struct reading *reading, const char *name, enum setting_source source)
{
	return reading_find(reading, name, source) != NULL;
}

const char *reading_variable(const struct reading *reading, const char *name)
{
	size_t length = strlen(name);
	for (char *const *at = reading->environment; at != NULL && *at != NULL; at++)
		if (strncmp(*at, name, length) == 0 && (*at)[length] == '=' &&
		    (*at)[length + 1] != '\0')
			return *at + length + 1;
	return NULL;
}

void reading_problem(struct reading *reading, const char *where, const char *format, ...)
{
	char what[2048];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	problems_add(reading->problems, where, "%s", what);
}

void reading_set_origin(struct reading *reading, const char *name, enum setting_source source,
			const char *place, const char *text)
{
	const struct setting *setting = settings_table_find(name);
	struct setting_origin *origin = &reading->settings->origins[setting - settings_table];
	free(origin->place);
	free(origin->text);
	origin->source = source;
	origin->place = xstrdup(place);
	origin->text = xstrdup(text);
}
