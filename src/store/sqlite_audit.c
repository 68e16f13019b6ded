/* What audit reads, and the one thing that it writes. */
#include <string.h>

#include "base/clock.h"
#include "store/audit.h"
#include "store/seq_chunk.h"
#include "store/sqlite_store.h"

static const char select_producers[] =
	"SELECT p.id, coalesce(location.name, ''), p.host, p.prev_producer_id, p.prev_seq, "
	"p.first_seen_at FROM producer AS p LEFT JOIN location ON location.id = p.location_id";

static const char select_chunks[] =
	"SELECT producer_id, chunk, stored, quarantined, first_at, last_at, changed_at FROM "
	"seq_chunk ORDER BY producer_id, chunk";

static const char select_ranges[] = "SELECT producer_id, state, first, last, first_at, last_at, "
				    "changed_at FROM seq_range";

static const char select_marks[] =
	"SELECT producer_id, max(seq) FROM seq_mark WHERE marked_at <= ?1 GROUP BY producer_id";

static const char insert_lost[] =
	"INSERT INTO seq_range (state, producer_id, first, last, who, changed_at) "
	"VALUES ('lost', ?1, ?2, ?3, ?4, ?5) ON CONFLICT (state, producer_id, first) DO UPDATE SET "
	"last = max(seq_range.last, excluded.last), changed_at = excluded.changed_at, "
	"who = excluded.who";

static bool uuid_at(sqlite3_stmt *statement, int column, struct uuid *ret_uuid)
{
	const char *text = sqlite_text(statement, column);
	return uuid_parse(text, strlen(text), ret_uuid) == 0;
}

static wall_us time_at(sqlite3_stmt *statement, int column)
{
	wall_us time = STORE_NO_TIME;
	const char *text = sqlite_text(statement, column);
	(void)clock_parse(text, strlen(text), &time);
	return time;
}

static struct audit_times times_at(sqlite3_stmt *statement, int column)
{
	return (struct audit_times){
		.first_at = time_at(statement, column),
		.last_at = time_at(statement, column + 1),
		.changed_at = time_at(statement, column + 2),
	};
}

static const unsigned char *bits_at(sqlite3_stmt *statement, int column)
{
	const unsigned char *bits = sqlite3_column_blob(statement, column);
	return sqlite3_column_bytes(statement, column) == SEQ_CHUNK_BYTES ? bits : NULL;
}

static void add_producer(struct audit *audit, const struct uuid *producer_id,
			 sqlite3_stmt *statement)
{
	struct identity prev = {.seq = sqlite3_column_int64(statement, 4)};
	bool has_prev = uuid_at(statement, 3, &prev.producer_id);
	audit_add_producer(audit, producer_id, sqlite_text(statement, 1), sqlite_text(statement, 2),
			   has_prev ? &prev : NULL, time_at(statement, 5));
}

static void add_chunk(struct audit *audit, const struct uuid *producer_id, sqlite3_stmt *statement)
{
	const struct audit_times times = times_at(statement, 4);
	audit_add_chunk(audit, producer_id, sqlite3_column_int64(statement, 1),
			bits_at(statement, 2), bits_at(statement, 3), &times);
}

static void add_range(struct audit *audit, const struct uuid *producer_id, sqlite3_stmt *statement)
{
	const struct audit_times times = times_at(statement, 4);
	const enum audit_state state = audit_state_parse(sqlite_text(statement, 1));
	const struct store_seq_range range = {
		.first = sqlite3_column_int64(statement, 2),
		.last = sqlite3_column_int64(statement, 3),
	};
	if (state != AUDIT_STATE_COUNT)
		audit_add_range(audit, producer_id, state, &range, &times);
}

static void add_mark(struct audit *audit, const struct uuid *producer_id, sqlite3_stmt *statement)
{
	audit_add_mark(audit, producer_id, sqlite3_column_int64(statement, 1));
}

static int read_rows(struct sqlite_store *store, struct audit *audit, const char *sql,
		     void (*add)(struct audit *audit, const struct uuid *producer_id,
				 sqlite3_stmt *statement),
		     struct error *err)
{
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
		return sqlite_fail(store, "read", err);
	char before[CLOCK_TEXT_SIZE];
	clock_format(audit_settled_before(audit), before);
	if (sqlite3_bind_parameter_count(statement) > 0)
		(void)sqlite3_bind_text(statement, 1, before, -1, SQLITE_TRANSIENT);
	int step;
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		struct uuid producer_id;
		if (uuid_at(statement, 0, &producer_id))
			add(audit, &producer_id, statement);
	}
	int status = step == SQLITE_DONE ? 0 : sqlite_fail(store, "read", err);
	(void)sqlite3_finalize(statement);
	return status;
}

int sqlite_read_audit(struct store *base, struct audit *audit, struct error *err)
{
	struct sqlite_store *store = (struct sqlite_store *)base;
	if (sqlite_connect(store, err) != 0 || sqlite_execute(store, "BEGIN", err) != 0)
		return -1;
	bool are_there = false;
	if (sqlite_seq_chunks_are_there(store, &are_there, err) == 0 && !are_there)
		error_set(err, ERROR_RETRY, "%s: no tables to audit: start `run` there once",
			  store->path);
	int status =
		!are_there || read_rows(store, audit, select_producers, add_producer, err) != 0 ||
				read_rows(store, audit, select_chunks, add_chunk, err) != 0 ||
				read_rows(store, audit, select_ranges, add_range, err) != 0 ||
				read_rows(store, audit, select_marks, add_mark, err) != 0
			? -1
			: 0;
	sqlite_rollback(store);
	return sqlite_confirm(store, status, err);
}

int sqlite_declare_lost(struct store *base, const struct uuid *producer_id,
			const struct store_seq_range *range, const char *who, struct error *err)
{
	struct sqlite_store *store = (struct sqlite_store *)base;
	sqlite3_stmt *statement;
	char id[UUID_TEXT_SIZE];
	char now[CLOCK_TEXT_SIZE];
	if (sqlite_connect(store, err) != 0)
		return -1;
	if (sqlite3_prepare_v2(store->db, insert_lost, -1, &statement, NULL) != SQLITE_OK)
		return sqlite_fail(store, "write", err);
	uuid_format(producer_id, id);
	clock_format(clock_wall_us(), now);
	(void)sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(statement, 2, range->first);
	(void)sqlite3_bind_int64(statement, 3, range->last);
	(void)sqlite3_bind_text(statement, 4, who, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(statement, 5, now, -1, SQLITE_STATIC);
	int status = sqlite3_step(statement) == SQLITE_DONE ? 0 : sqlite_fail(store, "write", err);
	(void)sqlite3_finalize(statement);
	return status;
}
