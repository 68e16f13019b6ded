/* Salvage finds every row whose CRC is right, whatever a bit or a cut did to the file, and feeds it back as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "outbox/outbox_file.h"
#include "outbox/outbox_look.h"
#include "outbox/outbox_salvage.h"
#include "sink.h"

enum {
	ROWS = 1800,
	WAL_HEADER = 32,
	FRAME_HEADER = 24,
	LARGE_EVERY = 100,
	LARGE_BYTES = 20000,
	TRIES = 5
};

/* As kill -9 leaves it: part in the database, part in the log. */
static struct sink_copy database;
static struct sink_copy wal;
static size_t page_bytes;
static char original_id[UUID_TEXT_SIZE];

/* {"n":5} and now and then a report that needs overflow pages: {"n":100,"pad":"aaa…"}. */
static void append_row(struct outbox *outbox, int64_t number)
{
	struct error err = {0};
	char pad[LARGE_BYTES + 1];
	size_t length = number % LARGE_EVERY == LARGE_EVERY - 1 ? LARGE_BYTES : 3;
	memset(pad, 'a' + (int)(number % 26), length);
	pad[length] = '\0';
	char *body = xasprintf("{\"n\":%lld,\"pad\":\"%s\"}", (long long)number, pad);
	assert_int_equal(outbox_append(outbox, (enum outbox_class)(number % 2), "site", 4, body,
				       strlen(body), &err),
			 0);
	free(body);
}

static int make_originals(void **state)
{
	(void)state;
	char *dir = sink_make_dir();
	log_configure(LOG_ERROR, LOG_TEXT);
	pid_t pid = fork();
	if (pid == 0) {
		struct sink sink;
		sink_init(&sink, SINK_HOLD);
		struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100000);
		for (int64_t i = 0; i < ROWS; i++) {
			append_row(outbox, i);
			while (i % 50 == 49 && sink.durable <= (size_t)i)
				sink_pause();
		}
		(void)kill(getpid(), SIGKILL);
	}
	(void)waitpid(pid, NULL, 0);
	database = sink_read_copy(dir, "outbox.db");
	wal = sink_read_copy(dir, "outbox.db-wal");
	char *path = xasprintf("%s/outbox.db", dir);
	struct outbox_look *look = NULL;
	struct outbox_row row;
	struct error err = {0};
	int result = outbox_look_open(path, 0, &look, &err);
	if (result == 0 && outbox_look_next(look, &row, &err) == 1)
		memcpy(original_id, strstr(row.message, "producer_id\":\"") + 14, 36);
	outbox_look_close(look);
	free(path);
	sink_remove_dir(dir);
	/* https://www.sqlite.org/fileformat2.html#page_size */
	const unsigned char *header = (const unsigned char *)database.bytes;
	page_bytes = database.size < 100 ? 0 : (size_t)header[16] << 8 | header[17];
	const char *expected = getenv("OUTBOX_PAGE_BYTES");
	if (page_bytes != (expected != NULL ? strtoul(expected, NULL, 10) : 8192))
		return -1;
	return result == 0 && database.size > 8 * page_bytes &&
			       wal.size > 8 * (FRAME_HEADER + page_bytes)
		       ? 0
		       : -1;
}

static int free_originals(void **state)
{
	(void)state;
	free(database.bytes);
	free(wal.bytes);
	return 0;
}

/* Every message must be as it was; each is marked in seen[]. Returns how many different ones there are. */
static size_t check_rows(const char *path, bool *seen)
{
	struct outbox_look *look = NULL;
	struct outbox_row row;
	struct error err = {0};
	size_t count = 0;
	int64_t before = -1;
	assert_int_equal(outbox_look_open(path, 0, &look, &err), 0);
	while (look != NULL && outbox_look_next(look, &row, &err) == 1) {
		char *message = xstrndup(row.message, row.message_length);
		int64_t number = sink_number(message);
		char *head = xasprintf("{\"v\":1,\"producer_id\":\"%s\",\"seq\":%lld,\"n\":%lld,",
				       original_id, (long long)number, (long long)number);
		assert_true(number > before && number < ROWS);
		assert_memory_equal(message, head, strlen(head));
		assert_int_equal(row.class, number % 2);
		assert_int_equal(row.key_length, 4);
		free(head);
		free(message);
		before = number;
		seen[number] = true;
		count++;
	}
	outbox_look_close(look);
	return count;
}

/* What comes back of a database and a log. */
static size_t salvage(const char *db, size_t db_size, const char *log, size_t log_size, bool *seen,
		      struct outbox_salvage_counts *ret_counts)
{
	struct error err = {0};
	struct outbox_salvage_fed fed;
	char *dir = sink_make_dir();
	char *from = xasprintf("%s/old.db", dir);
	char *to = xasprintf("%s/outbox.db", dir);
	memset(seen, 0, ROWS * sizeof(*seen));
	sink_write_copy(dir, "old.db", db, db_size);
	if (log != NULL)
		sink_write_copy(dir, "old.db-wal", log, log_size);
	struct outbox_salvage *found = outbox_salvage_open(from, &err);
	assert_non_null(found);
	outbox_salvage_count(found, ret_counts);
	assert_int_equal(outbox_salvage_feed(found, to, &fed, &err), 0);
	outbox_salvage_close(found);
	assert_int_equal(fed.rows, ret_counts->rows);
	assert_int_equal(check_rows(to, seen), fed.rows);
	free(from);
	free(to);
	sink_remove_dir(dir);
	return fed.rows;
}

static void all_rows_of_a_sound_file_come(void **state)
{
	(void)state;
	bool seen[ROWS];
	struct outbox_salvage_counts counts;
	assert_int_equal(salvage(database.bytes, database.size, wal.bytes, wal.size, seen, &counts),
			 ROWS);
	assert_int_equal(counts.bad_rows, 0);
	assert_int_equal(counts.bad_pages, 0);
}

static void frames_behind_a_flipped_bit_of_the_log_come(void **state)
{
	(void)state;
	bool seen[ROWS];
	struct outbox_salvage_counts counts;
	for (size_t frame = 0; frame < 8; frame++) {
		char *copy = xmemdup(wal.bytes, wal.size);
		/* the checksum of a frame: all its bytes are fine, and SQLite ends there */
		copy[WAL_HEADER + frame * (FRAME_HEADER + page_bytes) + 16] ^= 1;
		assert_int_equal(
			salvage(database.bytes, database.size, copy, wal.size, seen, &counts),
			ROWS);
		free(copy);
	}
}

/* However a byte is changed, at most the rows around it are lost, and those are spoken of. */
static void a_changed_byte_costs_the_rows_that_it_is_in(void **state)
{
	(void)state;
	bool seen[ROWS];
	struct outbox_salvage_counts counts;
	for (size_t i = 0; i < 120; i++) {
		bool is_log = i % 2 == 0;
		size_t size = is_log ? wal.size : database.size;
		size_t position = (i < 60 ? i * 3 : i * 7919) % size;
		char *db = xmemdup(database.bytes, database.size);
		char *log = xmemdup(wal.bytes, wal.size);
		(is_log ? log : db)[position] ^= (char)(1 << (i % 8));
		size_t rows = salvage(db, database.size, log, wal.size, seen, &counts);
		if (rows + 2 < ROWS)
			fail_msg("byte %zu of the %s: only %zu rows", position,
				 is_log ? "log" : "database", rows);
		if (rows < ROWS)
			if (counts.bad_rows + counts.bad_pages == 0)
				fail_msg("byte %zu of the %s: %zu rows are missing, and nothing "
					 "says so",
					 position, is_log ? "log" : "database", ROWS - rows);
		free(db);
		free(log);
	}
}

static void what_a_cut_leaves_comes(void **state)
{
	(void)state;
	bool seen[ROWS];
	struct outbox_salvage_counts counts;
	size_t before = 0;
	for (size_t i = 1; i <= 10; i++) {
		size_t rows =
			salvage(database.bytes, database.size * i / 10, NULL, 0, seen, &counts);
		assert_true(rows >= before); /* a longer piece never holds less */
		before = rows;
	}
	for (size_t i = 1; i <= 10; i++) {
		size_t rows = salvage(database.bytes, database.size, wal.bytes, wal.size * i / 10,
				      seen, &counts);
		assert_true(rows >= before);
		before = rows;
	}
	assert_int_equal(before, ROWS);
}

static void a_log_alone_is_read(void **state)
{
	(void)state;
	bool seen[ROWS];
	struct outbox_salvage_counts counts;
	assert_true(salvage("", 0, wal.bytes, wal.size, seen, &counts) > 0);
}

static void rows_go_behind_what_waits_already(void **state)
{
	(void)state;
	struct error err = {0};
	struct outbox_salvage_fed fed;
	char *dir = sink_make_dir();
	char *from = xasprintf("%s/old.db", dir);
	char *to = xasprintf("%s/outbox.db", dir);
	struct sink sink;
	sink_init(&sink, SINK_REFUSE);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100000);
	sink_append(outbox, 100000);
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	sink_write_copy(dir, "old.db", database.bytes, database.size);
	sink_write_copy(dir, "old.db-wal", wal.bytes, wal.size);
	for (int i = 0; i < 2; i++) { /* twice does no harm: the same identities */
		struct outbox_salvage *found = outbox_salvage_open(from, &err);
		assert_int_equal(outbox_salvage_feed(found, to, &fed, &err), 0);
		assert_int_equal(fed.rows, ROWS);
		outbox_salvage_close(found);
	}
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100000);
	assert_true(sink_wait_empty(outbox, 60000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	assert_int_equal(sink.count, 1 + 2 * ROWS);
	assert_int_equal(sink_number(sink.rows[0].message), 100000);
	for (size_t i = 0; i < 2 * (size_t)ROWS; i++)
		assert_int_equal(sink_number(sink.rows[1 + i].message), i % ROWS);
	sink_finish(&sink);
	free(from);
	free(to);
	sink_remove_dir(dir);
}

/* The rows go into a sound file. Returns where what lay in its place is now. */
static char *feed_into(const char *dir, const char *what)
{
	struct error err = {0};
	struct outbox_salvage_fed fed;
	struct outbox_file *file;
	struct outbox_file_meta meta;
	bool seen[ROWS] = {false};
	char *from = xasprintf("%s/old.db", dir);
	char *to = xasprintf("%s/outbox.db", dir);
	sink_write_copy(dir, "old.db", database.bytes, database.size);
	sink_write_copy(dir, "old.db-wal", wal.bytes, wal.size);
	struct outbox_salvage *found = outbox_salvage_open(from, &err);
	if (outbox_salvage_feed(found, to, &fed, &err) != 0)
		fail_msg("%s: %s", what, err.message);
	outbox_salvage_close(found);
	assert_int_equal(fed.rows, ROWS);
	assert_non_null(fed.set_aside);
	assert_int_not_equal(fed.why.message[0], '\0');
	assert_int_equal(check_rows(to, seen), ROWS);
	assert_int_equal(outbox_file_open(to, OUTBOX_DURABILITY_PROCESS, &file, &meta, &err),
			 OUTBOX_FILE_OK);
	assert_int_equal(outbox_file_check(file, &err), OUTBOX_FILE_OK);
	outbox_file_close(file, true);
	free(from);
	free(to);
	return fed.set_aside;
}

/* Damage that opening does not find: one page of the tables' is not what it was. Returns whether it is such. */
static bool is_hidden_damage(const char *dir)
{
	struct error err = {0};
	struct outbox_file *file;
	struct outbox_file_meta meta;
	char *path = xasprintf("%s/looked.db", dir);
	bool is_open = outbox_file_open(path, OUTBOX_DURABILITY_PROCESS, &file, &meta, &err) ==
		       OUTBOX_FILE_OK;
	bool is_hidden = is_open && outbox_file_check(file, &err) == OUTBOX_FILE_DAMAGED;
	if (is_open)
		outbox_file_close(file, true);
	free(path);
	return is_hidden;
}

static void an_outbox_with_hidden_damage_is_set_aside(void **state)
{
	(void)state;
	size_t tried = 0;
	for (size_t page = 1; page < database.size / page_bytes && tried < TRIES; page++) {
		struct stat status;
		char *dir = sink_make_dir();
		char *damaged = xmemdup(database.bytes, database.size);
		memset(damaged + page * page_bytes + 8, 0xFF, 8); /* where its first rows are */
		sink_write_copy(dir, "looked.db", damaged, database.size);
		sink_write_copy(dir, "outbox.db", damaged, database.size);
		if (is_hidden_damage(dir)) {
			char *what = xasprintf("page %zu", page + 1);
			char *aside = feed_into(dir, what);
			tried++;
			free(what);
			assert_int_equal(stat(aside, &status), 0);
			assert_int_equal(status.st_size, database.size);
			free(aside);
		}
		free(damaged);
		sink_remove_dir(dir);
	}
	assert_true(tried > 0);
}

/* SQLite deletes a log that has no database. */
static void a_log_in_the_folder_is_not_lost(void **state)
{
	(void)state;
	struct stat status;
	char *dir = sink_make_dir();
	sink_write_copy(dir, "outbox.db-wal", wal.bytes, wal.size);
	char *aside = feed_into(dir, "a log alone");
	char *log = xasprintf("%s-wal", aside);
	assert_int_equal(stat(log, &status), 0);
	assert_int_equal(status.st_size, wal.size);
	free(log);
	free(aside);
	sink_remove_dir(dir);
}

static void a_folder_in_its_place_is_set_aside(void **state)
{
	(void)state;
	char *dir = sink_make_dir();
	char *path = xasprintf("%s/outbox.db", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	char *aside = feed_into(dir, "a folder");
	assert_int_equal(rmdir(aside), 0);
	free(aside);
	free(path);
	sink_remove_dir(dir);
}

static void what_is_no_outbox_gives_nothing(void **state)
{
	(void)state;
	bool seen[ROWS];
	struct outbox_salvage_counts counts;
	struct error err = {0};
	char noise[20000];
	srand(11);
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)rand();
	assert_int_equal(salvage(noise, sizeof(noise), noise, sizeof(noise), seen, &counts), 0);
	assert_int_equal(salvage("", 0, NULL, 0, seen, &counts), 0);
	assert_null(outbox_salvage_open("/nonexistent/outbox.db", &err));
	assert_int_equal(err.kind, ERROR_REJECT);
}

/* It would give some of its rows, and nobody would know that there are more. */
static void a_log_is_not_taken_for_a_database(void **state)
{
	(void)state;
	struct error err = {0};
	char *dir = sink_make_dir();
	char *path = xasprintf("%s/old.db-wal", dir);
	sink_write_copy(dir, "old.db-wal", wal.bytes, wal.size);
	assert_null(outbox_salvage_open(path, &err));
	assert_int_equal(err.kind, ERROR_REJECT);
	assert_non_null(strstr(err.message, "write-ahead log"));
	free(path);
	sink_remove_dir(dir);
}

/* Nobody writes to it, and it would be waited for. */
static void a_pipe_is_refused(void **state)
{
	(void)state;
	struct error err = {0};
	char *dir = sink_make_dir();
	char *path = xasprintf("%s/pipe.db", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(outbox_salvage_open(path, &err));
	assert_int_equal(err.kind, ERROR_REJECT);
	assert_non_null(strstr(err.message, "expected a file"));
	free(path);
	sink_remove_dir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_rows_of_a_sound_file_come),
		cmocka_unit_test(frames_behind_a_flipped_bit_of_the_log_come),
		cmocka_unit_test(a_changed_byte_costs_the_rows_that_it_is_in),
		cmocka_unit_test(what_a_cut_leaves_comes),
		cmocka_unit_test(a_log_alone_is_read),
		cmocka_unit_test(rows_go_behind_what_waits_already),
		cmocka_unit_test(an_outbox_with_hidden_damage_is_set_aside),
		cmocka_unit_test(a_log_in_the_folder_is_not_lost),
		cmocka_unit_test(a_folder_in_its_place_is_set_aside),
		cmocka_unit_test(what_is_no_outbox_gives_nothing),
		cmocka_unit_test(a_log_is_not_taken_for_a_database),
		cmocka_unit_test(a_pipe_is_refused),
	};
	return cmocka_run_group_tests(tests, make_originals, free_originals);
}
