/*
 * Kafka's offsets follow the store's: at most one commit is under way, and carries the newest of every partition.
 *
 * A partition that was read to its end may end in records that no reader sees (control records of transactions). Once all
 * that was handed over is stored, its position is the end itself.
 */
#include "kafka/subscriber_private.h"

#include "base/log.h"

static const mono_us commit_pause = INT64_C(1) * CLOCK_US_PER_S;

void subscriber_take_stored(struct subscriber *subscriber, uint64_t generation,
			    const struct position *positions, size_t count)
{
	if (generation != subscriber->generation)
		return;
	for (size_t i = 0; i < count; i++) {
		struct subscriber_partition *partition = subscriber_find(
			subscriber, positions[i].topic_index, positions[i].partition);
		if (partition == NULL)
			continue;
		partition->stored_next = positions[i].next;
		subscriber_pass_end(subscriber, partition);
	}
}

void subscriber_pass_end(struct subscriber *subscriber, struct subscriber_partition *partition)
{
	bool is_all_stored = partition->handed_next == POSITION_NONE ||
			     partition->stored_next >= partition->handed_next;
	/* once quiet, messages are thrown away: an end that was read then says nothing */
	if (is_all_stored && !subscriber->is_quiet && partition->end_at > 0 &&
	    partition->end_at > partition->stored_next)
		partition->stored_next = partition->end_at;
}

static bool is_behind(const struct subscriber_partition *partition)
{
	return partition->stored_next != POSITION_NONE &&
	       partition->stored_next != partition->kafka_next;
}

bool subscriber_has_commits(const struct subscriber *subscriber)
{
	if (subscriber->phase != SUBSCRIBER_READING)
		return false;
	for (size_t i = 0; i < subscriber->partition_count; i++)
		if (is_behind(&subscriber->partitions[i]))
			return true;
	return false;
}

static void start_commit(struct subscriber *subscriber)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new((int)subscriber->partition_count);
	for (size_t i = 0; i < subscriber->partition_count; i++) {
		const struct subscriber_partition *partition = &subscriber->partitions[i];
		if (is_behind(partition))
			rd_kafka_topic_partition_list_add(
				list, subscriber->topics[partition->topic_index],
				partition->partition)
				->offset = partition->stored_next;
	}
	/* the generation travels along, to tell late answers */
	void *opaque =
		(void *)(uintptr_t)subscriber->generation; /* NOLINT(performance-no-int-to-ptr) */
	rd_kafka_resp_err_t code = rd_kafka_commit_queue(subscriber->client->rk, list,
							 subscriber->commit_queue, NULL, opaque);
	rd_kafka_topic_partition_list_destroy(list);
	subscriber->is_committing = code == RD_KAFKA_RESP_ERR_NO_ERROR;
	subscriber->is_proving = subscriber->outclaimed == subscriber->generation;
	if (!subscriber->is_committing)
		subscriber->commit_at = clock_mono_us() + commit_pause;
}

static void take_answer(struct subscriber *subscriber, rd_kafka_event_t *event, mono_us now)
{
	rd_kafka_resp_err_t all = rd_kafka_event_error(event);
	rd_kafka_resp_err_t code = all;
	rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
	bool is_ours = (uintptr_t)rd_kafka_event_opaque(event) == (uintptr_t)subscriber->generation;
	subscriber->is_committing = false;
	for (int i = 0; list != NULL && i < list->cnt; i++) {
		const rd_kafka_topic_partition_t *element = &list->elems[i];
		struct subscriber_partition *partition = subscriber_find(
			subscriber, subscriber_topic_index(subscriber, element->topic),
			element->partition);
		rd_kafka_resp_err_t failure =
			element->err != RD_KAFKA_RESP_ERR_NO_ERROR ? element->err : all;
		/*
		 * After a failure nobody knows: the commit may have happened all the same. One of an earlier generation may have
		 * happened after Kafka was asked for this one's positions: then ours is not what Kafka holds either.
		 */
		bool is_known = is_ours && failure == RD_KAFKA_RESP_ERR_NO_ERROR;
		if (partition != NULL)
			partition->kafka_next = is_known ? element->offset : POSITION_NONE;
		if (is_ours && failure != RD_KAFKA_RESP_ERR_NO_ERROR)
			code = failure;
	}
	figures_add(code == RD_KAFKA_RESP_ERR_NO_ERROR
			    ? &subscriber->figures->kafka.commits
			    : &subscriber->figures->kafka.commit_failures,
		    1);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
		subscriber->commit_at = now + commit_pause;
		kafka_client_complain(subscriber->client, code, rd_kafka_err2str(code));
	}
	if (is_ours && code == RD_KAFKA_RESP_ERR_NO_ERROR && subscriber->is_proving)
		subscriber->proven = subscriber->generation;
	subscriber->is_proving = false;
}

void subscriber_serve_commits(struct subscriber *subscriber, mono_us now)
{
	rd_kafka_event_t *event;
	while ((event = rd_kafka_queue_poll(subscriber->commit_queue, 0)) != NULL) {
		take_answer(subscriber, event, now);
		rd_kafka_event_destroy(event);
	}
	if (subscriber->outclaimed != 0 && subscriber->proven == subscriber->outclaimed) {
		log_event(LOG_INFO, "a claim of our partitions came late, claiming them again",
			  LOG_STR("group", subscriber->group));
		subscriber_assign_again(subscriber, subscriber->outclaimed);
		subscriber->outclaimed = 0;
	}
	if (!subscriber->is_committing && now >= subscriber->commit_at &&
	    subscriber_has_commits(subscriber))
		start_commit(subscriber);
}

void subscriber_flush_commits(struct subscriber *subscriber, int timeout_ms)
{
	mono_us until = clock_mono_us() + (mono_us)timeout_ms * CLOCK_US_PER_MS;
	subscriber->commit_at = 0;
	while (subscriber_has_commits(subscriber) && subscriber->commit_at == 0) {
		mono_us now = clock_mono_us();
		if (now >= until)
			break;
		if (!subscriber->is_committing)
			start_commit(subscriber);
		rd_kafka_event_t *event = rd_kafka_queue_poll(
			subscriber->commit_queue, (int)((until - now) / CLOCK_US_PER_MS));
		if (event == NULL)
			continue;
		take_answer(subscriber, event, now);
		rd_kafka_event_destroy(event);
	}
}
