/* Where a subscriber begins: at the smaller of the store's position and Kafka's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "receiver.h"

static void every_message_arrives_once_and_in_order(void **state)
{
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

/* First Kafka's position is made 600, then the store says something else. */
static void read_from(int64_t store, int64_t expected)
{
	mock_produce(&receiver_mock, "reports", 0, "m", 600);
	receiver_start(&receiver, "reports", false);
	MOCK_WAIT_FOR(receiver.count == 600, (void)0);
	receiver_stop(&receiver);
	assert_int_equal(mock_committed(&receiver_mock, "group", "reports", 0), 600);
	mock_produce(&receiver_mock, "reports", 0, "m", 10);
	receiver_init(&receiver);
	receiver.start[0] = store;
	receiver_start(&receiver, "reports", false);
	MOCK_WAIT_FOR(receiver.count == 610 - expected, (void)0);
	receiver_stop(&receiver);
	assert_int_equal(receiver.offsets[0][0], expected);
	assert_int_equal(mock_committed(&receiver_mock, "group", "reports", 0), 610);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_message_arrives_once_and_in_order,
						receiver_setup, receiver_teardown),
		cmocka_unit_test_setup_teardown(nothing_is_read_before_the_store_has_answered,
						receiver_setup, receiver_teardown),
		cmocka_unit_test_setup_teardown(a_store_that_was_put_back_gets_its_part_again,
						receiver_setup, receiver_teardown),
		cmocka_unit_test_setup_teardown(a_store_that_is_ahead_does_not_skip, receiver_setup,
						receiver_teardown),
		cmocka_unit_test_setup_teardown(a_new_store_gets_everything, receiver_setup,
						receiver_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
