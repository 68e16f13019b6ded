/*
 * Who reads what, from where.
 *
 * librdkafka wants an answer to an assignment inside its callback, and we have none before the store was asked. Leaving the
 * answer out until then would hold up the group's next rebalance, of which we would not even be told. So the answer is at
 * first an empty assign(), which keeps our membership alive and reads nothing; the real assign(), with offsets, follows
 * once they are known. Never a seek.
 *
 * A partition begins at the smaller of the store's position and Kafka's. Where one of them has none, that counts as the
 * smallest: the database may be new, the topic may have been made again. What is read twice is stored once.
 */
#include "kafka/subscriber_private.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"

static const mono_us place_pause = INT64_C(500) * CLOCK_US_PER_MS;
enum { REVOKE_COMMIT_MS = 2000 };

struct subscriber_partition *subscriber_find(struct subscriber *subscriber, int topic_index,
					     int32_t partition)
{
	for (size_t i = 0; i < subscriber->partition_count; i++) {
		struct subscriber_partition *found = &subscriber->partitions[i];
		if (found->topic_index == topic_index && found->partition == partition)
			return found;
	}
	return NULL;
}

static rd_kafka_topic_partition_list_t *list_partitions(const struct subscriber *subscriber)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new((int)subscriber->partition_count);
	for (size_t i = 0; i < subscriber->partition_count; i++)
		(void)rd_kafka_topic_partition_list_add(
			list, subscriber->topics[subscriber->partitions[i].topic_index],
			subscriber->partitions[i].partition);
	return list;
}

static void assign(struct subscriber *subscriber, const rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_resp_err_t code = rd_kafka_assign(subscriber->client->rk, list);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		kafka_client_complain(subscriber->client, code, rd_kafka_err2str(code));
}

static const char *cluster_id(struct subscriber *subscriber)
{
	if (subscriber->cluster_id == NULL) {
		char *id = rd_kafka_clusterid(subscriber->client->rk, SUBSCRIBER_BLOCK_MS);
		subscriber->cluster_id = xstrdup(id);
		rd_kafka_mem_free(subscriber->client->rk, id);
	}
	return subscriber->cluster_id == NULL ? "" : subscriber->cluster_id;
}

static void begin_generation(struct subscriber *subscriber,
			     const rd_kafka_topic_partition_list_t *list)
{
	size_t count = 0;
	subscriber->partitions = xreallocarray(subscriber->partitions, (size_t)list->cnt + 1,
					       sizeof(*subscriber->partitions));
	struct position *positions = xcalloc((size_t)list->cnt + 1, sizeof(*positions));
	for (int i = 0; i < list->cnt; i++) {
		int topic_index = subscriber_topic_index(subscriber, list->elems[i].topic);
		int32_t partition = list->elems[i].partition;
		if (topic_index < 0)
			continue;
		subscriber->partitions[count] =
			(struct subscriber_partition){.topic_index = topic_index,
						      .partition = partition,
						      .store_next = POSITION_NONE,
						      .read_from = POSITION_NONE,
						      .handed_next = POSITION_NONE,
						      .stored_next = POSITION_NONE,
						      .end_at = POSITION_NONE,
						      .kafka_next = POSITION_NONE};
		positions[count++] = (struct position){
			.topic_index = topic_index, .partition = partition, .next = POSITION_NONE};
	}
	subscriber->partition_count = count;
	subscriber->was_assigned = true;
	figures_add(&subscriber->figures->kafka.rebalances, 1);
	figures_set(&subscriber->figures->kafka.partitions, (int64_t)count);
	readiness_set(&subscriber->figures->readiness, OBSTACLE_NOT_ASSIGNED, false);
	log_event(LOG_INFO, "partitions assigned", LOG_STR("group", subscriber->group),
		  LOG_INT("partitions", count));
	if (count > 0) {
		subscriber->generation++;
		subscriber->phase = SUBSCRIBER_ASKED;
	}
	subscriber->events.on_assigned(subscriber->events.context, subscriber->generation,
				       cluster_id(subscriber), positions, count);
	free(positions);
}

void subscriber_end_generation(struct subscriber *subscriber)
{
	bool was_active = subscriber->partition_count > 0;
	subscriber->phase = SUBSCRIBER_IDLE;
	subscriber_resume_kafka(subscriber); /* a pause would outlive the assignment */
	subscriber_drop_held(subscriber);
	subscriber->partition_count = 0;
	figures_set(&subscriber->figures->kafka.partitions, 0);
	figures_set(&subscriber->figures->kafka.lag, 0);
	readiness_set(&subscriber->figures->readiness, OBSTACLE_NOT_ASSIGNED, true);
	if (was_active)
		subscriber->events.on_revoked(subscriber->events.context, subscriber->generation);
}

void subscriber_assign_again(struct subscriber *subscriber, uint64_t generation)
{
	/* before the reading as well: a generation that the writer has given up would be read for nothing */
	if (generation != subscriber->generation || subscriber->phase == SUBSCRIBER_IDLE ||
	    subscriber->is_quiet)
		return;
	rd_kafka_topic_partition_list_t *list = list_partitions(subscriber);
	rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
	subscriber_end_generation(subscriber);
	assign(subscriber, none);
	begin_generation(subscriber, list);
	rd_kafka_topic_partition_list_destroy(none);
	rd_kafka_topic_partition_list_destroy(list);
}

void subscriber_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
			     rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct kafka_client *client = opaque;
	struct subscriber *subscriber = client->owner;
	if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
		subscriber_end_generation(
			subscriber); /* librdkafka revokes first; should it ever not */
		assign(subscriber, none);
		rd_kafka_topic_partition_list_destroy(none);
		kafka_client_up(client);
		begin_generation(subscriber, list);
		return;
	}
	/* what the store has committed up to now goes to Kafka, so that the next reader begins there */
	if (subscriber->phase == SUBSCRIBER_READING && !rd_kafka_assignment_lost(rk)) {
		subscriber_take_commands(subscriber);
		subscriber_flush_commits(subscriber, REVOKE_COMMIT_MS);
	}
	subscriber_end_generation(subscriber);
	assign(subscriber, NULL);
}

void subscriber_take_positions(struct subscriber *subscriber, uint64_t generation,
			       const struct position *positions, size_t count)
{
	if (generation != subscriber->generation || subscriber->phase != SUBSCRIBER_ASKED)
		return;
	for (size_t i = 0; i < count; i++) {
		struct subscriber_partition *partition = subscriber_find(
			subscriber, positions[i].topic_index, positions[i].partition);
		if (partition != NULL)
			partition->store_next = positions[i].next;
	}
	subscriber->phase = SUBSCRIBER_PLACING;
	subscriber->place_at = 0;
}

/* Kafka's committed offsets into kafka_next. */
static int fetch_committed(struct subscriber *subscriber, rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_resp_err_t code =
		rd_kafka_committed(subscriber->client->rk, list, SUBSCRIBER_BLOCK_MS);
	for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
		code = list->elems[i].err;
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
		kafka_client_complain(subscriber->client, code, rd_kafka_err2str(code));
		return -1;
	}
	for (int i = 0; i < list->cnt; i++) {
		int64_t offset = list->elems[i].offset;
		subscriber->partitions[i].kafka_next = offset >= 0 ? offset : POSITION_NONE;
	}
	return 0;
}

void subscriber_place(struct subscriber *subscriber, mono_us now)
{
	rd_kafka_topic_partition_list_t *list = list_partitions(subscriber);
	if (fetch_committed(subscriber, list) != 0) {
		subscriber->place_at = now + place_pause;
		rd_kafka_topic_partition_list_destroy(list);
		return;
	}
	for (int i = 0; i < list->cnt; i++) {
		struct subscriber_partition *partition = &subscriber->partitions[i];
		int64_t start = partition->store_next < partition->kafka_next
					? partition->store_next
					: partition->kafka_next;
		partition->read_from = start;
		list->elems[i].offset = start == POSITION_NONE ? RD_KAFKA_OFFSET_BEGINNING : start;
		/* a store that was put back: Kafka's position follows it, or --once would take old work for done */
		if (start < partition->kafka_next)
			partition->stored_next = start == POSITION_NONE ? 0 : start;
	}
	subscriber->phase = SUBSCRIBER_READING;
	assign(subscriber, list);
	rd_kafka_topic_partition_list_destroy(list);
}

/* Pausing what is paused, or resuming what is not, makes librdkafka drop or repeat messages: hence the flag. */
void subscriber_pause_kafka(struct subscriber *subscriber)
{
	if (subscriber->is_kafka_paused || subscriber->phase != SUBSCRIBER_READING)
		return;
	rd_kafka_topic_partition_list_t *list = list_partitions(subscriber);
	(void)rd_kafka_pause_partitions(subscriber->client->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	subscriber->is_kafka_paused = true;
}

void subscriber_resume_kafka(struct subscriber *subscriber)
{
	if (!subscriber->is_kafka_paused)
		return;
	rd_kafka_topic_partition_list_t *list = list_partitions(subscriber);
	(void)rd_kafka_resume_partitions(subscriber->client->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	subscriber->is_kafka_paused = false;
}
