/*
 * Power cuts: a file system of its own (ext4 in a file, mounted by loop device in a mount namespace) that is shut down under a
 * child that writes and drains: what was not synced is gone, and every call fails from then on. Mounted again, the
 * outbox opens, is not damaged, and holds what it promised: with `power` every row that was said to be durable, with
 * `process` every row that was durable when the last sync that ended had begun.
 *
 * POWER_CUTS=1000 in the environment: that many of each. Where mounting is not allowed the tests are skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "sink.h"

enum { CUTS = 4, NUMBERS_MAX = 20000000, AT_ONCE = 20, SHUTDOWN_WITHOUT_FLUSH = 2 };
#define SHUTDOWN _IOR('X', 125, uint32_t) /* ext4's, as xfs has it */

/* Shared with the child. Numbers ascend over all children. */
struct witness {
	_Atomic int64_t next;    /* to append */
	_Atomic int64_t durable; /* numbers below are */
	_Atomic int64_t sure;    /* numbers below were durable when a sync began that has ended */
	_Atomic int64_t syncs;
	_Atomic bool delivered[NUMBERS_MAX];
};

static struct witness *witness;
static char *folder;
static char *image;
static char *place; /* where it is mounted */
static bool is_allowed;

/* --- the child's view of the disk --- */

static int sync_file(long number, int fd)
{
	struct stat status;
	bool is_file = witness != NULL && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
	int64_t durable = is_file ? witness->durable : 0;
	int result = (int)syscall(number, fd);
	if (is_file && result == 0) {
		/* the log's sync comes first, the database's is about the same rows */
		if (durable > witness->sure)
			witness->sure = durable;
		witness->syncs++;
	}
	return result;
}

int fsync(int fd)
{
	return sync_file(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return sync_file(SYS_fdatasync, fd);
}

/* --- the file system --- */

static bool run(const char *format, const char *first, const char *second)
{
	char *command = xasprintf("%s '%s' '%s' >/dev/null 2>&1", format, first, second);
	int code = system(command); /* NOLINT(cert-env33-c): paths of our own */
	free(command);
	return code == 0;
}

static bool mount_image(void)
{
	return run("mount -o loop", image, place);
}

static void unmount(void)
{
	while (umount(place) != 0) /* what the child had open goes with it */
		sink_pause();
}

static int setup(void **state)
{
	(void)state;
	log_configure(LOG_ERROR, LOG_TEXT);
	folder = sink_make_dir();
	image = xasprintf("%s/image", folder);
	place = xasprintf("%s/place", folder);
	is_allowed = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
		     mount("none", "/", "", MS_REC | MS_PRIVATE, "") == 0 &&
		     mkdir(place, 0700) == 0 && run("truncate -s 64M", image, image) &&
		     run("mkfs.ext4 -q -F", image, "65536") && mount_image();
	if (is_allowed)
		unmount();
	witness = mmap(NULL, sizeof(*witness), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	return witness == MAP_FAILED ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)munmap(witness, sizeof(*witness));
	witness = NULL;
	free(image);
	free(place);
	sink_remove_dir(folder);
	return 0;
}

/* --- writing until the cut --- */

static struct outbox *current;
static int64_t held[AT_ONCE];
static size_t held_count;

static void note_delivery(const struct outbox_row *row)
{
	char message[256] = "";
	size_t length = row->message_length < 255 ? row->message_length : 255;
	memcpy(message, row->message, length);
	witness->delivered[sink_number(message)] = true;
}

static int on_send(void *context, const struct outbox_row *row)
{
	(void)context;
	if (held_count == AT_ONCE)
		return -1;
	note_delivery(row);
	held[held_count++] = row->id;
	return 0;
}

/* Slower than they come, so that rows wait; deletes some all the time. */
static void on_serve(void *context)
{
	(void)context;
	while (held_count > 0)
		outbox_acknowledge(current, held[--held_count]);
}

static void on_durable(void *context, size_t rows)
{
	(void)context;
	witness->durable += (int64_t)rows;
}

static void child(enum outbox_durability durability)
{
	struct error err = {0};
	int pipe_ends[2];
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	char *path = xasprintf("%s/outbox.db", place);
	struct outbox_options options = {
		.path = path, .durability = durability, .max_rows = 1000000};
	struct outbox_events events = {.on_durable = on_durable};
	current = outbox_open(&options, &events, &err);
	if (pipe(pipe_ends) != 0 || current == NULL)
		_exit(3);
	struct outbox_drain drain = {.send = on_send, .serve = on_serve, .fd = pipe_ends[0]};
	if (outbox_start(current, &drain, &err) != 0)
		_exit(4);
	for (;;) { /* until killed */
		bool has_room = outbox_has_room(current) && witness->next < NUMBERS_MAX - AT_ONCE;
		for (int i = 0; has_room && i < AT_ONCE; i++)
			sink_append(current, witness->next++);
		sink_pause();
	}
}

/* --- the cut --- */

/*
 * Returns what was promised at the moment of the cut. Not after it: an fsync that the shutdown overtakes may return as if it
 * had been done (jbd2 finds its transaction neither running nor committing), which no power cut does.
 */
static int64_t cut(enum outbox_durability durability, bool is_after_sync)
{
	uint32_t how = SHUTDOWN_WITHOUT_FLUSH;
	int64_t durable = witness->durable;
	int64_t syncs = witness->syncs;
	assert_true(mount_image());
	int fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	pid_t pid = fork();
	if (pid == 0)
		child(durability);
	int64_t enough = 1 + rand() % 400;
	while (witness->durable < durable + enough ||
	       (is_after_sync && witness->syncs < syncs + 8)) /* some come with opening */
		sink_pause();
	int64_t promised = durability == OUTBOX_DURABILITY_POWER ? witness->durable : witness->sure;
	assert_int_equal(ioctl(fd, SHUTDOWN, &how), 0);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)close(fd);
	unmount();
	return promised;
}

static size_t count_aside(void)
{
	size_t count = 0;
	DIR *listing = opendir(place);
	const struct dirent *entry;
	while ((entry = readdir(listing)) != NULL)
		count += strstr(entry->d_name, ".damaged-") != NULL ? 1 : 0;
	(void)closedir(listing);
	return count;
}

/* Drain what is there; then every number below promised must have been delivered, now or before. */
static void check(enum outbox_durability durability, int64_t promised, int64_t first)
{
	struct sink sink;
	assert_true(mount_image());
	sink_init(&sink, SINK_ACKNOWLEDGE);
	struct outbox *outbox = sink_open(&sink, place, durability, 1000000);
	assert_true(sink_wait_empty(outbox, 60000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	assert_int_equal(count_aside(), 0);
	for (size_t i = 0; i < sink.count; i++)
		witness->delivered[sink_number(sink.rows[i].message)] = true;
	sink_finish(&sink);
	unmount();
	for (int64_t number = first; number < promised; number++)
		if (!witness->delivered[number])
			fail_msg("number %lld of %lld is lost", (long long)number,
				 (long long)promised);
}

static void cut_again_and_again(enum outbox_durability durability)
{
	const char *given = getenv("POWER_CUTS");
	int64_t cuts = CUTS;
	int64_t kept = 0;
	int64_t lost = 0;
	if (!is_allowed)
		skip();
	if (given != NULL)
		(void)text_parse_int64(given, &cuts);
	srand(20261122);
	for (int64_t i = 0; i < cuts && witness->next < NUMBERS_MAX - 10000; i++) {
		int64_t first = witness->next;
		witness->durable = first;
		witness->sure = first;
		bool is_process = durability == OUTBOX_DURABILITY_PROCESS;
		int64_t promised = cut(durability, is_process && i % 2 == 0);
		int64_t durable = witness->durable;
		check(durability, promised, first);
		for (int64_t number = first; number < durable; number++)
			*(witness->delivered[number] ? &kept : &lost) += 1;
	}
	print_message("# %lld cuts: of what was durable %lld rows were there, %lld were not\n",
		      (long long)cuts, (long long)kept, (long long)lost);
	assert_true(kept > 0);
}

static void a_power_cut_loses_nothing_with_power(void **state)
{
	(void)state;
	cut_again_and_again(OUTBOX_DURABILITY_POWER);
}

static void a_power_cut_loses_only_what_was_not_synced_with_process(void **state)
{
	(void)state;
	cut_again_and_again(OUTBOX_DURABILITY_PROCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_power_cut_loses_nothing_with_power, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_power_cut_loses_only_what_was_not_synced_with_process, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
