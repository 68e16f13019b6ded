#include "app/reload.h"

#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/figures.h"
#include "base/log.h"
#include "base/memory.h"
#include "check/site.h"
#include "config/file.h"
#include "config/named_files.h"
#include "config/problems.h"
#include "config/settings.h"
#include "config/sites.h"
#include "pattern/pattern.h"

enum { LOOK_EVERY_MS = 2000 };

struct reload {
	const struct settings *started_with;
	struct settings
		latest; /* what was read last without a mistake; empty before the first time */
	bool has_latest;
	struct figures *figures;
	struct reload_target target;
	bool is_wanted;
	struct named_files *
		named; /* by the sites that were read last, be it with mistakes; NULL: by the first ones */
	uint64_t loaded; /* what the files looked like when they were read */
	uint64_t seen;   /* at the last look */
};

static const struct settings *latest(const struct reload *reload)
{
	return reload->has_latest ? &reload->latest : reload->started_with;
}

static uint64_t mix(uint64_t sum, uint64_t number)
{
	return (sum ^ number) * UINT64_C(0x100000001b3);
}

/* A file, or a folder and what lies in it, in whatever order. */
static uint64_t mix_path(uint64_t sum, const char *path)
{
	sum = mix(sum, file_look(path));
	DIR *folder = opendir(path);
	if (folder == NULL)
		return sum;
	uint64_t all = 0;
	for (const struct dirent *item = readdir(folder); item != NULL; item = readdir(folder)) {
		if (item->d_name[0] == '.')
			continue;
		char *file = xasprintf("%s/%s", path, item->d_name);
		all += file_look(file);
		free(file);
	}
	(void)closedir(folder);
	return mix(sum, all);
}

static const struct named_files *named_files(const struct reload *reload)
{
	return reload->named != NULL ? reload->named : reload->started_with->named_files;
}

/* All of them, as they are now. */
static uint64_t look(const struct reload *reload)
{
	return mix(reload_look_at_files(latest(reload)), named_files_now(named_files(reload)));
}

static bool has_files(const struct settings *settings)
{
	return settings->config_path != NULL || settings->sites_path != NULL ||
	       settings->site_files.count > 0;
}

uint64_t reload_look_at_files(const struct settings *settings)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	if (settings->config_path != NULL)
		sum = mix_path(sum, settings->config_path);
	if (settings->sites_path != NULL)
		sum = mix_path(sum, settings->sites_path);
	for (size_t i = 0; i < settings->site_files.count; i++)
		sum = mix_path(sum, settings->site_files.items[i]);
	return sum;
}

struct reload *reload_create(const struct settings *settings, struct figures *figures,
			     const struct reload_target *target)
{
	struct reload *reload = xcalloc(1, sizeof(*reload));
	reload->started_with = settings;
	reload->figures = figures;
	reload->target = *target;
	reload->loaded = mix(settings->files_version, named_files_noted(settings->named_files));
	reload->seen = reload->loaded;
	return reload;
}

void reload_destroy(struct reload *reload)
{
	if (reload == NULL)
		return;
	if (reload->has_latest)
		settings_finish(&reload->latest);
	named_files_destroy(reload->named);
	free(reload);
}

static void say_mistakes(const struct problems *problems)
{
	const struct problem *first = problems->items;
	while (first->is_warning)
		first++;
	char *text = xasprintf("%s: %s", first->where, first->what);
	log_event(LOG_ERROR, "configuration has mistakes, the one before stays",
		  LOG_STR("first", text), LOG_INT("mistakes", problems->error_count));
	free(text);
}

/* What holds for the life of the process, and was changed all the same: said each time, for it is still not so. */
static void say_fixed(const struct reload *reload, const struct settings *settings)
{
	char *names = settings_name_fixed_changes(reload->started_with, settings);
	if (names != NULL)
		log_event(LOG_WARN, "settings changed that need a restart",
			  LOG_STR("settings", names));
	free(names);
}

/* Without a mistake: make it what is in force. False: not yet. */
static bool apply(struct reload *reload, struct settings *settings, struct site_list *sites)
{
	if (!reload->target.take(reload->target.context, sites))
		return false;
	say_fixed(reload, settings);
	log_configure((enum log_level)settings->log_level,
		      (enum log_format)reload->started_with->log_format);
	figures_add(&reload->figures->process.reloads, 1);
	if (reload->has_latest)
		settings_finish(&reload->latest);
	reload->latest = *settings;
	reload->has_latest = true;
	*settings = (struct settings){0};
	return true;
}

static void read_again(struct reload *reload)
{
	const struct settings *before = reload->started_with;
	struct settings settings;
	struct problems problems;
	struct site_list sites;
	uint64_t version = reload_look_at_files(latest(reload));
	problems_init(&problems);
	site_list_init(&sites, pattern_destroy);
	settings_read(before->argc, before->argv, before->environment, &settings, &problems);
	sites_load(&settings, &sites, &problems);
	named_files_destroy(reload->named);
	reload->named = settings.named_files;
	settings.named_files = NULL;
	reload->loaded = mix(version, named_files_noted(reload->named));
	reload->seen = reload->loaded;
	reload->is_wanted = false;
	if (problems.error_count > 0) {
		say_mistakes(&problems);
		figures_add(&reload->figures->process.reload_failures, 1);
	} else if (!apply(reload, &settings, &sites)) {
		reload->is_wanted = true;
	}
	site_list_finish(&sites);
	settings_finish(&settings);
	problems_finish(&problems);
}

/* Whether files differ from what was read, and have settled. */
static bool have_files_changed(struct reload *reload)
{
	uint64_t now = look(reload);
	bool is_settled = now == reload->seen;
	reload->seen = now;
	return is_settled && now != reload->loaded;
}

enum wake reload_wait(struct reload *reload, struct waiter *waiter)
{
	enum wake wake = waiter_wait(waiter, has_files(latest(reload)) ? LOOK_EVERY_MS : -1);
	if (wake == WAKE_STOP)
		return wake;
	if (wake == WAKE_RELOAD || (wake == WAKE_TIMEOUT && have_files_changed(reload)))
		reload->is_wanted = true;
	if (reload->is_wanted)
		read_again(reload);
	return wake;
}
