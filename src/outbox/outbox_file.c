#include "outbox/outbox_file.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/database_files.h"
#include "base/memory.h"
#include "outbox/outbox_place.h"
#include "outbox/outbox_row.h"
#include "outbox/outbox_schema.h"

enum statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_INSERT,
	STATEMENT_DELETE,
	STATEMENT_COPY_BAD,
	STATEMENT_META,
	STATEMENT_READ,
	STATEMENT_PAGES,
	STATEMENT_COUNT,
};

static const char *const statement_texts[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	/* OR REPLACE: a commit that failed may be done again with the same rows */
	[STATEMENT_INSERT] = "INSERT OR REPLACE INTO outbox_row (id, class, key, message, crc) "
			     "VALUES (?1, ?2, ?3, ?4, ?5)",
	[STATEMENT_DELETE] = "DELETE FROM outbox_row WHERE id BETWEEN ?1 AND ?2",
	[STATEMENT_COPY_BAD] = "INSERT OR REPLACE INTO outbox_bad_row "
			       "SELECT * FROM outbox_row WHERE id = ?1",
	[STATEMENT_META] = "UPDATE outbox_meta SET row_count = ?1, byte_count = ?2, last_id = ?3, "
			   "last_producer_id = ?4, last_seq = ?5, crc = ?6",
	[STATEMENT_READ] = "SELECT id, class, key, message, crc FROM outbox_row WHERE id > ?1 "
			   "ORDER BY id",
	[STATEMENT_PAGES] = "PRAGMA page_count",
};

struct outbox_file {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	int64_t read_id; /* of the row read last, or where reading began */
	int64_t page_bytes;
	int64_t wal_bytes;
	bool is_unsynced;
};

/*
 * The WAL is copied into the database and begins anew when it holds so much, or when this would make the database's file larger
 * by so much: on a full disk that must still fit into the reserve (OUTBOX_RESERVE_BYTES). Where rows come and go, as they do
 * while Kafka takes them, the same few pages are written again and again, and are copied once in a long while only.
 */
enum { CHECKPOINT_BYTES = 4 * 1024 * 1024, CHECKPOINT_GROWTH_BYTES = OUTBOX_RESERVE_BYTES / 2 };

/* A full disk shows as SQLITE_FULL, or as an I/O error that errno explains (a limit on file sizes, a quota). */
static bool is_out_of_space(sqlite3 *db, int code)
{
	if ((code & 0xff) == SQLITE_FULL)
		return true;
	if ((code & 0xff) != SQLITE_IOERR)
		return false;
	int reason = sqlite3_system_errno(db);
	return reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
}

enum outbox_file_result outbox_schema_result(sqlite3 *db, int code, const char *doing,
					     struct error *err)
{
	error_set(err, ERROR_RETRY, "%s: %s (%d)", doing,
		  db == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(db),
		  db == NULL ? code : sqlite3_extended_errcode(db));
	if (db != NULL && is_out_of_space(db, code))
		return OUTBOX_FILE_FULL;
	int extended = db == NULL ? code : sqlite3_extended_errcode(db);
	if (extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC)
		return OUTBOX_FILE_UNSYNCED;
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return OUTBOX_FILE_HELD;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
		return OUTBOX_FILE_DAMAGED;
	default:
		return OUTBOX_FILE_FAILED;
	}
}

static enum outbox_file_result prepare(struct outbox_file *file, struct error *err)
{
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		int code =
			sqlite3_prepare_v3(file->db, statement_texts[i], -1,
					   SQLITE_PREPARE_PERSISTENT, &file->statements[i], NULL);
		if (code != SQLITE_OK)
			return outbox_schema_result(file->db, code, "prepare", err);
	}
	return OUTBOX_FILE_OK;
}

static int on_wal(void *context, sqlite3 *db, const char *name, int pages)
{
	struct outbox_file *file = context;
	(void)db;
	(void)name;
	file->wal_bytes = pages * file->page_bytes;
	return SQLITE_OK;
}

/* What schema_result says of file->db, completed. */
static enum outbox_file_result finish_open(struct outbox_file *file,
					   enum outbox_file_result schema_result,
					   struct outbox_file **ret_file,
					   struct outbox_file_meta *ret_meta, struct error *err)
{
	struct outbox_file_meta meta = {0};
	enum outbox_file_result result = schema_result;
	if (result == OUTBOX_FILE_OK)
		result = prepare(file, err);
	if (result == OUTBOX_FILE_OK)
		result = outbox_schema_read_meta(file->db, &meta, err);
	/* a plain SQLITE_ERROR while opening: a table of ours is missing, or a format unknown to this SQLite */
	if (result == OUTBOX_FILE_FAILED && sqlite3_errcode(file->db) == SQLITE_ERROR)
		result = OUTBOX_FILE_DAMAGED;
	if (result == OUTBOX_FILE_OK) {
		file->page_bytes = outbox_schema_number(file->db, "PRAGMA page_size");
		if (file->page_bytes <= 0) { /* SQLite has no memory for the question */
			error_set(err, ERROR_RETRY, "open: the size of its pages can't be asked");
			result = OUTBOX_FILE_FAILED;
		}
	}
	if (result != OUTBOX_FILE_OK) {
		outbox_file_close(file, true);
		return result;
	}
	(void)sqlite3_wal_hook(file->db, on_wal, file);
	*ret_file = file;
	*ret_meta = meta;
	return OUTBOX_FILE_OK;
}

enum outbox_file_result outbox_file_open(const char *path, enum outbox_durability durability,
					 struct outbox_file **ret_file,
					 struct outbox_file_meta *ret_meta, struct error *err)
{
	struct outbox_file *file = xcalloc(1, sizeof(*file));
	enum outbox_file_result result = outbox_schema_open(path, durability, &file->db, err);
	return finish_open(file, result, ret_file, ret_meta, err);
}

enum outbox_file_result outbox_file_open_to_read(const char *path, struct outbox_file **ret_file,
						 struct outbox_file_meta *ret_meta,
						 struct error *err)
{
	if (!database_files_are_unwritable(path))
		return outbox_file_open(path, OUTBOX_DURABILITY_PROCESS, ret_file, ret_meta, err);
	struct outbox_file *file = xcalloc(1, sizeof(*file));
	enum outbox_file_result result = outbox_schema_open_to_read(path, &file->db, err);
	return finish_open(file, result, ret_file, ret_meta, err);
}

void outbox_file_close(struct outbox_file *file, bool is_damaged)
{
	if (file == NULL)
		return;
	for (int i = 0; i < STATEMENT_COUNT; i++)
		(void)sqlite3_finalize(file->statements[i]);
	if ((is_damaged || file->is_unsynced) && file->db != NULL)
		(void)sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void)sqlite3_close(file->db);
	free(file);
}

enum outbox_file_result outbox_file_check(struct outbox_file *file, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	enum outbox_file_result result = OUTBOX_FILE_OK;
	int code = sqlite3_prepare_v2(file->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	const char *found =
		code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	if (found == NULL) {
		result = outbox_schema_result(file->db, code, "check", err);
	} else if (strcmp(found, "ok") != 0) {
		error_set(err, ERROR_REJECT, "check: %.200s", found);
		result = OUTBOX_FILE_DAMAGED;
	}
	(void)sqlite3_finalize(statement);
	return result;
}

/* Run a statement that gives no rows. */
static enum outbox_file_result run(struct outbox_file *file, enum statement which,
				   const char *doing, struct error *err)
{
	sqlite3_stmt *statement = file->statements[which];
	int code = sqlite3_step(statement);
	enum outbox_file_result result = OUTBOX_FILE_OK;
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		result = outbox_schema_result(file->db, code, doing, err);
	(void)sqlite3_reset(statement);
	if (result == OUTBOX_FILE_UNSYNCED)
		file->is_unsynced = true;
	return result;
}

enum outbox_file_result outbox_file_begin(struct outbox_file *file, struct error *err)
{
	if (file->is_unsynced) { /* a checkpoint's, or that of a transaction that is tried again */
		error_set(err, ERROR_RETRY, "the disk did not confirm what was written");
		return OUTBOX_FILE_UNSYNCED;
	}
	return run(file, STATEMENT_BEGIN, "begin", err);
}

enum outbox_file_result outbox_file_insert(struct outbox_file *file, const struct outbox_row *row,
					   struct error *err)
{
	sqlite3_stmt *statement = file->statements[STATEMENT_INSERT];
	(void)sqlite3_bind_int64(statement, 1, row->id);
	(void)sqlite3_bind_int(statement, 2, (int)row->class);
	(void)sqlite3_bind_blob64(statement, 3, row->key, row->key_length, SQLITE_STATIC);
	(void)sqlite3_bind_text64(statement, 4, row->message, row->message_length, SQLITE_STATIC,
				  SQLITE_UTF8);
	(void)sqlite3_bind_int64(statement, 5, (int64_t)outbox_row_crc(row));
	return run(file, STATEMENT_INSERT, "insert", err);
}

enum outbox_file_result outbox_file_delete(struct outbox_file *file, int64_t first_id,
					   int64_t last_id, struct error *err)
{
	sqlite3_stmt *statement = file->statements[STATEMENT_DELETE];
	(void)sqlite3_bind_int64(statement, 1, first_id);
	(void)sqlite3_bind_int64(statement, 2, last_id);
	return run(file, STATEMENT_DELETE, "delete", err);
}

enum outbox_file_result outbox_file_move_bad(struct outbox_file *file, int64_t id,
					     struct error *err)
{
	(void)sqlite3_bind_int64(file->statements[STATEMENT_COPY_BAD], 1, id);
	enum outbox_file_result result = run(file, STATEMENT_COPY_BAD, "put aside a row", err);
	return result == OUTBOX_FILE_OK ? outbox_file_delete(file, id, id, err) : result;
}

/*
 * SQLite's own automatic checkpoint keeps its errors to itself, and a sync that failed must not be asked for again. Other
 * failures are no harm: the WAL stays as it is.
 */
static bool checkpoint(struct outbox_file *file, int mode)
{
	int code = sqlite3_wal_checkpoint_v2(file->db, NULL, mode, NULL, NULL);
	if (code != SQLITE_OK &&
	    outbox_schema_result(file->db, code, "checkpoint", NULL) == OUTBOX_FILE_UNSYNCED)
		file->is_unsynced = true;
	return code == SQLITE_OK;
}

/* By so many bytes a checkpoint would make the database's file larger. */
static int64_t growth_bytes(struct outbox_file *file)
{
	sqlite3_stmt *statement = file->statements[STATEMENT_PAGES];
	sqlite3_file *database = NULL;
	sqlite3_int64 bytes = 0;
	int64_t pages = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0)
							      : INT64_MAX / file->page_bytes;
	(void)sqlite3_reset(statement);
	if (sqlite3_file_control(file->db, "main", SQLITE_FCNTL_FILE_POINTER, &database) ==
		    SQLITE_OK &&
	    database->pMethods != NULL)
		(void)database->pMethods->xFileSize(database, &bytes);
	return pages * file->page_bytes - bytes;
}

static bool is_checkpoint_due(struct outbox_file *file)
{
	return file->wal_bytes >= CHECKPOINT_BYTES ||
	       (file->wal_bytes >= CHECKPOINT_GROWTH_BYTES &&
		growth_bytes(file) >= CHECKPOINT_GROWTH_BYTES);
}

enum outbox_file_result outbox_file_commit(struct outbox_file *file,
					   const struct outbox_file_meta *meta, struct error *err)
{
	sqlite3_stmt *statement = file->statements[STATEMENT_META];
	char producer_id[UUID_TEXT_SIZE];
	(void)sqlite3_bind_int64(statement, 1, meta->rows);
	(void)sqlite3_bind_int64(statement, 2, meta->bytes);
	(void)sqlite3_bind_int64(statement, 6, (int64_t)outbox_row_meta_crc(meta));
	(void)sqlite3_bind_int64(statement, 3, meta->last_id);
	if (meta->has_last) {
		uuid_format(&meta->last.producer_id, producer_id);
		(void)sqlite3_bind_text(statement, 4, producer_id, -1, SQLITE_STATIC);
		(void)sqlite3_bind_int64(statement, 5, meta->last.seq);
	} else {
		(void)sqlite3_bind_null(statement, 4);
		(void)sqlite3_bind_null(statement, 5);
	}
	enum outbox_file_result result = run(file, STATEMENT_META, "write figures", err);
	(void)sqlite3_clear_bindings(statement);
	if (result == OUTBOX_FILE_OK)
		result = run(file, STATEMENT_COMMIT, "commit", err);
	if (result == OUTBOX_FILE_OK && is_checkpoint_due(file))
		(void)checkpoint(file, SQLITE_CHECKPOINT_PASSIVE);
	return result;
}

void outbox_file_rollback(struct outbox_file *file)
{
	if (!sqlite3_get_autocommit(file->db)) /* some errors have rolled back already */
		(void)sqlite3_exec(file->db, "ROLLBACK", NULL, NULL, NULL);
}

void outbox_file_seek(struct outbox_file *file, int64_t after_id)
{
	(void)sqlite3_reset(file->statements[STATEMENT_READ]);
	(void)sqlite3_bind_int64(file->statements[STATEMENT_READ], 1, after_id);
	file->read_id = after_id;
}

enum outbox_file_result outbox_file_next(struct outbox_file *file, struct outbox_row *ret_row,
					 struct error *err)
{
	sqlite3_stmt *statement = file->statements[STATEMENT_READ];
	int code = sqlite3_step(statement);
	if (code == SQLITE_DONE)
		return OUTBOX_FILE_NO_ROW;
	if (code != SQLITE_ROW)
		return outbox_schema_result(file->db, code, "read", err);
	int64_t id = sqlite3_column_int64(statement, 0);
	if (id <= file->read_id) { /* a page that is not what it was */
		error_set(err, ERROR_RETRY, "read: rows out of order");
		return OUTBOX_FILE_DAMAGED;
	}
	file->read_id = id;
	int class = sqlite3_column_int(statement, 1);
	struct outbox_row row = {
		.id = id,
		.class =
			class == OUTBOX_CLASS_FAILURE ? OUTBOX_CLASS_FAILURE : OUTBOX_CLASS_SUCCESS,
		.key = sqlite3_column_blob(statement, 2),
		.key_length = (size_t)sqlite3_column_bytes(statement, 2),
		.message = (const char *)sqlite3_column_text(statement, 3),
		.message_length = (size_t)sqlite3_column_bytes(statement, 3),
	};
	*ret_row = row;
	if (class != (int)row.class || row.message == NULL ||
	    sqlite3_column_int64(statement, 4) != (int64_t)outbox_row_crc(&row)) {
		error_set(err, ERROR_REJECT, "row %lld does not match its checksum",
			  (long long)row.id);
		return OUTBOX_FILE_BAD_ROW;
	}
	return OUTBOX_FILE_OK;
}

void outbox_file_reset(struct outbox_file *file)
{
	(void)sqlite3_reset(file->statements[STATEMENT_READ]);
}

void outbox_file_shrink(struct outbox_file *file)
{
	outbox_file_reset(file);
	if (file->is_unsynced)
		return;
	int code = sqlite3_exec(file->db, "VACUUM", NULL, NULL, NULL);
	if (code != SQLITE_OK &&
	    outbox_schema_result(file->db, code, "shrink", NULL) == OUTBOX_FILE_UNSYNCED)
		file->is_unsynced = true;
	(void)outbox_file_checkpoint(file);
}

int64_t outbox_file_first_id(struct outbox_file *file)
{
	return outbox_schema_number(file->db, "SELECT ifnull(min(id), 9223372036854775807) "
					      "FROM outbox_row");
}

bool outbox_file_has_bad_rows(struct outbox_file *file)
{
	return outbox_schema_number(file->db, "SELECT EXISTS (SELECT 1 FROM outbox_bad_row)") != 0;
}

int64_t outbox_file_free_bytes(struct outbox_file *file)
{
	return outbox_schema_number(file->db, "PRAGMA freelist_count") *
	       outbox_schema_number(file->db, "PRAGMA page_size");
}

bool outbox_file_checkpoint(struct outbox_file *file)
{
	return !file->is_unsynced && checkpoint(file, SQLITE_CHECKPOINT_RESTART);
}
