/* Reports that are kept no longer go in small steps, so that none holds up a batch. The file does not shrink: SQLite fills the room again. */
#include <string.h>

#include "base/log.h"
#include "store/sqlite_store.h"

enum { STEP_ROWS = 500 };

/* Site by site, so that each look finds its rows in the index of the key. */
static const char delete_some[] =
	"DELETE FROM report WHERE rowid IN (SELECT report.rowid FROM site CROSS JOIN report ON "
	"report.site_id = site.id WHERE report.started_at < ?1 LIMIT ?2)";

int sqlite_tidy(struct store *base, int *ret_again_ms, struct error *err)
{
	struct sqlite_store *store = (struct sqlite_store *)base;
	sqlite3_stmt *statement = NULL;
	char first[CLOCK_TEXT_SIZE];
	int64_t first_kept = store_first_kept_day(base, clock_wall_us());
	if (sqlite_connect(store, err) != 0)
		return -1;
	if (first_kept != store->expired_day) {
		if (sqlite_expire_seqs(store, clock_day_start(first_kept), err) != 0)
			return -1;
		store->expired_day = first_kept;
	}
	if (sqlite3_prepare_v2(store->db, delete_some, -1, &statement, NULL) != SQLITE_OK)
		return sqlite_fail(store, "prepare", err);
	clock_format(clock_day_start(first_kept), first);
	(void)sqlite3_bind_text(statement, 1, first, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int(statement, 2, STEP_ROWS);
	int status = sqlite3_step(statement) == SQLITE_DONE
			     ? 0
			     : sqlite_fail(store, "delete old reports", err);
	if (status == 0 && sqlite3_changes(store->db) == STEP_ROWS)
		*ret_again_ms = STORE_TIDY_STEP_MS;
	(void)sqlite3_finalize(statement);
	return status;
}
