/* What a new list of sites changes in a running command: its checks, and what its page shows. Main thread. */
#ifndef WEBSENTRY_APP_SITE_RELOAD_H
#define WEBSENTRY_APP_SITE_RELOAD_H

#include <stdbool.h>

struct checks;
struct site_list;
struct web;

/* Take what is in the list, say it, and return true; false while the list before is still being taken over. Both may be NULL. */
bool site_reload(struct checks *checks, struct web *web, struct site_list *sites);

#endif
