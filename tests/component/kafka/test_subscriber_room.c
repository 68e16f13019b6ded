/* A receiver without room is waited for, shortly or for long, and misses nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "receiver.h"

static void a_full_receiver_loses_nothing(void **state)
{
	(void)state;
	mock_produce(&receiver_mock, "reports", 0, "m", 3000);
	receiver_start(&receiver, "reports", false);
	for (int round = 0; round < 30; round++) {
		receiver.is_full = true;
		for (int i = 0; i < 3; i++)
			mock_pause();
		receiver.is_full = false;
		subscriber_resume(receiver.subscriber);
	}
	MOCK_WAIT_FOR(receiver.count == 3000, (void)0);
	receiver_stop(&receiver);
	for (int64_t j = 0; j < 3000; j++)
		assert_int_equal(receiver.offsets[0][j], j);
}

static void a_receiver_that_is_full_for_long_is_waited_for_with_partitions_paused(void **state)
{
	(void)state;
	for (int i = 0; i < RECEIVER_PARTITIONS; i++)
		mock_produce(&receiver_mock, "reports", i, "m", 500);
	receiver_start(&receiver, "reports", false);
	MOCK_WAIT_FOR(receiver.count > 0, (void)0);
	for (int round = 0; round < 2; round++) {
		receiver.is_full = true;
		for (int i = 0; i < RECEIVER_PARTITIONS; i++)
			mock_produce(&receiver_mock, "reports", i, "m", 500);
		for (int i = 0; i < 3000;
		     i++) /* longer than the subscriber waits before it pauses */
			mock_pause();
		receiver.is_full = false;
		subscriber_resume(receiver.subscriber);
		MOCK_WAIT_FOR(receiver.count == INT64_C(500) * RECEIVER_PARTITIONS * (round + 2),
			      (void)0);
	}
	receiver_stop(&receiver);
	for (int i = 0; i < RECEIVER_PARTITIONS; i++)
		for (int64_t j = 0; j < 1500; j++)
			assert_int_equal(receiver.offsets[i][j], j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_full_receiver_loses_nothing, receiver_setup,
						receiver_teardown),
		cmocka_unit_test_setup_teardown(
			a_receiver_that_is_full_for_long_is_waited_for_with_partitions_paused,
			receiver_setup, receiver_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
