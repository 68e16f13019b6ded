#include "app/site_generations.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check/site.h"
#include "probe/prober.h"

struct generation {
	struct site_list list;
	size_t users; /* probers that have not released it */
	struct generation *older;
};

struct site_generations {
	size_t users;
	pthread_mutex_t lock; /* of the users of each */
	struct generation *latest;
};

struct site_generations *site_generations_create(size_t users)
{
	struct site_generations *generations = xcalloc(1, sizeof(*generations));
	generations->users = users;
	(void)pthread_mutex_init(&generations->lock, NULL);
	return generations;
}

static void destroy(struct generation *generation)
{
	site_list_finish(&generation->list);
	free(generation);
}

void site_generations_destroy(struct site_generations *generations)
{
	if (generations == NULL)
		return;
	while (generations->latest != NULL) {
		struct generation *generation = generations->latest;
		generations->latest = generation->older;
		destroy(generation);
	}
	(void)pthread_mutex_destroy(&generations->lock);
	free(generations);
}

/* Free what nobody uses any more; that is the main thread's work, for it may take a while. */
static void drop_unused(struct site_generations *generations)
{
	struct generation **place = &generations->latest->older;
	struct generation *unused = NULL;
	(void)pthread_mutex_lock(&generations->lock);
	while (*place != NULL) {
		struct generation *generation = *place;
		if (generation->users > 0) {
			place = &generation->older;
			continue;
		}
		*place = generation->older;
		generation->older = unused;
		unused = generation;
	}
	(void)pthread_mutex_unlock(&generations->lock);
	bool was_any = unused != NULL;
	while (unused != NULL) {
		struct generation *generation = unused;
		unused = generation->older;
		destroy(generation);
	}
	if (was_any)
		(void)malloc_trim(0);
}

void site_generations_add(struct site_generations *generations, struct site_list *list)
{
	struct generation *generation = xcalloc(1, sizeof(*generation));
	generation->list = *list;
	generation->users = generations->users;
	site_list_init(list, list->pattern_free);
	(void)pthread_mutex_lock(&generations->lock);
	generation->older = generations->latest;
	generations->latest = generation;
	(void)pthread_mutex_unlock(&generations->lock);
	drop_unused(generations);
}

const struct site_list *site_generations_present(const struct site_generations *generations)
{
	return &generations->latest->list;
}

void site_generations_release(struct site_generations *generations, const struct site *sites)
{
	(void)pthread_mutex_lock(&generations->lock);
	for (struct generation *at = generations->latest; at != NULL; at = at->older)
		if (at->list.sites == sites)
			at->users--;
	(void)pthread_mutex_unlock(&generations->lock);
}

void site_generations_tidy(struct site_generations *generations)
{
	drop_unused(generations);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(const struct site *const *)a)->name,
		      (*(const struct site *const *)b)->name);
}

/* By name; names are unique in a list. */
static const struct site **sort(const struct site_list *list)
{
	const struct site **sorted = xcalloc(list->count, sizeof(const struct site *));
	for (size_t i = 0; i < list->count; i++)
		sorted[i] = &list->sites[i];
	if (list->count > 1)
		qsort(sorted, list->count, sizeof(const struct site *), compare_names);
	return sorted;
}

size_t *site_generations_compare(const struct site_generations *generations,
				 const struct site_list *list, size_t *ret_kept)
{
	const struct site_list *present = site_generations_present(generations);
	size_t *was = xcalloc(list->count, sizeof(was[0]));
	const struct site **old = sort(present);
	const struct site **fresh = sort(list);
	size_t at = 0;
	*ret_kept = 0;
	for (size_t i = 0; i < list->count; i++) {
		int order = -1;
		while (at < present->count && (order = strcmp(old[at]->name, fresh[i]->name)) < 0)
			at++;
		bool is_kept = at < present->count && order == 0;
		was[fresh[i] - list->sites] =
			is_kept ? (size_t)(old[at] - present->sites) : PROBER_NEW_SITE;
		*ret_kept += is_kept;
	}
	free(old);
	free(fresh);
	return was;
}
