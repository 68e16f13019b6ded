#include "app/site_reload.h"

#include <stdlib.h>

#include "app/checks.h"
#include "base/log.h"
#include "base/memory.h"
#include "check/site.h"
#include "web/web.h"

static void show_on_page(struct web *web, const struct site_list *sites)
{
	const char **names = xcalloc(sites->count, sizeof(names[0]));
	for (size_t i = 0; i < sites->count; i++)
		names[i] = sites->sites[i].name;
	web_set_sites(web, sites->count > 0 ? names : NULL, sites->count);
	free(names);
}

bool site_reload(struct checks *checks, struct web *web, struct site_list *sites)
{
	struct checks_change change = {0};
	size_t count = sites->count;
	if (checks != NULL && checks_is_reloading(checks))
		return false;
	if (web != NULL)
		show_on_page(web, sites);
	if (checks != NULL)
		checks_reload(checks, sites, &change);
	log_event(LOG_INFO, "reloaded", LOG_INT("sites", count), LOG_INT("added", change.added),
		  LOG_INT("removed", change.removed));
	return true;
}
