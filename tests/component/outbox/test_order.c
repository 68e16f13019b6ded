/* What goes into the outbox comes out of it: once, in order, with its identity, and again after a rewind or a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink.h"

static struct sink sink;
static char *dir;

static int setup(void **state)
{
	(void)state;
	dir = sink_make_dir();
	sink_init(&sink, SINK_ACKNOWLEDGE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sink_finish(&sink);
	sink_remove_dir(dir);
	return 0;
}

static void rows_arrive_once_and_in_order(void **state)
{
	(void)state;
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100000);
	for (int64_t i = 0; i < 5000; i++)
		sink_append(outbox, i);
	assert_true(sink_wait_empty(outbox, 20000));
	outbox_stop(outbox, 0);
	assert_int_equal(sink.count, 5000);
	for (size_t i = 0; i < sink.count; i++) {
		assert_int_equal(sink_number(sink.rows[i].message), i);
		assert_int_equal(sink_seq(sink.rows[i].message), i);
		assert_string_equal(sink.rows[i].key, "site");
		assert_int_equal(sink.rows[i].class, i % 2);
	}
	assert_int_equal(sink.durable, 5000);
	struct outbox_counts counts;
	outbox_count(outbox, &counts);
	assert_int_equal(counts.waiting_rows, 0);
	assert_int_equal(counts.waiting_bytes, 0);
	assert_int_equal(counts.committed, 5000);
	assert_int_equal(counts.acknowledged, 5000);
	outbox_close(outbox);
}

static void identity_stands_in_front(void **state)
{
	(void)state;
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_POWER, 100);
	struct uuid producer_id = outbox_producer_id(outbox);
	char id[UUID_TEXT_SIZE];
	char expected[256];
	uuid_format(&producer_id, id);
	sink_append(outbox, 7);
	assert_true(sink_wait_empty(outbox, 20000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	(void)snprintf(expected, sizeof(expected),
		       "{\"v\":1,\"producer_id\":\"%s\",\"seq\":0,\"n\":7}", id);
	assert_string_equal(sink.rows[0].message, expected);
}

static void prev_names_the_last_row_of_the_process_before(void **state)
{
	(void)state;
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100);
	struct uuid first_id = outbox_producer_id(outbox);
	for (int64_t i = 0; i < 3; i++)
		sink_append(outbox, i);
	assert_true(sink_wait_empty(outbox, 20000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100);
	struct uuid second_id = outbox_producer_id(outbox);
	assert_false(uuid_equal(&first_id, &second_id));
	sink_append(outbox, 3);
	sink_append(outbox, 4);
	assert_true(sink_wait_empty(outbox, 20000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	char id[UUID_TEXT_SIZE];
	char expected[256];
	uuid_format(&first_id, id);
	(void)snprintf(expected, sizeof(expected),
		       "\"seq\":0,\"prev\":{\"producer_id\":\"%s\",\"seq\":2},\"n\":3}", id);
	assert_non_null(strstr(sink.rows[3].message, expected));
	assert_null(strstr(sink.rows[4].message, "prev"));
}

static void what_waits_survives_a_restart(void **state)
{
	(void)state;
	sink_set_mode(&sink, SINK_REFUSE);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100000);
	for (int64_t i = 0; i < 3000; i++)
		sink_append(outbox, i);
	SINK_WAIT_FOR(sink.durable == 3000);
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	assert_int_equal(sink.count, 0);
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100000);
	struct outbox_counts counts;
	outbox_count(outbox, &counts);
	for (int64_t i = 3000; i < 3010; i++)
		sink_append(outbox, i);
	assert_true(sink_wait_empty(outbox, 20000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	assert_int_equal(sink.count, 3010);
	for (size_t i = 0; i < sink.count; i++)
		assert_int_equal(sink_number(sink.rows[i].message), i);
	assert_int_equal(sink_seq(sink.rows[2999].message), 2999);
	assert_int_equal(sink_seq(sink.rows[3000].message), 0);
}

static void a_rewind_offers_the_unacknowledged_again(void **state)
{
	(void)state;
	sink_set_mode(&sink, SINK_HOLD);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100000);
	for (int64_t i = 0; i < 600; i++)
		sink_append(outbox, i);
	SINK_WAIT_FOR(sink_count(&sink) == 600);
	sink_rewind(&sink);
	SINK_WAIT_FOR(sink_count(&sink) == 1200);
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	assert_true(sink_wait_empty(outbox, 20000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	for (size_t i = 0; i < 1200; i++)
		assert_int_equal(sink_number(sink.rows[i].message), i % 600);
}

static void a_drain_with_little_room_gets_all_in_order(void **state)
{
	(void)state;
	sink.max_held = 7;
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100000);
	for (int64_t i = 0; i < 2000; i++)
		sink_append(outbox, i);
	assert_true(sink_wait_empty(outbox, 20000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	assert_int_equal(sink.count, 2000);
	for (size_t i = 0; i < sink.count; i++)
		assert_int_equal(sink_number(sink.rows[i].message), i);
}

enum { APPENDERS = 4, ROWS_EACH = 3000 };

static void *append_many(void *context)
{
	struct outbox *outbox = context;
	static _Atomic int64_t next_appender;
	int64_t first = next_appender++ % APPENDERS * 1000000;
	for (int64_t i = 0; i < ROWS_EACH; i++)
		sink_append(outbox, first + i);
	return NULL;
}

static void appenders_do_not_lose_or_double_rows(void **state)
{
	(void)state;
	pthread_t threads[APPENDERS];
	int64_t next[APPENDERS] = {0};
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 1000000);
	for (int i = 0; i < APPENDERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, append_many, outbox), 0);
	for (int i = 0; i < APPENDERS; i++)
		(void)pthread_join(threads[i], NULL);
	assert_true(sink_wait_empty(outbox, 20000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	assert_int_equal(sink.count, APPENDERS * ROWS_EACH);
	for (size_t i = 0; i < sink.count;
	     i++) { /* each appender's rows in its order, seq in the order of the file */
		int64_t number = sink_number(sink.rows[i].message);
		assert_int_equal(number % 1000000, next[number / 1000000]++);
		assert_int_equal(sink_seq(sink.rows[i].message), i);
	}
}

static void has_room_ends_at_the_bound(void **state)
{
	(void)state;
	struct error err = {0};
	sink_set_mode(&sink, SINK_REFUSE);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100);
	for (int64_t i = 0; i < 99; i++)
		sink_append(outbox, i);
	assert_true(outbox_has_room(outbox));
	sink_append(outbox, 99);
	assert_false(outbox_has_room(outbox));
	int64_t accepted = 0; /* checks that run already still get in */
	while (outbox_append(outbox, OUTBOX_CLASS_SUCCESS, "k", 1, "{\"n\":1}", 7, &err) == 0)
		accepted++;
	assert_int_equal(err.kind, ERROR_FULL);
	assert_true(accepted > 10000 && accepted < 20000);
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	SINK_WAIT_FOR(outbox_has_room(outbox));
	assert_true(sink_wait_empty(outbox, 20000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	assert_int_equal((int64_t)sink.count, 100 + accepted);
}

/* Else it would be said of every row that leaves that there is room, and of every one that comes that there is none. */
static void room_again_is_a_tenth(void **state)
{
	(void)state;
	struct outbox_counts counts;
	sink_set_mode(&sink, SINK_STEP);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100);
	int64_t appended = 0;
	while (outbox_has_room(outbox))
		sink_append(outbox, appended++);
	assert_int_equal(appended, 100);
	SINK_WAIT_FOR(sink_count(&sink) == 100);
	for (int64_t left = 1; left <= 10; left++) {
		assert_false(outbox_has_room(outbox));
		outbox_count(outbox, &counts);
		assert_true(counts.is_at_bound);
		sink_step(&sink);
		SINK_WAIT_FOR((outbox_count(outbox, &counts), counts.acknowledged == left));
	}
	SINK_WAIT_FOR(outbox_has_room(outbox));
	outbox_count(outbox, &counts);
	assert_false(counts.is_at_bound);
	while (outbox_has_room(outbox))
		sink_append(outbox, appended++);
	assert_int_equal(appended, 110);
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	assert_true(sink_wait_empty(outbox, 20000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
}

static void what_a_start_finds_at_the_bound_is_no_room(void **state)
{
	(void)state;
	struct outbox_counts counts;
	sink_set_mode(&sink, SINK_REFUSE);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100);
	for (int64_t i = 0; i < 100; i++)
		sink_append(outbox, i);
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100);
	assert_false(outbox_has_room(outbox));
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	assert_true(sink_wait_empty(outbox, 20000));
	SINK_WAIT_FOR(outbox_has_room(outbox));
	outbox_count(outbox, &counts);
	assert_false(counts.is_at_bound);
	outbox_stop(outbox, 0);
	outbox_close(outbox);
}

int __real_sqlite3_prepare_v2(sqlite3 *db, const char *text, int length, sqlite3_stmt **statement,
			      const char **rest);
int __wrap_sqlite3_prepare_v2(sqlite3 *db, const char *text, int length, sqlite3_stmt **statement,
			      const char **rest);
static const char *unanswered; /* a question for which SQLite has no memory; NULL: for all */

int __wrap_sqlite3_prepare_v2(sqlite3 *db, const char *text, int length, sqlite3_stmt **statement,
			      const char **rest)
{
	if (unanswered == NULL || strcmp(text, unanswered) != 0)
		return __real_sqlite3_prepare_v2(db, text, length, statement, rest);
	*statement = NULL;
	return SQLITE_NOMEM;
}

/* Sizes are counted in pages from then on. */
static void a_file_without_a_size_of_pages_is_not_opened(void **state)
{
	(void)state;
	struct error err = {0};
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/outbox.db", dir);
	struct outbox_options options = {.path = path, .max_rows = 10};
	struct outbox_events events = {0};
	unanswered = "PRAGMA page_size";
	struct outbox *outbox = outbox_open(&options, &events, &err);
	unanswered = NULL;
	assert_null(outbox);
	assert_non_null(strstr(err.message, "the size of its pages"));
	outbox = outbox_open(&options, &events, &err);
	assert_non_null(outbox);
	outbox_close(outbox);
}

static void a_file_in_use_is_rejected(void **state)
{
	(void)state;
	struct error err = {0};
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100);
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/outbox.db", dir);
	struct outbox_options options = {.path = path, .max_rows = 10};
	assert_null(outbox_open(&options, NULL, &err));
	assert_int_equal(err.kind, ERROR_REJECT);
	assert_non_null(strstr(err.message, "held by another process"));
	sink_append(outbox, 1);
	assert_true(sink_wait_empty(outbox, 20000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
}

static void stop_commits_what_waits(void **state)
{
	(void)state;
	sink_set_mode(&sink, SINK_REFUSE);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 1000);
	for (int64_t i = 0; i < 100; i++)
		sink_append(outbox, i);
	outbox_stop(outbox, 0);
	assert_int_equal(sink.durable, 100);
	struct error err = {0};
	assert_int_equal(outbox_append(outbox, OUTBOX_CLASS_SUCCESS, "k", 1, "{\"n\":1}", 7, &err),
			 -1);
	outbox_close(outbox);
}

/* Somebody moved the damaged database away, and left its log; or kept a copy of a log. */
static void a_log_of_another_file_takes_nothing_with_it(void **state)
{
	(void)state;
	sink_set_mode(&sink, SINK_REFUSE);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 1000);
	for (int64_t i = 0; i < 5; i++)
		sink_append(outbox, i);
	SINK_WAIT_FOR(sink.durable == 5);
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	sink_write_copy(dir, "outbox.db.damaged-20261121T203345Z-wal", "a log", 5);
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 1000);
	assert_true(sink_wait_empty(outbox, 20000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	assert_int_equal(sink.count, 5);
}

/* URLs and captured text stand in it. */
static void assert_is_owners_alone(const char *name)
{
	char path[512];
	struct stat status;
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_new_file_is_its_owners_alone(void **state)
{
	(void)state;
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 1000);
	sink_append(outbox, 1);
	assert_true(sink_wait_empty(outbox, 20000));
	assert_is_owners_alone("outbox.db");
	assert_is_owners_alone("outbox.db-wal");
	outbox_stop(outbox, 0);
	outbox_close(outbox);
}

/* SQLite follows the link too, and leaves the mode to the umask. */
static void a_new_file_behind_a_link_is_its_owners_alone(void **state)
{
	(void)state;
	char path[512];
	mode_t before = umask(0);
	(void)snprintf(path, sizeof(path), "%s/outbox.db", dir);
	assert_int_equal(symlink("elsewhere.db", path), 0);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 1000);
	(void)umask(before);
	assert_is_owners_alone("elsewhere.db");
	assert_is_owners_alone("elsewhere.db-wal");
	outbox_close(outbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_arrive_once_and_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(identity_stands_in_front, setup, teardown),
		cmocka_unit_test_setup_teardown(prev_names_the_last_row_of_the_process_before,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_waits_survives_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rewind_offers_the_unacknowledged_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_drain_with_little_room_gets_all_in_order, setup,
						teardown),
		cmocka_unit_test_setup_teardown(appenders_do_not_lose_or_double_rows, setup,
						teardown),
		cmocka_unit_test_setup_teardown(has_room_ends_at_the_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(room_again_is_a_tenth, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_start_finds_at_the_bound_is_no_room, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_file_without_a_size_of_pages_is_not_opened, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_file_in_use_is_rejected, setup, teardown),
		cmocka_unit_test_setup_teardown(stop_commits_what_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(a_log_of_another_file_takes_nothing_with_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_new_file_is_its_owners_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_file_behind_a_link_is_its_owners_alone, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
