/*
 * How far behind the store is: the messages between what is stored and the ends of the partitions.
 *
 * librdkafka learns a partition's end with every answer to a fetch, and tells what it knows without asking. A partition whose
 * position or end is not known yet counts as nothing.
 */
#include "kafka/subscriber_private.h"

static const mono_us look_every = INT64_C(1) * CLOCK_US_PER_S;

static int64_t lag_of(const struct subscriber *subscriber,
		      const struct subscriber_partition *partition)
{
	int64_t low;
	int64_t high;
	int64_t next = partition->stored_next != POSITION_NONE ? partition->stored_next
							       : partition->kafka_next;
	if (rd_kafka_get_watermark_offsets(
		    subscriber->client->rk, subscriber->topics[partition->topic_index],
		    partition->partition, &low, &high) != RD_KAFKA_RESP_ERR_NO_ERROR ||
	    high < 0)
		return 0;
	if (next < low) /* none, or of messages that Kafka has dropped */
		next = low > 0 ? low : 0;
	return high > next ? high - next : 0;
}

void subscriber_show_lag(struct subscriber *subscriber, mono_us now)
{
	if (subscriber->phase != SUBSCRIBER_READING || now < subscriber->lag_at)
		return;
	subscriber->lag_at = now + look_every;
	int64_t lag = 0;
	for (size_t i = 0; i < subscriber->partition_count; i++)
		lag += lag_of(subscriber, &subscriber->partitions[i]);
	figures_set(&subscriber->figures->kafka.lag, lag);
}
