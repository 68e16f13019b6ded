/* The schema: all files of schema/sqlite/ in one transaction, after a look at whose relations are there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/sqlite_store.h"

/* Somebody else's relation, or one of a newer release: ERROR_REJECT. */
static bool refuses(const struct sqlite_store *store, const char *relation, int version,
		    struct error *err)
{
	if (version < 0)
		error_set(err, ERROR_REJECT,
			  "%s: relation \"%s\" is somebody else's (our mark is missing): "
			  "use another data folder",
			  store->path, relation);
	else if (version > STORE_SCHEMA_VERSION)
		error_set(err, ERROR_REJECT,
			  "%s: relation \"%s\" is of a newer release: found version %d, "
			  "expected at most %d: upgrade this program",
			  store->path, relation, version, STORE_SCHEMA_VERSION);
	return version < 0 || version > STORE_SCHEMA_VERSION;
}

/* How many of our relations are there with a mark; an error for somebody else's and for a newer release's. -1: error. */
static int count_relations(struct sqlite_store *store, struct error *err)
{
	sqlite3_stmt *statement;
	int count = 0;
	if (sqlite3_prepare_v2(store->db, "SELECT sql FROM sqlite_schema WHERE name = ?1", -1,
			       &statement, NULL) != SQLITE_OK)
		return sqlite_fail(store, "look at the schema", err);
	for (size_t i = 0; store_relations[i] != NULL && count >= 0; i++) {
		(void)sqlite3_bind_text(statement, 1, store_relations[i], -1, SQLITE_STATIC);
		int step = sqlite3_step(statement);
		if (step == SQLITE_ROW) {
			int version =
				store_mark_version((const char *)sqlite3_column_text(statement, 0));
			count++;
			if (refuses(store, store_relations[i], version, err))
				count = -1;
		} else if (step != SQLITE_DONE) {
			count = sqlite_fail(store, "look at the schema", err);
		}
		(void)sqlite3_reset(statement);
	}
	(void)sqlite3_finalize(statement);
	return count;
}

static int relation_count(void)
{
	int count = 0;
	while (store_relations[count] != NULL)
		count++;
	return count;
}

/* A kafka_offset from before the group was part of its key: SQLite can't change a key, so the table is made again. */
static const char has_old_offsets[] =
	"SELECT EXISTS (SELECT 1 FROM pragma_table_info('kafka_offset')) AND NOT EXISTS (SELECT 1 "
	"FROM "
	"pragma_table_info('kafka_offset') WHERE name = 'group_id')";

static const char take_old_offsets[] =
	"INSERT INTO kafka_offset (cluster_id, topic, partition, next, stored_at) "
	"SELECT cluster_id, topic, partition, next, stored_at FROM kafka_offset_old; "
	"DROP TABLE kafka_offset_old";

/* A site_state from before strips were made anew after the batch. */
static const char has_old_states[] =
	"SELECT EXISTS (SELECT 1 FROM pragma_table_info('site_state')) AND NOT EXISTS (SELECT 1 "
	"FROM pragma_table_info('site_state') WHERE name = 'is_strip_stale')";

static const char mend_old_states[] =
	"ALTER TABLE site_state ADD COLUMN is_strip_stale INTEGER NOT NULL DEFAULT 0";

/* A report table from before all addresses of a name could be checked. */
static const char has_old_reports[] =
	"SELECT EXISTS (SELECT 1 FROM pragma_table_info('report')) AND NOT EXISTS (SELECT 1 "
	"FROM pragma_table_info('report') WHERE name = 'round')";

static const char mend_old_reports[] = "ALTER TABLE report ADD COLUMN round TEXT";

static int look_for(struct sqlite_store *store, const char *sql, bool *ret_found, struct error *err)
{
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
		return sqlite_fail(store, "look at the schema", err);
	int status = 0;
	if (sqlite3_step(statement) == SQLITE_ROW)
		*ret_found = sqlite3_column_int(statement, 0) != 0;
	else
		status = sqlite_fail(store, "look at the schema", err);
	(void)sqlite3_finalize(statement);
	return status;
}

/* Add a column that has_old finds missing. */
static int mend(struct sqlite_store *store, const char *has_old, const char *mending,
		struct error *err)
{
	bool is_old = false;
	if (look_for(store, has_old, &is_old, err) != 0)
		return -1;
	return is_old ? sqlite_execute(store, mending, err) : 0;
}

static int replay(struct sqlite_store *store, struct error *err)
{
	bool has_seq_chunks;
	bool has_old = false;
	if (sqlite_seq_chunks_are_there(store, &has_seq_chunks, err) != 0 ||
	    look_for(store, has_old_offsets, &has_old, err) != 0 ||
	    mend(store, has_old_states, mend_old_states, err) != 0 ||
	    mend(store, has_old_reports, mend_old_reports, err) != 0)
		return -1;
	if (has_old &&
	    sqlite_execute(store, "ALTER TABLE kafka_offset RENAME TO kafka_offset_old", err) != 0)
		return -1;
	for (const char *const *file = store_schema_sqlite(); *file != NULL; file++)
		if (sqlite_execute(store, *file, err) != 0)
			return -1;
	if (has_old && sqlite_execute(store, take_old_offsets, err) != 0)
		return -1;
	if (!has_seq_chunks && sqlite_make_seq_chunks(store, err) != 0)
		return -1;
	return sqlite_execute(store, "COMMIT", err);
}

/* Without leave to make them. */
static int check_complete(struct sqlite_store *store, struct error *err)
{
	bool has_old_state = false;
	bool has_old_report = false;
	int count = count_relations(store, err);
	if (count < 0 || look_for(store, has_old_states, &has_old_state, err) != 0 ||
	    look_for(store, has_old_reports, &has_old_report, err) != 0)
		return -1;
	if (count == relation_count() && !has_old_state && !has_old_report)
		return 0;
	error_set(err, ERROR_REJECT,
		  "%s: relations are missing or of an older release, and --no-migrate forbids to "
		  "make them: leave it out once",
		  store->path);
	return -1;
}

int sqlite_migrate(struct sqlite_store *store, bool is_allowed, struct error *err)
{
	store->may_migrate = is_allowed;
	store->schema_version = -1;
	store_ids_forget(store->ids);
	if (!is_allowed)
		return check_complete(store, err);
	if (sqlite_begin(store, err) != 0)
		return -1;
	if (count_relations(store, err) >= 0 && replay(store, err) == 0)
		return 0;
	sqlite_rollback(store);
	return -1;
}

int sqlite_check_version(struct store *base, struct error *err)
{
	struct sqlite_store *store = (struct sqlite_store *)base;
	if (sqlite_connect(store, err) != 0)
		return -1;
	return count_relations(store, err) < 0 ? -1 : 0;
}

static int read_schema_version(struct sqlite_store *store, int64_t *ret_version, struct error *err)
{
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v2(store->db, "PRAGMA schema_version", -1, &statement, NULL) !=
	    SQLITE_OK)
		return sqlite_fail(store, "PRAGMA schema_version", err);
	int status = 0;
	if (sqlite3_step(statement) == SQLITE_ROW)
		*ret_version = sqlite3_column_int64(statement, 0);
	else
		status = sqlite_fail(store, "PRAGMA schema_version", err);
	(void)sqlite3_finalize(statement);
	return status;
}

int sqlite_check_relations(struct sqlite_store *store, struct error *err)
{
	int64_t version = 0;
	if (read_schema_version(store, &version, err) != 0)
		return -1;
	if (version == store->schema_version)
		return 0;
	store_ids_forget(store->ids);
	int count = count_relations(store, err);
	if (count < 0)
		return -1;
	if (count < relation_count()) {
		if (sqlite_migrate(store, store->may_migrate, err) != 0 ||
		    read_schema_version(store, &version, err) != 0)
			return -1;
		log_event(LOG_WARN,
			  "relations were missing in the database: the schema was replayed");
	}
	store->schema_version = version;
	return 0;
}
