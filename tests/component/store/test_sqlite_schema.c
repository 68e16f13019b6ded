/* Whose relations are there, who may write, and what happens when tables or the file go. */
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

#include "folder.h"
#include "rows.h"
#include "store/store_driver.h"

static struct folder folder;
static struct store *store;
static struct error err;

static int setup(void **state)
{
	(void)state;
	folder_make(&folder);
	store = store_open_sqlite(folder.file, STORE_WRITE, &err);
	assert_non_null(store);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	folder_remove(&folder);
	return 0;
}

static int write_report(int64_t seq)
{
	struct rows rows = {0};
	rows_add(&rows, rows_make("a", rows_producer(1), seq, ROWS_NOON + seq, OUTCOME_UP));
	struct store_batch batch = rows_batch(&rows);
	struct store_written written;
	int status = store_write(store, &batch, &written, &err);
	rows_finish(&rows);
	return status;
}

static void migrating_again_changes_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(store_migrate(store, true, &err), 0);
		assert_int_equal(write_report(i), 0);
	}
	assert_int_equal(folder_count(&folder, "SELECT count(*) FROM report_view"), 3);
	folder_assert(&folder, "PRAGMA journal_mode", "wal");
}

static void dropped_tables_are_made_again(void **state)
{
	(void)state;
	assert_int_equal(store_migrate(store, true, &err), 0);
	int64_t seq = 0;
	for (size_t i = 0; store_relations[i] != NULL; i++) {
		assert_int_equal(write_report(seq++), 0);
		char sql[80];
		(void)snprintf(sql, sizeof(sql), "DROP %s %s",
			       strstr(store_relations[i], "_view") != NULL ? "VIEW" : "TABLE",
			       store_relations[i]);
		int64_t before = folder_count(&folder, "SELECT count(*) FROM report");
		folder_execute(&folder, sql);
		if (write_report(seq++) != 0)
			fail_msg("%s: %s", sql, err.message);
		int64_t after = folder_count(&folder, "SELECT count(*) FROM report");
		assert_int_equal(after, strcmp(store_relations[i], "report") == 0 ? 1 : before + 1);
		/* The dimension rows are there again: the report shows its names. */
		assert_int_equal(
			folder_count(&folder,
				     "SELECT count(*) FROM report_view WHERE site IS NULL OR "
				     "location IS NULL OR url IS NULL"),
			0);
		assert_int_equal(folder_count(&folder, "SELECT count(*) FROM site_state"), 1);
	}
}

static void a_dropped_state_is_made_from_the_reports(void **state)
{
	(void)state;
	assert_int_equal(store_migrate(store, true, &err), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(write_report(i), 0);
	folder_execute(&folder, "DROP TABLE site_state");
	assert_int_equal(write_report(5), 0);
	folder_assert(&folder, "SELECT strip || seq FROM site_state", "UUUUUU5");
}

static void positions_of_before_groups_are_kept(void **state)
{
	(void)state;
	struct store_position position = {.topic = "t", .partition = 3};
	folder_execute(
		&folder,
		"CREATE TABLE kafka_offset ( -- [websentry 1]\n cluster_id TEXT, topic TEXT, "
		"partition INTEGER, next INTEGER, stored_at TEXT, "
		"PRIMARY KEY (cluster_id, topic, partition)); "
		"INSERT INTO kafka_offset VALUES ('c', 't', 3, 77, '2026-11-01')");
	store_set_group(store, "g");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_migrate(store, true, &err), 0);
		assert_int_equal(store_claim_positions(store, "c", &position, 1, &err), 0);
		assert_int_equal(position.next, 77);
	}
	folder_assert(&folder, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%_old'", "0");
	folder_execute(&folder, "INSERT INTO kafka_offset VALUES ('c', 't', 3, 9, '', 'g', 0)");
	assert_int_equal(store_read_positions(store, "c", &position, 1, &err), 0);
	assert_int_equal(position.next, 9);
}

static void states_of_before_stale_strips_are_kept(void **state)
{
	(void)state;
	bool is_done = false;
	assert_int_equal(store_migrate(store, true, &err), 0);
	assert_int_equal(write_report(0), 0);
	folder_execute(&folder, "ALTER TABLE site_state DROP COLUMN is_strip_stale");
	assert_int_equal(store_migrate(store, false, &err), -1);
	assert_non_null(strstr(err.message, "older release"));
	assert_int_equal(store_migrate(store, true, &err), 0);
	folder_assert(&folder, "SELECT strip || is_strip_stale FROM site_state", "U0");
	assert_int_equal(write_report(1), 0);
	assert_int_equal(store_refresh_strips(store, &is_done, &err), 0);
	assert_true(is_done);
	folder_assert(&folder, "SELECT strip || is_strip_stale FROM site_state", "UU0");
}

static void reports_of_before_rounds_are_kept(void **state)
{
	(void)state;
	assert_int_equal(store_migrate(store, true, &err), 0);
	assert_int_equal(write_report(0), 0);
	folder_execute(&folder, "DROP VIEW report_view; DROP VIEW uptime_view; "
				"ALTER TABLE report DROP COLUMN round");
	assert_int_equal(store_migrate(store, false, &err), -1);
	assert_non_null(strstr(err.message, "older release"));
	assert_int_equal(store_migrate(store, true, &err), 0);
	assert_int_equal(write_report(1), 0);
	folder_assert(&folder, "SELECT count(*) FROM report_view WHERE round IS NULL", "2");
}

static void somebody_elses_table_is_not_touched(void **state)
{
	(void)state;
	folder_execute(&folder,
		       "CREATE TABLE site (domain TEXT); INSERT INTO site VALUES ('theirs')");
	assert_int_equal(store_migrate(store, true, &err), -1);
	assert_int_equal(err.kind, ERROR_REJECT);
	assert_non_null(strstr(err.message, "\"site\""));
	assert_int_equal(folder_count(&folder, "SELECT count(*) FROM sqlite_schema"), 1);
	folder_assert(&folder, "SELECT domain FROM site", "theirs");
}

static void a_newer_schema_is_refused(void **state)
{
	(void)state;
	folder_execute(&folder, "CREATE TABLE incident_of_tomorrow (x); CREATE TABLE site ( -- "
				"[websentry 999]\n id)");
	assert_int_equal(store_migrate(store, true, &err), -1);
	assert_int_equal(err.kind, ERROR_REJECT);
	assert_non_null(strstr(err.message, "newer release"));
}

static void without_leave_to_migrate_the_schema_must_be_there(void **state)
{
	(void)state;
	assert_int_equal(store_migrate(store, false, &err), -1);
	assert_int_equal(err.kind, ERROR_REJECT);
	assert_int_equal(folder_count(&folder, "SELECT count(*) FROM sqlite_schema"), 0);
	assert_int_equal(store_migrate(store, true, &err), 0);
	assert_int_equal(store_migrate(store, false, &err), 0);
}

static void the_second_writer_is_told_who_writes(void **state)
{
	(void)state;
	struct error second;
	assert_null(store_open_sqlite(folder.file, STORE_WRITE, &second));
	assert_int_equal(second.kind, ERROR_REJECT);
	char pid[32];
	(void)snprintf(pid, sizeof(pid), "process %d", (int)getpid());
	assert_non_null(strstr(second.message, pid));
	/* The first one works on, and when it has ended the next may. */
	assert_int_equal(store_migrate(store, true, &err), 0);
	store_close(store);
	store = store_open_sqlite(folder.file, STORE_WRITE, &err);
	assert_non_null(store);
}

/* Whatever way leads to the file, also where it is made only then. */
static void a_link_leads_to_the_same_lock(void **state)
{
	(void)state;
	struct error second;
	struct folder other;
	char new_file[128];
	char beside[128];
	folder_make(&other);
	assert_int_equal(symlink(folder.file, other.file), 0);
	assert_null(store_open_sqlite(other.file, STORE_WRITE, &second));
	assert_non_null(strstr(second.message, "in use by process"));

	(void)snprintf(new_file, sizeof(new_file), "%s/new.db", other.path);
	(void)snprintf(beside, sizeof(beside), "%s/link.db", other.path);
	assert_int_equal(unlink(other.file), 0);
	assert_int_equal(symlink(new_file, other.file), 0);
	assert_int_equal(symlink(new_file, beside), 0);
	struct store *first = store_open_sqlite(other.file, STORE_WRITE, &err);
	assert_non_null(first);
	assert_null(store_open_sqlite(beside, STORE_WRITE, &second));
	assert_non_null(strstr(second.message, "in use by process"));
	assert_null(store_open_sqlite(new_file, STORE_WRITE, &second));
	store_close(first);
	folder_remove(&other);
}

static void a_killed_writer_leaves_no_lock(void **state)
{
	(void)state;
	store_close(store);
	store = NULL;
	int status;
	pid_t child = fork();
	if (child == 0) {
		struct error ignored;
		struct store *theirs = store_open_sqlite(folder.file, STORE_WRITE, &ignored);
		(void)!store_migrate(theirs, true, &ignored);
		if (theirs != NULL)
			(void)raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	store = folder_open_store(&folder);
	assert_int_equal(write_report(0), 0);
}

static bool never(void *context, const struct store_site *site)
{
	(void)context;
	(void)site;
	return false;
}

static void a_reader_waits_for_the_first_writer(void **state)
{
	(void)state;
	struct folder empty;
	folder_make(&empty);
	struct store *reader = store_open_sqlite(empty.file, STORE_READ, &err);
	assert_non_null(reader);
	assert_int_equal(store_read_sites(reader, never, NULL, &err), -1);
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_int_equal(access(empty.file, F_OK), -1); /* it made nothing */
	struct store *writer = store_open_sqlite(empty.file, STORE_WRITE, &err);
	assert_int_equal(store_read_sites(reader, never, NULL, &err), -1); /* no tables yet */
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_int_equal(store_migrate(writer, true, &err), 0);
	assert_int_equal(store_read_sites(reader, never, NULL, &err), 0);
	store_close(reader);
	store_close(writer);
	folder_remove(&empty);
}

static void what_is_no_database_is_refused(void **state)
{
	(void)state;
	struct folder other;
	folder_make(&other);
	FILE *file = fopen(other.file, "w");
	for (int i = 0; i < 5000; i++)
		(void)fputs("this is no database\n", file);
	(void)fclose(file);
	assert_null(store_open_sqlite(other.file, STORE_WRITE, &err));
	assert_int_equal(err.kind, ERROR_REJECT);
	assert_non_null(strstr(err.message, other.file));
	(void)unlink(other.file);
	assert_int_equal(mkdir(other.file, 0755), 0);
	assert_null(store_open_sqlite(other.file, STORE_WRITE, &err));
	assert_int_equal(err.kind, ERROR_REJECT);
	(void)rmdir(other.file);
	assert_null(store_open_sqlite("/nonexistent/folder/x.db", STORE_WRITE, &err));
	assert_int_equal(err.kind, ERROR_REJECT);
	folder_remove(&other);
}

static void an_interrupted_store_gives_up(void **state)
{
	(void)state;
	assert_int_equal(store_migrate(store, true, &err), 0);
	store_interrupt(store);
	assert_int_equal(write_report(0), -1);
	assert_int_equal(err.kind, ERROR_RETRY);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(migrating_again_changes_nothing),
		CASE(dropped_tables_are_made_again),
		CASE(a_dropped_state_is_made_from_the_reports),
		CASE(positions_of_before_groups_are_kept),
		CASE(states_of_before_stale_strips_are_kept),
		CASE(reports_of_before_rounds_are_kept),
		CASE(somebody_elses_table_is_not_touched),
		CASE(a_newer_schema_is_refused),
		CASE(without_leave_to_migrate_the_schema_must_be_there),
		CASE(the_second_writer_is_told_who_writes),
		CASE(a_link_leads_to_the_same_lock),
		CASE(a_killed_writer_leaves_no_lock),
		CASE(a_reader_waits_for_the_first_writer),
		CASE(what_is_no_database_is_refused),
		CASE(an_interrupted_store_gives_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
