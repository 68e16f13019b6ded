/* A full disk stops checks, loses nothing, and mends itself as soon as rows can leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "sink.h"

enum { BODY_BYTES = 2000, SKIPPED = 77, FEW_ROWS = 200, MANY_ROWS = 400 };

static void append_large(struct outbox *outbox, int64_t number)
{
	char body[BODY_BYTES + 64];
	struct error err = {0};
	int length = snprintf(body, sizeof(body), "{\"n\":%lld,\"pad\":\"%0*d\"}",
			      (long long)number, BODY_BYTES, 0);
	while (outbox_append(outbox, OUTBOX_CLASS_SUCCESS, "k", 1, body, (size_t)length, &err) != 0)
		sink_pause();
}

static void check_all(const struct sink *sink, int64_t count)
{
	assert_int_equal(sink->count, count);
	for (int64_t i = 0; i < count; i++) {
		assert_int_equal(sink_number(sink->rows[i].message), i);
		assert_int_equal(sink_seq(sink->rows[i].message), i);
	}
}

/* The limit on the size of files stands in for the disk: beyond it writes fail, and it can be lifted. */
static void a_limit_that_is_lifted_lets_all_rows_through(void **state)
{
	(void)state;
	struct sink sink;
	char *dir = sink_make_dir();
	struct rlimit before;
	sink_init(&sink, SINK_REFUSE);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	struct outbox *outbox = sink_open(&sink, dir, OUTBOX_DURABILITY_PROCESS, 100000);
	int64_t count = 0;
	while (count < 100)
		append_large(outbox, count++);
	SINK_WAIT_FOR(sink.durable == 100);
	struct rlimit low = {.rlim_cur = 600000, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	while (outbox_has_room(outbox)) {
		append_large(outbox, count++);
		sink_pause();
	}
	for (int i = 0; i < 50; i++)
		append_large(outbox, count++);
	assert_int_equal(sink.troubles, 1);
	for (int i = 0; i < 500; i++)
		sink_pause();
	assert_int_equal(sink.troubles, 1); /* said once */
	assert_int_equal(sink.recoveries, 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	SINK_WAIT_FOR(sink.recoveries == 1);
	SINK_WAIT_FOR((int64_t)sink.durable == count);
	assert_true(outbox_has_room(outbox));
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	assert_true(sink_wait_empty(outbox, 20000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	check_all(&sink, count);
	sink_finish(&sink);
	sink_remove_dir(dir);
}

static void fill_disk(const char *dir)
{
	char path[512];
	char block[4096] = {0};
	(void)snprintf(path, sizeof(path), "%s/ballast", dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	(void)close(fd);
}

/*
 * On a disk of its own, in a mount namespace of its own; the exit code says how it went. All that the drain holds is
 * acknowledged at once, and so deleted in one transaction: with MANY_ROWS that is more pages than the reserve has.
 */
static void child(enum outbox_durability durability, int64_t rows_before)
{
	struct sink sink;
	char *dir = sink_make_dir();
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=4m") != 0) {
		sink_remove_dir(dir);
		_exit(SKIPPED);
	}
	sink_init(&sink, SINK_HOLD);
	struct outbox *outbox = sink_open(&sink, dir, durability, 100000);
	int64_t count = 0;
	while (count < rows_before)
		append_large(outbox, count++);
	SINK_WAIT_FOR((int64_t)sink.durable == rows_before);
	SINK_WAIT_FOR((int64_t)sink_count(&sink) == rows_before);
	fill_disk(dir);
	while (outbox_has_room(outbox)) {
		append_large(outbox, count++);
		sink_pause();
	}
	for (int i = 0; i < 100; i++)
		append_large(outbox, count++);
	/* nobody frees anything but the outbox itself: what is acknowledged goes, and the reserve helps */
	sink_set_mode(&sink, SINK_ACKNOWLEDGE);
	SINK_WAIT_FOR((int64_t)sink.durable == count);
	assert_true(sink_wait_empty(outbox, 120000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	check_all(&sink, count);
	sink_finish(&sink);
	(void)umount2(dir, MNT_DETACH);
	sink_remove_dir(dir);
	_exit(0);
}

static void run_on_small_disk(enum outbox_durability durability, int64_t rows_before)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		child(durability, rows_before);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		skip(); /* no rights to mount */
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_full_disk_mends_itself_with_process(void **state)
{
	(void)state;
	run_on_small_disk(OUTBOX_DURABILITY_PROCESS, FEW_ROWS);
}

static void a_full_disk_mends_itself_with_power(void **state)
{
	(void)state;
	run_on_small_disk(OUTBOX_DURABILITY_POWER, FEW_ROWS);
}

static void many_rows_leave_a_full_disk_at_once(void **state)
{
	(void)state;
	run_on_small_disk(OUTBOX_DURABILITY_PROCESS, MANY_ROWS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_that_is_lifted_lets_all_rows_through),
		cmocka_unit_test(a_full_disk_mends_itself_with_process),
		cmocka_unit_test(a_full_disk_mends_itself_with_power),
		cmocka_unit_test(many_rows_leave_a_full_disk_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
