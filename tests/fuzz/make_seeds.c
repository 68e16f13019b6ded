/*
 * The seeds of fuzz_pages.c, made by the outbox itself: make_seeds FOLDER. Small rows, one that needs overflow pages, and some that
 * were deleted; as a database alone, and as a process leaves it that was killed.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "outbox/outbox_file.h"

enum { UNIT = 512, ROWS = 24, LARGE_ROW = 7, LARGE_BYTES = 9000 };

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

static void write_seed(const char *folder, const char *name, const char *path, bool has_log)
{
	size_t length;
	size_t log_length = 0;
	char *log_path = xasprintf("%s-wal", path);
	char *bytes = read_file(path, &length);
	char *log = read_file(log_path, &log_length);
	char *seed_name = xasprintf("%s/%s", folder, name);
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

static void insert_row(struct outbox_file *file, struct outbox_file_meta *meta, int64_t id)
{
	struct error err = {0};
	char pad[LARGE_BYTES + 1];
	size_t length = id == LARGE_ROW ? LARGE_BYTES : 40;
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

int main(int argc, char **argv)
{
	struct error err = {0};
	struct outbox_file *file;
	struct outbox_file_meta meta;
	if (argc != 2)
		fail("expected a folder");
	char *path = xasprintf("%s/outbox.db", argv[1]);
	char *log_path = xasprintf("%s-wal", path);
	if (outbox_file_open(path, OUTBOX_DURABILITY_PROCESS, &file, &meta, &err) !=
		    OUTBOX_FILE_OK ||
	    outbox_file_begin(file, &err) != OUTBOX_FILE_OK)
		fail(err.message);
	for (int64_t id = 1; id <= ROWS; id++)
		insert_row(file, &meta, id);
	if (outbox_file_commit(file, &meta, &err) != OUTBOX_FILE_OK)
		fail(err.message);
	write_seed(argv[1], "killed", path, true);
	if (!outbox_file_checkpoint(file))
		fail("checkpoint");
	write_seed(argv[1], "whole", path, false);
	if (outbox_file_begin(file, &err) != OUTBOX_FILE_OK ||
	    outbox_file_delete(file, 3, 9, &err) != OUTBOX_FILE_OK ||
	    outbox_file_commit(file, &meta, &err) != OUTBOX_FILE_OK)
		fail(err.message);
	write_seed(argv[1], "deleted", path, true);
	outbox_file_close(file, true);
	(void)unlink(path);
	(void)unlink(log_path);
	free(path);
	free(log_path);
	return 0;
}
