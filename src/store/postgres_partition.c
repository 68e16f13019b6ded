/*
 * Days of the report table. A day's partition is a plain table that is filled with what the default partition holds of
 * that day, and then attached, in one transaction: a DEFAULT partition that holds rows of a day would make
 * CREATE TABLE … PARTITION OF fail. Bounds are written with +00.
 *
 * Days from yesterday to a week ahead are made before they are needed; an older day when reports of it arrive. Anything further away
 * stays in the default partition, so that wild dates don't make a partition each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "store/postgres_store.h"

enum {
	DAYS_AHEAD = 7,
	DAYS_BACK = 366,
	PAUSE_AFTER_FAILURE_S = 60,
	PAUSE_WITHOUT_RIGHT_S = 24 * 3600,
};

void postgres_name_day(int64_t day, char name[static POSTGRES_DAY_NAME_SIZE])
{
	char date[CLOCK_TEXT_SIZE];
	clock_format(clock_day_start(day), date);
	(void)snprintf(name, POSTGRES_DAY_NAME_SIZE, "report_%.4s%.2s%.2s", date, date + 5,
		       date + 8);
}

/* The day of a partition's name; INT64_MIN for one that is not ours. */
static int64_t day_of_name(const char *name)
{
	static const char prefix[] = "report_";
	const char *digits = name + sizeof(prefix) - 1;
	wall_us start;
	char date[CLOCK_TEXT_SIZE];
	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0 || strlen(digits) != 8)
		return INT64_MIN;
	(void)snprintf(date, sizeof(date), "%.4s-%.2s-%.2sT00:00:00Z", digits, digits + 4,
		       digits + 6);
	if (clock_parse(date, strlen(date), &start) != 0)
		return INT64_MIN;
	return clock_day(start);
}

static void add_day(struct postgres_store *store, int64_t day)
{
	store->days = xreallocarray(store->days, store->day_count + 1, sizeof(*store->days));
	store->days[store->day_count++] = day;
}

static bool has_day(const struct postgres_store *store, int64_t day)
{
	/* The newest are asked for most, and stand last. */
	for (size_t i = store->day_count; i > 0; i--)
		if (store->days[i - 1] == day)
			return true;
	return false;
}

int postgres_read_days(struct postgres_store *store, struct error *err)
{
	PGresult *result;
	if (postgres_execute(&store->connection,
			     "SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = "
			     "i.inhrelid "
			     "WHERE i.inhparent = 'report'::regclass ORDER BY c.relname",
			     &result, err) != 0)
		return -1;
	store->day_count = 0;
	for (int i = 0; i < PQntuples(result); i++)
		add_day(store, day_of_name(PQgetvalue(result, i, 0)));
	PQclear(result);
	return 0;
}

/* The statements that make a day; run as one. */
static char *sql_for_day(int64_t day)
{
	char name[POSTGRES_DAY_NAME_SIZE];
	char first[CLOCK_TEXT_SIZE];
	char end[CLOCK_TEXT_SIZE];
	postgres_name_day(day, name);
	clock_format(clock_day_start(day), first);
	clock_format(clock_day_start(day + 1), end);
	first[10] = end[10] = '\0';
	return xasprintf(
		"BEGIN; SET LOCAL lock_timeout = '3s'; SET LOCAL websentry.moves_rows = 'on'; "
		"SELECT pg_advisory_xact_lock(" POSTGRES_DAYS_LOCK "); "
		"LOCK TABLE report IN SHARE UPDATE EXCLUSIVE MODE; "
		"LOCK TABLE report_default IN ACCESS EXCLUSIVE MODE; "
		"CREATE TABLE %1$s (LIKE report INCLUDING DEFAULTS INCLUDING CONSTRAINTS); "
		"COMMENT ON TABLE %1$s IS 'Reports of %2$s. [websentry %4$d]'; "
		"WITH moved AS (DELETE FROM report_default "
		"WHERE started_at >= '%2$s 00:00:00+00' AND started_at < '%3$s 00:00:00+00' "
		"RETURNING *) "
		"INSERT INTO %1$s SELECT * FROM moved; "
		"ALTER TABLE report ATTACH PARTITION %1$s "
		"FOR VALUES FROM ('%2$s 00:00:00+00') TO ('%3$s 00:00:00+00'); COMMIT",
		name, first, end, STORE_SCHEMA_VERSION);
}

/* Returns -1 only where the connection was lost. */
static int make_day(struct postgres_store *store, int64_t day, struct error *err)
{
	struct error failure;
	char *sql = sql_for_day(day);
	int status = postgres_execute(&store->connection, sql, NULL, &failure);
	free(sql);
	if (status == 0) {
		add_day(store, day);
		return 0;
	}
	if (store->connection.is_lost) {
		*err = failure;
		return -1;
	}
	postgres_rollback(&store->connection);
	if (store->connection.conn == NULL) {
		*err = failure;
		return -1;
	}
	char name[POSTGRES_DAY_NAME_SIZE];
	postgres_name_day(day, name);
	if (strcmp(store->connection.sqlstate, "42P07") == 0)
		return postgres_read_days(store, err); /* another writer was first */
	log_event(LOG_WARN,
		  "can't make a day's partition, its reports go to report_default meanwhile",
		  LOG_STR("partition", name), LOG_STR("cause", failure.message));
	bool is_forbidden = strcmp(store->connection.sqlstate, "42501") == 0;
	store->days_pause_until =
		clock_mono_us() +
		(is_forbidden ? PAUSE_WITHOUT_RIGHT_S : PAUSE_AFTER_FAILURE_S) * CLOCK_US_PER_S;
	return 0;
}

static int make_missing(struct postgres_store *store, int64_t day, struct error *err)
{
	if (has_day(store, day) || clock_mono_us() < store->days_pause_until)
		return 0;
	if (make_day(store, day, err) != 0)
		return -1;
	/* There, but not as a partition: a table of that name is somebody else's or was detached. The default takes its rows. */
	if (!has_day(store, day) && clock_mono_us() >= store->days_pause_until)
		add_day(store, day);
	return 0;
}

int postgres_make_days(struct postgres_store *store, const struct store_plan *plan,
		       struct error *err)
{
	if (store->days == NULL && postgres_read_days(store, err) != 0)
		return -1;
	int64_t today = clock_day(clock_wall_us());
	if (store->ahead_made_on != today) {
		for (int64_t day = today - 1; day <= today + DAYS_AHEAD; day++)
			if (make_missing(store, day, err) != 0)
				return -1;
		if (clock_mono_us() >= store->days_pause_until)
			store->ahead_made_on = today;
	}
	int64_t last = INT64_MIN;
	for (size_t i = 0; i < plan->row_count; i++) {
		int64_t day = clock_day(plan->rows[i].row->started_at.value);
		if (day == last || day < today - DAYS_BACK || day > today + DAYS_AHEAD)
			continue;
		last = day;
		if (make_missing(store, day, err) != 0)
			return -1;
	}
	return 0;
}
