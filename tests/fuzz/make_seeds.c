/*
 * The seeds of fuzz_pages.c, made by the outbox itself: make_seeds FOLDER. Small rows, one that needs overflow pages, and some that
 * were deleted; as a database alone, and as a process leaves it that was killed. Once with pages of SQLite's usual size, and once with
 * its smallest, of which a fuzzer tries more in the same time.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "outbox/outbox_file.h"

enum { UNIT = 512, LARGE_ROW = 7, LARGE_BYTES = 9000 };

struct kind {
	const char *suffix; /* of the seeds' names */
	const char *pages;  /* what makes the database, NULL: the outbox */
	int64_t rows;
	size_t large_bytes;
};

static const struct kind kinds[] = {
	{"", NULL, 24, LARGE_BYTES},
	{"_small", "PRAGMA page_size = 512; CREATE TABLE a (b); DROP TABLE a;", 9, 1200},
};

static void fail(const char *what)
{
	(void)fprintf(stderr, "make_seeds: %s\n", what);
	exit(1);
}

static char *read_file(const char *path, size_t *ret_length)
{
	FILE *file = fopen(path, "rbe");
	enum { MOST = 1 << 20 };
	char *bytes = xmalloc(MOST);
	*ret_length = file == NULL ? 0 : fread(bytes, 1, MOST, file);
	if (file != NULL)
		(void)fclose(file);
	return bytes;
}

static void write_seed(const char *folder, const char *name, const struct kind *kind,
		       const char *path, bool has_log)
{
	size_t length;
	size_t log_length = 0;
	char *log_path = xasprintf("%s-wal", path);
	char *bytes = read_file(path, &length);
	char *log = read_file(log_path, &log_length);
	char *seed_name = xasprintf("%s/%s%s", folder, name, kind->suffix);
	FILE *seed = fopen(seed_name, "wbe");
	if (seed == NULL)
		fail(seed_name);
	const unsigned char head[] = {(unsigned char)(length / UNIT >> 8),
				      (unsigned char)(length / UNIT)};
	(void)fwrite(head, 1, sizeof(head), seed);
	(void)fwrite(bytes, 1, length, seed);
	if (has_log)
		(void)fwrite(log, 1, log_length, seed);
	if (fclose(seed) != 0)
		fail(seed_name);
	free(seed_name);
	free(log_path);
	free(bytes);
	free(log);
}

static void insert_row(struct outbox_file *file, struct outbox_file_meta *meta,
		       const struct kind *kind, int64_t id)
{
	struct error err = {0};
	char pad[LARGE_BYTES + 1];
	size_t length = id == LARGE_ROW ? kind->large_bytes : 40;
	memset(pad, 'x', length);
	pad[length] = '\0';
	char *message =
		xasprintf("{\"v\":1,\"producer_id\":\"11111111-2222-4333-8444-555555555555\","
			  "\"seq\":%lld,\"pad\":\"%s\"}",
			  (long long)id - 1, pad);
	const struct outbox_row row = {.id = id,
				       .class = (enum outbox_class)(id % 2),
				       .key = "site",
				       .key_length = 4,
				       .message = message,
				       .message_length = strlen(message)};
	if (outbox_file_insert(file, &row, &err) != OUTBOX_FILE_OK)
		fail(err.message);
	meta->rows++;
	meta->bytes += (int64_t)row.message_length;
	meta->last_id = id;
	free(message);
}

static void make_database(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail(sqlite3_errmsg(db));
	(void)sqlite3_close(db);
}

static void make_seeds(const char *folder, const struct kind *kind)
{
	struct error err = {0};
	struct outbox_file *file;
	struct outbox_file_meta meta;
	char *path = xasprintf("%s/outbox.db", folder);
	char *log_path = xasprintf("%s-wal", path);
	if (kind->pages != NULL)
		make_database(path, kind->pages);
	if (outbox_file_open(path, OUTBOX_DURABILITY_PROCESS, &file, &meta, &err) !=
		    OUTBOX_FILE_OK ||
	    outbox_file_begin(file, &err) != OUTBOX_FILE_OK)
		fail(err.message);
	for (int64_t id = 1; id <= kind->rows; id++)
		insert_row(file, &meta, kind, id);
	if (outbox_file_commit(file, &meta, &err) != OUTBOX_FILE_OK)
		fail(err.message);
	write_seed(folder, "killed", kind, path, true);
	if (!outbox_file_checkpoint(file))
		fail("checkpoint");
	write_seed(folder, "whole", kind, path, false);
	if (outbox_file_begin(file, &err) != OUTBOX_FILE_OK ||
	    outbox_file_delete(file, 3, 9, &err) != OUTBOX_FILE_OK ||
	    outbox_file_commit(file, &meta, &err) != OUTBOX_FILE_OK)
		fail(err.message);
	write_seed(folder, "deleted", kind, path, true);
	outbox_file_close(file, true);
	(void)unlink(path);
	(void)unlink(log_path);
	free(path);
	free(log_path);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		fail("expected a folder");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		make_seeds(argv[1], &kinds[i]);
	return 0;
}
