/* What the publisher makes of Kafka's answers: nothing is given up but what is too large in every form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kafka/publisher.h"
#include "mock.h"

enum { IDS_MAX = 2000 };

static struct mock mock;
static int delivered[IDS_MAX];
static size_t delivered_count;
static size_t refused_count;
static size_t rewinds;
static size_t shrinks;
static bool can_shrink;

static void on_delivered(void *context, int64_t id)
{
	(void)context;
	assert_in_range(id, 0, IDS_MAX - 1);
	delivered[id]++;
	delivered_count++;
}

static void on_rewind(void *context)
{
	(void)context;
	rewinds++;
}

static void on_refused(void *context, int64_t id, const char *message, size_t length,
		       const char *why)
{
	(void)context;
	(void)id;
	(void)message;
	(void)length;
	(void)why;
	refused_count++;
}

static char *on_shrink(void *context, const char *message, size_t length, size_t *ret_length)
{
	(void)context;
	(void)message;
	(void)length;
	shrinks++;
	if (!can_shrink)
		return NULL;
	*ret_length = 5;
	return xstrdup("small");
}

static const struct publisher_events events = {.on_delivered = on_delivered,
					       .on_rewind = on_rewind,
					       .on_refused = on_refused,
					       .shrink = on_shrink};

static int setup(void **state)
{
	(void)state;
	mock_start(&mock);
	memset(delivered, 0, sizeof(delivered));
	delivered_count = refused_count = rewinds = shrinks = 0;
	can_shrink = true;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mock_stop(&mock);
	return 0;
}

static struct publisher *open_publisher(const char *success, const char *failure)
{
	struct error err = {0};
	struct publisher_options options = {.config = &mock.config, .topics = {success, failure}};
	struct publisher *publisher = publisher_create(&options, &events, &err);
	if (publisher == NULL)
		fail_msg("publisher_create: %s", err.message);
	return publisher;
}

static int send_row(struct publisher *publisher, int64_t id, int topic_index)
{
	char message[64];
	int length = snprintf(message, sizeof(message), "{\"n\":%lld}", (long long)id);
	return publisher_send(publisher, id, topic_index, "key", 3, message, (size_t)length);
}

static void send_all(struct publisher *publisher, int64_t from, int64_t to)
{
	for (int64_t id = from; id < to; id++)
		MOCK_WAIT_FOR(send_row(publisher, id, (int)(id % 2)) == 0,
			      publisher_serve(publisher));
}

static void assert_each_once(int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(delivered[i], 1);
}

static void all_are_delivered(void **state)
{
	(void)state;
	mock_create_topic(&mock, "good", 2);
	mock_create_topic(&mock, "bad", 1);
	struct publisher *publisher = open_publisher("good", "bad");
	send_all(publisher, 0, 1000);
	MOCK_WAIT_FOR(delivered_count == 1000, publisher_serve(publisher));
	publisher_destroy(publisher, 5000);
	assert_each_once(1000);
	assert_int_equal(mock_count(&mock, "good", 2), 500);
	assert_int_equal(mock_count(&mock, "bad", 1), 500);
}

static void one_topic_may_serve_for_both(void **state)
{
	(void)state;
	mock_create_topic(&mock, "all", 1);
	struct publisher *publisher = open_publisher("all", "all");
	send_all(publisher, 0, 10);
	MOCK_WAIT_FOR(delivered_count == 10, publisher_serve(publisher));
	publisher_destroy(publisher, 5000);
	assert_int_equal(mock_count(&mock, "all", 1), 10);
}

static void a_missing_topic_gets_nothing_until_it_appears(void **state)
{
	(void)state;
	mock_create_topic(&mock, "good", 1);
	struct publisher *publisher = open_publisher("good", "late");
	MOCK_WAIT_FOR(send_row(publisher, 0, 0) == 0, publisher_serve(publisher));
	for (int i = 0; i < 200; i++) {
		publisher_serve(publisher);
		assert_int_equal(send_row(publisher, 1, 1), -1);
		mock_pause();
	}
	mock_create_topic(&mock, "late", 1);
	MOCK_WAIT_FOR(send_row(publisher, 1, 1) == 0, publisher_serve(publisher));
	MOCK_WAIT_FOR(delivered_count == 2, publisher_serve(publisher));
	publisher_destroy(publisher, 5000);
	assert_each_once(2);
}

static void a_batch_that_is_too_large_goes_one_by_one(void **state)
{
	(void)state;
	mock_create_topic(&mock, "all", 1);
	struct publisher *publisher = open_publisher("all", "all");
	MOCK_WAIT_FOR(send_row(publisher, 0, 0) == 0, publisher_serve(publisher));
	MOCK_WAIT_FOR(delivered_count == 1, publisher_serve(publisher));
	rd_kafka_mock_push_request_errors(mock.cluster, MOCK_PRODUCE, 1,
					  RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	send_all(publisher, 1, 200);
	MOCK_WAIT_FOR(delivered_count == 200, publisher_serve(publisher));
	publisher_destroy(publisher, 5000);
	assert_each_once(200);
	assert_int_equal(shrinks, 0);
	assert_int_equal(refused_count, 0);
	assert_int_equal(mock_count(&mock, "all", 1), 200);
}

static void a_row_that_is_too_large_alone_is_shrunk(void **state)
{
	(void)state;
	mock_create_topic(&mock, "all", 1);
	struct publisher *publisher = open_publisher("all", "all");
	rd_kafka_mock_push_request_errors(mock.cluster, MOCK_PRODUCE, 2,
					  RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
					  RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	MOCK_WAIT_FOR(send_row(publisher, 0, 0) == 0, publisher_serve(publisher));
	MOCK_WAIT_FOR(delivered_count == 1, publisher_serve(publisher));
	publisher_destroy(publisher, 5000);
	assert_int_equal(shrinks, 1);
	assert_int_equal(refused_count, 0);
}

static void a_row_that_stays_too_large_is_given_back(void **state)
{
	(void)state;
	mock_create_topic(&mock, "all", 1);
	struct publisher *publisher = open_publisher("all", "all");
	rd_kafka_mock_push_request_errors(
		mock.cluster, MOCK_PRODUCE, 3, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
		RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	MOCK_WAIT_FOR(send_row(publisher, 0, 0) == 0, publisher_serve(publisher));
	MOCK_WAIT_FOR(refused_count == 1, publisher_serve(publisher));
	send_all(publisher, 1, 20);
	MOCK_WAIT_FOR(delivered_count == 19, publisher_serve(publisher));
	publisher_destroy(publisher, 5000);
	assert_int_equal(delivered[0], 0);
	assert_int_equal(shrinks, 1);
}

static void a_refused_timestamp_is_left_out(void **state)
{
	(void)state;
	mock_create_topic(&mock, "all", 1);
	struct publisher *publisher = open_publisher("all", "all");
	rd_kafka_mock_push_request_errors(mock.cluster, MOCK_PRODUCE, 1,
					  RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
	send_all(publisher, 0, 50);
	MOCK_WAIT_FOR(delivered_count == 50, publisher_serve(publisher));
	publisher_destroy(publisher, 5000);
	assert_each_once(50);
}

static void passing_errors_lose_nothing(void **state)
{
	(void)state;
	mock_create_topic(&mock, "all", 1);
	struct publisher *publisher = open_publisher("all", "all");
	rd_kafka_mock_push_request_errors(
		mock.cluster, MOCK_PRODUCE, 5, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
		RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
		RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
		RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR);
	send_all(publisher, 0, 100);
	MOCK_WAIT_FOR(delivered_count == 100, publisher_serve(publisher));
	publisher_destroy(publisher, 5000);
	assert_each_once(100);
	assert_int_equal(refused_count, 0);
}

/* The broker had a batch with this number before, librdkafka calls the row delivered, and nobody knows where. */
static void a_delivery_without_a_place_is_sent_again(void **state)
{
	(void)state;
	mock_create_topic(&mock, "all", 1);
	struct publisher *publisher = open_publisher("all", "all");
	rd_kafka_mock_push_request_errors(mock.cluster, MOCK_PRODUCE, 1,
					  RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER);
	MOCK_WAIT_FOR(send_row(publisher, 0, 0) == 0, publisher_serve(publisher));
	MOCK_WAIT_FOR(delivered_count == 1, publisher_serve(publisher));
	assert_int_equal(mock_count(&mock, "all", 1), 1);
	send_all(publisher, 1, 50);
	MOCK_WAIT_FOR(delivered_count == 50, publisher_serve(publisher));
	publisher_destroy(publisher, 5000);
	assert_each_once(50);
	assert_int_equal(mock_count(&mock, "all", 1), 50);
}

static void a_place_that_is_never_known_counts_the_second_time(void **state)
{
	(void)state;
	mock_create_topic(&mock, "all", 1);
	struct publisher *publisher = open_publisher("all", "all");
	rd_kafka_mock_push_request_errors(mock.cluster, MOCK_PRODUCE, 2,
					  RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER,
					  RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER);
	MOCK_WAIT_FOR(send_row(publisher, 0, 0) == 0, publisher_serve(publisher));
	MOCK_WAIT_FOR(delivered_count == 1, publisher_serve(publisher));
	publisher_destroy(publisher, 5000);
	assert_int_equal(mock_count(&mock, "all", 1), 0);
}

static void a_fatal_error_asks_for_everything_again(void **state)
{
	(void)state;
	mock_create_topic(&mock, "all", 1);
	struct publisher *publisher = open_publisher("all", "all");
	rd_kafka_mock_push_request_errors(mock.cluster, MOCK_PRODUCE, 1,
					  RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	rd_kafka_mock_push_request_errors(mock.cluster, MOCK_INIT_PRODUCER_ID, 1,
					  RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
	int64_t next = 0;
	size_t seen = 0;
	MOCK_WAIT_FOR(rewinds > 0 && delivered_count == 20, {
		publisher_serve(publisher);
		if (rewinds > seen) { /* as the outbox does it: everything again */
			seen = rewinds;
			next = 0;
			delivered_count = 0;
			memset(delivered, 0, sizeof(delivered));
		}
		if (next < 20 && send_row(publisher, next, 0) == 0)
			next++;
	});
	publisher_destroy(publisher, 5000);
	assert_each_once(20);
}

static void a_broker_that_is_away_is_waited_for(void **state)
{
	(void)state;
	mock_create_topic(&mock, "all", 1);
	struct publisher *publisher = open_publisher("all", "all");
	send_all(publisher, 0, 10);
	MOCK_WAIT_FOR(delivered_count == 10, publisher_serve(publisher));
	rd_kafka_mock_broker_set_down(mock.cluster, 1);
	for (int64_t id = 10; id < 20; id++)
		assert_int_equal(send_row(publisher, id, 0), 0);
	for (int i = 0; i < 300; i++) {
		publisher_serve(publisher);
		mock_pause();
	}
	assert_int_equal(delivered_count, 10);
	rd_kafka_mock_broker_set_up(mock.cluster, 1);
	MOCK_WAIT_FOR(delivered_count == 20, publisher_serve(publisher));
	publisher_destroy(publisher, 5000);
	assert_each_once(20);
}

static void destroy_does_not_wait_for_an_absent_broker(void **state)
{
	(void)state;
	mock_create_topic(&mock, "all", 1);
	struct publisher *publisher = open_publisher("all", "all");
	send_all(publisher, 0, 10);
	rd_kafka_mock_broker_set_down(mock.cluster, 1);
	(void)send_row(publisher, 11, 0);
	mono_us before = clock_mono_us();
	publisher_destroy(publisher, 3000);
	assert_true(clock_mono_us() - before < INT64_C(20) * CLOCK_US_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_are_delivered, setup, teardown),
		cmocka_unit_test_setup_teardown(one_topic_may_serve_for_both, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_topic_gets_nothing_until_it_appears,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_batch_that_is_too_large_goes_one_by_one, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_row_that_is_too_large_alone_is_shrunk, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_row_that_stays_too_large_is_given_back, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_refused_timestamp_is_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(passing_errors_lose_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_delivery_without_a_place_is_sent_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_place_that_is_never_known_counts_the_second_time,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_fatal_error_asks_for_everything_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_broker_that_is_away_is_waited_for, setup,
						teardown),
		cmocka_unit_test_setup_teardown(destroy_does_not_wait_for_an_absent_broker, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
