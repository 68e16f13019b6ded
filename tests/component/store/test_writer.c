/* The writer's thread over a real SQLite: what is posted is in the store once, and said to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "decode.h"
#include "events.h"
#include "folder.h"
#include "rows.h"
#include "store/store.h"

static const char *const topics[] = {"up", "down"};
static struct folder folder;
static struct events events;
static struct writer *writer;
static struct uuid producer;

/* previous: two of them, or NULL */
static void start(const struct uuid *producer_id, const struct uuid *previous)
{
	struct error err;
	struct writer_options options = {
		.store = store_open_sqlite(folder.file, STORE_WRITE, &err),
		.may_migrate = true,
		.topics = topics,
		.topic_count = 2,
		.producer_id = producer_id,
		.previous = previous,
		.previous_count = previous == NULL ? 0 : 2,
		.max_waiting = 20000,
		.decode = decode_line,
	};
	assert_non_null(options.store);
	memset(&events, 0, sizeof(events));
	struct writer_events callbacks = events_of(&events);
	writer = writer_start(&options, &callbacks, &err);
	assert_non_null(writer);
	assert_true(events_wait(&events.ready, 1));
}

static size_t stop(void)
{
	size_t left = writer_stop(writer, 60000);
	writer_destroy(writer);
	writer = NULL;
	return left;
}

static int setup(void **state)
{
	(void)state;
	folder_make(&folder);
	producer = rows_producer(8);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (writer != NULL)
		(void)stop();
	folder_remove(&folder);
	return 0;
}

static void one_message_is_written_soon(void **state)
{
	(void)state;
	start(NULL, NULL);
	assert_true(events_post(writer, "a 1", 1, 0, 41));
	assert_true(events_wait(&events.committed, 1));
	assert_int_equal(atomic_load(&events.inserted), 1);
	assert_int_equal(atomic_load(&events.generation), 1);
	assert_int_equal(atomic_load(&events.next), 42);
	assert_int_equal(folder_count(&folder, "SELECT count(*) FROM report_view"), 1);
	assert_int_equal(stop(), 0);
}

static void a_stop_writes_what_waits(void **state)
{
	(void)state;
	start(NULL, NULL);
	for (int i = 0; i < 12345; i++) {
		char text[32];
		(void)snprintf(text, sizeof(text), "site%d %d", i % 10, i);
		assert_true(events_post(writer, text, 1, 0, i));
	}
	assert_int_equal(stop(), 0);
	assert_int_equal(atomic_load(&events.inserted), 12345);
	assert_int_equal(atomic_load(&events.next), 12345);
	assert_int_equal(folder_count(&folder, "SELECT count(*) FROM report"), 12345);
}

static void positions_are_asked_and_stored(void **state)
{
	(void)state;
	const struct position asked = {.topic_index = 1, .partition = 0, .next = -1};
	start(NULL, NULL);
	writer_ask_positions(writer, 1, "cluster", &asked, 1);
	assert_true(events_wait(&events.positions, 1));
	assert_int_equal(atomic_load(&events.answered), -1);
	assert_true(events_post(writer, "a 1", 1, 1, 6));
	assert_true(events_wait(&events.committed, 1));
	writer_ask_positions(writer, 2, "cluster", &asked, 1);
	assert_true(events_wait(&events.positions, 2));
	assert_int_equal(atomic_load(&events.answered), 7);
	writer_ask_positions(writer, 3, "another cluster", &asked, 1);
	assert_true(events_wait(&events.positions, 3));
	assert_int_equal(atomic_load(&events.answered), -1);
}

static void bad_messages_stop_nothing(void **state)
{
	(void)state;
	start(NULL, NULL);
	assert_true(events_post(writer, "a 1", 1, 0, 0));
	assert_true(events_post(writer, "nonsense", 1, 0, 1));
	assert_true(events_post(writer, "foreign", 1, 0, 2));
	assert_true(events_post(writer, NULL, 1, 0, 3));
	assert_true(events_post(writer, "a 2", 1, 0, 4));
	assert_int_equal(stop(), 0);
	assert_int_equal(atomic_load(&events.next), 5);
	assert_int_equal(folder_count(&folder, "SELECT count(*) FROM report"), 2);
	folder_assert(&folder,
		      "SELECT group_concat(reason) FROM (SELECT reason FROM quarantine ORDER BY "
		      "kafka_offset)",
		      "not_json,foreign_format,empty");
}

static void a_message_that_comes_again_is_stored_once(void **state)
{
	(void)state;
	start(NULL, NULL);
	for (int i = 0; i < 4; i++) {
		assert_true(events_post(writer, "a 1", 1, 0, 0));
		assert_true(events_post(writer, "a 2", 1, 0, 1));
	}
	assert_int_equal(stop(), 0);
	assert_int_equal(atomic_load(&events.inserted), 2);
	assert_int_equal(folder_count(&folder, "SELECT count(*) FROM report"), 2);
}

static void run_numbers_its_reports_and_knows_what_came_before(void **state)
{
	(void)state;
	start(&producer, NULL);
	for (int i = 0; i < 10; i++)
		assert_true(events_post(writer, "{\"site\":\"a\",\"at\":1}", 0, -1, 0));
	assert_int_equal(stop(), 0);
	folder_assert(&folder,
		      "SELECT min(seq) || max(seq) || count(DISTINCT seq) || count(*) FROM report",
		      "091010");
	folder_assert(&folder, "SELECT prev_seq FROM producer", NULL);
	struct uuid next = rows_producer(9);
	/* a process that ended before its first report stands between the two */
	struct uuid previous[] = {rows_producer(7), producer};
	start(&next, previous);
	assert_true(events_post(writer, "{\"site\":\"a\",\"at\":2}", 0, -1, 0));
	assert_int_equal(stop(), 0);
	folder_assert(
		&folder,
		"SELECT prev_producer_id || ' ' || prev_seq FROM producer WHERE prev_seq NOT NULL",
		"ee000000-0000-0000-0000-000000000008 9");
}

static void tables_dropped_meanwhile_are_made_again(void **state)
{
	(void)state;
	start(NULL, NULL);
	assert_true(events_post(writer, "a 1", 1, 0, 0));
	assert_true(events_wait(&events.committed, 1));
	folder_execute(&folder, "DROP TABLE report; DROP TABLE site");
	assert_true(events_post(writer, "a 2", 1, 0, 1));
	assert_true(events_wait(&events.committed, 2));
	folder_assert(&folder, "SELECT site || seq FROM report_view", "a2");
}

static void a_foreign_table_is_said_at_the_start(void **state)
{
	(void)state;
	struct error err;
	struct store *store = store_open_sqlite(folder.file, STORE_WRITE, &err);
	folder_execute(&folder, "CREATE TABLE site (x)");
	struct writer_options options = {
		.store = store, .may_migrate = true, .max_waiting = 10, .decode = decode_line};
	struct writer_events callbacks = events_of(&events);
	memset(&events, 0, sizeof(events));
	writer = writer_start(&options, &callbacks, &err);
	assert_true(events_wait(&events.failed, 1));
	assert_int_equal(stop(), 0);
	assert_int_equal(atomic_load(&events.ready), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_message_is_written_soon),
		CASE(a_stop_writes_what_waits),
		CASE(positions_are_asked_and_stored),
		CASE(bad_messages_stop_nothing),
		CASE(a_message_that_comes_again_is_stored_once),
		CASE(run_numbers_its_reports_and_knows_what_came_before),
		CASE(tables_dropped_meanwhile_are_made_again),
		CASE(a_foreign_table_is_said_at_the_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
