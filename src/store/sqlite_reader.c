/*
 * Opening to read. In the usual way first: beside a writer at work it is the only one that sees whole transactions. Where that fails
 * because SQLite can't make its index (-shm) in a folder that can't be written, the file is read without locks: there is no writer
 * then, or it would have made the index. Since one may come nevertheless (the folder may be writable elsewhere), the files are looked at
 * again once all is read: sqlite_confirm().
 */
#include <stdlib.h>
#include <unistd.h>

#include "store/sqlite_store.h"

/* SQLite's own way of not locking, and with EXCLUSIVE the log's index is made in memory. */
static const char without_locks[] = "unix-none";

static int probe(struct sqlite_store *store)
{
	return sqlite3_exec(store->db, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL);
}

static int open_one(struct sqlite_store *store, const struct sqlite_opening *how, struct error *err)
{
	if (sqlite_open_file(store, how, err) == 0 &&
	    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK &&
	    sqlite_execute(store,
			   how->vfs == NULL
				   ? "PRAGMA wal_autocheckpoint = 0; PRAGMA query_only = 1"
				   : "PRAGMA locking_mode = EXCLUSIVE; "
				     "PRAGMA wal_autocheckpoint = 0; PRAGMA query_only = 1",
			   err) == 0)
		return 0;
	return -1;
}

static int refuse(struct sqlite_store *store, const char *cause, struct error *err)
{
	sqlite_close_file(store);
	error_set(err, ERROR_REJECT,
		  "%s: can't be read where nothing can be written (%s): copy it, and the -wal and "
		  "-journal beside it, into a folder that can be written",
		  store->path, cause);
	return -1;
}

static int open_without_locks(struct sqlite_store *store, struct error *err)
{
	database_files_look(store->path, &store->files);
	enum database_files_manner manner = database_files_manner(&store->files);
	char *uri = NULL;
	struct sqlite_opening how = {.name = store->path, .flags = SQLITE_OPEN_READONLY};
	sqlite_close_file(store);
	if (store->files.log.size > 0 && store->files.index.size >= 0)
		return refuse(store, "its -wal or -shm can't be opened", err); /* in use, maybe */
	switch (manner) {
	case DATABASE_FILES_AS_THEY_ARE:
		uri = database_files_uri(store->path);
		how.name = uri;
		how.flags |= SQLITE_OPEN_URI;
		break;
	case DATABASE_FILES_WITH_LOG:
		how.vfs = without_locks;
		break;
	case DATABASE_FILES_UNFINISHED:
		return refuse(store, "a transaction was not finished", err);
	}
	int status = open_one(store, &how, err);
	free(uri);
	if (status == 0 && probe(store) != SQLITE_OK)
		status = sqlite_fail(store, "read", err);
	if (status == 0)
		return 0;
	struct error cause = *err;
	return refuse(store, cause.message, err);
}

/* It was opened in the usual way, and nothing can be read. */
static bool is_locking_in_the_way(const struct sqlite_store *store, int code)
{
	bool may_be = (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY;
	return may_be && access(store->path, F_OK) == 0 &&
	       database_files_are_unwritable(store->path);
}

int sqlite_open_reader(struct sqlite_store *store, struct error *err)
{
	const struct sqlite_opening usual = {.name = store->path, .flags = SQLITE_OPEN_READONLY};
	store->is_unlocked = false;
	if (open_one(store, &usual, err) != 0) {
		bool is_file = store->db != NULL;
		sqlite_close_file(store);
		if (is_file)
			err->kind = ERROR_RETRY; /* the writer may not have made it yet */
		return -1;
	}
	/* anything else that is wrong the first statement says */
	if (is_locking_in_the_way(store, probe(store))) {
		store->is_unlocked = true;
		if (open_without_locks(store, err) != 0)
			return -1;
	}
	sqlite_note_file(store);
	return 0;
}

bool sqlite_is_reading_current(const struct sqlite_store *store)
{
	struct database_files files;
	if (!store->is_unlocked)
		return true;
	database_files_look(store->path, &files);
	return database_files_are_equal(&store->files, &files);
}

int sqlite_confirm(struct sqlite_store *store, int status, struct error *err)
{
	if (sqlite_is_reading_current(store))
		return status;
	error_set(err, ERROR_RETRY, "%s: was changed while it was read, read it again",
		  store->path);
	return -1;
}
