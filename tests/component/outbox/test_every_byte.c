/*
 * A small outbox as a killed process leaves it, database and log, with each byte changed in turn, and cut at each length. Whatever that
 * makes of it: the outbox opens, no row is read that is not as it was written, and salvage finds every row that still is.
 *
 * Every DAMAGE_EVERY-th byte and length is tried (default below; 1: all of them, as `make test-deep` does), with another bit each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "outbox/outbox_look.h"
#include "outbox/outbox_salvage.h"
#include "sink.h"

enum { ROWS = 40, EVERY_DEFAULT = 127 };

static struct sink_copy database;
static struct sink_copy wal;
static char *messages[ROWS]; /* as they were committed, by n */

/* Half of the rows in the database, the others in the log alone. */
static void fill_and_die(const char *dir)
{
	struct sink sink;
	sink_init(&sink, SINK_REFUSE);
	for (int64_t start = 0; start < ROWS; start += ROWS / 2) {
		struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100000);
		for (int64_t i = start; i < start + ROWS / 2; i++)
			sink_append(outbox, i);
		if (start > 0) {
			while (sink.durable < ROWS)
				sink_pause();
			(void)kill(getpid(), SIGKILL);
		}
		outbox_stop(outbox, 0);
		outbox_close(outbox);
	}
}

static int make_originals(void **state)
{
	(void)state;
	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm",
			     0); /* thousands of files, and no disk is asked for anything */
	char *dir = sink_make_dir();
	log_configure(LOG_ERROR, LOG_TEXT);
	pid_t pid = fork();
	if (pid == 0)
		fill_and_die(dir);
	(void)waitpid(pid, NULL, 0);
	database = sink_read_copy(dir, "outbox.db");
	wal = sink_read_copy(dir, "outbox.db-wal");
	char *path = xasprintf("%s/outbox.db", dir);
	struct outbox_look *look = NULL;
	struct outbox_row row;
	struct error err = {0};
	int result = outbox_look_open(path, 0, &look, &err);
	for (size_t i = 0; i < ROWS && result == 0; i++) {
		result = outbox_look_next(look, &row, &err) == 1 ? 0 : -1;
		if (result == 0)
			messages[i] = xstrndup(row.message, row.message_length);
	}
	outbox_look_close(look);
	free(path);
	sink_remove_dir(dir);
	return result == 0 && wal.size > 0 ? 0 : -1;
}

static int free_originals(void **state)
{
	(void)state;
	free(database.bytes);
	free(wal.bytes);
	for (size_t i = 0; i < ROWS; i++)
		free(messages[i]);
	return 0;
}

/* Rows that a file gives; each must be one that was written, byte for byte. What is no file to be read gives none. */
static size_t read_rows(const char *path, const char *what)
{
	struct outbox_look *look = NULL;
	struct outbox_row row;
	struct error err = {0};
	size_t count = 0;
	int result;
	if (outbox_look_open(path, 0, &look, &err) != 0)
		return 0;
	while ((result = outbox_look_next(look, &row, &err)) == 1 ||
	       (result == -1 && err.kind == ERROR_RETRY)) {
		bool is_known = false;
		for (size_t i = 0; result == 1 && i < ROWS && !is_known; i++)
			is_known = strlen(messages[i]) == row.message_length &&
				   memcmp(messages[i], row.message, row.message_length) == 0 &&
				   row.class == (enum outbox_class)(i % 2) && row.key_length == 4;
		if (result == 1 && !is_known)
			fail_msg("%s: a row came that was never written: %.*s", what,
				 (int)row.message_length, row.message);
		count += result == 1 ? 1 : 0;
	}
	outbox_look_close(look);
	return count;
}

/* An outbox that opens, takes a row, and sends nothing but what was written. */
static void check_start(const char *dir, const char *what)
{
	struct error err = {0};
	char *path = xasprintf("%s/outbox.db", dir);
	const struct outbox_options options = {
		.path = path, .durability = OUTBOX_DURABILITY_PROCESS, .max_rows = 1000};
	struct outbox *outbox = outbox_open(&options, NULL, &err);
	if (outbox == NULL)
		fail_msg("%s: the outbox does not open: %s", what, err.message);
	outbox_close(outbox);
	(void)read_rows(path, what);
	free(path);
}

/* Returns how many rows salvage finds, whatever SQLite makes of the file. */
static size_t check_salvage(const char *dir, const char *what, bool *ret_is_said)
{
	struct error err = {0};
	struct outbox_salvage_counts counts;
	struct outbox_salvage_fed fed;
	char *from = xasprintf("%s/outbox.db", dir);
	char *to = xasprintf("%s/fed.db", dir);
	struct outbox_salvage *salvage = outbox_salvage_open(from, &err);
	if (salvage == NULL)
		fail_msg("%s: salvage does not open: %s", what, err.message);
	outbox_salvage_count(salvage, &counts);
	assert_int_equal(outbox_salvage_feed(salvage, to, &fed, &err), 0);
	outbox_salvage_close(salvage);
	assert_int_equal(fed.rows, counts.rows);
	assert_int_equal(read_rows(to, what), fed.rows);
	assert_null(fed.set_aside);
	*ret_is_said = counts.bad_rows + counts.bad_pages + counts.lost_pages > 0;
	free(from);
	free(to);
	return fed.rows;
}

/* Salvage first: opening changes the files. Returns what it found. */
static size_t check(const struct sink_copy *db, const struct sink_copy *log, const char *what,
		    bool *ret_is_said)
{
	char *dir = sink_make_dir();
	sink_write_copy(dir, "outbox.db", db->bytes, db->size);
	sink_write_copy(dir, "outbox.db-wal", log->bytes, log->size);
	size_t found = check_salvage(dir, what, ret_is_said);
	check_start(dir, what);
	sink_remove_dir(dir);
	return found;
}

static size_t every(void)
{
	const char *text = getenv("DAMAGE_EVERY");
	long number = text == NULL ? EVERY_DEFAULT : strtol(text, NULL, 10);
	return number < 1 ? 1 : (size_t)number;
}

static void flip_all(struct sink_copy *changed, const char *name)
{
	size_t step = every();
	for (size_t i = 0; i < changed->size; i += step) {
		char what[64];
		bool is_said = false;
		char bit = (char)(1 << ((i / step + i) % 8));
		(void)snprintf(what, sizeof(what), "byte %zu of the %s, bit %#x", i, name,
			       (unsigned)(unsigned char)bit);
		changed->bytes[i] ^= bit;
		size_t found = check(&database, &wal, what, &is_said);
		changed->bytes[i] ^= bit;
		/* a byte is in one row at most; its page's header may hide one beside it */
		if (found + 2 < ROWS)
			fail_msg("%s: salvage found only %zu rows", what, found);
		if (found < ROWS && !is_said)
			fail_msg("%s: %zu rows are missing, and nothing says so", what,
				 ROWS - found);
	}
}

static void any_byte_of_the_database(void **state)
{
	(void)state;
	flip_all(&database, "database");
}

static void any_byte_of_the_log(void **state)
{
	(void)state;
	flip_all(&wal, "log");
}

/* Such a row looks like the one beside it, which is there. */
static void a_changed_seq_is_spoken_of(void **state)
{
	(void)state;
	static const char name[] = "\"seq\":";
	char *at = wal.bytes;
	while ((at = memmem(at, wal.size - (size_t)(at - wal.bytes), name, strlen(name))) != NULL) {
		bool is_said = false;
		at += strlen(name);
		*at ^= 1;
		size_t found = check(&database, &wal, "a seq", &is_said);
		*at ^= 1;
		assert_true(found == ROWS || is_said);
	}
}

static void cut_all(struct sink_copy *cut, const char *name)
{
	size_t whole = cut->size;
	size_t before = 0;
	size_t step = every();
	for (size_t length = 0; length < whole; length += step) {
		char what[64];
		bool is_said = false;
		(void)snprintf(what, sizeof(what), "%zu bytes of the %s", length, name);
		cut->size = length;
		size_t found = check(&database, &wal, what, &is_said);
		cut->size = whole;
		if (found < before)
			fail_msg("%s: salvage found %zu rows, of a shorter piece %zu", what, found,
				 before);
		before = found;
	}
}

static void any_length_of_the_database(void **state)
{
	(void)state;
	cut_all(&database, "database");
}

static void any_length_of_the_log(void **state)
{
	(void)state;
	cut_all(&wal, "log");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_byte_of_the_database),
		cmocka_unit_test(any_byte_of_the_log),
		cmocka_unit_test(a_changed_seq_is_spoken_of),
		cmocka_unit_test(any_length_of_the_database),
		cmocka_unit_test(any_length_of_the_log),
	};
	return cmocka_run_group_tests(tests, make_originals, free_originals);
}
