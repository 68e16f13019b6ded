/*
 * Strips that lack reports which came late are made anew from the report table, some sites in a step. The rows are locked first, so
 * that the second statement sees all that was committed before they were ours: two writers never make a strip without the other's
 * reports. A row that somebody else has is left for later.
 */
#include "store/postgres_parameters.h"
#include "store/postgres_store.h"

/* The reports before the states, as a batch does: else a day that is being dropped would be waited for with states in hand. */
static const char begin_step[] = "BEGIN; LOCK TABLE report IN ACCESS SHARE MODE";

static const char lock_stale[] = "SELECT site_id FROM site_state WHERE is_strip_stale LIMIT "
				 "$1::bigint FOR UPDATE SKIP LOCKED";

/* STORE_STRIP_LENGTH outcomes; of a round the one that speaks for it counts. */
#define STRIP_OF(rows)                                                                             \
	"SELECT string_agg(CASE outcome WHEN 'up' THEN 'U' WHEN 'degraded' THEN 'G' WHEN 'down' "  \
	"THEN 'D' ELSE '?' END, '' ORDER BY started_at, producer_id, seq) AS strip FROM (SELECT "  \
	"coalesce(round ->> 'outcome', outcome) AS outcome, started_at, producer_id, seq "         \
	"FROM report WHERE report.site_id = old.site_id "                                          \
	"AND (round IS NULL OR round ->> 'outcome' IS NOT NULL) " rows                             \
	"ORDER BY started_at DESC, producer_id DESC, seq DESC LIMIT 50) AS fifty"

/*
 * The window keeps it from looking into every day's partition; where it holds fewer outcomes than a strip has, all days are
 * looked at.
 */
static const char refresh_strips[] =
	"UPDATE site_state AS s SET is_strip_stale = false, strip = coalesce(CASE WHEN "
	"coalesce(length(recent.strip), 0) < 50 THEN (" STRIP_OF(
		"") ") ELSE recent.strip END, s.strip) "
		    "FROM unnest($1::bigint[]) AS wanted (site_id) "
		    "JOIN site_state AS old ON old.site_id = wanted.site_id "
		    "LEFT JOIN check_setup AS setup ON setup.id = old.setup_id "
		    "CROSS JOIN LATERAL (SELECT least(old.started_at, now()) - greatest(interval "
		    "'1 "
		    "day', coalesce(setup.interval_us, 0) * interval '100 microseconds') AS since) "
		    "AS span "
		    "CROSS JOIN LATERAL (" STRIP_OF(
			    "AND report.started_at >= span.since "
			    "AND report.started_at <= old.started_at ") ") AS recent WHERE "
									"s.site_id = "
									"wanted.site_id";

static int lock(struct postgres_connection *connection, PGresult **ret_locked, struct error *err)
{
	struct parameter_list list = {0};
	parameter_int8(&list, STORE_STRIPS_STEP);
	int status = parameter_query(connection, lock_stale, &list, ret_locked, err);
	parameter_finish(&list);
	return status;
}

static int refresh(struct postgres_connection *connection, const PGresult *locked,
		   struct error *err)
{
	struct parameter_list list = {0};
	struct buffer *site_ids = parameter_array(&list, TYPE_INT8, (size_t)PQntuples(locked));
	for (int i = 0; i < PQntuples(locked); i++)
		encode_int8(site_ids, postgres_read_int64(PQgetvalue(locked, i, 0)));
	int status = parameter_query(connection, refresh_strips, &list, NULL, err);
	parameter_finish(&list);
	return status;
}

int postgres_refresh_strips(struct store *base, bool *ret_is_done, struct error *err)
{
	struct postgres_store *store = (struct postgres_store *)base;
	struct postgres_connection *connection = &store->connection;
	if (postgres_connect(connection, err) != 0)
		return -1;
	if (postgres_execute(connection, begin_step, NULL, err) != 0) {
		postgres_rollback(
			connection); /* a batch could not begin either: the store is away */
		return -1;
	}
	PGresult *locked = NULL;
	int status = lock(connection, &locked, err);
	if (status == 0) {
		*ret_is_done = PQntuples(locked) < STORE_STRIPS_STEP;
		if (PQntuples(locked) > 0)
			status = refresh(connection, locked, err);
		PQclear(locked);
	}
	if (status == 0 && postgres_execute(connection, "COMMIT", NULL, err) == 0)
		return 0;
	bool is_away = connection->is_lost;
	postgres_rollback(connection);
	err->kind = is_away || connection->conn == NULL ? ERROR_RETRY : ERROR_FATAL;
	return -1;
}
