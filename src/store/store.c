#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/store_driver.h"

extern const char *const store_schema_postgres_files[];
extern const char *const store_schema_sqlite_files[];

const char *const store_relations[] = {
	"site",       "location",     "producer",    "check_setup",     "report",
	"site_state", "kafka_offset", "quarantine",  "seq_chunk",       "seq_range",
	"seq_mark",   "report_view",  "uptime_view", "quarantine_view", "delivery_audit_view",
	NULL,
};

const char *const *store_schema_postgres(void)
{
	return store_schema_postgres_files;
}

const char *const *store_schema_sqlite(void)
{
	return store_schema_sqlite_files;
}

int store_mark_version(const char *comment)
{
	static const char mark[] = "[websentry ";
	const char *found = comment == NULL ? NULL : strstr(comment, mark);
	if (found == NULL)
		return -1;
	char *end;
	long version = strtol(found + sizeof(mark) - 1, &end, 10);
	return *end == ']' && version > 0 && version < 100000 ? (int)version : -1;
}

void store_close(struct store *store)
{
	if (store != NULL)
		store->driver->close(store);
}

void store_interrupt(struct store *store)
{
	store->driver->interrupt(store);
}

int store_migrate(struct store *store, bool is_allowed, struct error *err)
{
	return store->driver->migrate(store, is_allowed, err);
}

int store_check_version(struct store *store, struct error *err)
{
	return store->driver->check_version(store, err);
}

int store_write(struct store *store, const struct store_batch *batch,
		struct store_written *ret_written, struct error *err)
{
	return store->driver->write(store, batch, ret_written, err);
}

void store_meanwhile(struct store *store, bool (*work)(void *context), void *context)
{
	store->meanwhile = (struct store_work){.run = work, .context = context};
}

void store_keep(struct store *store, int64_t days)
{
	store->keep_days = days;
}

int64_t store_first_kept_day(const struct store *store, wall_us now)
{
	return store->keep_days == 0 ? INT64_MIN : clock_day(now) - store->keep_days;
}

bool store_is_too_old(const struct store *store, const struct report_row *row, wall_us now)
{
	return store->keep_days != 0 &&
	       clock_day(row->started_at.value) < store_first_kept_day(store, now);
}

int store_tidy(struct store *store, int *ret_again_ms, struct error *err)
{
	*ret_again_ms = STORE_TIDY_MS;
	return store->keep_days == 0 ? 0 : store->driver->tidy(store, ret_again_ms, err);
}

int store_refresh_strips(struct store *store, bool *ret_is_done, struct error *err)
{
	bool was_failing = store->are_strips_failing;
	int status = store->driver->refresh_strips(store, ret_is_done, err);
	store->are_strips_failing = status != 0 && err->kind != ERROR_RETRY;
	if (!store->are_strips_failing)
		return status;
	if (!was_failing)
		log_event(LOG_WARN, "can't make strips anew, trying again later",
			  LOG_STR("cause", err->message));
	*ret_is_done = true;
	return 0;
}

void store_expect_duplicates(struct store *store)
{
	store->driver->expect_duplicates(store);
}

int store_read_positions(struct store *store, const char *cluster_id,
			 struct store_position *positions, size_t count, struct error *err)
{
	return store->driver->read_positions(store, cluster_id, positions, count, err);
}

int store_claim_positions(struct store *store, const char *cluster_id,
			  struct store_position *positions, size_t count, struct error *err)
{
	return store->driver->claim_positions(store, cluster_id, positions, count, err);
}

void store_set_group(struct store *store, const char *group)
{
	store->group = group;
}

int store_read_last_seq(struct store *store, const struct uuid *producer_id, bool *ret_found,
			int64_t *ret_seq, struct error *err)
{
	return store->driver->read_last_seq(store, producer_id, ret_found, ret_seq, err);
}

int store_read_quarantine(struct store *store, const struct store_quarantine_query *query,
			  bool (*on_row)(void *context, const struct store_quarantined *row),
			  void *context, struct error *err)
{
	return store->driver->read_quarantine(store, query, on_row, context, err);
}

int store_read_sites(struct store *store,
		     bool (*on_site)(void *context, const struct store_site *site), void *context,
		     struct error *err)
{
	return store->driver->read_sites(store, on_site, context, err);
}
