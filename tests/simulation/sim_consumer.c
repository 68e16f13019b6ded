/* The wiring of src/app/consumer.c once more: that one lives on signals, settings, log lines and a web server, which nothing here has. */
#include "sim_consumer.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kafka/subscriber.h"
#include "sim_broker.h"
#include "sim_database.h"
#include "sim_message.h"
#include "sim_oracle.h"
#include "sim_random.h"
#include "store/store.h"
#include "store/writer.h"

enum { STOP_DEADLINE_MS = 5000 };

static int decode(const char *bytes, size_t length, struct report_row *ret_row,
		  const char **ret_reason, char *ret_detail, size_t detail_size)
{
	struct sim_message message;
	if (!sim_message_parse(bytes, length, &message)) {
		*ret_reason = "not_json";
		(void)strncpy(ret_detail, "poison", detail_size);
		return -1;
	}
	memset(ret_row, 0, sizeof(*ret_row));
	ret_row->producer_id.value = message.identity.producer_id;
	ret_row->seq.value = message.identity.seq;
	ret_row->started_at.value = message.nonce;
	ret_row->storage = xmemdup(bytes, length);
	return 0;
}

/* --- the subscriber's thread --- */

static bool on_message(void *context, struct message *taken)
{
	const struct sim_consumer *consumer = context;
	return writer_post(consumer->writer, taken);
}

static void on_assigned(void *context, uint64_t generation, const char *cluster_id,
			const struct position *positions, size_t count)
{
	const struct sim_consumer *consumer = context;
	if (count > 0)
		writer_ask_positions(consumer->writer, generation, cluster_id, positions, count);
}

static void on_revoked(void *context, uint64_t generation)
{
	const struct sim_consumer *consumer = context;
	writer_revoke(consumer->writer, generation);
}

/* --- the writer's thread --- */

static struct subscriber *get_subscriber(struct sim_consumer *consumer)
{
	(void)pthread_mutex_lock(&consumer->lock);
	struct subscriber *subscriber = consumer->subscriber;
	(void)pthread_mutex_unlock(&consumer->lock);
	return subscriber;
}

static void on_committed(void *context, uint64_t generation, const struct position *positions,
			 size_t count, size_t inserted)
{
	(void)inserted;
	subscriber_commit(get_subscriber(context), generation, positions, count);
}

static void on_positions(void *context, uint64_t generation, const struct position *positions,
			 size_t count)
{
	subscriber_begin(get_subscriber(context), generation, positions, count);
}

static void on_put_back(void *context, uint64_t generation)
{
	if (!sim_database_was_put_back())
		sim_oracle_fail("a database that nobody put back is said to have been: generation",
				(int64_t)generation, 0);
	subscriber_begin_again(get_subscriber(context), generation);
}

static void on_outclaimed(void *context, uint64_t generation)
{
	subscriber_claim_again(get_subscriber(context), generation);
}

static void on_room(void *context)
{
	subscriber_resume(get_subscriber(context));
}

static void on_ready(void *context)
{
	struct sim_consumer *consumer = context;
	consumer->is_ready = true;
}

/* --- the main thread --- */

static int open_writer(struct sim_consumer *consumer, struct error *err)
{
	const struct writer_options options = {
		.store = sim_database_connect(),
		.may_migrate = true,
		.topics = sim_broker_topics,
		.topic_count = SIM_TOPICS,
		.max_waiting = consumer->max_waiting,
		.decode = decode,
	};
	const struct writer_events events = {
		.context = consumer,
		.on_committed = on_committed,
		.on_positions = on_positions,
		.on_put_back = on_put_back,
		.on_outclaimed = on_outclaimed,
		.on_room = on_room,
		.on_ready = on_ready,
	};
	consumer->writer = writer_start(&options, &events, err);
	return consumer->writer == NULL ? -1 : 0;
}

static int open_subscriber(struct sim_consumer *consumer, struct error *err)
{
	const struct subscriber_options options = {
		.config = &consumer->config,
		.group = "websentry",
		.topics = {sim_broker_topics[0], sim_broker_topics[1]},
		.topic_count = SIM_TOPICS,
	};
	const struct subscriber_events events = {
		.context = consumer,
		.on_message = on_message,
		.on_assigned = on_assigned,
		.on_revoked = on_revoked,
	};
	(void)pthread_mutex_lock(&consumer->lock);
	consumer->subscriber = subscriber_start(&options, &events, err);
	(void)pthread_mutex_unlock(&consumer->lock);
	return consumer->subscriber == NULL ? -1 : 0;
}

static void close_parts(struct sim_consumer *consumer)
{
	if (consumer->subscriber != NULL)
		subscriber_pause(consumer->subscriber);
	if (consumer->writer != NULL)
		(void)writer_stop(consumer->writer, STOP_DEADLINE_MS);
	if (consumer->subscriber != NULL)
		subscriber_stop(consumer->subscriber, STOP_DEADLINE_MS);
	writer_destroy(consumer->writer);
	subscriber_destroy(consumer->subscriber);
}

static void *run(void *context)
{
	struct sim_consumer *consumer = context;
	struct error err;
	(void)pthread_mutex_init(&consumer->lock, NULL);
	if (open_writer(consumer, &err) == 0) {
		while (!consumer->is_asked_to_stop) {
			sim_sleep(50 * CLOCK_US_PER_MS);
			if (!consumer->is_ready)
				continue;
			if (consumer->subscriber == NULL && open_subscriber(consumer, &err) != 0)
				break;
			sim_sleep(400 * CLOCK_US_PER_MS);
		}
	}
	close_parts(consumer);
	return NULL;
}

static void on_end(struct sim_process *process, bool is_killed)
{
	struct sim_consumer *consumer = process->owner;
	(void)is_killed;
	sim_broker_process_ended(process);
	consumer->process = NULL;
}

void sim_consumer_start(struct sim_consumer *consumer)
{
	consumer->writer = NULL;
	consumer->subscriber = NULL;
	consumer->is_ready = false;
	consumer->is_asked_to_stop = false;
	consumer->process = sim_process_start(consumer->name, consumer, run, consumer, on_end);
}
