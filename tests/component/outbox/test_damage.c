/* Whatever lies at outbox.db, the outbox opens and works, and never sends a row that is not as it was written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "sink.h"

enum { ROWS = 300, NEW_ROWS = 3, FIRST_NEW = 100000, POSITIONS = 150 };

static struct sink_copy original;
static struct sink_copy original_wal;
static char original_id[UUID_TEXT_SIZE];

/* A file with ROWS rows: as it is after a clean end, and as kill -9 leaves it, with most of it in the log. */
static int make_originals(void **state)
{
	(void)state;
	char *dir = sink_make_dir();
	log_configure(LOG_ERROR, LOG_TEXT);
	pid_t pid = fork();
	if (pid == 0) {
		struct sink sink;
		sink_init(&sink, SINK_REFUSE);
		struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100000);
		for (int64_t i = 0; i < ROWS; i++)
			sink_append(outbox, i);
		while (sink.durable < ROWS)
			sink_pause();
		(void)kill(getpid(), SIGKILL);
	}
	(void)waitpid(pid, NULL, 0);
	original_wal = sink_read_copy(dir, "outbox.db-wal");
	struct sink_copy base = sink_read_copy(dir, "outbox.db");
	sink_write_copy(dir, "base", base.bytes, base.size);
	free(base.bytes);
	struct sink sink;
	sink_init(&sink, SINK_HOLD);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100000);
	SINK_WAIT_FOR(sink_count(&sink) == ROWS);
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	memcpy(original_id, strstr(sink.rows[0].message, "producer_id\":\"") + 14, 36);
	sink_finish(&sink);
	original = sink_read_copy(dir, "outbox.db");
	sink_remove_dir(dir);
	return original.bytes != NULL && original_wal.size > 0 ? 0 : -1;
}

static int free_originals(void **state)
{
	(void)state;
	free(original.bytes);
	free(original_wal.bytes);
	return 0;
}

/* Every message must be one of the old rows, byte for byte, or one of the new. */
static void check_rows(const struct sink *sink, const char *new_id)
{
	int64_t new_rows = 0;
	for (size_t i = 0; i < sink->count; i++) {
		char expected[256];
		int64_t number = sink_number(sink->rows[i].message);
		if (number >= FIRST_NEW) {
			new_rows++;
			assert_non_null(strstr(sink->rows[i].message, new_id));
			continue;
		}
		(void)snprintf(expected, sizeof(expected),
			       "{\"v\":1,\"producer_id\":\"%s\",\"seq\":%lld,\"n\":%lld}",
			       original_id, (long long)number, (long long)number);
		assert_string_equal(sink->rows[i].message, expected);
		assert_string_equal(sink->rows[i].key, "site");
		assert_int_equal(sink->rows[i].class, number % 2);
	}
	assert_int_equal(new_rows, NEW_ROWS);
}

/* Open what lies in dir, append, drain all. Returns how many of the old rows came. */
static size_t open_and_drain(const char *dir)
{
	struct sink sink;
	char new_id[UUID_TEXT_SIZE];
	sink_init(&sink, SINK_ACKNOWLEDGE);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100000);
	struct uuid id = outbox_producer_id(outbox);
	uuid_format(&id, new_id);
	for (int64_t i = 0; i < NEW_ROWS; i++)
		sink_append(outbox, FIRST_NEW + i);
	bool is_empty = sink_wait_empty(outbox, 10000);
	outbox_stop(outbox, 0);
	struct outbox_counts counts;
	outbox_count(outbox, &counts);
	if (!is_empty)
		fail_msg("%lld rows still wait, %zu troubles", (long long)counts.waiting_rows,
			 (size_t)sink.troubles);
	assert_int_equal(counts.waiting_rows, 0);
	outbox_close(outbox);
	check_rows(&sink, new_id);
	size_t old_rows = sink.count - NEW_ROWS;
	sink_finish(&sink);
	return old_rows;
}

static size_t count_aside(const char *dir)
{
	size_t count = 0;
	DIR *listing = opendir(dir);
	struct dirent *entry;
	while ((entry = readdir(listing)) != NULL)
		count += strstr(entry->d_name, ".damaged-") != NULL ? 1 : 0;
	(void)closedir(listing);
	return count;
}

static void an_intact_file_gives_all_rows(void **state)
{
	(void)state;
	char *dir = sink_make_dir();
	sink_write_copy(dir, "outbox.db", original.bytes, original.size);
	assert_int_equal(open_and_drain(dir), ROWS);
	assert_int_equal(count_aside(dir), 0);
	sink_remove_dir(dir);
}

static void any_flipped_bit_is_survived(void **state)
{
	(void)state;
	size_t with_rows = 0;
	for (size_t i = 0; i < POSITIONS; i++) {
		/* the header and the first page densely, the rest in steps */
		size_t position =
			i < 110 ? i : 110 + (i - 110) * ((original.size - 110) / (POSITIONS - 110));
		char *dir = sink_make_dir();
		char *copy = xmemdup(original.bytes, original.size);
		copy[position] = (char)(copy[position] ^ (1 << (i % 8)));
		sink_write_copy(dir, "outbox.db", copy, original.size);
		with_rows += open_and_drain(dir) > 0 ? 1 : 0;
		free(copy);
		sink_remove_dir(dir);
	}
	assert_true(with_rows > POSITIONS / 4); /* a bit in a row costs that row, not the file */
}

static void any_length_is_survived(void **state)
{
	(void)state;
	for (size_t length = 0; length < original.size; length += original.size / 40 + 1) {
		char *dir = sink_make_dir();
		sink_write_copy(dir, "outbox.db", original.bytes, length);
		(void)open_and_drain(dir);
		sink_remove_dir(dir);
	}
}

static void random_bytes_in_pages_are_survived(void **state)
{
	(void)state;
	srand(4711);
	for (int round = 0; round < 60; round++) {
		char *dir = sink_make_dir();
		char *copy = xmemdup(original.bytes, original.size);
		size_t start = 100 + (size_t)rand() % (original.size - 600);
		for (size_t i = start; i < start + 500; i++)
			copy[i] = (char)rand();
		sink_write_copy(dir, "outbox.db", copy, original.size);
		(void)open_and_drain(dir);
		free(copy);
		sink_remove_dir(dir);
	}
}

static void any_damage_to_the_log_is_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < 60; i++) {
		char *dir = sink_make_dir();
		char *copy = xmemdup(original_wal.bytes, original_wal.size);
		size_t length = original_wal.size;
		size_t position = i < 40 ? i : i * (original_wal.size / 61);
		if (i % 3 == 0)
			length = position;
		else
			copy[position] = (char)(copy[position] ^ (1 << (i % 8)));
		sink_write_copy(dir, "outbox.db", original.bytes, original.size);
		sink_write_copy(dir, "outbox.db-wal", copy, length);
		(void)open_and_drain(dir);
		free(copy);
		sink_remove_dir(dir);
	}
}

static void a_log_without_its_database_is_kept(void **state)
{
	(void)state;
	char *dir = sink_make_dir();
	sink_write_copy(dir, "outbox.db", "", 0);
	sink_write_copy(dir, "outbox.db-wal", original_wal.bytes, original_wal.size);
	(void)open_and_drain(dir);
	assert_int_equal(count_aside(dir), 2);
	sink_remove_dir(dir);
}

static void a_folder_in_its_place_is_set_aside(void **state)
{
	(void)state;
	char *dir = sink_make_dir();
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/outbox.db", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(open_and_drain(dir), 0);
	assert_int_equal(count_aside(dir), 1);
	sink_remove_dir(dir);
}

static void a_foreign_file_is_set_aside_unharmed(void **state)
{
	(void)state;
	static const char text[] = "this is not a database, it is a letter to a friend";
	char *dir = sink_make_dir();
	sink_write_copy(dir, "outbox.db", text, sizeof(text));
	assert_int_equal(open_and_drain(dir), 0);
	assert_int_equal(count_aside(dir), 1);
	sink_remove_dir(dir);
}

static void a_newer_version_is_set_aside(void **state)
{
	(void)state;
	char *dir = sink_make_dir();
	char *copy = xmemdup(original.bytes, original.size);
	copy[63] = 9; /* user_version */
	sink_write_copy(dir, "outbox.db", copy, original.size);
	assert_int_equal(open_and_drain(dir), 0);
	assert_true(count_aside(dir) >= 1); /* with an empty log beside it */
	free(copy);
	sink_remove_dir(dir);
}

static void an_unwritable_folder_is_an_error(void **state)
{
	(void)state;
	struct error err = {0};
	struct outbox_options options = {.path = "/nonexistent/folder/outbox.db", .max_rows = 10};
	assert_null(outbox_open(&options, NULL, &err));
	assert_int_equal(err.kind, ERROR_REJECT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_intact_file_gives_all_rows),
		cmocka_unit_test(any_flipped_bit_is_survived),
		cmocka_unit_test(any_length_is_survived),
		cmocka_unit_test(random_bytes_in_pages_are_survived),
		cmocka_unit_test(any_damage_to_the_log_is_survived),
		cmocka_unit_test(a_log_without_its_database_is_kept),
		cmocka_unit_test(a_folder_in_its_place_is_set_aside),
		cmocka_unit_test(a_foreign_file_is_set_aside_unharmed),
		cmocka_unit_test(a_newer_version_is_set_aside),
		cmocka_unit_test(an_unwritable_folder_is_an_error),
	};
	return cmocka_run_group_tests(tests, make_originals, free_originals);
}
