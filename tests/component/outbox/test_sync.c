/*
 * A disk that does not confirm what was written: after an fsync that failed no file is synced again that was written to
 * before, since the kernel would say yes without the data. What is in the old file is read from there, in order, what was in
 * memory goes into a new one, and nothing is lost, doubled or given another identity.
 *
 * fsync() and fdatasync() are this program's own: SQLite calls them in place of libc's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "outbox/outbox_look.h"
#include "sink.h"

enum { POISONED_MAX = 500, ROWS = 400 };

/* Of the disk: every syncs_until_failure-th sync of a file fails; and what happened to the files it failed for. */
static pthread_mutex_t disk_lock = PTHREAD_MUTEX_INITIALIZER;
static int syncs_until_failure; /* 0: none fails */
static int syncs_left;
static atomic_int failures;
static atomic_int syncs_of_poisoned;
static struct {
	dev_t device;
	ino_t inode;
	int fd; /* keeps the inode from being given to another file */
} poisoned[POISONED_MAX];
static int poisoned_count;

static int sync_file(long number, int fd)
{
	struct stat status;
	(void)pthread_mutex_lock(&disk_lock);
	bool is_failing = false;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
		for (int i = 0; i < poisoned_count; i++)
			if (poisoned[i].device == status.st_dev &&
			    poisoned[i].inode == status.st_ino)
				syncs_of_poisoned++;
		if (syncs_until_failure > 0 && --syncs_left <= 0) {
			is_failing = true;
			failures++;
			syncs_left = syncs_until_failure;
			if (poisoned_count < POISONED_MAX) {
				poisoned[poisoned_count].device = status.st_dev;
				poisoned[poisoned_count].fd = dup(fd);
				poisoned[poisoned_count++].inode = status.st_ino;
			}
		}
	}
	(void)pthread_mutex_unlock(&disk_lock);
	if (is_failing) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(number, fd);
}

int fsync(int fd)
{
	return sync_file(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return sync_file(SYS_fdatasync, fd);
}

/* From now on every n-th sync fails; 0: the disk is fine again. */
static void disk_fail(int every)
{
	(void)pthread_mutex_lock(&disk_lock);
	syncs_until_failure = every;
	syncs_left = every;
	(void)pthread_mutex_unlock(&disk_lock);
}

static char *dir;
static struct sink sink;

static int setup(void **state)
{
	(void)state;
	log_configure(LOG_ERROR, LOG_TEXT);
	dir = sink_make_dir();
	sink_init(&sink, SINK_ACKNOWLEDGE);
	poisoned_count = 0;
	failures = 0;
	syncs_of_poisoned = 0;
	disk_fail(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < poisoned_count; i++)
		(void)close(poisoned[i].fd);
	sink_finish(&sink);
	sink_remove_dir(dir);
	return 0;
}

static size_t count_files(const char *part)
{
	size_t count = 0;
	DIR *listing = opendir(dir);
	const struct dirent *entry;
	while ((entry = readdir(listing)) != NULL)
		count += strstr(entry->d_name, part) != NULL ? 1 : 0;
	(void)closedir(listing);
	return count;
}

/* All numbers from 0 on came, in order, under ascending seq, once each. */
static void check_sent(size_t first, int64_t rows)
{
	assert_int_equal(sink.count - first, rows);
	for (size_t i = first; i < sink.count; i++) {
		assert_int_equal(sink_number(sink.rows[i].message), (int64_t)(i - first));
		assert_int_equal(sink_seq(sink.rows[i].message), (int64_t)(i - first));
	}
}

static void append_slowly(struct outbox *outbox, int64_t first, int64_t count)
{
	for (int64_t i = first; i < first + count; i++) {
		sink_append(outbox, i);
		if (i % 16 == 15)
			SINK_WAIT_FOR(sink.durable > (size_t)i);
	}
	SINK_WAIT_FOR(sink.durable == (size_t)(first + count));
}

/* Nothing leaves while the disk fails: several segments wait behind one another. */
static void fail_and_drain(enum outbox_durability durability, int every)
{
	sink_set_mode(&sink, SINK_REFUSE);
	struct outbox *outbox = sink_open(&sink, dir, durability, 1000000);
	disk_fail(every);
	append_slowly(outbox, 0, ROWS);
	disk_fail(0);
	append_slowly(outbox, ROWS, 20);
	assert_true(failures > 0);
	assert_true(count_files(".segment-") > 0);
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	assert_true(sink_wait_empty(outbox, 60000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	check_sent(0, ROWS + 20);
	assert_int_equal(count_files(".segment-"), 0);
	assert_int_equal(syncs_of_poisoned, 0);
}

static void a_failed_sync_opens_a_new_file_with_power(void **state)
{
	(void)state;
	fail_and_drain(OUTBOX_DURABILITY_POWER, 9);
}

/* Here the disk is asked at checkpoints only. */
static void a_failed_sync_opens_a_new_file_with_process(void **state)
{
	(void)state;
	sink_set_mode(&sink, SINK_REFUSE);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 1000000);
	disk_fail(1);
	int64_t rows = 0;
	while (failures == 0) {
		sink_append(outbox, rows++);
		SINK_WAIT_FOR(sink.durable == (size_t)rows || failures > 0);
	}
	disk_fail(0);
	SINK_WAIT_FOR(sink.durable == (size_t)rows);
	append_slowly(outbox, rows, 16);
	assert_true(count_files(".segment-") > 0);
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	assert_true(sink_wait_empty(outbox, 60000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	check_sent(0, rows + 16);
	assert_int_equal(count_files(".segment-"), 0);
	assert_int_equal(syncs_of_poisoned, 0);
}

static void a_disk_that_confirms_nothing_is_waited_for(void **state)
{
	(void)state;
	sink_set_mode(&sink, SINK_REFUSE);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_POWER, 1000000);
	append_slowly(outbox, 0, 16);
	disk_fail(1);
	sink_append(outbox, 16);
	SINK_WAIT_FOR(sink.troubles == 1);
	SINK_WAIT_FOR(failures > 4);
	assert_false(outbox_has_room(outbox));
	assert_int_equal(sink.durable, 16);
	assert_true(count_files(".segment-") <= 4); /* the one with rows, and its log */
	disk_fail(0);
	SINK_WAIT_FOR(sink.recoveries == 1);
	assert_int_equal(sink.durable, 17);
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	assert_true(sink_wait_empty(outbox, 60000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	check_sent(0, 17);
	assert_int_equal(syncs_of_poisoned, 0);
}

/* Rows of the segment come again from its beginning: it is never written to, not even to delete. */
static void a_segment_is_drained_by_the_next_process(void **state)
{
	(void)state;
	struct error err = {0};
	struct outbox_look *look = NULL;
	struct outbox_row row;
	sink_set_mode(&sink, SINK_REFUSE);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_POWER, 1000000);
	append_slowly(outbox, 0, 48);
	disk_fail(1);
	sink_append(outbox, 48);
	SINK_WAIT_FOR(failures > 0);
	disk_fail(0);
	SINK_WAIT_FOR(sink.durable == 49);
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	assert_int_equal(sink.count, 0);
	char *path = xasprintf("%s/outbox.db", dir);
	assert_int_equal(outbox_look_open(path, 0, &look, &err), 0);
	for (int64_t i = 0; i < 49; i++)
		assert_int_equal(outbox_look_next(look, &row, &err), 1);
	outbox_look_close(look);
	free(path);
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_POWER, 1000000);
	sink_append(outbox, 1000);
	assert_true(sink_wait_empty(outbox, 60000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	/* the row whose commit failed may stand in both files, under one identity */
	int64_t expected = 0;
	for (size_t i = 0; i + 1 < sink.count; i++) {
		int64_t number = sink_number(sink.rows[i].message);
		assert_true(number == expected || number == expected - 1);
		assert_int_equal(sink_seq(sink.rows[i].message), number);
		expected = number + 1;
	}
	assert_int_equal(expected, 49);
	assert_int_equal(sink_number(sink.rows[sink.count - 1].message), 1000);
	assert_non_null(strstr(sink.rows[sink.count - 1].message, "\"prev\":"));
	assert_int_equal(count_files(".segment-"), 0);
}

static void what_was_sent_before_is_not_sent_again(void **state)
{
	(void)state;
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_POWER, 1000000);
	disk_fail(9); /* a new file alone takes five */
	for (int64_t i = 0; i < ROWS; i++) {
		sink_append(outbox, i);
		if (i % 16 == 0)
			SINK_WAIT_FOR(sink.durable > (size_t)i);
		if (i == ROWS / 2)
			sink_rewind(&sink);
	}
	disk_fail(0);
	assert_true(sink_wait_empty(outbox, 60000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	assert_true(failures > 0);
	assert_int_equal(syncs_of_poisoned, 0);
	assert_int_equal(count_files(".segment-"), 0);
	bool seen[ROWS] = {false};
	for (size_t i = 0; i < sink.count; i++)
		seen[sink_seq(sink.rows[i].message)] = true;
	for (int64_t i = 0; i < ROWS; i++)
		assert_true(seen[i]);
	assert_true(sink.count <= ROWS + 64); /* those in flight at the rewind */
}

/* The one segment's path; to be freed. */
static char *find_segment(void)
{
	char *found = NULL;
	DIR *listing = opendir(dir);
	const struct dirent *entry;
	while ((entry = readdir(listing)) != NULL) {
		size_t length = strlen(entry->d_name);
		if (found == NULL && strstr(entry->d_name, ".segment-") != NULL &&
		    strcmp(entry->d_name + length - 4, "-wal") != 0 &&
		    strcmp(entry->d_name + length - 4, "-shm") != 0)
			found = xasprintf("%s/%s", dir, entry->d_name);
	}
	(void)closedir(listing);
	assert_non_null(found);
	return found;
}

/*
 * A segment is not written to, so its bad row is met with each rewind: were it taken off the figures each time, the segment would seem to
 * be drained, and go with the row that nobody has acknowledged.
 */
static void a_bad_row_of_a_segment_counts_once(void **state)
{
	(void)state;
	enum { COUNT = 2 };
	sqlite3 *db;
	sink_set_mode(&sink, SINK_REFUSE);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_POWER, 1000000);
	append_slowly(outbox, 0, COUNT);
	disk_fail(1);
	sink_append(outbox, COUNT);
	SINK_WAIT_FOR(failures > 0);
	disk_fail(0);
	SINK_WAIT_FOR(sink.durable == COUNT + 1);
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	char *path = find_segment();
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	/* All but the first; the one whose commit failed may stand there too. */
	assert_int_equal(sqlite3_exec(db,
				      "UPDATE outbox_row SET message = replace(message, '\"n\"', "
				      "'\"m\"') WHERE message NOT LIKE '%\"n\":0}%'",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_true(sqlite3_changes(db) >= 1);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	free(path);
	sink_set_mode(&sink, SINK_HOLD);
	outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_POWER, 1000000);
	for (size_t round = 1; round <= 5; round++) {
		SINK_WAIT_FOR(sink_count(&sink) >=
			      2 * round); /* the first row, and the one of the new file */
		sink_rewind(&sink);
	}
	assert_true(count_files(".segment-") > 0);
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	size_t first = sink.count;
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_POWER, 1000000);
	assert_true(sink_wait_empty(outbox, 60000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	bool seen[COUNT + 1] = {false};
	for (size_t i = first; i < sink.count; i++)
		seen[sink_number(sink.rows[i].message)] = true;
	for (size_t i = 0; i <= COUNT; i++)
		assert_int_equal(seen[i], i != 1);
	assert_true(count_files(".segment-") > 0); /* set aside with its bad row */
}

/* The file as it lies there while its process runs: a kill would leave it so. */
static void copy_file(const char *from_name, const char *to_dir, const char *to_name)
{
	char *from = xasprintf("%s/%s", dir, from_name);
	char *to = xasprintf("%s/%s", to_dir, to_name);
	char bytes[4096];
	size_t length;
	FILE *in = fopen(from, "rb");
	FILE *out = fopen(to, "wb");
	assert_non_null(in);
	assert_non_null(out);
	while ((length = fread(bytes, 1, sizeof(bytes), in)) > 0)
		assert_int_equal(fwrite(bytes, 1, length, out), length);
	(void)fclose(in);
	assert_int_equal(fclose(out), 0);
	free(from);
	free(to);
}

/* Killed between the two renames: the log, and with it all rows, lies under the new name already. */
static void a_rename_that_a_kill_cut_short_is_finished(void **state)
{
	(void)state;
	char *killed = sink_make_dir();
	sink_set_mode(&sink, SINK_REFUSE);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_POWER, 1000000);
	append_slowly(outbox, 0, 48);
	copy_file("outbox.db", killed, "outbox.db");
	copy_file("outbox.db-wal", killed, "outbox.db.segment-20261121T203345Z-wal");
	sink_write_copy(killed, "outbox.db.segment-20261121T203345Z-renaming", "", 0);
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	outbox = sink_open(&sink, killed, OUTBOX_DURABILITY_POWER, 1000000);
	sink_append(outbox, 1000);
	assert_true(sink_wait_empty(outbox, 60000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	assert_int_equal(sink.count, 49);
	for (size_t i = 0; i < 48; i++)
		assert_int_equal(sink_number(sink.rows[i].message), (int64_t)i);
	assert_non_null(strstr(sink.rows[48].message, "\"prev\":"));
	sink_remove_dir(killed);
}

/* A segment with the rows 0 to 48, and no outbox.db beside it; its name. */
static char *leave_segment(void)
{
	sink_set_mode(&sink, SINK_REFUSE);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_POWER, 1000000);
	append_slowly(outbox, 0, 48);
	disk_fail(1);
	sink_append(outbox, 48);
	SINK_WAIT_FOR(failures > 0);
	disk_fail(0);
	SINK_WAIT_FOR(sink.durable == 49);
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	static const char *const names[] = {"outbox.db", "outbox.db-wal"};
	for (size_t i = 0; i < 2; i++) {
		char *path = xasprintf("%s/%s", dir, names[i]);
		(void)unlink(path);
		free(path);
	}
	char *found = NULL;
	DIR *listing = opendir(dir);
	const struct dirent *entry;
	while ((entry = readdir(listing)) != NULL)
		if (strstr(entry->d_name, ".segment-") != NULL &&
		    strstr(entry->d_name, "-wal") == NULL)
			found = xasprintf("%s/%s", dir, entry->d_name);
	(void)closedir(listing);
	assert_non_null(found);
	return found;
}

/* The name leads nowhere: whoever opens it gets an error that may pass. Its log stays where it is. */
static void hide(const char *name)
{
	char *hidden = xasprintf("%s/hidden", dir);
	assert_int_equal(rename(name, hidden), 0);
	assert_int_equal(symlink(name, name), 0);
	free(hidden);
}

static void unhide(const char *name)
{
	char *hidden = xasprintf("%s/hidden", dir);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(rename(hidden, name), 0);
	free(hidden);
}

/* The 48 rows of the segment that were confirmed, from there on in what was sent; row 48 may be in it too. */
static size_t check_segment_sent(size_t first)
{
	for (size_t i = 0; i < 48; i++)
		assert_int_equal(sink_number(sink.rows[first + i].message), (int64_t)i);
	return first + 48 + (sink_number(sink.rows[first + 48].message) == 48 ? 1 : 0);
}

static void a_segment_that_opens_late_is_sent_by_the_same_process(void **state)
{
	(void)state;
	char *name = leave_segment();
	hide(name);
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_POWER, 1000000);
	for (int64_t i = 0; i < 10; i++)
		sink_append(outbox, 1000 + i);
	assert_true(sink_wait_empty(outbox, 60000));
	assert_int_equal(sink.count, 10);
	assert_true(sink.rows[0].id > 48); /* not one of the segment's ids */
	unhide(name);
	/* among others, which do not keep it from being sent */
	for (int64_t i = 10; sink_count(&sink) < (size_t)i + 48; i++) {
		sink_append(outbox, 1000 + i);
		SINK_WAIT_FOR(sink_count(&sink) > (size_t)i);
	}
	assert_true(sink_wait_empty(outbox, 60000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	size_t first = 0;
	while (first < sink.count && sink_number(sink.rows[first].message) != 0)
		first++;
	(void)check_segment_sent(first);
	assert_int_equal(count_files(".segment-"), 0);
	assert_int_equal(count_files(".damaged-"), 0);
	free(name);
}

/* The file went with an fsync that failed once all in it had arrived, and while no report comes there is no new one. */
static void a_segment_that_opens_late_is_sent_though_nothing_else_comes(void **state)
{
	(void)state;
	char *name = leave_segment();
	hide(name);
	size_t first = sink.count;
	failures = 0;
	sink_set_mode(&sink, SINK_HOLD);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_POWER, 1000000);
	sink_append(outbox, 1000);
	SINK_WAIT_FOR(sink_count(&sink) == first + 1);
	disk_fail(1);
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	SINK_WAIT_FOR(failures > 0);
	disk_fail(0);
	unhide(name);
	SINK_WAIT_FOR(sink_count(&sink) >= first + 1 + 48);
	assert_true(sink_wait_empty(outbox, 60000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	(void)check_segment_sent(first + 1);
	assert_int_equal(count_files(".segment-"), 0);
	free(name);
}

static void a_segment_that_opens_at_the_next_start_is_sent_first(void **state)
{
	(void)state;
	char *name = leave_segment();
	hide(name);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_POWER, 1000000);
	sink_append(outbox, 1000);
	SINK_WAIT_FOR(sink.durable == 50);
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	assert_int_equal(sink.count, 0);
	unhide(name);
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_POWER, 1000000);
	assert_true(sink_wait_empty(outbox, 60000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	size_t last = check_segment_sent(0);
	assert_int_equal(sink.count, last + 1);
	assert_int_equal(sink_number(sink.rows[last].message), 1000);
	assert_int_equal(count_files(".segment-"), 0);
	assert_int_equal(count_files(".damaged-"), 0);
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_failed_sync_opens_a_new_file_with_power, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_failed_sync_opens_a_new_file_with_process, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_disk_that_confirms_nothing_is_waited_for, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_segment_is_drained_by_the_next_process, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_was_sent_before_is_not_sent_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_bad_row_of_a_segment_counts_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_rename_that_a_kill_cut_short_is_finished, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_segment_that_opens_late_is_sent_by_the_same_process, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_segment_that_opens_late_is_sent_though_nothing_else_comes, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_segment_that_opens_at_the_next_start_is_sent_first, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
