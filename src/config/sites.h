/*
 * The sites of a command: from the sites file or folder, the config file, --url, arguments and WEBSENTRY_SITES; checked as a
 * whole. Main thread.
 */
#ifndef WEBSENTRY_CONFIG_SITES_H
#define WEBSENTRY_CONFIG_SITES_H

#include "check/site.h"

struct problems;
struct settings;

/*
 * Fill ret_list (released with site_list_finish()). Every problem of every file is added, each with file:line:column; warnings too
 * (a second site with the same default name becomes `URL #2`). No site at all is a problem where the command needs one.
 */
void sites_load(const struct settings *settings, struct site_list *ret_list,
		struct problems *problems);

#endif
