/*
 * The subscriber's interface and its thread: commands come through a mailbox, Kafka's events through a descriptor.
 */
#include "kafka/subscriber.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "kafka/subscriber_private.h"

enum { CLOSE_SLICE_MS = 50 };
static const mono_us pause_after = INT64_C(2) * CLOCK_US_PER_S;
static const mono_us poll_every = INT64_C(1) * CLOCK_US_PER_S;
static const mono_us once_every = INT64_C(100) * CLOCK_US_PER_MS;

enum command_kind {
	COMMAND_BEGIN,
	COMMAND_AGAIN,
	COMMAND_CLAIM,
	COMMAND_COMMIT,
	COMMAND_RESUME,
	COMMAND_PAUSE,
	COMMAND_STOP,
};

struct command {
	struct letter letter; /* must be first */
	enum command_kind kind;
	uint64_t generation;
	mono_us stop_at;
	size_t count;
	struct position positions[];
};

static void post(struct subscriber *subscriber, enum command_kind kind, uint64_t generation,
		 mono_us stop_at, const struct position *positions, size_t count)
{
	struct command *command = xmalloc(sizeof(*command) + count * sizeof(*positions));
	command->kind = kind;
	command->generation = generation;
	command->stop_at = stop_at;
	command->count = count;
	if (count > 0)
		memcpy(command->positions, positions, count * sizeof(*positions));
	if (!mailbox_post(subscriber->mailbox, &command->letter))
		free(command);
}

void subscriber_begin(struct subscriber *subscriber, uint64_t generation,
		      const struct position *positions, size_t count)
{
	post(subscriber, COMMAND_BEGIN, generation, 0, positions, count);
}

void subscriber_begin_again(struct subscriber *subscriber, uint64_t generation)
{
	post(subscriber, COMMAND_AGAIN, generation, 0, NULL, 0);
}

void subscriber_claim_again(struct subscriber *subscriber, uint64_t generation)
{
	post(subscriber, COMMAND_CLAIM, generation, 0, NULL, 0);
}

void subscriber_commit(struct subscriber *subscriber, uint64_t generation,
		       const struct position *positions, size_t count)
{
	post(subscriber, COMMAND_COMMIT, generation, 0, positions, count);
}

void subscriber_resume(struct subscriber *subscriber)
{
	post(subscriber, COMMAND_RESUME, 0, 0, NULL, 0);
}

void subscriber_pause(struct subscriber *subscriber)
{
	post(subscriber, COMMAND_PAUSE, 0, 0, NULL, 0);
}

int subscriber_topic_index(const struct subscriber *subscriber, const char *topic)
{
	for (size_t i = 0; i < subscriber->topic_count; i++)
		if (strcmp(subscriber->topics[i], topic) == 0)
			return (int)i;
	return -1;
}

/* --- commands --- */

static void obey(struct subscriber *subscriber, const struct command *command)
{
	switch (command->kind) {
	case COMMAND_BEGIN:
		subscriber_take_positions(subscriber, command->generation, command->positions,
					  command->count);
		break;
	case COMMAND_AGAIN:
		subscriber_assign_again(subscriber, command->generation);
		break;
	case COMMAND_CLAIM:
		subscriber->outclaimed = command->generation;
		break;
	case COMMAND_COMMIT:
		subscriber_take_stored(subscriber, command->generation, command->positions,
				       command->count);
		break;
	case COMMAND_RESUME:
		subscriber->offer_at = 0;
		break;
	case COMMAND_PAUSE:
		subscriber->is_quiet = true;
		subscriber_drop_held(subscriber);
		subscriber_pause_kafka(subscriber);
		break;
	case COMMAND_STOP:
		subscriber->is_quiet = true;
		subscriber->is_stopping = true;
		subscriber->stop_at = command->stop_at;
		break;
	}
}

void subscriber_take_commands(struct subscriber *subscriber)
{
	struct letter *letter = mailbox_take_all(subscriber->mailbox);
	while (letter != NULL) {
		struct command *command = (struct command *)letter;
		letter = letter->next;
		obey(subscriber, command);
		free(command);
	}
}

/* --- the thread --- */

static int open_client(struct subscriber *subscriber, struct error *err)
{
	struct kafka_client_setup setup = {
		.config = &subscriber->config,
		.owner = subscriber,
		.figures = subscriber->figures,
		.wake_fd = subscriber->wake_fd,
		.group = subscriber->group,
		.topics = (const char *const *)subscriber->topics,
		.topic_count = subscriber->topic_count,
		.on_rebalance = subscriber_on_rebalance,
	};
	subscriber->client = kafka_client_create(&setup, err);
	if (subscriber->client == NULL)
		return -1;
	const uint64_t one = 1;
	subscriber->commit_queue = rd_kafka_queue_new(subscriber->client->rk);
	rd_kafka_queue_io_event_enable(subscriber->commit_queue, subscriber->client->wake_fd, &one,
				       sizeof(one));
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(SUBSCRIBER_TOPICS);
	for (size_t i = 0; i < subscriber->topic_count; i++)
		(void)rd_kafka_topic_partition_list_add(list, subscriber->topics[i],
							RD_KAFKA_PARTITION_UA);
	rd_kafka_resp_err_t code = rd_kafka_subscribe(subscriber->client->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0;
	error_set(err, ERROR_REJECT, "subscribe to the Kafka topics: %s", rd_kafka_err2str(code));
	return -1;
}

static void close_client(struct subscriber *subscriber, int timeout_ms)
{
	if (subscriber->commit_queue != NULL)
		rd_kafka_queue_destroy(subscriber->commit_queue);
	subscriber->commit_queue = NULL;
	kafka_client_destroy(subscriber->client, timeout_ms);
	subscriber->client = NULL;
	subscriber->is_committing = false;
}

/* The handle can't go on (fenced, say): begin anew with another. */
static void start_over(struct subscriber *subscriber)
{
	struct error err = {0};
	log_event(LOG_WARN, "kafka client failed, subscribing again from a new one",
		  LOG_STR("reason", subscriber->client->reason));
	figures_add(&subscriber->figures->kafka.restarts, 1);
	subscriber->is_kafka_paused = false;
	subscriber_end_generation(subscriber);
	close_client(subscriber, 0);
	(void)poll(NULL, 0,
		   (int)(poll_every / CLOCK_US_PER_MS)); /* one that fails again must not spin */
	if (open_client(subscriber, &err) != 0) {
		log_event(LOG_WARN, "kafka client can't be made, trying on",
			  LOG_STR("reason", err.message));
		close_client(subscriber, 0);
	}
}

static mono_us earlier(mono_us a, mono_us b)
{
	return a < b ? a : b;
}

static mono_us next_deadline(const struct subscriber *subscriber, mono_us now)
{
	if (subscriber->is_work_left)
		return 0;
	mono_us deadline =
		now + (subscriber->ends != NULL && !subscriber->is_done ? once_every : poll_every);
	if (subscriber->held != NULL)
		deadline = earlier(deadline, subscriber->offer_at);
	if (subscriber->held != NULL && !subscriber->is_kafka_paused)
		deadline = earlier(deadline, subscriber->held_since + pause_after);
	if (subscriber->phase == SUBSCRIBER_PLACING)
		deadline = earlier(deadline, subscriber->place_at);
	if (!subscriber->is_committing && subscriber_has_commits(subscriber))
		deadline = earlier(deadline, subscriber->commit_at);
	return deadline;
}

static void wait_for_work(struct subscriber *subscriber)
{
	uint64_t ignored;
	mono_us now = clock_mono_us();
	mono_us deadline = next_deadline(subscriber, now);
	struct pollfd fds[] = {{.fd = mailbox_fd(subscriber->mailbox), .events = POLLIN},
			       {.fd = subscriber->wake_fd, .events = POLLIN}};
	int timeout_ms = deadline <= now ? 0 : (int)((deadline - now) / CLOCK_US_PER_MS + 1);
	(void)poll(fds, 2, timeout_ms);
	(void)!read(subscriber->wake_fd, &ignored, sizeof(ignored));
}

static void turn(struct subscriber *subscriber)
{
	struct topic_watch_view view;
	wait_for_work(subscriber);
	subscriber_take_commands(subscriber);
	mono_us now = clock_mono_us();
	if (subscriber->client == NULL) {
		if (open_client(subscriber, NULL) != 0)
			close_client(subscriber, 0);
		return;
	}
	if (subscriber->held != NULL && now >= subscriber->offer_at)
		subscriber_offer_held(subscriber);
	if (subscriber->held != NULL && now >= subscriber->held_since + pause_after)
		subscriber_pause_kafka(subscriber);
	subscriber_serve_kafka(subscriber);
	if (subscriber->client->is_fatal) {
		start_over(subscriber);
		return;
	}
	if (subscriber->phase == SUBSCRIBER_PLACING && now >= subscriber->place_at)
		subscriber_place(subscriber, now);
	if (kafka_client_look(subscriber->client, &view))
		subscriber_once_list(subscriber, &view);
	subscriber_serve_commits(subscriber, now);
	subscriber_show_lag(subscriber, now);
	subscriber_once_serve(subscriber, now);
}

static int left_ms(const struct subscriber *subscriber)
{
	mono_us left = subscriber->stop_at - clock_mono_us();
	return left > 0 ? (int)(left / CLOCK_US_PER_MS) : 0;
}

/* The last rebalance arrives as an event; messages that arrive are not ours any more. */
static void serve_close(struct subscriber *subscriber, rd_kafka_queue_t *queue)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CLOSE_SLICE_MS);
	if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
		subscriber_on_rebalance(subscriber->client->rk, rd_kafka_event_error(event),
					rd_kafka_event_topic_partition_list(event),
					subscriber->client);
	rd_kafka_event_destroy(event);
}

/*
 * Closing through a queue of its own, because rd_kafka_consumer_close() may hang. Polled for events: asked to call back,
 * librdkafka 2.0.2 aborts the process when a message arrives there.
 */
static void leave(struct subscriber *subscriber)
{
	subscriber_take_commands(subscriber);
	subscriber_flush_commits(subscriber, left_ms(subscriber) / 2);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(subscriber->client->rk);
	rd_kafka_error_t *error = rd_kafka_consumer_close_queue(subscriber->client->rk, queue);
	if (error == NULL)
		while (!rd_kafka_consumer_closed(subscriber->client->rk) && left_ms(subscriber) > 0)
			serve_close(subscriber, queue);
	else
		rd_kafka_error_destroy(error);
	rd_kafka_queue_destroy(queue);
}

static void *run(void *context)
{
	struct subscriber *subscriber = context;
	while (!subscriber->is_stopping)
		turn(subscriber);
	if (subscriber->client != NULL)
		leave(subscriber);
	subscriber_end_generation(subscriber);
	close_client(subscriber, left_ms(subscriber));
	return NULL;
}

/* --- life --- */

struct subscriber *subscriber_start(const struct subscriber_options *options,
				    const struct subscriber_events *events, struct error *err)
{
	struct subscriber *subscriber = xcalloc(1, sizeof(*subscriber));
	assert(options->topic_count >= 1 && options->topic_count <= SUBSCRIBER_TOPICS);
	subscriber->events = *events;
	subscriber->figures = options->figures != NULL ? options->figures : figures_unread();
	subscriber->config = *options->config;
	subscriber->group = xstrdup(options->group);
	for (size_t i = 0; i < options->topic_count; i++) /* the same one twice is one */
		if (subscriber_topic_index(subscriber, options->topics[i]) < 0)
			subscriber->topics[subscriber->topic_count++] = xstrdup(options->topics[i]);
	subscriber->is_once = options->is_once;
	subscriber->held_end = &subscriber->held;
	subscriber->mailbox = mailbox_create();
	subscriber->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (subscriber->wake_fd < 0) {
		error_set_errno(err, ERROR_FATAL, errno, "eventfd");
		goto fail;
	}
	if (open_client(subscriber, err) != 0)
		goto fail;
	int code = pthread_create(&subscriber->thread, NULL, run, subscriber);
	if (code != 0) {
		error_set_errno(err, ERROR_FATAL, code, "start the subscriber's thread");
		goto fail;
	}
	subscriber->is_started = true;
	return subscriber;
fail:
	subscriber_destroy(subscriber);
	return NULL;
}

void subscriber_stop(struct subscriber *subscriber, int deadline_ms)
{
	if (!subscriber->is_started)
		return;
	post(subscriber, COMMAND_STOP, 0, clock_mono_us() + (mono_us)deadline_ms * CLOCK_US_PER_MS,
	     NULL, 0);
	(void)pthread_join(subscriber->thread, NULL);
	subscriber->is_started = false;
}

void subscriber_destroy(struct subscriber *subscriber)
{
	if (subscriber == NULL)
		return;
	subscriber_stop(subscriber, 0);
	if (subscriber->client != NULL)
		close_client(subscriber, 0);
	struct letter *letter = mailbox_take_all(subscriber->mailbox);
	while (letter != NULL) {
		struct letter *next = letter->next;
		free(letter); /* a command: one block */
		letter = next;
	}
	mailbox_destroy(subscriber->mailbox);
	subscriber_drop_held(subscriber);
	if (subscriber->wake_fd >= 0)
		(void)close(subscriber->wake_fd);
	for (size_t i = 0; i < subscriber->topic_count; i++)
		free(subscriber->topics[i]);
	free(subscriber->partitions);
	free(subscriber->gaps);
	free(subscriber->ends);
	free(subscriber->cluster_id);
	free(subscriber->group);
	free(subscriber);
}
