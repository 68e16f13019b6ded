#include "probe/used_lists.h"

#include <stdlib.h>

#include "base/memory.h"

void used_lists_push(struct used_list **present, const struct site *sites)
{
	struct used_list *list = xcalloc(1, sizeof(*list));
	list->sites = sites;
	list->older = *present;
	*present = list;
}

void used_lists_release(struct used_list *present,
			void (*released)(void *context, const struct site *sites), void *context)
{
	struct used_list **place = &present->older;
	while (*place != NULL) {
		struct used_list *list = *place;
		if (list->running > 0) {
			place = &list->older;
			continue;
		}
		*place = list->older;
		if (released != NULL)
			released(context, list->sites);
		free(list);
	}
}

void used_lists_finish(struct used_list **present)
{
	while (*present != NULL) {
		struct used_list *list = *present;
		*present = list->older;
		free(list);
	}
}
