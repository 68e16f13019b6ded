/* Where the subscriber begins, what it commits, and how it waits. The receiver here is a store that remembers positions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kafka/subscriber.h"
#include "mock.h"

enum { MESSAGES_MAX = 20000, PARTITIONS = 3 };

struct receiver {
	struct subscriber *subscriber;
	_Atomic bool is_full;
	bool is_silent;            /* does not say where to begin */
	bool is_committing;        /* each message at once */
	int64_t start[PARTITIONS]; /* what the store says */
	_Atomic uint64_t generation;
	_Atomic int assignments;
	_Atomic int revocations;
	_Atomic int dones;
	_Atomic int64_t count;
	int64_t offsets[PARTITIONS][MESSAGES_MAX]; /* received, in order */
	_Atomic int64_t counts[PARTITIONS];
	char cluster_id[64];
	pthread_mutex_t lock;
};

static struct mock mock;
static struct receiver receiver;
static struct receiver other;

static bool on_message(void *context, struct message *message)
{
	struct receiver *to = context;
	if (to->is_full)
		return false;
	to->offsets[message->partition][to->counts[message->partition]++] = message->offset;
	to->count++;
	if (to->is_committing) {
		struct position position = {.topic_index = message->topic_index,
					    .partition = message->partition,
					    .next = message->offset + 1};
		(void)pthread_mutex_lock(&to->lock);
		subscriber_commit(to->subscriber, message->generation, &position, 1);
		(void)pthread_mutex_unlock(&to->lock);
	}
	message_destroy(message);
	return true;
}

static void begin(struct receiver *to)
{
	struct position positions[PARTITIONS];
	for (int i = 0; i < PARTITIONS; i++)
		positions[i] = (struct position){.partition = i, .next = to->start[i]};
	subscriber_begin(to->subscriber, to->generation, positions, PARTITIONS);
}

static void on_assigned(void *context, uint64_t generation, const char *cluster_id,
			const struct position *positions, size_t count)
{
	struct receiver *to = context;
	(void)snprintf(to->cluster_id, sizeof(to->cluster_id), "%s", cluster_id);
	to->generation = generation;
	to->assignments++;
	(void)pthread_mutex_lock(&to->lock); /* until subscriber_start() has returned */
	(void)pthread_mutex_unlock(&to->lock);
	if (!to->is_silent)
		begin(to);
}

static void on_revoked(void *context, uint64_t generation)
{
	struct receiver *to = context;
	to->revocations++;
}

static void on_done(void *context)
{
	struct receiver *to = context;
	to->dones++;
}

static void receiver_init(struct receiver *to)
{
	memset(to, 0, sizeof(*to));
	(void)pthread_mutex_init(&to->lock, NULL);
	to->is_committing = true;
	for (int i = 0; i < PARTITIONS; i++)
		to->start[i] = POSITION_NONE;
}

static int setup(void **state)
{
	/* the mock waits a session time-out, less a second, for each rebalance */
	static const struct kafka_property quick[] = {{"session.timeout.ms", "4500", "test"},
						      {"heartbeat.interval.ms", "200", "test"}};
	mock_start(&mock);
	mock.config.properties = quick;
	mock.config.property_count = sizeof(quick) / sizeof(quick[0]);
	mock_create_topic(&mock, "reports", PARTITIONS);
	rd_kafka_mock_coordinator_set(mock.cluster, "group", "group", 1);
	receiver_init(&receiver);
	receiver_init(&other);
	return 0;
}

static int teardown(void **state)
{
	mock_stop(&mock);
	return 0;
}

static void start_with(struct receiver *to, const char *topic, bool is_once)
{
	struct error err = {0};
	struct subscriber_options options = {.config = &mock.config,
					     .group = "group",
					     .topics = {topic},
					     .topic_count = 1,
					     .is_once = is_once};
	struct subscriber_events events = {.context = to,
					   .on_message = on_message,
					   .on_assigned = on_assigned,
					   .on_revoked = on_revoked,
					   .on_done = on_done};
	(void)pthread_mutex_lock(&to->lock);
	to->subscriber = subscriber_start(&options, &events, &err);
	(void)pthread_mutex_unlock(&to->lock);
	if (to->subscriber == NULL)
		fail_msg("subscriber_start: %s", err.message);
}

static void start(struct receiver *to)
{
	start_with(to, "reports", false);
}

static void stop(struct receiver *to)
{
	subscriber_pause(to->subscriber);
	subscriber_stop(to->subscriber, 5000);
	subscriber_destroy(to->subscriber);
	to->subscriber = NULL;
}

static void every_message_arrives_once_and_in_order(void **state)
{
	for (int i = 0; i < PARTITIONS; i++)
		mock_produce(&mock, "reports", i, "m", 1000);
	start(&receiver);
	MOCK_WAIT_FOR(receiver.count == PARTITIONS * 1000, (void)0);
	stop(&receiver);
	for (int i = 0; i < PARTITIONS; i++) {
		assert_int_equal(receiver.counts[i], 1000);
		for (int64_t j = 0; j < 1000; j++)
			assert_int_equal(receiver.offsets[i][j], j);
		assert_int_equal(mock_committed(&mock, "group", "reports", i), 1000);
	}
	assert_int_equal(receiver.assignments, 1);
	assert_int_equal(receiver.revocations, 1);
	assert_true(receiver.cluster_id[0] != '\0');
}

static void nothing_is_read_before_the_store_has_answered(void **state)
{
	receiver.is_silent = true;
	mock_produce(&mock, "reports", 0, "m", 10);
	start(&receiver);
	MOCK_WAIT_FOR(receiver.assignments == 1, (void)0);
	for (int i = 0; i < 500; i++)
		mock_pause();
	assert_int_equal(receiver.count, 0);
	subscriber_begin(receiver.subscriber, receiver.generation - 1, NULL,
			 0); /* of old: ignored */
	begin(&receiver);
	MOCK_WAIT_FOR(receiver.count == 10, (void)0);
	stop(&receiver);
}

/* First Kafka's position is made 600, then the store says something else. */
static void read_from(int64_t store, int64_t expected)
{
	mock_produce(&mock, "reports", 0, "m", 600);
	start(&receiver);
	MOCK_WAIT_FOR(receiver.count == 600, (void)0);
	stop(&receiver);
	assert_int_equal(mock_committed(&mock, "group", "reports", 0), 600);
	mock_produce(&mock, "reports", 0, "m", 10);
	receiver_init(&receiver);
	receiver.start[0] = store;
	start(&receiver);
	MOCK_WAIT_FOR(receiver.count == 610 - expected, (void)0);
	stop(&receiver);
	assert_int_equal(receiver.offsets[0][0], expected);
	assert_int_equal(mock_committed(&mock, "group", "reports", 0), 610);
}

static void a_store_that_was_put_back_gets_its_part_again(void **state)
{
	read_from(450, 450);
}

static void a_store_that_is_ahead_does_not_skip(void **state)
{
	read_from(605, 600);
}

static void a_new_store_gets_everything(void **state)
{
	read_from(POSITION_NONE, 0);
}

static void a_full_receiver_loses_nothing(void **state)
{
	mock_produce(&mock, "reports", 0, "m", 3000);
	start(&receiver);
	for (int round = 0; round < 30; round++) {
		receiver.is_full = true;
		for (int i = 0; i < 3; i++)
			mock_pause();
		receiver.is_full = false;
		subscriber_resume(receiver.subscriber);
	}
	MOCK_WAIT_FOR(receiver.count == 3000, (void)0);
	stop(&receiver);
	for (int64_t j = 0; j < 3000; j++)
		assert_int_equal(receiver.offsets[0][j], j);
}

static void a_receiver_that_is_full_for_long_is_waited_for_with_partitions_paused(void **state)
{
	for (int i = 0; i < PARTITIONS; i++)
		mock_produce(&mock, "reports", i, "m", 500);
	start(&receiver);
	MOCK_WAIT_FOR(receiver.count > 0, (void)0);
	for (int round = 0; round < 2; round++) {
		receiver.is_full = true;
		for (int i = 0; i < PARTITIONS; i++)
			mock_produce(&mock, "reports", i, "m", 500);
		for (int i = 0; i < 3000;
		     i++) /* longer than the subscriber waits before it pauses */
			mock_pause();
		receiver.is_full = false;
		subscriber_resume(receiver.subscriber);
		MOCK_WAIT_FOR(receiver.count == INT64_C(500) * PARTITIONS * (round + 2), (void)0);
	}
	stop(&receiver);
	for (int i = 0; i < PARTITIONS; i++)
		for (int64_t j = 0; j < 1500; j++)
			assert_int_equal(receiver.offsets[i][j], j);
}

static void what_was_not_stored_comes_again(void **state)
{
	receiver.is_committing = false;
	mock_produce(&mock, "reports", 0, "m", 100);
	start(&receiver);
	MOCK_WAIT_FOR(receiver.count == 100, (void)0);
	struct position position = {.partition = 0, .next = 40};
	subscriber_commit(receiver.subscriber, receiver.generation, &position, 1);
	subscriber_commit(receiver.subscriber, receiver.generation + 1,
			  &(struct position){.partition = 0, .next = 90},
			  1); /* another's: ignored */
	stop(&receiver);
	assert_int_equal(mock_committed(&mock, "group", "reports", 0), 40);
	other.start[0] = 40;
	start(&other);
	MOCK_WAIT_FOR(other.count == 60, (void)0);
	assert_int_equal(other.offsets[0][0], 40);
	stop(&other);
}

static void two_share_the_partitions_and_nothing_is_left_out(void **state)
{
	for (int i = 0; i < PARTITIONS; i++) {
		receiver.start[i] = 0;
		other.start[i] = 0;
	}
	start(&receiver);
	MOCK_WAIT_FOR(receiver.assignments == 1, (void)0);
	for (int i = 0; i < PARTITIONS; i++)
		mock_produce(&mock, "reports", i, "m", 500);
	start(&other);
	MOCK_WAIT_FOR(other.assignments >= 1 && receiver.revocations >= 1, (void)0);
	stop(&receiver);
	for (int i = 0; i < PARTITIONS; i++)
		mock_produce(&mock, "reports", i, "m", 500);
	bool has[PARTITIONS][1000] = {{false}};
	for (int i = 0; i < PARTITIONS; i++)
		MOCK_WAIT_FOR(mock_committed(&mock, "group", "reports", i) == 1000, (void)0);
	stop(&other);
	for (int i = 0; i < PARTITIONS; i++) {
		for (int64_t j = 0; j < receiver.counts[i]; j++)
			has[i][receiver.offsets[i][j]] = true;
		for (int64_t j = 0; j < other.counts[i]; j++)
			has[i][other.offsets[i][j]] = true;
		for (int j = 0; j < 1000; j++)
			assert_true(has[i][j]);
	}
}

static void once_ends_when_all_is_stored(void **state)
{
	for (int i = 0; i < PARTITIONS; i++)
		mock_produce(&mock, "reports", i, "m", 300 * i);
	start_with(&receiver, "reports", true);
	MOCK_WAIT_FOR(receiver.dones == 1, (void)0);
	assert_int_equal(receiver.count, 900);
	stop(&receiver);
	assert_int_equal(receiver.dones, 1);
}

static void once_waits_for_what_is_not_stored(void **state)
{
	receiver.is_committing = false;
	mock_produce(&mock, "reports", 1, "m", 5);
	start_with(&receiver, "reports", true);
	MOCK_WAIT_FOR(receiver.count == 5, (void)0);
	for (int i = 0; i < 600; i++)
		mock_pause();
	assert_int_equal(receiver.dones, 0);
	subscriber_commit(receiver.subscriber, receiver.generation,
			  &(struct position){.partition = 1, .next = 5}, 1);
	MOCK_WAIT_FOR(receiver.dones == 1, (void)0);
	stop(&receiver);
}

static void once_ends_on_empty_topics(void **state)
{
	start_with(&receiver, "reports", true);
	MOCK_WAIT_FOR(receiver.dones == 1, (void)0);
	stop(&receiver);
}

static void a_failed_commit_is_made_good(void **state)
{
	rd_kafka_mock_push_request_errors(mock.cluster, MOCK_OFFSET_COMMIT, 2,
					  RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
					  RD_KAFKA_RESP_ERR_UNKNOWN);
	mock_produce(&mock, "reports", 0, "m", 50);
	start(&receiver);
	MOCK_WAIT_FOR(mock_committed(&mock, "group", "reports", 0) == 50, (void)0);
	stop(&receiver);
}

static void stop_keeps_its_deadline_with_the_broker_away(void **state)
{
	mock_produce(&mock, "reports", 0, "m", 50);
	start(&receiver);
	MOCK_WAIT_FOR(receiver.count == 50, (void)0);
	rd_kafka_mock_broker_set_down(mock.cluster, 1);
	mono_us before = clock_mono_us();
	subscriber_pause(receiver.subscriber);
	subscriber_stop(receiver.subscriber, 1000);
	assert_true(clock_mono_us() - before < INT64_C(4) * CLOCK_US_PER_S);
	subscriber_destroy(receiver.subscriber);
	receiver.subscriber = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_message_arrives_once_and_in_order, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nothing_is_read_before_the_store_has_answered,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_that_was_put_back_gets_its_part_again,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_that_is_ahead_does_not_skip, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_new_store_gets_everything, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_receiver_loses_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_receiver_that_is_full_for_long_is_waited_for_with_partitions_paused,
			setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_not_stored_comes_again, setup, teardown),
		cmocka_unit_test_setup_teardown(two_share_the_partitions_and_nothing_is_left_out,
						setup, teardown),
		cmocka_unit_test_setup_teardown(once_ends_when_all_is_stored, setup, teardown),
		cmocka_unit_test_setup_teardown(once_waits_for_what_is_not_stored, setup, teardown),
		cmocka_unit_test_setup_teardown(once_ends_on_empty_topics, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failed_commit_is_made_good, setup, teardown),
		cmocka_unit_test_setup_teardown(stop_keeps_its_deadline_with_the_broker_away, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
