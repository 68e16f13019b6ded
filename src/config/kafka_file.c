#include "config/kafka_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/file.h"
#include "config/problems.h"
#include "config/setting_checks.h"

enum { KAFKA_FILE_MAX = 1024 * 1024, KAFKA_PROPERTIES_MAX = 1000 };

static void add_item(struct text_list *list, const char *text)
{
	list->items = xreallocarray(list->items, list->count + 1, sizeof(char *));
	list->items[list->count++] = xstrdup(text);
}

/* Where a property of this key stands already from index first on, or NULL. */
static const char *find_duplicate(const struct text_list *properties,
				  const struct text_list *origins, size_t first,
				  const char *property)
{
	size_t length = strcspn(property, "=") + 1;
	for (size_t i = first; i < properties->count; i++)
		if (strncmp(properties->items[i], property, length) == 0)
			return origins->items[i];
	return NULL;
}

static void take_line(const char *line, const char *where, size_t first,
		      struct text_list *properties, struct text_list *origins,
		      struct problems *problems)
{
	struct error err;
	char *property = NULL;
	line += strspn(line, " \t\r");
	if (line[0] == '\0' || line[0] == '#')
		return;
	/* The line itself may hold a password: it is not shown. */
	if (strchr(line, '=') == NULL) {
		problems_add(problems, where, "found no '=', expected key=value");
	} else if (setting_check_property(line, &property, &err) != 0) {
		problems_add(problems, where, "%s", err.message);
	} else if (find_duplicate(properties, origins, first, property) != NULL) {
		problems_add(problems, where,
			     "`%.*s` is given twice (first at %s), expected it once",
			     (int)strcspn(property, "="), property,
			     find_duplicate(properties, origins, first, property));
	} else if (properties->count - first >= KAFKA_PROPERTIES_MAX) {
		problems_add(problems, where, "expected at most %d properties",
			     (int)KAFKA_PROPERTIES_MAX);
	} else {
		add_item(properties, property);
		add_item(origins, where);
	}
	free(property);
}

int kafka_file_read(const char *path, const char *where, struct text_list *properties,
		    struct text_list *origins, struct problems *problems)
{
	struct error err;
	size_t length;
	size_t first = properties->count;
	char *text = file_read(path, KAFKA_FILE_MAX, &length, &err);
	if (text == NULL) {
		problems_add(problems, where, "%s", err.message);
		return -1;
	}
	if (strlen(text) != length || !text_is_utf8(text, length)) {
		problems_add(problems, path, "expected lines of UTF-8 without NUL bytes");
		free(text);
		return -1;
	}
	int number = 1;
	for (char *line = text; line != NULL; number++) {
		char *newline = strchr(line, '\n');
		if (newline != NULL)
			*newline = '\0';
		char *place = xasprintf("%s:%d", path, number);
		take_line(line, place, first, properties, origins, problems);
		free(place);
		line = newline == NULL ? NULL : newline + 1;
	}
	free(text);
	return 0;
}

/* Also of a key that librdkafka does not know, for its capitals or a slip: the value is the password all the same. */
bool kafka_property_is_secret(const char *property)
{
	static const char *const words[] = {"pass",       "pasw", "pwd",  "secret",
					    "credential", ".pem", "jaas", "oauthbearer.config",
					    "token"};
	char *key = xstrndup(property, strcspn(property, "="));
	bool is_secret = false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		is_secret = is_secret || strcasestr(key, words[i]) != NULL;
	free(key);
	return is_secret;
}
