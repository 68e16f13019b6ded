/* `websentry audit`: which reports are missing in the store, and what is known to be lost. */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "app/audit_print.h"
#include "app/commands.h"
#include "app/process.h"
#include "app/store_settings.h"
#include "base/identity.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/settings.h"

enum { WHO_SIZE = 256, HOST_SIZE = 128 };

static int fail(const struct error *err)
{
	log_event(LOG_ERROR, err->message);
	return err->kind == ERROR_REJECT ? EXIT_USAGE : EXIT_FAILED;
}

/* --- declaring --- */

struct declaration {
	struct identity_range range;
	bool is_known;        /* the store has heard of the producer_id */
	bool is_missing;      /* something of the range is away */
	int64_t expected_seq; /* nothing is known of what comes behind it */
};

static bool overlaps(const struct store_seq_range *ranges, size_t count,
		     const struct identity_range *range)
{
	for (size_t i = 0; i < count; i++)
		if (ranges[i].first <= range->last && ranges[i].last >= range->first)
			return true;
	return false;
}

static bool look_at(void *context, const struct store_audit_producer *producer)
{
	struct declaration *declaration = context;
	const struct identity_range *range = &declaration->range;
	if (!uuid_equal(&producer->producer_id, &range->producer_id))
		return true;
	declaration->is_known = true;
	declaration->expected_seq = producer->expected_seq;
	declaration->is_missing =
		overlaps(producer->missing_ranges, producer->missing_range_count, range) ||
		overlaps(producer->pending_ranges, producer->pending_range_count, range);
	return false;
}

/* "user@host", for the store to remember. */
static void name_person(char who[static WHO_SIZE])
{
	char host[HOST_SIZE] = "";
	const struct passwd *person = getpwuid(geteuid());
	(void)gethostname(host, sizeof(host) - 1);
	if (person != NULL)
		(void)snprintf(who, WHO_SIZE, "%s@%s", person->pw_name, host);
	else
		(void)snprintf(who, WHO_SIZE, "uid %d@%s", (int)geteuid(), host);
}

static int declare(struct store *store, const struct settings *settings, const char *text,
		   struct error *err)
{
	struct declaration declaration = {.is_known = false};
	char who[WHO_SIZE];
	(void)identity_parse_range(text, &declaration.range);
	if (store_audit(store, settings->hole_after_us, look_at, &declaration, err) != 0)
		return -1;
	if (!declaration.is_known || !declaration.is_missing) {
		error_set(err, ERROR_FATAL,
			  declaration.is_known ? "%s: nothing of it is missing"
					       : "%s: the store knows no such producer_id",
			  text);
		return -1;
	}
	if (declaration.range.last > declaration.expected_seq) {
		error_set(err, ERROR_FATAL,
			  "%s: expected an end of %lld at most, the last seq known", text,
			  (long long)declaration.expected_seq);
		return -1;
	}
	name_person(who);
	const struct store_seq_range range = {.first = declaration.range.first,
					      .last = declaration.range.last};
	if (store_declare_lost(store, &declaration.range.producer_id, &range, who, err) != 0)
		return -1;
	log_event(LOG_INFO, "declared lost", LOG_STR("range", text), LOG_STR("who", who));
	return 0;
}

/* --- looking --- */

static bool print_one(void *context, const struct store_audit_producer *producer)
{
	audit_print_producer(context, producer);
	return true;
}

int command_audit(const struct settings *settings)
{
	struct error err = {0};
	bool writes = settings->declare_lost.count > 0;
	struct store *store =
		store_settings_open_existing(settings, writes ? STORE_WRITE : STORE_READ, &err);
	if (store == NULL)
		return fail(&err);
	int status = 0;
	for (size_t i = 0; i < settings->declare_lost.count && status == 0; i++)
		status = declare(store, settings, settings->declare_lost.items[i], &err);
	struct audit_print *print = audit_print_create(settings->is_json);
	struct audit_totals totals = {.missing = 0};
	if (status == 0)
		status = store_audit(store, settings->hole_after_us, print_one, print, &err);
	if (status == 0)
		totals = audit_print_finish(print);
	audit_print_destroy(print);
	store_close(store);
	if (status != 0)
		return fail(&err);
	return totals.missing == 0 ? EXIT_FINE : EXIT_FAILED;
}
