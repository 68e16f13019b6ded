/* What a subscriber commits to Kafka, and what it leaves for the next one. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "receiver.h"

static void what_was_not_stored_comes_again(void **state)
{
	(void)state;
	receiver.is_committing = false;
	mock_produce(&receiver_mock, "reports", 0, "m", 100);
	receiver_start(&receiver, "reports", false);
	MOCK_WAIT_FOR(receiver.count == 100, (void)0);
	struct position position = {.partition = 0, .next = 40};
	subscriber_commit(receiver.subscriber, receiver.generation, &position, 1);
	subscriber_commit(receiver.subscriber, receiver.generation + 1,
			  &(struct position){.partition = 0, .next = 90},
			  1); /* another's: ignored */
	receiver_stop(&receiver);
	assert_int_equal(mock_committed(&receiver_mock, "group", "reports", 0), 40);
	other.start[0] = 40;
	receiver_start(&other, "reports", false);
	MOCK_WAIT_FOR(other.count == 60, (void)0);
	assert_int_equal(other.offsets[0][0], 40);
	receiver_stop(&other);
}

static void a_failed_commit_is_made_good(void **state)
{
	(void)state;
	rd_kafka_mock_push_request_errors(receiver_mock.cluster, MOCK_OFFSET_COMMIT, 2,
					  RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
					  RD_KAFKA_RESP_ERR_UNKNOWN);
	mock_produce(&receiver_mock, "reports", 0, "m", 50);
	receiver_start(&receiver, "reports", false);
	MOCK_WAIT_FOR(mock_committed(&receiver_mock, "group", "reports", 0) == 50, (void)0);
	receiver_stop(&receiver);
}

static size_t thread_count(void)
{
	size_t count = 0;
	DIR *threads = opendir("/proc/self/task");
	assert_non_null(threads);
	for (const struct dirent *entry = readdir(threads); entry != NULL; entry = readdir(threads))
		count += entry->d_name[0] != '.';
	(void)closedir(threads);
	return count;
}

static void stop_keeps_its_deadline_with_the_broker_away(void **state)
{
	(void)state;
	size_t threads = thread_count();
	mock_produce(&receiver_mock, "reports", 0, "m", 50);
	receiver_start(&receiver, "reports", false);
	MOCK_WAIT_FOR(receiver.count == 50, (void)0);
	rd_kafka_mock_broker_set_down(receiver_mock.cluster, 1);
	mono_us before = clock_mono_us();
	subscriber_pause(receiver.subscriber);
	subscriber_stop(receiver.subscriber, 1000);
	assert_true(clock_mono_us() - before < INT64_C(20) * CLOCK_US_PER_S);
	subscriber_destroy(receiver.subscriber);
	receiver.subscriber = NULL;
	/* Behind the deadline, librdkafka is left to a thread that ends it: it must not outlive this process's exit. */
	MOCK_WAIT_FOR(thread_count() <= threads, (void)0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_not_stored_comes_again, receiver_setup,
						receiver_teardown),
		cmocka_unit_test_setup_teardown(a_failed_commit_is_made_good, receiver_setup,
						receiver_teardown),
		cmocka_unit_test_setup_teardown(stop_keeps_its_deadline_with_the_broker_away,
						receiver_setup, receiver_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
