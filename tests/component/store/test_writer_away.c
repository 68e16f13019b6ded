/* The writer when its store is away: a pretend store that fails as long as the test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/figures.h"
#include "base/memory.h"
#include "decode.h"
#include "events.h"
#include "rows.h"
#include "store/store_driver.h"

struct pretend {
	struct store store;
	atomic_bool is_away;
	atomic_bool is_full; /* it answers, and takes no batch */
	atomic_bool hangs;   /* until it is interrupted */
	atomic_bool is_interrupted;
	atomic_int attempts;
	atomic_int rows; /* written */
	int64_t last_seqs[64];
	atomic_int last_count;
	atomic_int expected_duplicates;
	atomic_int late_steps;       /* that the next batch asks for */
	atomic_int stale_steps;      /* left */
	atomic_int steps;            /* taken */
	atomic_bool fails_at_strips; /* and at nothing else */
};

static struct pretend *pretend;
static struct events events;
static struct writer *writer;
static struct figures figures;
static const char *const topics[] = {"up"};

static int be_away(struct error *err)
{
	error_set(err, ERROR_RETRY, "pretended to be away");
	return -1;
}

static void pretend_close(struct store *store)
{
	free(store);
}

static void pretend_interrupt(struct store *store)
{
	atomic_store(&((struct pretend *)store)->is_interrupted, true);
}

static int pretend_migrate(struct store *store, bool is_allowed, struct error *err)
{
	(void)is_allowed;
	return atomic_load(&((struct pretend *)store)->is_away) ? be_away(err) : 0;
}

static int pretend_write(struct store *store, const struct store_batch *batch,
			 struct store_written *ret_written, struct error *err)
{
	struct pretend *to = (struct pretend *)store;
	size_t count = batch->row_count < 64 ? batch->row_count : 64;
	for (size_t i = 0; i < count; i++)
		to->last_seqs[i] = batch->rows[i].seq.value;
	atomic_store(&to->last_count, (int)count);
	(void)atomic_fetch_add(&to->attempts, 1);
	while (atomic_load(&to->hangs) && !atomic_load(&to->is_interrupted))
		if (store->meanwhile.run == NULL || !store->meanwhile.run(store->meanwhile.context))
			(void)usleep(1000);
	if (atomic_load(&to->is_away) || atomic_load(&to->is_full) ||
	    atomic_load(&to->is_interrupted))
		return be_away(err);
	(void)atomic_fetch_add(&to->rows, (int)batch->row_count);
	*ret_written = (struct store_written){.inserted = batch->row_count,
					      .quarantined = batch->bad_count,
					      .late_sites = (size_t)atomic_load(&to->late_steps)};
	(void)atomic_fetch_add(&to->stale_steps, atomic_exchange(&to->late_steps, 0));
	return 0;
}

static int pretend_refresh_strips(struct store *store, bool *ret_is_done, struct error *err)
{
	struct pretend *to = (struct pretend *)store;
	if (atomic_load(&to->is_away))
		return be_away(err);
	if (atomic_load(&to->fails_at_strips)) {
		(void)atomic_fetch_add(&to->steps, 1);
		error_set(err, ERROR_FATAL, "pretended to be damaged");
		return -1;
	}
	if (atomic_load(&to->stale_steps) > 0) {
		(void)atomic_fetch_sub(&to->stale_steps, 1);
		(void)atomic_fetch_add(&to->steps, 1);
	}
	*ret_is_done = atomic_load(&to->stale_steps) == 0;
	return 0;
}

static void pretend_expect_duplicates(struct store *store)
{
	(void)atomic_fetch_add(&((struct pretend *)store)->expected_duplicates, 1);
}

static int pretend_read_positions(struct store *store, const char *cluster_id,
				  struct store_position *positions, size_t count, struct error *err)
{
	(void)cluster_id;
	if (atomic_load(&((struct pretend *)store)->is_away))
		return be_away(err);
	for (size_t i = 0; i < count; i++)
		positions[i].next = 77;
	return 0;
}

static atomic_int decoded;

static int count_and_decode(const char *bytes, size_t length, struct report_row *ret_row,
			    const char **ret_reason, char *ret_detail, size_t detail_size)
{
	int status = decode_line(bytes, length, ret_row, ret_reason, ret_detail, detail_size);
	(void)atomic_fetch_add(&decoded, 1);
	return status;
}

static const struct store_driver pretend_driver = {
	.close = pretend_close,
	.interrupt = pretend_interrupt,
	.migrate = pretend_migrate,
	.write = pretend_write,
	.expect_duplicates = pretend_expect_duplicates,
	.refresh_strips = pretend_refresh_strips,
	.read_positions = pretend_read_positions,
	.claim_positions = pretend_read_positions,
};

static void start(size_t max_waiting, const struct uuid *producer_id)
{
	struct error err;
	struct writer_options options = {
		.store = &pretend->store,
		.may_migrate = true,
		.topics = topics,
		.topic_count = 1,
		.producer_id = producer_id,
		.max_waiting = max_waiting,
		.decode = count_and_decode,
		.figures = &figures,
	};
	struct writer_events callbacks = events_of(&events);
	writer = writer_start(&options, &callbacks, &err);
	assert_non_null(writer);
}

static int setup(void **state)
{
	(void)state;
	pretend = xcalloc(1, sizeof(*pretend));
	pretend->store.driver = &pretend_driver;
	memset(&events, 0, sizeof(events));
	memset(&figures, 0, sizeof(figures));
	atomic_store(&decoded, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (writer != NULL) {
		(void)writer_stop(writer, 0);
		writer_destroy(writer);
	}
	writer = NULL;
	return 0;
}

static void go_away(bool is_away)
{
	atomic_store(&pretend->is_away, is_away);
}

static void it_waits_for_the_store_at_the_start(void **state)
{
	(void)state;
	go_away(true);
	start(10, NULL);
	assert_true(events_post(writer, "a 1", 1, 0, 0));
	go_away(false);
	assert_true(events_wait(&events.ready, 1));
	assert_true(events_wait(&events.committed, 1));
}

static void the_same_batch_is_written_again(void **state)
{
	(void)state;
	struct uuid producer_id = rows_producer(5);
	start(100, &producer_id);
	assert_true(events_wait(&events.ready, 1));
	go_away(true);
	for (int i = 0; i < 3; i++)
		assert_true(events_post(writer, "{\"site\":\"a\",\"at\":1}", 0, -1, 0));
	assert_true(events_wait(&pretend->attempts, 1));
	for (int i = 0; i < 2; i++) /* these come into the next batch */
		assert_true(events_post(writer, "{\"site\":\"a\",\"at\":1}", 0, -1, 0));
	assert_true(events_wait(&pretend->attempts, 3));
	go_away(false);
	assert_true(events_wait(&events.inserted, 5));
	/* Whatever the batches were, each seq came once and in order. */
	assert_int_equal(pretend->last_seqs[pretend->last_count - 1], 4);
	assert_int_equal(atomic_load(&pretend->rows), 5);
}

static void it_refuses_when_too_much_waits_and_says_when_there_is_room(void **state)
{
	(void)state;
	start(50, NULL);
	assert_true(events_wait(&events.ready, 1));
	go_away(true);
	int taken = 0;
	while (events_post(writer, "a 1", 1, 0, taken))
		taken++;
	assert_int_equal(taken, 50);
	assert_false(writer_has_room(writer));
	assert_true(events_wait(&pretend->attempts, 2)); /* a batch being tried frees no room */
	assert_false(events_post(writer, "a 1", 1, 0, taken));
	assert_int_equal(atomic_load(&events.room), 0);
	go_away(false);
	assert_true(events_wait(&events.room, 1));
	assert_true(writer_has_room(writer));
	assert_true(events_wait(&events.inserted, 50));
}

/* Of 50, one place is room, and only the fifth is room again. */
static void room_again_is_a_tenth(void **state)
{
	(void)state;
	int taken = 0;
	start(50, NULL);
	assert_true(events_wait(&events.ready, 1));
	go_away(true);
	assert_true(writer_has_room_again(writer));
	while (events_post(writer, "a 1", taken < 3 ? 1 : 2, 0, taken))
		taken++;
	assert_int_equal(taken, 50);
	assert_false(writer_has_room_again(writer));
	writer_revoke(writer, 1);
	assert_true(events_wait(&events.room, 1));
	assert_true(writer_has_room(writer));
	assert_false(writer_has_room_again(writer));
	go_away(false);
	assert_true(events_wait(&events.inserted, 47));
	assert_true(events_wait(&events.committed, 1));
	assert_true(writer_has_room_again(writer));
}

static void revoked_messages_are_not_written(void **state)
{
	(void)state;
	start(100, NULL);
	assert_true(events_wait(&events.ready, 1));
	go_away(true);
	assert_true(events_post(writer, "a 1", 1, 0, 0));
	assert_true(events_wait(&pretend->attempts, 1));
	assert_true(events_post(writer, "a 2", 1, 0, 1));
	writer_revoke(writer, 1);
	assert_true(events_post(writer, "b 3", 2, 0, 0));
	/* The store stays away until the writer has gone on to the new one: an attempt that had begun may still be the old one's. */
	int attempts = atomic_load(&pretend->attempts);
	assert_true(events_wait(&pretend->attempts, attempts + 2));
	go_away(false);
	assert_true(events_wait(&events.committed, 1));
	assert_int_equal(atomic_load(&events.generation), 2);
	assert_int_equal(atomic_load(&events.inserted), 1);
	assert_int_equal(atomic_load(&pretend->rows), 1);
	assert_int_equal(writer_stop(writer, 60000), 0);
}

/* The first message is being written, and these come meanwhile. */
static void post_meanwhile(const struct uuid *producer_id, int count)
{
	start(100, producer_id);
	assert_true(events_wait(&events.ready, 1));
	atomic_store(&pretend->hangs, true);
	for (int i = 0; i <= count; i++) {
		assert_true(events_post(
			writer, producer_id == NULL ? "a 1" : "{\"site\":\"a\",\"at\":1}",
			producer_id == NULL ? 1 : 0, producer_id == NULL ? 0 : -1, i));
		assert_true(events_wait(&pretend->attempts, 1));
	}
	assert_true(events_wait(&decoded, count + 1));
	assert_int_equal(atomic_load(&pretend->attempts), 1);
	assert_int_equal(atomic_load(&events.committed), 0);
}

static void the_next_batch_is_read_while_one_is_written(void **state)
{
	(void)state;
	struct uuid producer_id = rows_producer(5);
	post_meanwhile(&producer_id, 20);
	atomic_store(&pretend->hangs, false);
	assert_true(events_wait(&events.inserted, 21));
	assert_int_equal(atomic_load(&pretend->attempts), 2);
	assert_int_equal(pretend->last_count, 20);
	for (int i = 0; i < 20; i++)
		assert_int_equal(pretend->last_seqs[i], i + 1);
}

static void a_batch_that_failed_is_repeated_before_the_next_one(void **state)
{
	(void)state;
	struct uuid producer_id = rows_producer(5);
	post_meanwhile(&producer_id, 20);
	go_away(true);
	atomic_store(&pretend->hangs, false);
	assert_true(events_wait(&pretend->attempts, 2));
	assert_true(events_post(writer, "{\"site\":\"a\",\"at\":1}", 0, -1, 0));
	assert_true(events_wait(&pretend->attempts, 3));
	assert_int_equal(pretend->last_count, 1); /* the same, and nothing came to it */
	go_away(false);
	assert_true(events_wait(&events.inserted, 22));
	assert_int_equal(pretend->last_seqs[pretend->last_count - 1], 21);
	assert_int_equal(atomic_load(&pretend->rows), 22);
}

static void a_revoke_drops_both_batches(void **state)
{
	(void)state;
	post_meanwhile(NULL, 5);
	writer_revoke(writer, 1);
	assert_true(events_post(writer, "b 3", 2, 0, 0));
	go_away(true); /* else the first of them may be stored still */
	atomic_store(&pretend->hangs, false);
	assert_true(events_wait(&pretend->attempts, 2));
	go_away(false);
	assert_true(events_wait(&events.committed, 1));
	assert_int_equal(atomic_load(&events.generation), 2);
	assert_int_equal(atomic_load(&pretend->rows), 1);
	assert_int_equal(writer_stop(writer, 60000), 0);
}

static void a_stop_writes_the_next_batch_too(void **state)
{
	(void)state;
	post_meanwhile(NULL, 5);
	atomic_store(&pretend->hangs, false);
	assert_int_equal(writer_stop(writer, 60000), 0);
	assert_int_equal(atomic_load(&pretend->rows), 6);
}

/* What the process before left, and what a batch leaves, while nothing else comes. */
static void stale_strips_are_made_anew(void **state)
{
	(void)state;
	atomic_store(&pretend->stale_steps, 3);
	start(100, NULL);
	assert_true(events_wait(&pretend->steps, 3));
	atomic_store(&pretend->late_steps, 2);
	assert_true(events_post(writer, "a 1", 1, 0, 0));
	assert_true(events_wait(&pretend->steps, 5));
}

static void stale_strips_wait_for_the_store(void **state)
{
	(void)state;
	start(100, NULL);
	assert_true(events_wait(&events.ready, 1));
	atomic_store(&pretend->late_steps, 2);
	assert_true(events_post(writer, "a 1", 1, 0, 0));
	assert_true(events_wait(&events.committed, 1));
	go_away(true);
	assert_true(events_post(writer, "a 2", 1, 0, 1));
	assert_true(events_wait(&pretend->attempts, 2));
	go_away(false);
	assert_true(events_wait(&events.committed, 2));
	assert_true(events_wait(&pretend->steps, 2));
}

static bool is_said_to_be_away(void)
{
	return readiness_is_there(&figures.readiness, OBSTACLE_STORE_AWAY, NULL);
}

/* A full disk, say: to look for stale strips writes nothing, and would be taken for a store that is back. */
static void a_look_at_strips_does_not_hide_that_batches_fail(void **state)
{
	(void)state;
	enum { MANY = 1000000 }; /* a step is due all the time */
	start(100, NULL);
	assert_true(events_wait(&events.ready, 1));
	atomic_store(&pretend->late_steps, MANY);
	assert_true(events_post(writer, "a 1", 1, 0, 0));
	assert_true(events_wait(&pretend->steps, 1));
	atomic_store(&pretend->is_full, true);
	assert_true(events_post(writer, "a 2", 1, 0, 1));
	assert_true(events_wait(&pretend->attempts, 3)); /* the second time is over */
	int steps = atomic_load(&pretend->steps);
	assert_true(events_wait(&pretend->attempts, 4));
	assert_int_equal(atomic_load(&pretend->steps), steps);
	assert_true(is_said_to_be_away());
	atomic_store(&pretend->is_full, false);
	assert_true(events_wait(&events.committed, 2));
	assert_true(events_wait(&pretend->steps, steps + 1));
	assert_false(is_said_to_be_away());
}

/* An index of an old day is damaged, say. */
static void strips_that_fail_hold_nothing_up(void **state)
{
	(void)state;
	atomic_store(&pretend->fails_at_strips, true);
	start(100, NULL);
	assert_true(events_wait(&pretend->steps, 1));
	for (int i = 1; i <= 3; i++) {
		atomic_store(&pretend->late_steps, 1);
		assert_true(events_post(writer, "a 1", 1, 0, i));
		assert_true(events_wait(&events.committed, i));
		assert_true(events_wait(&pretend->steps, i + 1)); /* not again for each batch */
		assert_false(is_said_to_be_away());
	}
	assert_int_equal(atomic_load(&pretend->attempts), 3);
	assert_int_equal(atomic_load(&pretend->steps), 4);
}

/* Nothing comes that would tell. */
static void a_store_that_is_back_is_noticed_without_a_message(void **state)
{
	(void)state;
	atomic_store(&pretend->stale_steps, 1000000);
	start(100, NULL);
	assert_true(events_wait(&pretend->steps, 1));
	go_away(true);
	for (int i = 0; i < 1000 && !is_said_to_be_away(); i++)
		(void)usleep(10000);
	assert_true(is_said_to_be_away());
	int steps = atomic_load(&pretend->steps);
	atomic_store(&pretend->stale_steps, 1);
	go_away(false);
	assert_true(events_wait(&pretend->steps, steps + 1));
	for (int i = 0; i < 1000 && is_said_to_be_away(); i++)
		(void)usleep(10000);
	assert_false(is_said_to_be_away());
	assert_int_equal(atomic_load(&pretend->attempts), 0);
}

/* A stop takes the steps that are known to be left, for nobody else may take them soon. */
static void a_stop_leaves_no_strip_stale(void **state)
{
	(void)state;
	start(100, NULL);
	assert_true(events_wait(&events.ready, 1));
	atomic_store(&pretend->hangs, true);
	atomic_store(&pretend->late_steps, 2);
	assert_true(events_post(writer, "a 1", 1, 0, 0));
	assert_true(events_wait(&pretend->attempts, 1));
	atomic_store(&pretend->hangs, false);
	assert_int_equal(writer_stop(writer, 60000), 0);
	assert_int_equal(atomic_load(&pretend->steps), 2);
}

static void large_messages_are_refused_by_their_bytes(void **state)
{
	(void)state;
	enum { LARGE = 1024 * 1024 };
	char *large = xmalloc(LARGE + 1);
	memset(large, 'x', LARGE);
	large[LARGE] = '\0';
	start(10000, NULL);
	assert_true(events_wait(&events.ready, 1));
	go_away(true);
	int taken = 0;
	while (events_post(writer, large, 1, 0, taken))
		taken++;
	assert_int_equal(taken, WRITER_WAITING_BYTES / LARGE);
	assert_false(events_post(writer, "a 1", 1, 0, taken));
	go_away(false);
	assert_true(events_wait(&events.room, 1));
	assert_true(events_post(writer, "a 1", 1, 0, taken));
	assert_int_equal(writer_stop(writer, 60000), 0);
	assert_int_equal(atomic_load(&pretend->rows), 1);
	free(large);
}

static void a_question_waits_for_the_store(void **state)
{
	(void)state;
	const struct position asked = {.topic_index = 0};
	start(100, NULL);
	assert_true(events_wait(&events.ready, 1));
	go_away(true);
	writer_ask_positions(writer, 1, "cluster", &asked, 1);
	writer_ask_positions(writer, 2, "cluster", &asked, 1); /* replaces the first */
	(void)usleep(50000);
	assert_int_equal(atomic_load(&events.positions), 0);
	go_away(false);
	assert_true(events_wait(&events.positions, 1));
	assert_int_equal(atomic_load(&events.answered), 77);
	assert_int_equal(atomic_load(&pretend->expected_duplicates), 1);
}

static void a_stop_ends_at_its_deadline(void **state)
{
	(void)state;
	start(100, NULL);
	assert_true(events_wait(&events.ready, 1));
	go_away(true);
	for (int i = 0; i < 7; i++)
		assert_true(events_post(writer, "a 1", 1, 0, i));
	mono_us before = clock_mono_us();
	assert_int_equal(writer_stop(writer, 300), 7);
	assert_true(clock_mono_us() - before < 20 * CLOCK_US_PER_S);
}

static void a_stop_interrupts_a_store_that_hangs(void **state)
{
	(void)state;
	start(100, NULL);
	assert_true(events_wait(&events.ready, 1));
	atomic_store(&pretend->hangs, true);
	assert_true(events_post(writer, "a 1", 1, 0, 0));
	assert_true(events_wait(&pretend->attempts, 1));
	assert_int_equal(writer_stop(writer, 100), 1);
	assert_true(atomic_load(&pretend->is_interrupted));
}

static void a_stop_before_the_store_was_there_ends_too(void **state)
{
	(void)state;
	go_away(true);
	start(100, NULL);
	assert_true(events_post(writer, "a 1", 1, 0, 0));
	assert_int_equal(writer_stop(writer, 1000), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(it_waits_for_the_store_at_the_start),
		CASE(the_same_batch_is_written_again),
		CASE(it_refuses_when_too_much_waits_and_says_when_there_is_room),
		CASE(room_again_is_a_tenth),
		CASE(revoked_messages_are_not_written),
		CASE(the_next_batch_is_read_while_one_is_written),
		CASE(a_batch_that_failed_is_repeated_before_the_next_one),
		CASE(a_revoke_drops_both_batches),
		CASE(a_stop_writes_the_next_batch_too),
		CASE(stale_strips_are_made_anew),
		CASE(stale_strips_wait_for_the_store),
		CASE(a_look_at_strips_does_not_hide_that_batches_fail),
		CASE(strips_that_fail_hold_nothing_up),
		CASE(a_store_that_is_back_is_noticed_without_a_message),
		CASE(a_stop_leaves_no_strip_stale),
		CASE(large_messages_are_refused_by_their_bytes),
		CASE(a_question_waits_for_the_store),
		CASE(a_stop_ends_at_its_deadline),
		CASE(a_stop_interrupts_a_store_that_hangs),
		CASE(a_stop_before_the_store_was_there_ends_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
