#include "outbox/outbox_schema.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/database_files.h"
#include "base/private_file.h"
#include "outbox/outbox_row.h"

/* "WSob": tells our files from others'. */
enum { APPLICATION_ID = 0x57536f62, SCHEMA_VERSION = 1 };

/* `outbox show` has the file for moments, and locks the folder against us only where there is something to lock. */
enum { BUSY_MS = 2000 };

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

static const char create_text[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE outbox_row (id INTEGER PRIMARY KEY, class INTEGER NOT NULL,"
	"  key BLOB, message TEXT NOT NULL, crc INTEGER NOT NULL);"
	"CREATE TABLE outbox_bad_row (id INTEGER PRIMARY KEY, class, key, message, crc);"
	"CREATE TABLE outbox_meta (row_count INTEGER NOT NULL, byte_count INTEGER NOT NULL,"
	"  last_id INTEGER NOT NULL, last_producer_id TEXT, last_seq INTEGER,"
	"  crc INTEGER);"
	"INSERT INTO outbox_meta VALUES (0, 0, 0, NULL, NULL, NULL);" /* the first commit writes it whole */
	"PRAGMA application_id = " TEXT(0x57536f62) ";"
						    "PRAGMA user_version = 1;"
						    "COMMIT";

/*
 * EXCLUSIVE before the first look at the file: the WAL's index then lies on the heap and nobody else gets in. cell_size_check finds
 * damaged pages before they are used.
 *
 * Debian builds SQLite with SECURE_DELETE: a deleted row's page is written once more, as zeros, and a transaction that only
 * deletes then needs as much room in the WAL as the rows had, which a full disk does not have. What is in an outbox is no
 * secret to those who can read the disk; freed pages need not be written at all.
 *
 * The WAL is kept small and never cut: on a full disk a checkpoint grows the database by what the WAL holds, and that must
 * fit into the reserve (OUTBOX_RESERVE_BYTES); from then on the WAL is room of our own to delete and insert in.
 *
 * A page is written to the WAL with two system calls. With 8 KiB for one these are half as many, and all in all a row costs a tenth
 * less than with SQLite's 4 KiB; files with those remain as they are.
 */
static const char pragma_text[] = "PRAGMA page_size = 8192;" /* of a new file */
				  "PRAGMA locking_mode = EXCLUSIVE;"
				  "PRAGMA cell_size_check = ON;"
				  "PRAGMA secure_delete = OFF;"
				  "PRAGMA temp_store = MEMORY;"
				  "PRAGMA cache_size = -2048;"
				  "PRAGMA wal_autocheckpoint = 0;" /* outbox_file.c's own */
				  "PRAGMA journal_size_limit = -1";

int64_t outbox_schema_number(sqlite3 *db, const char *query)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = 0;
	if (sqlite3_prepare_v2(db, query, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return number;
}

static enum outbox_file_result execute(sqlite3 *db, const char *text, const char *doing,
				       struct error *err)
{
	int code = sqlite3_exec(db, text, NULL, NULL, NULL);
	return code == SQLITE_OK ? OUTBOX_FILE_OK : outbox_schema_result(db, code, doing, err);
}

/* The pragma answers with the mode that is in force, which need not be the one that was asked for. */
static enum outbox_file_result enter_wal(sqlite3 *db, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	enum outbox_file_result result = OUTBOX_FILE_OK;
	int code = sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code != SQLITE_ROW) {
		result = outbox_schema_result(db, code, "open", err);
	} else if (strcmp((const char *)sqlite3_column_text(statement, 0), "wal") != 0) {
		error_set(err, ERROR_REJECT, "this file system does not allow a write-ahead log");
		result = OUTBOX_FILE_FAILED;
	}
	(void)sqlite3_finalize(statement);
	return result;
}

/* Ours: fine. Empty: *ret_is_empty, where that is not NULL. Anything else is damage as far as we go. */
static enum outbox_file_result check(sqlite3 *db, bool *ret_is_empty, struct error *err)
{
	int64_t application = outbox_schema_number(db, "PRAGMA application_id");
	int64_t version = outbox_schema_number(db, "PRAGMA user_version");
	if (application == APPLICATION_ID && version == SCHEMA_VERSION)
		return OUTBOX_FILE_OK;
	if (application == APPLICATION_ID && version > SCHEMA_VERSION) {
		error_set(err, ERROR_REJECT, "written by a newer version (%lld)",
			  (long long)version);
		return OUTBOX_FILE_DAMAGED;
	}
	if (application != 0 || version != 0 || ret_is_empty == NULL ||
	    outbox_schema_number(db, "SELECT count(*) FROM sqlite_schema") != 0) {
		error_set(err, ERROR_REJECT, "not an outbox");
		return OUTBOX_FILE_DAMAGED;
	}
	*ret_is_empty = true;
	return OUTBOX_FILE_OK;
}

static enum outbox_file_result check_or_create(sqlite3 *db, struct error *err)
{
	bool is_empty = false;
	enum outbox_file_result result = check(db, &is_empty, err);
	return is_empty ? execute(db, create_text, "create tables", err) : result;
}

/*
 * SQLite keeps account of its memory under a lock, several times a row, and nobody asks for it. It can be told so only before it is
 * used; where it is already, it says no, and that is that.
 */
static void leave_memory_uncounted(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum outbox_file_result outbox_schema_open(const char *path, enum outbox_durability durability,
					   sqlite3 **ret_db, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, leave_memory_uncounted);
	private_file_create(path); /* SQLite gives its WAL the mode that it finds */
	int code = sqlite3_open_v2(path, ret_db,
				   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
					   SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
				   NULL);
	if (code != SQLITE_OK)
		return outbox_schema_result(*ret_db, code, "open", err);
	(void)sqlite3_extended_result_codes(*ret_db, 1);
	(void)sqlite3_busy_timeout(*ret_db, BUSY_MS);
	enum outbox_file_result result = execute(*ret_db, pragma_text, "open", err);
	if (result == OUTBOX_FILE_OK)
		result = enter_wal(*ret_db, err);
	if (result == OUTBOX_FILE_OK)
		result = execute(*ret_db,
				 durability == OUTBOX_DURABILITY_POWER
					 ? "PRAGMA synchronous = FULL"
					 : "PRAGMA synchronous = NORMAL",
				 "open", err);
	if (result == OUTBOX_FILE_OK && sqlite3_db_readonly(*ret_db, "main") != 0) {
		/* SQLite takes a file whose header names a format of the future for one to be read only */
		bool is_writable = access(path, W_OK) == 0;
		error_set(err, ERROR_REJECT, is_writable ? "of an unknown format" : "not writable");
		return is_writable ? OUTBOX_FILE_DAMAGED : OUTBOX_FILE_FAILED;
	}
	return result == OUTBOX_FILE_OK ? check_or_create(*ret_db, err) : result;
}

enum outbox_file_result outbox_schema_open_to_read(const char *path, sqlite3 **ret_db,
						   struct error *err)
{
	struct database_files files;
	database_files_look(path, &files);
	enum database_files_manner manner = database_files_manner(&files);
	if (manner == DATABASE_FILES_UNFINISHED) {
		error_set(err, ERROR_REJECT,
			  "a transaction was not finished, and nothing can be written here: copy "
			  "it, and the -wal and -journal beside it, into a folder that can be "
			  "written");
		return OUTBOX_FILE_FAILED;
	}
	bool has_log = manner == DATABASE_FILES_WITH_LOG;
	char *uri = database_files_uri(path);
	/* Without locks: the folder's own is ours, and SQLite's can't be taken in a file that can't be written. */
	int code = sqlite3_open_v2(has_log ? path : uri, ret_db,
				   SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX |
					   (has_log ? 0 : SQLITE_OPEN_URI),
				   has_log ? "unix-none" : NULL);
	free(uri);
	if (code != SQLITE_OK)
		return outbox_schema_result(*ret_db, code, "open", err);
	(void)sqlite3_extended_result_codes(*ret_db, 1);
	enum outbox_file_result result = execute(*ret_db, pragma_text, "open", err);
	if (result == OUTBOX_FILE_OK)
		result = execute(*ret_db, "SELECT 1 FROM sqlite_schema LIMIT 1", "open", err);
	return result == OUTBOX_FILE_OK ? check(*ret_db, NULL, err) : result;
}

/* Figures that are not as they were written: count the rows, and know no row before ours. */
static void recount(sqlite3 *db, struct outbox_file_meta *meta)
{
	*meta = (struct outbox_file_meta){
		.rows = outbox_schema_number(db, "SELECT count(*) FROM outbox_row"),
		.bytes = outbox_schema_number(db, "SELECT sum(length(message)) FROM outbox_row"),
	};
}

enum outbox_file_result outbox_schema_read_meta(sqlite3 *db, struct outbox_file_meta *ret_meta,
						struct error *err)
{
	sqlite3_stmt *statement = NULL;
	struct outbox_file_meta meta = {0};
	bool is_right = false;
	int code = sqlite3_prepare_v2(db,
				      "SELECT row_count, byte_count, last_id, last_producer_id, "
				      "last_seq, crc FROM outbox_meta",
				      -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		meta.rows = sqlite3_column_int64(statement, 0);
		meta.bytes = sqlite3_column_int64(statement, 1);
		meta.last_id = sqlite3_column_int64(statement, 2);
		const char *id = (const char *)sqlite3_column_text(statement, 3);
		meta.has_last =
			id != NULL && uuid_parse(id, strlen(id), &meta.last.producer_id) == 0;
		meta.last.seq = sqlite3_column_int64(statement, 4);
		bool is_new = sqlite3_column_type(statement, 5) == SQLITE_NULL && meta.last_id == 0;
		is_right = is_new || sqlite3_column_int64(statement, 5) ==
					     (int64_t)outbox_row_meta_crc(&meta);
	}
	(void)sqlite3_finalize(statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return outbox_schema_result(db, code, "read figures", err);
	if (code == SQLITE_DONE) /* the row itself is missing */
		(void)sqlite3_exec(db, "INSERT INTO outbox_meta VALUES (0, 0, 0, NULL, NULL, NULL)",
				   NULL, NULL, NULL);
	if (!is_right)
		recount(db, &meta);
	/* never give an id twice, whatever the figures say */
	int64_t highest = outbox_schema_number(db, "SELECT max(id) FROM outbox_row");
	if (meta.last_id < highest)
		meta.last_id = highest;
	if (meta.last_id > INT64_MAX / 2) {
		error_set(err, ERROR_REJECT, "read figures: impossible ids");
		return OUTBOX_FILE_DAMAGED;
	}
	*ret_meta = meta;
	return OUTBOX_FILE_OK;
}
