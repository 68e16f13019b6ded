/*
 * librdkafka's mock cluster: a broker inside the process whose answers can be made to fail. Good for errors, not for loss:
 * it keeps 5 MiB a partition.
 */
#ifndef WEBSENTRY_TESTS_COMPONENT_KAFKA_MOCK_H
#define WEBSENTRY_TESTS_COMPONENT_KAFKA_MOCK_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "base/clock.h"
#include "kafka/kafka_config.h"

/* Kafka's numbers of requests. */
enum { MOCK_PRODUCE = 0, MOCK_OFFSET_COMMIT = 8, MOCK_INIT_PRODUCER_ID = 22 };

struct mock {
	rd_kafka_t *rk; /* carries the cluster */
	rd_kafka_mock_cluster_t *cluster;
	struct kafka_config config;
};

void mock_start(struct mock *mock);
void mock_stop(struct mock *mock);
void mock_create_topic(struct mock *mock, const char *topic, int partitions);

/* Put values "prefix0", "prefix1" … into a partition, by a producer of its own. */
void mock_produce(struct mock *mock, const char *topic, int32_t partition, const char *prefix,
		  int count);

/* The number of messages that a topic's partitions hold. */
int64_t mock_count(struct mock *mock, const char *topic, int partitions);

/* The group's committed offset, or a negative number. */
int64_t mock_committed(struct mock *mock, const char *group, const char *topic, int32_t partition);

/* Commit an offset for a group that has no members. */
void mock_commit(struct mock *mock, const char *group, const char *topic, int32_t partition,
		 int64_t offset);

void mock_pause(void); /* 1 ms */

/* Do work until the condition holds; fails the test after a minute. */
#define MOCK_WAIT_FOR(condition, work)                                                             \
	do {                                                                                       \
		mono_us until_ = clock_mono_us() + INT64_C(60) * CLOCK_US_PER_S;                   \
		while (!(condition)) {                                                             \
			if (clock_mono_us() > until_)                                              \
				fail_msg("waited in vain for %s", #condition);                     \
			work;                                                                      \
			mock_pause();                                                              \
		}                                                                                  \
	} while (0)

#endif
