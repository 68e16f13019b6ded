#include "app/store_settings.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "check/site.h"
#include "config/settings.h"
#include "web/web.h"

#define DAY_US (INT64_C(86400) * CLOCK_US_PER_S)

struct store *store_settings_open(const struct settings *settings, enum store_mode mode,
				  struct error *err)
{
	struct store *store;
	if (settings->database_dsn != NULL) {
		store = store_open_postgres(settings->database_dsn, mode, err);
	} else {
		char *path = xasprintf("%s/websentry.db", settings->data_dir);
		store = store_open_sqlite(path, mode, err);
		free(path);
	}
	if (store == NULL)
		return NULL;
	/* a day that has begun counts as one */
	store_keep(store, (settings->retention_us + DAY_US - 1) / DAY_US);
	store_set_group(store, settings->kafka_group);
	return store;
}

struct store *store_settings_open_existing(const struct settings *settings, enum store_mode mode,
					   struct error *err)
{
	if (settings->database_dsn == NULL) {
		char *path = xasprintf("%s/websentry.db", settings->data_dir);
		bool is_there = access(path, F_OK) == 0;
		if (!is_there)
			error_set(err, ERROR_REJECT,
				  "no store at %s: expected the data folder of a `run` "
				  "(--data-dir) or --database-dsn",
				  path);
		free(path);
		if (!is_there)
			return NULL;
	}
	struct store *store = store_settings_open(settings, mode, err);
	if (store != NULL && store_check_version(store, err) != 0) {
		store_close(store);
		store = NULL;
	}
	return store;
}

int store_settings_start_web(const struct settings *settings, const struct site_list *sites,
			     bool has_store, struct figures *figures, struct web **ret_web,
			     struct error *err)
{
	*ret_web = NULL;
	if (settings->listen == NULL)
		return 0;
	struct store *store = NULL;
	if (has_store) {
		store = store_settings_open(settings, STORE_READ, err);
		if (store == NULL)
			return -1;
	}
	const char **names = xcalloc(sites->count, sizeof(names[0]));
	for (size_t i = 0; i < sites->count; i++)
		names[i] = sites->sites[i].name;
	const struct web_options options = {
		.listen = settings->listen,
		.store = store,
		.figures = figures,
		.hole_after_us = settings->hole_after_us,
		.site_names = sites->count > 0 ? names : NULL,
		.site_count = sites->count,
	};
	*ret_web = web_start(&options, err);
	free(names);
	if (*ret_web == NULL) {
		const char *place = settings_origin(settings, "listen")->place;
		error_prefix(err, "%s: ", place == NULL ? "--listen" : place);
		return -1;
	}
	log_event(LOG_INFO, "listening", LOG_STR("address", web_address(*ret_web)));
	return 0;
}
