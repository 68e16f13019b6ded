/* The file that a SQLite store is: whose it is, which links are followed, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "rows.h"

static struct folder folder;
static struct store *store;
static struct error err;

static int setup(void **state)
{
	(void)state;
	folder_make(&folder);
	store = folder_open_store(&folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	folder_remove(&folder);
	return 0;
}

/* Something that is written, so that all of SQLite's files are there. */
static void write_report(int64_t seq)
{
	struct rows rows = {0};
	struct store_written written = {0};
	rows_add(&rows, rows_make("a", rows_producer(1), seq, ROWS_NOON + seq * CLOCK_US_PER_S,
				  OUTCOME_UP));
	struct store_batch batch = rows_batch(&rows);
	if (store_write(store, &batch, &written, &err) != 0)
		fail_msg("%s", err.message);
	assert_int_equal(written.inserted, 1);
	rows_finish(&rows);
}

static void assert_mode(const char *ending, mode_t wanted)
{
	char path[128];
	struct stat status;
	(void)snprintf(path, sizeof(path), "%s%s", folder.file, ending);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, wanted);
}

static void a_new_file_is_its_owners_alone(void **state)
{
	(void)state;
	write_report(0);
	assert_mode("", 0600);
	assert_mode("-wal", 0600);
	assert_mode("-shm", 0600);
}

/* SQLite follows the link too, and leaves the mode to the umask. */
static void a_new_file_behind_a_link_is_its_owners_alone(void **state)
{
	(void)state;
	char target[128];
	mode_t before = umask(0);
	(void)snprintf(target, sizeof(target), "%s.elsewhere", folder.file);
	store_close(store);
	assert_int_equal(unlink(folder.file), 0);
	assert_int_equal(symlink(target, folder.file), 0);
	store = store_open_sqlite(folder.file, STORE_WRITE, &err);
	(void)umask(before);
	assert_non_null(store);
	assert_int_equal(store_migrate(store, true, &err), 0);
	write_report(0);
	assert_mode(".elsewhere", 0600);
	assert_mode(".elsewhere-wal", 0600);
	assert_mode(".elsewhere-shm", 0600);
}

static void a_link_into_a_missing_folder_is_refused(void **state)
{
	(void)state;
	char target[128];
	struct stat status;
	(void)snprintf(target, sizeof(target), "%s.gone/websentry.db", folder.file);
	store_close(store);
	store = NULL;
	assert_int_equal(unlink(folder.file), 0);
	assert_int_equal(symlink(target, folder.file), 0);
	assert_null(store_open_sqlite(folder.file, STORE_WRITE, &err));
	assert_int_equal(err.kind, ERROR_REJECT);
	assert_int_equal(lstat(folder.file, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
}

static void a_file_that_exists_keeps_its_mode(void **state)
{
	(void)state;
	write_report(0);
	store_close(store);
	assert_int_equal(chmod(folder.file, 0644), 0);
	store = store_open_sqlite(folder.file, STORE_WRITE, &err);
	assert_non_null(store);
	write_report(1);
	assert_mode("", 0644);
	assert_mode("-wal", 0644);
}

/* Nobody writes to the one, and the other is a folder: neither is waited for. */
static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	char pipe[128];
	char inner[128];
	(void)snprintf(pipe, sizeof(pipe), "%s.pipe", folder.file);
	(void)snprintf(inner, sizeof(inner), "%s.folder", folder.file);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(mkdir(inner, 0700), 0);
	const char *const paths[] = {pipe, inner};
	for (size_t i = 0; i < 2; i++) {
		struct store *reader = store_open_sqlite(paths[i], STORE_READ, &err);
		assert_non_null(reader);
		assert_int_equal(store_read_sites(reader, NULL, NULL, &err), -1);
		assert_int_equal(err.kind, ERROR_REJECT);
		assert_non_null(strstr(err.message, "expected a file"));
		store_close(reader);
		assert_null(store_open_sqlite(paths[i], STORE_WRITE, &err));
		assert_int_equal(err.kind, ERROR_REJECT);
		assert_non_null(strstr(err.message, "expected a file"));
	}
	assert_int_equal(rmdir(inner), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_new_file_is_its_owners_alone),
		CASE(a_new_file_behind_a_link_is_its_owners_alone),
		CASE(a_link_into_a_missing_folder_is_refused),
		CASE(a_file_that_exists_keeps_its_mode),
		CASE(what_is_no_file_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
