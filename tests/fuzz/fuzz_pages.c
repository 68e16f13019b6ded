/*
 * outbox/outbox_salvage.c with its readers of SQLite's pages and records. The input is a database and its log: two bytes tell, in
 * units of 512, how long the database is.
 */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "outbox/outbox_salvage.h"

enum { UNIT = 512, HEAD = 2 };

static char folder[] = "/tmp/websentry-fuzz-XXXXXX";
static char database[64];
static char wal[64];

static void clean_up(void)
{
	(void)unlink(database);
	(void)unlink(wal);
	(void)rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	FUZZ_PROMISE(mkdtemp(folder) != NULL);
	(void)snprintf(database, sizeof(database), "%s/outbox.db", folder);
	(void)snprintf(wal, sizeof(wal), "%s/outbox.db-wal", folder);
	(void)atexit(clean_up);
	return 0;
}

static void write_file(const char *path, const uint8_t *bytes, size_t length)
{
	FILE *file = fopen(path, "wbe");
	FUZZ_PROMISE(file != NULL && fwrite(bytes, 1, length, file) == length);
	FUZZ_PROMISE(fclose(file) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = {0};
	struct outbox_salvage_counts counts;
	if (size < HEAD)
		return 0;
	size_t length = ((size_t)data[0] << 8 | data[1]) * UNIT;
	size_t rest = size - HEAD;
	if (length > rest)
		length = rest;
	write_file(database, data + HEAD, length);
	write_file(wal, data + HEAD + length, rest - length);
	struct outbox_salvage *salvage = outbox_salvage_open(database, &err);
	FUZZ_PROMISE(salvage != NULL);
	outbox_salvage_count(salvage, &counts);
	for (size_t i = 1; i < counts.bad_rows; i++)
		FUZZ_PROMISE(outbox_salvage_bad_id(salvage, i - 1) <=
			     outbox_salvage_bad_id(salvage, i));
	FUZZ_PROMISE(counts.rows <= size); /* no row takes less than a byte */
	outbox_salvage_close(salvage);
	return 0;
}
