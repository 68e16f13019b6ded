/*
 * When --once is done: the group's committed positions, whoever committed them, have passed the ends that the partitions
 * had when we started. Only asked once the group has assigned partitions: a store that was put back makes whoever reads a
 * partition lower its position first.
 */
#include "kafka/subscriber_private.h"

#include <stdlib.h>

#include "base/memory.h"

static const mono_us check_pause = INT64_C(200) * CLOCK_US_PER_MS;

/* Once all topics exist; before that there is nothing to measure against. */
void subscriber_once_list(struct subscriber *subscriber, const struct topic_watch_view *view)
{
	if (!subscriber->is_once || subscriber->ends != NULL || !view->is_complete)
		return;
	size_t count = 0;
	for (size_t i = 0; i < subscriber->topic_count; i++)
		count += (size_t)view->partitions[i];
	subscriber->ends = xcalloc(count, sizeof(*subscriber->ends));
	for (size_t i = 0; i < subscriber->topic_count; i++)
		for (int32_t j = 0; j < view->partitions[i]; j++)
			subscriber->ends[subscriber->end_count++] =
				(struct subscriber_end){.topic_index = (int)i, .partition = j};
}

static bool measure_ends(struct subscriber *subscriber)
{
	for (size_t i = 0; i < subscriber->end_count; i++) {
		struct subscriber_end *end = &subscriber->ends[i];
		int64_t low = 0;
		int64_t high = 0;
		if (end->is_known)
			continue;
		if (rd_kafka_query_watermark_offsets(
			    subscriber->client->rk, subscriber->topics[end->topic_index],
			    end->partition, &low, &high,
			    SUBSCRIBER_BLOCK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
			return false;
		end->is_known = true;
		end->end = high > low ? high : 0;
	}
	return true;
}

/* Whether the group has passed all ends. */
static bool has_passed(struct subscriber *subscriber)
{
	bool has_passed_all = true;
	int64_t sum = 0;
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new((int)subscriber->end_count);
	for (size_t i = 0; i < subscriber->end_count; i++)
		(void)rd_kafka_topic_partition_list_add(
			list, subscriber->topics[subscriber->ends[i].topic_index],
			subscriber->ends[i].partition);
	if (rd_kafka_committed(subscriber->client->rk, list, SUBSCRIBER_BLOCK_MS) !=
	    RD_KAFKA_RESP_ERR_NO_ERROR) {
		rd_kafka_topic_partition_list_destroy(list);
		return false;
	}
	for (int i = 0; i < list->cnt; i++) { /* in the order of ends */
		int64_t offset = list->elems[i].offset >= 0 ? list->elems[i].offset : 0;
		bool is_known = list->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR;
		has_passed_all = has_passed_all && is_known && offset >= subscriber->ends[i].end;
		sum += offset;
	}
	rd_kafka_topic_partition_list_destroy(list);
	if (sum != subscriber->progress && subscriber->events.on_progress != NULL)
		subscriber->events.on_progress(subscriber->events.context);
	subscriber->progress = sum;
	return has_passed_all;
}

void subscriber_once_serve(struct subscriber *subscriber, mono_us now)
{
	if (subscriber->ends == NULL || subscriber->is_done || now < subscriber->check_at)
		return;
	subscriber->check_at = now + check_pause;
	if (!measure_ends(subscriber))
		return;
	bool is_settled =
		subscriber->was_assigned &&
		(subscriber->partition_count == 0 || subscriber->phase == SUBSCRIBER_READING) &&
		!subscriber->is_committing && !subscriber_has_commits(subscriber);
	if (is_settled && has_passed(subscriber)) {
		subscriber->is_done = true;
		subscriber->events.on_done(subscriber->events.context);
	}
}
