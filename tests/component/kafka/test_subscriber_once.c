/* --once ends when the group has stored what was there at its start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "receiver.h"

static void once_ends_when_all_is_stored(void **state)
{
	(void)state;
	for (int i = 0; i < RECEIVER_PARTITIONS; i++)
		mock_produce(&receiver_mock, "reports", i, "m", 300 * i);
	receiver_start(&receiver, "reports", true);
	MOCK_WAIT_FOR(receiver.dones == 1, (void)0);
	assert_int_equal(receiver.count, 900);
	receiver_stop(&receiver);
	assert_int_equal(receiver.dones, 1);
}

static void once_waits_for_what_is_not_stored(void **state)
{
	(void)state;
	receiver.is_committing = false;
	mock_produce(&receiver_mock, "reports", 1, "m", 5);
	receiver_start(&receiver, "reports", true);
	MOCK_WAIT_FOR(receiver.count == 5, (void)0);
	for (int i = 0; i < 600; i++)
		mock_pause();
	assert_int_equal(receiver.dones, 0);
	subscriber_commit(receiver.subscriber, receiver.generation,
			  &(struct position){.partition = 1, .next = 5}, 1);
	MOCK_WAIT_FOR(receiver.dones == 1, (void)0);
	receiver_stop(&receiver);
}

static void once_ends_on_empty_topics(void **state)
{
	(void)state;
	receiver_start(&receiver, "reports", true);
	MOCK_WAIT_FOR(receiver.dones == 1, (void)0);
	receiver_stop(&receiver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(once_ends_when_all_is_stored, receiver_setup,
						receiver_teardown),
		cmocka_unit_test_setup_teardown(once_waits_for_what_is_not_stored, receiver_setup,
						receiver_teardown),
		cmocka_unit_test_setup_teardown(once_ends_on_empty_topics, receiver_setup,
						receiver_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
