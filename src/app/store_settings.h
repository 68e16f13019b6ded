/* Which store a command uses, and its page: from settings to handles. Main thread. */
#ifndef WEBSENTRY_APP_STORE_SETTINGS_H
#define WEBSENTRY_APP_STORE_SETTINGS_H

#include <stdbool.h>

#include "base/error.h"
#include "store/store.h"

struct figures;
struct settings;
struct site_list;
struct web;

/* PostgreSQL where a DSN is given, else <data-dir>/websentry.db. The caller's, as store_open_postgres(). */
struct store *store_settings_open(const struct settings *settings, enum store_mode mode,
				  struct error *err);

/*
 * The same for commands that look at what is there: ERROR_REJECT where SQLite's file is missing, which is not made, or where what is
 * there is of a newer release.
 */
struct store *store_settings_open_existing(const struct settings *settings, enum store_mode mode,
					   struct error *err);

/*
 * Start the web server where settings ask for one (*ret_web NULL otherwise) and log its address. With has_store it reads a
 * store of its own. sites: the names of our own sites file, an empty list for none. figures as in struct web_options. 0, or -1 with err.
 */
int store_settings_start_web(const struct settings *settings, const struct site_list *sites,
			     bool has_store, struct figures *figures, struct web **ret_web,
			     struct error *err);

#endif
