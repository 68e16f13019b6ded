/* A reader where nothing can be written sees all that is there, or says that it can't. In a mount namespace of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "folder.h"
#include "rows.h"
#include "store/store_quarantine.h"

static bool can_mount;
static struct folder folder; /* where it is written */
static char frozen[64];      /* the same folder, read only */
static char frozen_file[96];
static struct store *store;
static struct error err;

static int group_setup(void **state)
{
	(void)state;
	can_mount = unshare(CLONE_NEWNS) == 0 &&
		    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	const char *parent = getenv("TMPDIR");
	folder_make(&folder);
	(void)snprintf(frozen, sizeof(frozen), "%.30s/frozen%%41-XXXXXX",
		       parent == NULL ? "/tmp" : parent);
	(void)snprintf(frozen_file, sizeof(frozen_file), "%s/websentry.db", mkdtemp(frozen));
	if (can_mount &&
	    (mount(folder.path, frozen, "none", MS_BIND, NULL) != 0 ||
	     mount("none", frozen, "none", MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) != 0))
		can_mount = false;
	store = folder_open_store(&folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	(void)umount2(frozen, MNT_DETACH);
	(void)rmdir(frozen);
	folder_remove(&folder);
	return 0;
}

static void write_bad(const char *bytes)
{
	const struct store_bad_message bad = {
		.reason = "not_json", .detail = "", .bytes = bytes, .length = strlen(bytes)};
	const struct store_batch batch = {.bad = &bad, .bad_count = 1};
	struct store_written written = {0};
	assert_int_equal(store_write(store, &batch, &written, &err), 0);
	assert_int_equal(written.quarantined, 1);
}

static void stop_writing(void)
{
	store_close(store);
	store = NULL;
}

/* What kill -9 leaves, but for the index, which few backups have. */
static void write_and_be_killed(const char *bytes)
{
	int status;
	stop_writing();
	pid_t child = fork();
	if (child == 0) {
		store = store_open_sqlite(folder.file, STORE_WRITE, &err);
		if (store == NULL || store_migrate(store, true, &err) != 0)
			_exit(1);
		write_bad(bytes);
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	char *index = xasprintf("%s-shm", folder.file);
	assert_int_equal(unlink(index), 0);
	free(index);
}

static bool count_row(void *context, const struct store_quarantined *row)
{
	(void)row;
	(*(int *)context)++;
	return true;
}

static const struct store_quarantine_query all = {
	.id = STORE_QUARANTINE_ANY, .after = STORE_QUARANTINE_ANY, .limit = 1000};

/* How many a reader of the frozen folder sees; -1: it was refused, with err. */
static int count_frozen(void)
{
	int count = 0;
	if (!can_mount)
		skip();
	struct store *reader = store_open_sqlite(frozen_file, STORE_READ, &err);
	assert_non_null(reader);
	if (store_read_quarantine(reader, &all, count_row, &count, &err) != 0)
		count = -1;
	store_close(reader);
	return count;
}

static void a_store_that_was_closed_is_read(void **state)
{
	(void)state;
	write_bad("one");
	stop_writing();
	assert_int_equal(count_frozen(), 1);
}

static void a_store_at_work_is_read(void **state)
{
	(void)state;
	write_bad("one");
	assert_int_equal(count_frozen(), 1);
	write_bad("two");
	assert_int_equal(count_frozen(), 2);
}

static void what_only_the_log_holds_is_read(void **state)
{
	(void)state;
	write_bad("one");
	write_and_be_killed("two");
	assert_int_equal(count_frozen(), 2);
}

static void an_unfinished_transaction_is_not_passed_over(void **state)
{
	(void)state;
	write_bad("one");
	stop_writing();
	char *journal = xasprintf("%s-journal", folder.file);
	FILE *file = fopen(journal, "we");
	assert_non_null(file);
	(void)fputs("what was there", file);
	(void)fclose(file);
	free(journal);
	assert_int_equal(count_frozen(), -1);
	assert_int_equal(err.kind, ERROR_REJECT);
	assert_non_null(strstr(err.message, "into a folder that can be written"));
}

static bool write_meanwhile(void *context, const struct store_quarantined *row)
{
	(void)row;
	(*(int *)context)++;
	store = folder_open_store(&folder);
	write_bad("two");
	stop_writing();
	return true;
}

static void what_changes_while_it_is_read_is_told(void **state)
{
	(void)state;
	int count = 0;
	write_bad("one");
	stop_writing();
	if (!can_mount)
		skip();
	struct store *reader = store_open_sqlite(frozen_file, STORE_READ, &err);
	assert_int_equal(store_read_quarantine(reader, &all, write_meanwhile, &count, &err), -1);
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_non_null(strstr(err.message, "was changed while it was read"));
	count = 0; /* and the next reading sees it */
	assert_int_equal(store_read_quarantine(reader, &all, count_row, &count, &err), 0);
	assert_int_equal(count, 2);
	store_close(reader);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_store_that_was_closed_is_read),
		CASE(a_store_at_work_is_read),
		CASE(what_only_the_log_holds_is_read),
		CASE(an_unfinished_transaction_is_not_passed_over),
		CASE(what_changes_while_it_is_read_is_told),
	};
	return cmocka_run_group_tests(tests, group_setup, NULL);
}
