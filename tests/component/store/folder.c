#include "folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/store.h"

void folder_make(struct folder *folder)
{
	const char *parent = getenv("TMPDIR");
	(void)snprintf(folder->path, sizeof(folder->path), "%.40s/store-XXXXXX",
		       parent == NULL ? "/tmp" : parent);
	if (mkdtemp(folder->path) == NULL)
		fail_msg("mkdtemp %s", folder->path);
	(void)snprintf(folder->file, sizeof(folder->file), "%s/websentry.db", folder->path);
}

void folder_remove(struct folder *folder)
{
	DIR *dir = opendir(folder->path);
	for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(folder->path);
}

struct store *folder_open_store(const struct folder *folder)
{
	struct error err;
	struct store *store = store_open_sqlite(folder->file, STORE_WRITE, &err);
	if (store == NULL || store_migrate(store, true, &err) != 0)
		fail_msg("%s: %s", folder->file, err.message);
	return store;
}

static char *query(const struct folder *folder, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *statement;
	char *found = xstrdup("");
	if (sqlite3_open_v2(folder->file, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		fail_msg("open %s: %s", folder->file, sqlite3_errmsg(db));
	(void)sqlite3_busy_timeout(db, 5000);
	/* The writer is the one connection that checkpoints. */
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void)sqlite3_exec(db, "PRAGMA wal_autocheckpoint = 0", NULL, NULL, NULL);
	for (const char *rest = sql; *rest != '\0';) {
		if (sqlite3_prepare_v2(db, rest, -1, &statement, &rest) != SQLITE_OK)
			fail_msg("%s: %s", sql, sqlite3_errmsg(db));
		int step = sqlite3_step(statement);
		if (step == SQLITE_ROW) {
			free(found);
			found = xstrdup((const char *)sqlite3_column_text(statement, 0));
		} else if (step != SQLITE_DONE) {
			fail_msg("%s: %s", sql, sqlite3_errmsg(db));
		}
		(void)sqlite3_finalize(statement);
	}
	(void)sqlite3_close(db);
	return found;
}

char *folder_query(const struct folder *folder, const char *sql)
{
	return query(folder, sql);
}

void folder_assert(const struct folder *folder, const char *sql, const char *wanted)
{
	char *found = query(folder, sql);
	if (wanted == NULL)
		assert_null(found);
	else
		assert_string_equal(found == NULL ? "(null)" : found, wanted);
	free(found);
}

int64_t folder_count(const struct folder *folder, const char *sql)
{
	char *text = query(folder, sql);
	int64_t number = text == NULL ? -1 : strtoll(text, NULL, 10);
	free(text);
	return number;
}

void folder_execute(const struct folder *folder, const char *sql)
{
	free(query(folder, sql));
}

bool folder_wait(const struct folder *folder, const char *sql, int64_t wanted)
{
	for (int i = 0; i < 6000; i++) {
		if (folder_count(folder, sql) == wanted)
			return true;
		(void)usleep(10000);
	}
	return false;
}
