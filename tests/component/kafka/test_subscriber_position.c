/* Where a subscriber begins: at the smaller of the store's position and Kafka's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "receiver.h"

static void every_message_arrives_once_and_in_order(void **state)
{
	(void)state;
	for (int i = 0; i < RECEIVER_PARTITIONS; i++)
		mock_produce(&receiver_mock, "reports", i, "m", 1000);
	receiver_start(&receiver, "reports", false);
	MOCK_WAIT_FOR(receiver.count == RECEIVER_PARTITIONS * 1000, (void)0);
	receiver_stop(&receiver);
	for (int i = 0; i < RECEIVER_PARTITIONS; i++) {
		assert_int_equal(receiver.counts[i], 1000);
		for (int64_t j = 0; j < 1000; j++)
			assert_int_equal(receiver.offsets[i][j], j);
		assert_int_equal(mock_committed(&receiver_mock, "group", "reports", i), 1000);
	}
	assert_int_equal(receiver.assignments, 1);
	assert_int_equal(receiver.revocations, 1);
	assert_true(receiver.cluster_id[0] != '\0');
}

static void nothing_is_read_before_the_store_has_answered(void **state)
{
	(void)state;
	receiver.is_silent = true;
	mock_produce(&receiver_mock, "reports", 0, "m", 10);
	receiver_start(&receiver, "reports", false);
	MOCK_WAIT_FOR(receiver.assignments == 1, (void)0);
	for (int i = 0; i < 500; i++)
		mock_pause();
	assert_int_equal(receiver.count, 0);
	subscriber_begin(receiver.subscriber, receiver.generation - 1, NULL,
			 0); /* of old: ignored */
	receiver_begin(&receiver);
	MOCK_WAIT_FOR(receiver.count == 10, (void)0);
	receiver_stop(&receiver);
}

/* The same topic, three partitions, each with 610 messages and Kafka's position at 600, and a store that differs. */
static void a_partition_begins_at_the_smaller_position(void **state)
{
	(void)state;
	static const struct {
		const char *label;
		int64_t store;
		int64_t first;
	} partitions[RECEIVER_PARTITIONS] = {
		{"a store that was put back gets its part again", 450, 450},
		{"a store that is ahead does not skip", 605, 600},
		{"a new store gets everything", POSITION_NONE, 0},
	};
	int64_t expected = 0;
	for (int i = 0; i < RECEIVER_PARTITIONS; i++) {
		mock_produce(&receiver_mock, "reports", i, "m", 610);
		mock_commit(&receiver_mock, "group", "reports", i, 600);
		receiver.start[i] = partitions[i].store;
		expected += 610 - partitions[i].first;
	}
	receiver_start(&receiver, "reports", false);
	MOCK_WAIT_FOR(receiver.count == expected, (void)0);
	receiver_stop(&receiver);
	for (int i = 0; i < RECEIVER_PARTITIONS; i++) {
		if (receiver.offsets[i][0] != partitions[i].first)
			fail_msg("%s: began at %lld", partitions[i].label,
				 (long long)receiver.offsets[i][0]);
		assert_int_equal(mock_committed(&receiver_mock, "group", "reports", i), 610);
	}
}

/* A group without offsets: they were lost, or the topic was made again under its old name. */
static void a_position_that_kafka_lacks_counts_as_the_smallest(void **state)
{
	(void)state;
	mock_produce(&receiver_mock, "reports", 0, "m", 20);
	receiver.start[0] = 15;
	receiver_start(&receiver, "reports", false);
	MOCK_WAIT_FOR(receiver.count == 20, (void)0);
	receiver_stop(&receiver);
	assert_int_equal(receiver.offsets[0][0], 0);
}

/* Kafka's position follows the store's back: --once must not take what is to be read again for done. */
static void once_reads_again_what_the_store_lost(void **state)
{
	(void)state;
	mock_produce(&receiver_mock, "reports", 0, "m", 20);
	mock_commit(&receiver_mock, "group", "reports", 0, 20);
	receiver.start[0] = 5;
	receiver_start(&receiver, "reports", true);
	MOCK_WAIT_FOR(receiver.dones == 1, (void)0);
	receiver_stop(&receiver);
	assert_int_equal(receiver.count, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_message_arrives_once_and_in_order,
						receiver_setup, receiver_teardown),
		cmocka_unit_test_setup_teardown(nothing_is_read_before_the_store_has_answered,
						receiver_setup, receiver_teardown),
		cmocka_unit_test_setup_teardown(a_partition_begins_at_the_smaller_position,
						receiver_setup, receiver_teardown),
		cmocka_unit_test_setup_teardown(a_position_that_kafka_lacks_counts_as_the_smallest,
						receiver_setup, receiver_teardown),
		cmocka_unit_test_setup_teardown(once_reads_again_what_the_store_lost,
						receiver_setup, receiver_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
