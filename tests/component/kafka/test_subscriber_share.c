/* Members of a group come and go, and every message is read by one of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "receiver.h"

static void two_share_the_partitions_and_nothing_is_left_out(void **state)
{
	(void)state;
	for (int i = 0; i < RECEIVER_PARTITIONS; i++) {
		receiver.start[i] = 0;
		other.start[i] = 0;
	}
	receiver_start(&receiver, "reports", false);
	MOCK_WAIT_FOR(receiver.assignments == 1, (void)0);
	for (int i = 0; i < RECEIVER_PARTITIONS; i++)
		mock_produce(&receiver_mock, "reports", i, "m", 500);
	receiver_start(&other, "reports", false);
	MOCK_WAIT_FOR(other.assignments >= 1 && receiver.revocations >= 1, (void)0);
	receiver_stop(&receiver);
	for (int i = 0; i < RECEIVER_PARTITIONS; i++)
		mock_produce(&receiver_mock, "reports", i, "m", 500);
	bool has[RECEIVER_PARTITIONS][1000] = {{false}};
	for (int i = 0; i < RECEIVER_PARTITIONS; i++)
		MOCK_WAIT_FOR(mock_committed(&receiver_mock, "group", "reports", i) == 1000,
			      (void)0);
	receiver_stop(&other);
	for (int i = 0; i < RECEIVER_PARTITIONS; i++) {
		for (int64_t j = 0; j < receiver.counts[i]; j++)
			has[i][receiver.offsets[i][j]] = true;
		for (int64_t j = 0; j < other.counts[i]; j++)
			has[i][other.offsets[i][j]] = true;
		for (int j = 0; j < 1000; j++)
			assert_true(has[i][j]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_share_the_partitions_and_nothing_is_left_out,
						receiver_setup, receiver_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
