/* The consuming half of the simulated librdkafka: subscription, messages, positions. What a call blocks for takes time. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sim_broker.h"
#include "sim_random.h"
#include "sim_trace.h"

static const mono_us slice = INT64_C(20) * CLOCK_US_PER_MS;
static const mono_us retry_pause = INT64_C(300) * CLOCK_US_PER_MS;
enum { READ_AHEAD = 6 };

/* A commit of offsets on its way; one at a time. The process's memory. */
struct sim_commit {
	int64_t generation; /* when it was sent */
	rd_kafka_topic_partition_list_t *list;
	void *opaque;
	bool is_answered;
	rd_kafka_resp_err_t err;
};

struct rd_kafka_op_s {
	rd_kafka_event_type_t type;
	rd_kafka_resp_err_t err;
	rd_kafka_topic_partition_list_t *list;
	void *opaque;
};

/* --- lists --- */

rd_kafka_topic_partition_list_t *rd_kafka_topic_partition_list_new(int size)
{
	rd_kafka_topic_partition_list_t *list = xcalloc(1, sizeof(*list));
	list->size = size + SIM_TOPICS * SIM_PARTITIONS;
	list->elems = xcalloc((size_t)list->size, sizeof(*list->elems));
	return list;
}

void rd_kafka_topic_partition_list_destroy(rd_kafka_topic_partition_list_t *list)
{
	free(list->elems);
	free(list);
}

rd_kafka_topic_partition_t *rd_kafka_topic_partition_list_add(rd_kafka_topic_partition_list_t *list,
							      const char *topic, int32_t partition)
{
	rd_kafka_topic_partition_t *element = &list->elems[list->cnt++];
	/* names live as long as the world */
	element->topic = (char *)sim_broker_topics[sim_broker_topic_index(topic)];
	element->partition = partition;
	element->offset = RD_KAFKA_OFFSET_INVALID;
	return element;
}

static rd_kafka_topic_partition_list_t *list_of(bool chosen[SIM_TOPICS][SIM_PARTITIONS])
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(0);
	for (int i = 0; i < SIM_TOPICS; i++)
		for (int j = 0; j < SIM_PARTITIONS; j++)
			if (chosen[i][j])
				(void)rd_kafka_topic_partition_list_add(list, sim_broker_topics[i],
									j);
	return list;
}

/* --- membership --- */

/* Once a second the handle talks to its coordinator. */
static void on_heartbeat(void *context, int64_t number)
{
	rd_kafka_t *rk = context;
	sim_broker_event_done(rk);
	if (!rk->is_open || rk->is_closing)
		return;
	if (sim_broker_reaches(rk) && !rk->is_member && !rk->is_fatal) {
		if (rk->holds && !rk->must_revoke) {
			sim_trace("a zombie learns that it is one", 0, 0, 0);
			rk->must_revoke = rk->is_lost = true;
			sim_broker_wake(rk);
		} else if (!rk->holds) {
			sim_group_join(rk);
		}
	}
	if (rk->is_member && !rk->holds && !rk->has_joined && sim_group_is_busy() &&
	    sim_broker_reaches(rk))
		sim_group_join(rk);
	sim_broker_later(rk, sim_random_between(500000, 1500000), on_heartbeat, number);
}

rd_kafka_resp_err_t rd_kafka_subscribe(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
	(void)list;
	sim_point();
	rk->is_subscribed = true;
	sim_broker_later(rk, sim_broker_latency(), on_heartbeat, 0);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_assign(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
	sim_point();
	memset(rk->is_assigned, 0, sizeof(rk->is_assigned));
	memset(rk->is_paused, 0, sizeof(rk->is_paused));
	memset(rk->is_end_said, 0, sizeof(rk->is_end_said));
	for (int i = 0; list != NULL && i < list->cnt; i++) {
		int topic = sim_broker_topic_index(list->elems[i].topic);
		int32_t partition = list->elems[i].partition;
		int64_t offset = list->elems[i].offset;
		rk->is_assigned[topic][partition] = true;
		rk->position[topic][partition] = offset < 0 ? 0 : offset;
		rk->fetched[topic][partition] = 0;
		sim_trace("reads partition # from offset #", topic * SIM_PARTITIONS + partition,
			  offset, 0);
	}
	sim_broker_wake(rk);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

int rd_kafka_assignment_lost(rd_kafka_t *rk)
{
	return rk->is_lost ? 1 : 0;
}

static void set_paused(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list, bool is_paused)
{
	for (int i = 0; i < list->cnt; i++)
		rk->is_paused[sim_broker_topic_index(list->elems[i].topic)]
			     [list->elems[i].partition] = is_paused;
}

rd_kafka_resp_err_t rd_kafka_pause_partitions(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
	set_paused(rk, list, true);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_resume_partitions(rd_kafka_t *rk,
					       rd_kafka_topic_partition_list_t *list)
{
	set_paused(rk, list, false);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The application has given back what it held. */
static void give_back(rd_kafka_t *rk)
{
	rk->holds = false;
	rk->is_lost = false;
	memset(rk->is_given, 0, sizeof(rk->is_given));
	if (rk->is_closing)
		return;
	if (rk->is_member && sim_broker_reaches(rk))
		sim_group_join(rk);
}

static bool serve_rebalance(rd_kafka_t *rk)
{
	bool is_giving = rk->must_revoke && rk->holds;
	if (!is_giving && !rk->must_assign)
		return false;
	rd_kafka_topic_partition_list_t *list = list_of(rk->is_given);
	if (is_giving) {
		rk->must_revoke = false;
		rk->on_rebalance(rk, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, list, rk->client);
		give_back(rk);
	} else {
		rk->must_assign = rk->must_revoke = false;
		rk->holds = true;
		rk->on_rebalance(rk, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, list, rk->client);
	}
	rd_kafka_topic_partition_list_destroy(list);
	return true;
}

/* --- messages --- */

static rd_kafka_message_t *message_new(rd_kafka_t *rk, rd_kafka_resp_err_t err, int topic,
				       int32_t partition, int64_t offset)
{
	rd_kafka_message_t *message = xcalloc(1, sizeof(*message));
	message->err = err;
	message->rkt = &rk->topics[topic];
	message->partition = partition;
	message->offset = offset;
	return message;
}

static rd_kafka_message_t *next_of(rd_kafka_t *rk, int topic, int partition)
{
	const struct sim_log *log = &sim_broker_logs[topic][partition];
	int64_t *position = &rk->position[topic][partition];
	int64_t *fetched = &rk->fetched[topic][partition];
	int64_t end = (int64_t)log->count;
	if (!rk->is_assigned[topic][partition] || rk->is_paused[topic][partition])
		return NULL;
	if (*fetched <= *position && sim_broker_reaches(rk))
		*fetched = *position + READ_AHEAD < end ? *position + READ_AHEAD : end;
	/* 0 is no place to: who begins at the beginning can't tell */
	if (*position<*fetched && * position> 0 && (size_t)*position >= log->skipped_until &&
	    sim_random_chance(sim_broker_faults.skip_chance)) {
		sim_broker_logs[topic][partition].skipped_until = (size_t)++ * position;
		rk->is_end_said[topic][partition] = false;
	}
	if (*position < *fetched) {
		const struct sim_record *record = &log->records[*position];
		rd_kafka_message_t *message =
			message_new(rk, RD_KAFKA_RESP_ERR_NO_ERROR, topic, partition, *position);
		message->payload = (void *)record->bytes;
		message->len = record->length;
		(*position)++;
		rk->is_end_said[topic][partition] = false;
		return message;
	}
	if (*position != end || rk->is_end_said[topic][partition])
		return NULL;
	rk->is_end_said[topic][partition] = true;
	return message_new(rk, RD_KAFKA_RESP_ERR__PARTITION_EOF, topic, partition, end);
}

rd_kafka_message_t *rd_kafka_consumer_poll(rd_kafka_t *rk, int timeout_ms)
{
	(void)timeout_ms;
	sim_point();
	if (rk->is_fatal || sim_random_chance(sim_broker_faults.fatal_chance / 50)) {
		rk->is_fatal = true;
		sim_group_leave(rk);
		return message_new(rk, RD_KAFKA_RESP_ERR__FATAL, 0, 0, 0);
	}
	if (serve_rebalance(rk))
		return NULL;
	int first = (int)sim_random_between(0, SIM_TOPICS * SIM_PARTITIONS - 1);
	for (int i = 0; i < SIM_TOPICS * SIM_PARTITIONS; i++) {
		int place = (first + i) % (SIM_TOPICS * SIM_PARTITIONS);
		rd_kafka_message_t *message =
			next_of(rk, place / SIM_PARTITIONS, place % SIM_PARTITIONS);
		if (message != NULL)
			return message;
	}
	return NULL;
}

void rd_kafka_message_destroy(rd_kafka_message_t *message)
{
	free(message);
}

const char *rd_kafka_message_errstr(const rd_kafka_message_t *message)
{
	(void)message;
	return "simulated";
}

/* --- positions --- */

/* Wait for an answer; false: it did not come in time. */
static bool ask(rd_kafka_t *rk, int timeout_ms)
{
	sim_point();
	if (!sim_broker_reaches(rk) || sim_random_chance(sim_broker_faults.error_chance)) {
		sim_sleep((mono_us)timeout_ms * CLOCK_US_PER_MS);
		return false;
	}
	sim_sleep(sim_random_log(100, 50000));
	return sim_broker_reaches(rk);
}

rd_kafka_resp_err_t rd_kafka_committed(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
				       int timeout_ms)
{
	if (!ask(rk, timeout_ms))
		return RD_KAFKA_RESP_ERR__TIMED_OUT;
	for (int i = 0; i < list->cnt; i++) {
		int64_t offset = sim_group_committed(sim_broker_topic_index(list->elems[i].topic),
						     list->elems[i].partition);
		list->elems[i].offset = offset < 0 ? RD_KAFKA_OFFSET_INVALID : offset;
	}
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_query_watermark_offsets(rd_kafka_t *rk, const char *topic,
						     int32_t partition, int64_t *ret_low,
						     int64_t *ret_high, int timeout_ms)
{
	if (!ask(rk, timeout_ms))
		return RD_KAFKA_RESP_ERR__TIMED_OUT;
	return rd_kafka_get_watermark_offsets(rk, topic, partition, ret_low, ret_high);
}

rd_kafka_resp_err_t rd_kafka_get_watermark_offsets(rd_kafka_t *rk, const char *topic,
						   int32_t partition, int64_t *ret_low,
						   int64_t *ret_high)
{
	(void)rk;
	*ret_low = 0;
	*ret_high = (int64_t)sim_broker_logs[sim_broker_topic_index(topic)][partition].count;
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

char *rd_kafka_clusterid(rd_kafka_t *rk, int timeout_ms)
{
	return ask(rk, timeout_ms) ? xstrdup("cluster") : NULL;
}

void rd_kafka_mem_free(rd_kafka_t *rk, void *memory)
{
	(void)rk;
	free(memory);
}

static void on_committed(void *context, int64_t number)
{
	rd_kafka_t *rk = context;
	(void)number;
	sim_broker_event_done(rk);
	if (!rk->is_open || rk->commit == NULL)
		return;
	if (!sim_broker_reaches(rk)) {
		sim_broker_later(rk, retry_pause, on_committed, 0);
		return;
	}
	rd_kafka_topic_partition_list_t *list = rk->commit->list;
	for (int i = 0; i < list->cnt; i++)
		list->elems[i].err = sim_group_commit(
			rk, rk->commit->generation, sim_broker_topic_index(list->elems[i].topic),
			list->elems[i].partition, list->elems[i].offset);
	rk->commit->err = list->elems[0].err;
	if (sim_random_chance(sim_broker_faults.error_chance)) /* the answer is lost */
		rk->commit->err = RD_KAFKA_RESP_ERR__TIMED_OUT;
	rk->commit->is_answered = true;
	sim_broker_wake(rk);
}

rd_kafka_resp_err_t
rd_kafka_commit_queue(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *offsets,
		      rd_kafka_queue_t *queue,
		      void (*callback)(rd_kafka_t *, rd_kafka_resp_err_t,
				       rd_kafka_topic_partition_list_t *, void *),
		      void *opaque)
{
	(void)queue;
	(void)callback;
	sim_point();
	if (rk->commit != NULL || sim_random_chance(sim_broker_faults.error_chance))
		return RD_KAFKA_RESP_ERR__STATE;
	rk->commit = xcalloc(1, sizeof(*rk->commit));
	rk->commit->generation = rk->generation;
	rk->commit->list = rd_kafka_topic_partition_list_new(offsets->cnt);
	for (int i = 0; i < offsets->cnt; i++)
		*rd_kafka_topic_partition_list_add(rk->commit->list, offsets->elems[i].topic,
						   offsets->elems[i].partition) = offsets->elems[i];
	for (int i = 0; i < offsets->cnt; i++)
		rk->commit->list->elems[i].topic =
			(char *)sim_broker_topics[sim_broker_topic_index(offsets->elems[i].topic)];
	rk->commit->opaque = opaque;
	sim_broker_later(rk, sim_broker_latency(), on_committed, 0);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The handle is let go of with a commit under way. */
void sim_kafka_drop_commit(rd_kafka_t *rk)
{
	if (rk->commit == NULL)
		return;
	rd_kafka_topic_partition_list_destroy(rk->commit->list);
	free(rk->commit);
	rk->commit = NULL;
}

/* --- queues and events --- */

rd_kafka_queue_t *rd_kafka_queue_new(rd_kafka_t *rk)
{
	rd_kafka_queue_t *queue = xcalloc(1, sizeof(*queue));
	queue->rk = rk;
	return queue;
}

void rd_kafka_queue_destroy(rd_kafka_queue_t *queue)
{
	free(queue);
}

void rd_kafka_queue_io_event_enable(rd_kafka_queue_t *queue, int fd, const void *payload,
				    size_t size)
{
	(void)queue;
	(void)fd;
	(void)payload;
	(void)size;
}

static rd_kafka_event_t *take_event(rd_kafka_queue_t *queue)
{
	rd_kafka_t *rk = queue->rk;
	bool is_answer = !queue->is_closing && rk->commit != NULL && rk->commit->is_answered;
	bool is_revoke = queue->is_closing && rk->holds && !rk->is_closed;
	if (!is_answer && !is_revoke)
		return NULL;
	rd_kafka_event_t *event = xcalloc(1, sizeof(*event));
	if (is_answer) {
		event->type = RD_KAFKA_EVENT_OFFSET_COMMIT;
		event->err = rk->commit->err;
		event->list = rk->commit->list;
		event->opaque = rk->commit->opaque;
		free(rk->commit);
		rk->commit = NULL;
	} else {
		event->type = RD_KAFKA_EVENT_REBALANCE;
		event->err = RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS;
		event->list = list_of(rk->is_given);
		give_back(rk);
	}
	return event;
}

rd_kafka_event_t *rd_kafka_queue_poll(rd_kafka_queue_t *queue, int timeout_ms)
{
	mono_us until = sim_now() + (mono_us)timeout_ms * CLOCK_US_PER_MS;
	sim_point();
	for (;;) {
		rd_kafka_event_t *event = take_event(queue);
		mono_us left = until - sim_now();
		if (event != NULL || left <= 0)
			return event;
		sim_sleep(left < slice ? left : slice);
		if (queue->is_closing && !queue->rk->holds) {
			queue->rk->is_closed = true;
			return NULL;
		}
	}
}

rd_kafka_event_type_t rd_kafka_event_type(const rd_kafka_event_t *event)
{
	return event == NULL ? RD_KAFKA_EVENT_NONE : event->type;
}

rd_kafka_resp_err_t rd_kafka_event_error(rd_kafka_event_t *event)
{
	return event->err;
}

rd_kafka_topic_partition_list_t *rd_kafka_event_topic_partition_list(rd_kafka_event_t *event)
{
	return event->list;
}

void *rd_kafka_event_opaque(rd_kafka_event_t *event)
{
	return event->opaque;
}

void rd_kafka_event_destroy(rd_kafka_event_t *event)
{
	if (event == NULL)
		return;
	rd_kafka_topic_partition_list_destroy(event->list);
	free(event);
}

rd_kafka_error_t *rd_kafka_consumer_close_queue(rd_kafka_t *rk, rd_kafka_queue_t *queue)
{
	sim_point();
	queue->is_closing = true;
	rk->is_closing = true;
	rk->must_assign = false;
	return NULL;
}

int rd_kafka_consumer_closed(rd_kafka_t *rk)
{
	if (!rk->is_closed)
		return 0;
	if (sim_broker_reaches(rk))
		sim_group_leave(rk);
	return 1;
}

void rd_kafka_error_destroy(rd_kafka_error_t *error)
{
	(void)error;
}
