/*
 * kill -9 at any moment: what was said to be durable arrives, under the identity that it got first.
 *
 * A child appends and drains; the parent kills it, again and again, and drains the rest at the end. Both write what they see
 * into memory that they share, by the number of the report.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sink.h"

enum { NUMBERS_MAX = 400000, ROUNDS = 25, DURABLE_AT_KILL_MAX = 100, HELD_MAX = 50 };

struct witness {
	_Atomic int64_t next;                /* the number to append next */
	_Atomic int64_t base;                /* where this round began */
	_Atomic int64_t durable[ROUNDS + 1]; /* of a round: numbers from base on */
	_Atomic int round;
	char identity
		[NUMBERS_MAX]
		[64]; /* as first delivered, once it is noted: a kill may tear what is being written */
	atomic_bool is_noted[NUMBERS_MAX];
	_Atomic int mismatches;
};

static struct witness *witness;
static char *dir;

static void note_delivery(const char *message)
{
	int64_t number = sink_number(message);
	const char *id = strstr(message, "\"producer_id\":\"") + strlen("\"producer_id\":\"");
	char identity[64] = "";
	(void)memcpy(identity, id, 36);
	(void)snprintf(identity + 36, sizeof(identity) - 36, "/%lld", (long long)sink_seq(message));
	if (!witness->is_noted[number]) {
		(void)memcpy(witness->identity[number], identity, sizeof(identity));
		witness->is_noted[number] = true;
	} else if (strcmp(witness->identity[number], identity) != 0) {
		witness->mismatches++;
	}
}

static struct outbox *current;
static int64_t held[HELD_MAX];
static size_t held_count;

static int on_send(void *context, const struct outbox_row *row)
{
	(void)context;
	char message[256] = "";
	if (held_count == HELD_MAX)
		return -1;
	memcpy(message, row->message, row->message_length < 255 ? row->message_length : 255);
	note_delivery(message);
	held[held_count++] = row->id;
	return 0;
}

/* Acknowledges in an order of its own, and now and then nothing. */
static void on_serve(void *context)
{
	(void)context;
	if (rand() % 4 == 0)
		return;
	while (held_count > 0)
		outbox_acknowledge(current, held[--held_count]);
}

static void on_durable(void *context, size_t rows)
{
	(void)context;
	witness->durable[witness->round] += (int64_t)rows;
}

static void child(enum outbox_durability durability)
{
	char path[512];
	int always_readable[2];
	struct error err = {0};
	(void)snprintf(path, sizeof(path), "%s/outbox.db", dir);
	(void)!pipe(always_readable);
	struct outbox_options options = {
		.path = path, .durability = durability, .max_rows = 1000000};
	struct outbox_events events = {.on_durable = on_durable};
	current = outbox_open(&options, &events, &err);
	if (current == NULL)
		_exit(3);
	struct outbox_drain drain = {.send = on_send, .serve = on_serve, .fd = always_readable[0]};
	if (outbox_start(current, &drain, &err) != 0)
		_exit(4);
	for (;;) { /* until killed */
		for (int i = 0; i < 20 && witness->next < NUMBERS_MAX - 1; i++)
			sink_append(current, witness->next++);
		(void)!write(always_readable[1], "", witness->next % 7 == 0 ? 1 : 0);
		sink_pause();
	}
}

static void kill_again_and_again(enum outbox_durability durability)
{
	dir = sink_make_dir();
	witness = mmap(NULL, sizeof(*witness), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	assert_ptr_not_equal(witness, MAP_FAILED);
	int64_t bases[ROUNDS];
	for (int round = 0; round < ROUNDS; round++) {
		witness->round = round;
		bases[round] = witness->next;
		pid_t pid = fork();
		if (pid == 0) {
			srand((unsigned)round);
			child(durability);
		}
		int64_t enough = rand() % DURABLE_AT_KILL_MAX;
		while (witness->durable[round] < enough)
			sink_pause();
		for (int i = rand() % 10; i > 0; i--)
			sink_pause();
		(void)kill(pid, SIGKILL);
		int status = 0;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	struct sink sink;
	sink_init(&sink, SINK_ACKNOWLEDGE);
	struct outbox *outbox = sink_open(&sink, dir, durability, 1000000);
	assert_true(sink_wait_empty(outbox, 120000));
	outbox_stop(outbox, 0);
	outbox_close(outbox);
	for (size_t i = 0; i < sink.count; i++)
		note_delivery(sink.rows[i].message);
	int64_t total = 0;
	for (int round = 0; round < ROUNDS; round++)
		for (int64_t i = 0; i < witness->durable[round]; i++, total++)
			if (!witness->is_noted[bases[round] + i])
				fail_msg("round %d: number %lld is lost", round,
					 (long long)(bases[round] + i));
	assert_int_equal(witness->mismatches, 0);
	assert_true(total > 100);
	sink_finish(&sink);
	(void)munmap(witness, sizeof(*witness));
	sink_remove_dir(dir);
}

static void what_is_durable_survives_kill_with_process(void **state)
{
	(void)state;
	kill_again_and_again(OUTBOX_DURABILITY_PROCESS);
}

static void what_is_durable_survives_kill_with_power(void **state)
{
	(void)state;
	kill_again_and_again(OUTBOX_DURABILITY_POWER);
}

static void a_file_held_by_another_process_is_rejected(void **state)
{
	(void)state;
	struct error err = {0};
	char path[512];
	int ready[2];
	char byte;
	dir = sink_make_dir();
	(void)snprintf(path, sizeof(path), "%s/outbox.db", dir);
	struct outbox_options options = {.path = path, .max_rows = 10};
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)outbox_open(&options, NULL, NULL);
		(void)!write(ready[1], "", 1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_null(outbox_open(&options, NULL, &err));
	assert_int_equal(err.kind, ERROR_REJECT);
	assert_non_null(strstr(err.message, "held by another process"));
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	struct outbox *outbox = outbox_open(&options, NULL, &err);
	assert_non_null(outbox);
	outbox_close(outbox);
	(void)close(ready[0]);
	(void)close(ready[1]);
	sink_remove_dir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_durable_survives_kill_with_process),
		cmocka_unit_test(what_is_durable_survives_kill_with_power),
		cmocka_unit_test(a_file_held_by_another_process_is_rejected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
