/*
 * SIGHUP and changed files: reads again what the command was started with, and hands over the sites. With any mistake in it the
 * configuration before stays as it is, one line says so, and it is counted. Main thread.
 *
 * Files that are looked at every two seconds are the --config file, sites files, folders of them, and what sites name in turn and is read with
 * them (body_file, bearer_token_file …); one counts as changed once it stays the same from one look to the next, so that nobody reads half of it.
 */
#ifndef WEBSENTRY_APP_RELOAD_H
#define WEBSENTRY_APP_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "app/process.h"

struct figures;
struct reload;
struct settings;
struct site_list;

struct reload_target {
	void *context;
	/* Take what is in the list; what is left in it is released. False: not now, another word will come (waiter_wake()). */
	bool (*take)(void *context, struct site_list *sites);
};

/*
 * What the files that settings name look like now: another number once one of them has changed. To be kept in settings before sites are
 * read, so that a change that comes right then is not overlooked.
 */
uint64_t reload_look_at_files(const struct settings *settings);

/* settings and figures are borrowed. */
struct reload *reload_create(const struct settings *settings, struct figures *figures,
			     const struct reload_target *target);
void reload_destroy(struct reload *reload); /* accepts NULL */

/* waiter_wait(), with all that has to do with reloading done within. */
enum wake reload_wait(struct reload *reload, struct waiter *waiter);

#endif
