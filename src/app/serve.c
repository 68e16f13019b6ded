/* `websentry web`: status page and API alone, over a store that others fill. */
#include <stdlib.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/process.h"
#include "app/reload.h"
#include "app/site_reload.h"
#include "app/store_settings.h"
#include "base/figures.h"
#include "base/log.h"
#include "base/memory.h"
#include "check/site.h"
#include "config/settings.h"
#include "web/web.h"

static bool take_sites(void *context, struct site_list *sites)
{
	struct web *web = context;
	return site_reload(NULL, web, sites);
}

/* A folder that is not there is a mistake; a store that is not there yet may come. */
static int check_store(const struct settings *settings, struct error *err)
{
	if (settings->database_dsn != NULL)
		return 0;
	if (access(settings->data_dir, F_OK) != 0) {
		error_set(err, ERROR_REJECT,
			  "data folder %s: not found, expected that of a `run` (--data-dir) or "
			  "--database-dsn",
			  settings->data_dir);
		return -1;
	}
	char *path = xasprintf("%s/websentry.db", settings->data_dir);
	if (access(path, F_OK) != 0)
		log_event(LOG_WARN, "no store yet, waiting for it", LOG_STR("path", path));
	free(path);
	return 0;
}

int command_web(const struct settings *settings, const struct site_list *sites)
{
	struct web *web = NULL;
	struct error err = {0};
	struct figures figures;
	figures_init(&figures, FIGURES_PAGE | FIGURES_AUDIT);
	if (check_store(settings, &err) != 0 ||
	    store_settings_start_web(settings, sites, true, &figures, &web, &err) != 0) {
		log_event(LOG_ERROR, err.message);
		return err.kind == ERROR_REJECT ? EXIT_USAGE : EXIT_FAILED;
	}
	struct waiter *waiter = waiter_create();
	readiness_set(&figures.readiness, OBSTACLE_STARTING, false);
	log_event(LOG_INFO, "ready", LOG_STR("command", "web"));
	process_notify("READY=1");
	const struct reload_target target = {.context = web, .take = take_sites};
	struct reload *reload = reload_create(settings, &figures, &target);
	while (reload_wait(reload, waiter) != WAKE_STOP)
		;
	reload_destroy(reload);
	readiness_set(&figures.readiness, OBSTACLE_STOPPING, true);
	web_stop(web);
	log_event(LOG_INFO, "stopped", LOG_STR("command", "web"));
	waiter_destroy(waiter);
	return EXIT_FINE;
}
