/* Strips that lack reports which came late are made anew from the reports, some sites in a step. */
#include "store/sqlite_store.h"

/* STORE_STRIP_LENGTH outcomes; of a round the one that speaks for it counts. */
static const char refresh_strips[] =
	"UPDATE site_state SET is_strip_stale = 0, strip = coalesce((SELECT group_concat(letter, "
	"'') "
	"FROM (SELECT CASE outcome WHEN 'up' THEN 'U' WHEN 'degraded' THEN 'G' WHEN 'down' THEN "
	"'D' "
	"ELSE '?' END AS letter FROM (SELECT coalesce(round ->> 'outcome', outcome) AS outcome, "
	"started_at, producer_id, seq FROM report WHERE report.site_id = site_state.site_id "
	"AND (round IS NULL OR round ->> 'outcome' IS NOT NULL) "
	"ORDER BY started_at DESC, producer_id DESC, seq DESC LIMIT 50) "
	"ORDER BY started_at, producer_id, seq)), strip) "
	"WHERE site_id IN (SELECT site_id FROM site_state WHERE is_strip_stale LIMIT ?1)";

int sqlite_refresh_strips(struct store *base, bool *ret_is_done, struct error *err)
{
	struct sqlite_store *store = (struct sqlite_store *)base;
	sqlite3_stmt *statement = NULL;
	if (sqlite_connect(store, err) != 0 || sqlite_check_relations(store, err) != 0)
		return -1;
	if (sqlite3_prepare_v2(store->db, refresh_strips, -1, &statement, NULL) != SQLITE_OK)
		return sqlite_fail(store, "prepare", err);
	(void)sqlite3_bind_int(statement, 1, STORE_STRIPS_STEP);
	int status = sqlite3_step(statement) == SQLITE_DONE
			     ? 0
			     : sqlite_fail(store, "make strips anew", err);
	if (status != 0)
		err->kind = atomic_load(&store->is_interrupted) ? ERROR_RETRY : ERROR_FATAL;
	*ret_is_done = status == 0 && sqlite3_changes(store->db) < STORE_STRIPS_STEP;
	(void)sqlite3_finalize(statement);
	return status;
}
