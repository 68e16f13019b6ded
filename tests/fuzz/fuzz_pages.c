/*
 * outbox/outbox_salvage.c with its readers of SQLite's pages and records. The input is a database and its log: two bytes tell, in
 * units of 512, how long the database is.
 */
#include "fuzz.h"

#include <stdbool.h>

#include "outbox/outbox_salvage.h"
#include "scratch.h"

enum { UNIT = 512, HEAD = 2 };

static const char *database;
static const char *wal;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	(void)scratch_make();
	database = scratch_path("outbox.db");
	wal = scratch_path("outbox.db-wal");
	return 0;
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
	scratch_write(database, data + HEAD, length);
	scratch_write(wal, data + HEAD + length, rest - length);
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
