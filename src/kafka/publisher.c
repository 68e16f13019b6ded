/*
 * Rows go into one handle with large batches. What it turns away goes through publisher_resend.c, and rows that must be
 * alone in their batch through a second handle whose batches hold one message.
 *
 * A message's opaque is its row's id, doubled; or the address of its struct resend, plus one.
 */
#include "kafka/publisher.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/planted.h"
#include "kafka/publisher_private.h"

/* A handle that fails soon after it was made waits longer each time for the next one. */
static const mono_us start_pause_min = INT64_C(1) * CLOCK_US_PER_S;
static const mono_us start_pause_max = INT64_C(30) * CLOCK_US_PER_S;
static const mono_us start_settled = INT64_C(60) * CLOCK_US_PER_S;

static void *opaque_of(int64_t id, struct resend *resend)
{
	uintptr_t value = resend != NULL ? (uintptr_t)resend | 1 : (uintptr_t)id << 1;
	return (void *)value; /* NOLINT(performance-no-int-to-ptr): never followed as it is */
}

static struct resend *resend_of(const void *opaque)
{
	uintptr_t value = (uintptr_t)opaque;
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): opaque_of() made it from a pointer */
	return (value & 1) != 0 ? (struct resend *)(value & ~(uintptr_t)1) : NULL;
}

static int topic_index_of(const struct publisher *publisher, const rd_kafka_topic_t *topic)
{
	const char *name = rd_kafka_topic_name(topic);
	return strcmp(name, publisher->options.topics[0]) == 0 ? 0 : 1;
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	(void)rk;
	struct kafka_client *client = opaque;
	struct publisher *publisher = client->owner;
	struct resend *resend = resend_of(message->_private);
	int64_t id = resend != NULL ? resend->id : (int64_t)((uintptr_t)message->_private >> 1);
	if (client->is_fatal)
		return; /* all of it comes again */
	if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && !IS_PLANTED(FAILURE_IS_DELIVERY)) {
		publisher_resend_failed(publisher, message, resend, id,
					topic_index_of(publisher, message->rkt),
					client == publisher->single.client);
		return;
	}
	kafka_client_up(client);
	/*
	 * Only a place in the log is Kafka's own word. librdkafka also takes the answer to a later batch for one to this, and a
	 * sequence number that was seen before for this message's: then there is no place.
	 */
	if (message->offset < 0 && (resend == NULL || !resend->is_unproven)) {
		publisher_resend_unproven(publisher, message, resend, id,
					  topic_index_of(publisher, message->rkt));
		return;
	}
	figures_add(&publisher->figures->kafka.delivered, 1);
	publisher_resend_delivered(publisher, resend);
	publisher->events.on_delivered(publisher->events.context, id);
}

static int handle_open(struct publisher *publisher, struct publisher_handle *handle,
		       const char *batch_messages, struct error *err)
{
	struct kafka_client_setup setup = {
		.config = publisher->options.config,
		.is_producer = true,
		.owner = publisher,
		.figures = publisher->figures,
		.wake_fd = publisher->wake_fd,
		.batch_messages = batch_messages,
		.topics = publisher->options.topics,
		/* one of the two handles watches */
		.topic_count = batch_messages == NULL ? PUBLISHER_TOPICS : 0,
		.is_creating_topics = publisher->options.is_creating_topics,
		.on_delivery = on_delivery,
	};
	handle->client = kafka_client_create(&setup, err);
	return handle->client == NULL ? -1 : 0;
}

static void handle_close(struct publisher_handle *handle, int timeout_ms)
{
	for (int i = 0; i < PUBLISHER_TOPICS; i++)
		if (handle->topics[i] != NULL)
			rd_kafka_topic_destroy(handle->topics[i]);
	kafka_client_destroy(handle->client, timeout_ms);
	*handle = (struct publisher_handle){0};
}

/* Only for a topic that exists: with its first topic object librdkafka asks for it by name. */
static rd_kafka_topic_t *handle_topic(struct publisher *publisher, struct publisher_handle *handle,
				      int index)
{
	if (handle->topics[index] == NULL && publisher->is_present[index])
		handle->topics[index] = rd_kafka_topic_new(handle->client->rk,
							   publisher->options.topics[index], NULL);
	return handle->topics[index];
}

struct publisher_handle *publisher_single(struct publisher *publisher)
{
	struct error err = {0};
	if (publisher->single.client == NULL &&
	    handle_open(publisher, &publisher->single, "1", &err) != 0)
		return NULL; /* out of threads or descriptors: tried again with the next serve */
	return &publisher->single;
}

rd_kafka_resp_err_t publisher_produce(struct publisher *publisher, struct publisher_handle *handle,
				      int topic_index, const char *key, size_t key_length,
				      const char *message, size_t length, int64_t id,
				      struct resend *resend)
{
	rd_kafka_topic_t *topic = handle_topic(publisher, handle, topic_index);
	if (topic == NULL)
		return RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
	/* 0: now; -1: none. A variable, because the macro's cast would take hold of a ?: wrongly */
	int64_t timestamp = clock_mono_us() >= publisher->untimed_until ? 0 : -1;
	rd_kafka_resp_err_t code = rd_kafka_producev(
		handle->client->rk, RD_KAFKA_V_RKT(topic),
		RD_KAFKA_V_PARTITION(RD_KAFKA_PARTITION_UA), RD_KAFKA_V_KEY(key, key_length),
		RD_KAFKA_V_VALUE((void *)message, length), /* copied, not written to */
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_TIMESTAMP(timestamp),
		RD_KAFKA_V_OPAQUE(opaque_of(id, resend)), RD_KAFKA_V_END);
	if (code == RD_KAFKA_RESP_ERR__FATAL)
		handle->client->is_fatal = true;
	return code;
}

struct publisher *publisher_create(const struct publisher_options *options,
				   const struct publisher_events *events, struct error *err)
{
	struct publisher *publisher = xcalloc(1, sizeof(*publisher));
	publisher->options = *options;
	publisher->events = *events;
	publisher->figures = options->figures != NULL ? options->figures : figures_unread();
	TAILQ_INIT(&publisher->held);
	TAILQ_INIT(&publisher->flying);
	publisher->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (publisher->wake_fd < 0) {
		error_set_errno(err, ERROR_FATAL, errno, "eventfd");
		publisher_destroy(publisher, 0);
		return NULL;
	}
	if (handle_open(publisher, &publisher->bulk, NULL, err) != 0) {
		publisher_destroy(publisher, 0);
		return NULL;
	}
	return publisher;
}

void publisher_destroy(struct publisher *publisher, int timeout_ms)
{
	if (publisher == NULL)
		return;
	mono_us until = clock_mono_us() + (mono_us)timeout_ms * CLOCK_US_PER_MS;
	handle_close(&publisher->single, timeout_ms / 2);
	mono_us left = until - clock_mono_us();
	handle_close(&publisher->bulk, left > 0 ? (int)(left / CLOCK_US_PER_MS) : 0);
	publisher_resend_clear(publisher);
	if (publisher->wake_fd >= 0)
		(void)close(publisher->wake_fd);
	free(publisher);
}

int publisher_send(struct publisher *publisher, int64_t id, int topic_index, const char *key,
		   size_t key_length, const char *message, size_t length)
{
	assert(topic_index >= 0 && topic_index < PUBLISHER_TOPICS);
	if (publisher->bulk.client == NULL || publisher->bulk.client->is_fatal ||
	    !TAILQ_EMPTY(&publisher->held))
		return -1;
	struct publisher_handle *handle = &publisher->bulk;
	if (clock_mono_us() < publisher->single_until)
		handle = publisher_single(publisher);
	if (handle == NULL)
		return -1;
	rd_kafka_resp_err_t code = publisher_produce(publisher, handle, topic_index, key,
						     key_length, message, length, id, NULL);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0;
	if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
		publisher_resend_too_large(publisher, id, topic_index, key, key_length, message,
					   length);
		return 0;
	}
	return -1;
}

static void start(struct publisher *publisher, mono_us now)
{
	struct error err = {0};
	publisher->started_at = now;
	publisher->start_at = now + start_pause_max;
	if (handle_open(publisher, &publisher->bulk, NULL, &err) != 0)
		log_event(LOG_WARN, "kafka client can't be made, trying on",
			  LOG_STR("reason", err.message));
}

/* A handle that can't go on: new ones, and everything again. */
static void start_over(struct publisher *publisher, const struct kafka_client *failed, mono_us now)
{
	if (publisher->started_at == 0 || now - publisher->started_at > start_settled) {
		publisher->start_pause = 0;
		log_event(LOG_WARN, "kafka client failed, sending all again from a new one",
			  LOG_STR("reason", failed->reason));
	} else if (publisher->start_pause == 0) {
		publisher->start_pause = start_pause_min;
	} else if (publisher->start_pause < start_pause_max) {
		publisher->start_pause *= 2;
	}
	figures_add(&publisher->figures->kafka.restarts, 1);
	handle_close(&publisher->single, 0);
	handle_close(&publisher->bulk, 0);
	publisher_resend_clear(publisher);
	for (int i = 0; i < PUBLISHER_TOPICS; i++)
		publisher->is_present[i] = false;
	publisher->start_at = now + publisher->start_pause;
	publisher->events.on_rewind(publisher->events.context);
	if (publisher->start_pause == 0)
		start(publisher, now);
}

/* The handle that can't go on, or NULL. */
static const struct kafka_client *failed_client(const struct publisher *publisher)
{
	if (publisher->bulk.client->is_fatal)
		return publisher->bulk.client;
	if (publisher->single.client != NULL && publisher->single.client->is_fatal)
		return publisher->single.client;
	return NULL;
}

static void look_at_topics(struct publisher *publisher)
{
	struct topic_watch_view view;
	if (!kafka_client_look(publisher->bulk.client, &view))
		return;
	for (int i = 0; i < PUBLISHER_TOPICS; i++)
		publisher->is_present[i] = view.partitions[i] > 0;
}

void publisher_serve(struct publisher *publisher)
{
	uint64_t ignored;
	mono_us now = clock_mono_us();
	(void)!read(publisher->wake_fd, &ignored, sizeof(ignored));
	if (publisher->bulk.client == NULL) {
		if (now >= publisher->start_at)
			start(publisher, now);
		return;
	}
	(void)rd_kafka_poll(publisher->bulk.client->rk, 0);
	if (publisher->single.client != NULL)
		(void)rd_kafka_poll(publisher->single.client->rk, 0);
	const struct kafka_client *failed = failed_client(publisher);
	if (failed != NULL) {
		start_over(publisher, failed, now);
		return;
	}
	look_at_topics(publisher);
	publisher_resend_serve(publisher, now);
}

int publisher_fd(const struct publisher *publisher)
{
	return publisher->wake_fd;
}
