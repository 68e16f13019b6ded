#include "config/site_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/memory.h"
#include "base/text.h"
#include "check/site.h"
#include "config/problems.h"

/* Room that a default name leaves for " #1000000". */
enum { NUMBER_MAX = 16 };

struct place {
	const char *file; /* one of files */
	int line;
	int column;
};

struct taken_name {
	const char *name; /* the site's */
	size_t site;
	size_t last_number; /* of " #N" given to default names that are the same */
	struct taken_name *before;
	UT_hash_handle hh;
};

struct site_names {
	struct place *places; /* as the list */
	size_t count;
	size_t capacity;
	char **files; /* each once: sites of one file follow one another */
	size_t file_count;
	struct taken_name *taken;
	struct taken_name *latest; /* the same, linked by before */
};

struct site_names *site_names_create(void)
{
	return xcalloc(1, sizeof(struct site_names));
}

void site_names_destroy(struct site_names *names)
{
	HASH_CLEAR(hh, names->taken);
	for (struct taken_name *name = names->latest; name != NULL;) {
		struct taken_name *before = name->before;
		free(name);
		name = before;
	}
	for (size_t i = 0; i < names->file_count; i++)
		free(names->files[i]);
	free(names->files);
	free(names->places);
	free(names);
}

void site_names_note(struct site_names *names, const char *file, int line, int column)
{
	if (names->file_count == 0 || strcmp(names->files[names->file_count - 1], file) != 0) {
		names->files = xreallocarray(names->files, names->file_count + 1, sizeof(char *));
		names->files[names->file_count++] = xstrdup(file);
	}
	if (names->count == names->capacity) {
		names->capacity = names->capacity == 0 ? 64 : names->capacity * 2;
		names->places =
			xreallocarray(names->places, names->capacity, sizeof(*names->places));
	}
	names->places[names->count++] =
		(struct place){names->files[names->file_count - 1], line, column};
}

static char *describe(const struct place *place)
{
	return place->line == 0 ? xstrdup(place->file)
				: xasprintf("%s:%d:%d", place->file, place->line, place->column);
}

static struct taken_name *find(struct site_names *names, const char *name)
{
	struct taken_name *found;
	HASH_FIND_STR(names->taken, name, found);
	return found;
}

static void take(struct site_names *names, const char *name, size_t site)
{
	struct taken_name *taken = xcalloc(1, sizeof(*taken));
	taken->name = name;
	taken->site = site;
	taken->last_number = 1;
	taken->before = names->latest;
	names->latest = taken;
	HASH_ADD_KEYPTR(hh, names->taken, taken->name, strlen(taken->name), taken);
}

static void take_chosen(struct site_names *names, const struct site_list *list, size_t index,
			struct problems *problems)
{
	const char *name = list->sites[index].name;
	const struct taken_name *other = find(names, name);
	if (other == NULL) {
		take(names, name, index);
		return;
	}
	char *here = describe(&names->places[index]);
	char *there = describe(&names->places[other->site]);
	problems_add(problems, here,
		     "found the name '%.100s' again (first at %s), expected it once", name, there);
	free(here);
	free(there);
}

/* A URL may hold what a name may not; the site needs a name then. The name that it would have shows some of that already. */
static void check_default(const struct site_names *names, const char *name, const char *url,
			  size_t index, struct problems *problems)
{
	uint32_t character;
	if (!text_find_invisible(name, &character) && !text_find_invisible(url, &character))
		return;
	char *here = describe(&names->places[index]);
	problems_add(problems, here,
		     "found the invisible character U+%04X in the URL of a site without a `name`, "
		     "expected it percent-encoded",
		     (unsigned)character);
	free(here);
}

static void give_default(struct site_names *names, struct site *site, size_t index,
			 struct problems *problems)
{
	char *name = text_clean_copy(site->redacted_url, strlen(site->redacted_url),
				     SITE_NAME_MAX - NUMBER_MAX);
	check_default(names, name, site->url, index, problems);
	struct taken_name *other = find(names, name);
	char *numbered = NULL;
	while (other != NULL && numbered == NULL) {
		numbered = xasprintf("%s #%zu", name, ++other->last_number);
		if (find(names, numbered) != NULL) {
			free(numbered);
			numbered = NULL;
		}
	}
	if (numbered != NULL) {
		char *here = describe(&names->places[index]);
		problems_warn(problems, here,
			      "'%.200s' is watched already, this one is named '%.220s'", name,
			      numbered);
		free(here);
		free(name);
		name = numbered;
	}
	site->name = name;
	take(names, name, index);
}

void site_names_give(struct site_names *names, struct site_list *list, struct problems *problems)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->sites[i].name != NULL)
			take_chosen(names, list, i, problems);
	for (size_t i = 0; i < list->count; i++)
		if (list->sites[i].name == NULL)
			give_default(names, &list->sites[i], i, problems);
}
