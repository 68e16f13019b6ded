/* What was put aside, as a person looks at it. */
#include <string.h>

#include "base/clock.h"
#include "store/sqlite_store.h"

#define SELECT_QUARANTINE                                                                          \
	"SELECT id, kafka_topic, kafka_partition, kafka_offset, reason, detail, stored_at, "       \
	"length, CASE WHEN ?1 >= 0 THEN bytes END FROM quarantine "                                \
	"WHERE (?1 < 0 OR id = ?1) AND (?2 = '' OR reason = ?2) AND id > ?3 "

static const char select_newest[] =
	SELECT_QUARANTINE "ORDER BY stored_at DESC, kafka_offset DESC, id LIMIT ?4";
static const char select_by_id[] = SELECT_QUARANTINE "ORDER BY id LIMIT ?4";

static void fill_row(struct store_quarantined *row, sqlite3_stmt *statement)
{
	const char *stored_at = sqlite_text(statement, 6);
	*row = (struct store_quarantined){
		.id = sqlite3_column_int64(statement, 0),
		.reason = sqlite_text(statement, 4),
		.detail = sqlite_text(statement, 5),
		.length = -1,
		.bytes = sqlite3_column_blob(statement, 8),
		.byte_count = (size_t)sqlite3_column_bytes(statement, 8),
	};
	(void)clock_parse(stored_at, strlen(stored_at), &row->stored_at);
	if (sqlite3_column_type(statement, 1) != SQLITE_NULL)
		row->origin = (struct store_origin){
			.topic = sqlite_text(statement, 1),
			.partition = sqlite3_column_int(statement, 2),
			.offset = sqlite3_column_int64(statement, 3),
		};
	if (sqlite3_column_type(statement, 7) != SQLITE_NULL)
		row->length = sqlite3_column_int64(statement, 7);
}

int sqlite_read_quarantine(struct store *base, const struct store_quarantine_query *query,
			   bool (*on_row)(void *context, const struct store_quarantined *row),
			   void *context, struct error *err)
{
	struct sqlite_store *store = (struct sqlite_store *)base;
	sqlite3_stmt *statement = NULL;
	if (sqlite_connect(store, err) != 0)
		return -1;
	if (sqlite3_prepare_v2(store->db, query->is_by_id ? select_by_id : select_newest, -1,
			       &statement, NULL) != SQLITE_OK)
		return sqlite_fail(store, "read", err);
	(void)sqlite3_bind_int64(statement, 1, query->id);
	(void)sqlite3_bind_text(statement, 2, query->reason == NULL ? "" : query->reason, -1,
				SQLITE_STATIC);
	(void)sqlite3_bind_int64(statement, 3, query->after);
	(void)sqlite3_bind_int64(statement, 4, query->limit);
	bool goes_on = true;
	int step;
	while ((step = sqlite3_step(statement)) == SQLITE_ROW && goes_on) {
		struct store_quarantined row;
		fill_row(&row, statement);
		goes_on = on_row(context, &row);
	}
	int status =
		step == SQLITE_DONE || step == SQLITE_ROW ? 0 : sqlite_fail(store, "read", err);
	(void)sqlite3_finalize(statement);
	return sqlite_confirm(store, status, err);
}
