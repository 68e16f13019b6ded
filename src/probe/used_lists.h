/*
 * The lists of sites that a prober uses: the present one, and those before it whose last checks have not ended. A list is released
 * once nothing of it is in use. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_USED_LISTS_H
#define WEBSENTRY_PROBE_USED_LISTS_H

#include <stddef.h>

struct site;

struct used_list {
	const struct site *sites;
	size_t running; /* checks that it began */
	struct used_list *older;
};

/* Put sites, which are borrowed until they are released, in the place of the present list (NULL: there was none). */
void used_lists_push(struct used_list **present, const struct site *sites);

/* Forget the lists that no check of runs any more; the present one stays. released (NULL: nobody asks) is called for each. */
void used_lists_release(struct used_list *present,
			void (*released)(void *context, const struct site *sites), void *context);

/* Forget all of them. */
void used_lists_finish(struct used_list **present);

#endif
