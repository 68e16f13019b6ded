/*
 * Days that are kept no longer. A step drops one partition, or deletes some rows of the default partition, whose index it need not
 * touch more than that. DROP needs `report` for itself for a moment: it waits for that a second at most, since whoever comes meanwhile
 * waits behind it, and is tried again later.
 *
 * What is too old is the smaller of what our clock and the database's say: a clock that runs ahead must not drop what is new.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "store/postgres_parameters.h"
#include "store/postgres_store.h"

static const char select_now[] = "SELECT (extract(epoch FROM now()) * 1000000)::bigint";

/* A table scan, but the default partition holds what is rare. */
static const char delete_some[] =
	"DELETE FROM report_default WHERE ctid = ANY (ARRAY(SELECT ctid FROM report_default "
	"WHERE started_at < $1::timestamptz LIMIT 5000))";

void postgres_refuse_old(struct postgres_attempt *attempt)
{
	const struct store *store = &attempt->store->store;
	wall_us now = clock_wall_us();
	for (size_t i = 0; store->keep_days != 0 && i < attempt->batch->row_count; i++) {
		const struct report_row *row = &attempt->batch->rows[i];
		char detail[64] = "started_at ";
		if (!store_is_too_old(store, row, now))
			continue;
		clock_format(row->started_at.value, detail + strlen(detail));
		postgres_refuse(attempt, i, "too_old", detail);
	}
}

static int read_first_day(struct postgres_store *store, int64_t *ret_day, struct error *err)
{
	static const struct postgres_parameters none = {0};
	PGresult *result;
	if (postgres_query(&store->connection, select_now, &none, &result, err) != 0)
		return -1;
	wall_us theirs = postgres_read_int64(PQgetvalue(result, 0, 0));
	wall_us ours = clock_wall_us();
	PQclear(result);
	*ret_day = store_first_kept_day(&store->store, theirs < ours ? theirs : ours);
	return 0;
}

/* The oldest day that has a partition and is kept no longer; INT64_MAX where there is none. */
static int64_t oldest_day(const struct postgres_store *store, int64_t first_kept)
{
	int64_t oldest = INT64_MAX;
	for (size_t i = 0; i < store->day_count; i++) {
		int64_t day = store->days[i];
		if (day != INT64_MIN && day < first_kept && day < oldest)
			oldest = day;
	}
	return oldest;
}

static int drop_day(struct postgres_store *store, int64_t day, int *ret_again_ms, struct error *err)
{
	char name[POSTGRES_DAY_NAME_SIZE];
	postgres_name_day(day, name);
	char *sql = xasprintf("BEGIN; SET LOCAL lock_timeout = '1s'; "
			      "SELECT pg_advisory_xact_lock(" POSTGRES_DAYS_LOCK "); "
			      "DROP TABLE IF EXISTS %s; COMMIT",
			      name);
	int status = postgres_execute(&store->connection, sql, NULL, err);
	free(sql);
	if (status == 0) {
		log_event(LOG_INFO, "a day that is kept no longer was dropped",
			  LOG_STR("partition", name));
		store->is_drop_waiting = false;
		/* The next batch must not think that it still has this one. */
		return postgres_read_days(store, err);
	}
	if (store->connection.is_lost)
		return -1;
	postgres_rollback(&store->connection);
	*ret_again_ms = STORE_TIDY_WAIT_MS;
	if (!store->is_drop_waiting)
		log_event(LOG_WARN, "can't drop an old day, trying again later",
			  LOG_STR("partition", name), LOG_STR("cause", err->message));
	store->is_drop_waiting = true;
	return store->connection.conn == NULL ? -1 : 0;
}

static int delete_from_default(struct postgres_store *store, int64_t first_kept, int *ret_again_ms,
			       struct error *err)
{
	struct parameter_list list = {0};
	PGresult *result;
	parameter_int8(&list, clock_day_start(first_kept) - POSTGRES_EPOCH_US);
	int status = parameter_query(&store->connection, delete_some, &list, &result, err);
	parameter_finish(&list);
	if (status != 0)
		return -1;
	if (strcmp(PQcmdTuples(result), "0") == 0)
		*ret_again_ms = STORE_TIDY_MS;
	PQclear(result);
	return 0;
}

int postgres_tidy(struct store *base, int *ret_again_ms, struct error *err)
{
	struct postgres_store *store = (struct postgres_store *)base;
	int64_t first_kept;
	if (postgres_connect(&store->connection, err) != 0 ||
	    read_first_day(store, &first_kept, err) != 0 || postgres_read_days(store, err) != 0)
		return -1;
	if (first_kept != store->expired_day) {
		/* Before they go, so that no audit ever misses them. */
		if (postgres_expire_seqs(store, clock_day_start(first_kept), err) != 0)
			return -1;
		store->expired_day = first_kept;
	}
	int64_t day = oldest_day(store, first_kept);
	*ret_again_ms = STORE_TIDY_STEP_MS;
	if (day != INT64_MAX)
		return drop_day(store, day, ret_again_ms, err);
	return delete_from_default(store, first_kept, ret_again_ms, err);
}
