#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "receiver.h"

struct mock receiver_mock;
struct receiver receiver;
struct receiver other;

static bool on_message(void *context, struct message *message)
{
	struct receiver *to = context;
	if (to->is_full)
		return false;
	to->offsets[message->partition][to->counts[message->partition]++] = message->offset;
	to->count++;
	if (to->is_committing) {
		struct position position = {.topic_index = message->topic_index,
					    .partition = message->partition,
					    .next = message->offset + 1};
		(void)pthread_mutex_lock(&to->lock);
		subscriber_commit(to->subscriber, message->generation, &position, 1);
		(void)pthread_mutex_unlock(&to->lock);
	}
	message_destroy(message);
	return true;
}

void receiver_begin(struct receiver *to)
{
	struct position positions[RECEIVER_PARTITIONS];
	for (int i = 0; i < RECEIVER_PARTITIONS; i++)
		positions[i] = (struct position){.partition = i, .next = to->start[i]};
	subscriber_begin(to->subscriber, to->generation, positions, RECEIVER_PARTITIONS);
}

static void on_assigned(void *context, uint64_t generation, const char *cluster_id,
			const struct position *positions, size_t count)
{
	(void)positions;
	(void)count;
	struct receiver *to = context;
	(void)snprintf(to->cluster_id, sizeof(to->cluster_id), "%s", cluster_id);
	to->generation = generation;
	to->assignments++;
	(void)pthread_mutex_lock(&to->lock); /* until subscriber_start() has returned */
	(void)pthread_mutex_unlock(&to->lock);
	if (!to->is_silent)
		receiver_begin(to);
}

static void on_revoked(void *context, uint64_t generation)
{
	(void)generation;
	struct receiver *to = context;
	to->revocations++;
}

static void on_done(void *context)
{
	struct receiver *to = context;
	to->dones++;
}

void receiver_init(struct receiver *to)
{
	memset(to, 0, sizeof(*to));
	(void)pthread_mutex_init(&to->lock, NULL);
	to->is_committing = true;
	for (int i = 0; i < RECEIVER_PARTITIONS; i++)
		to->start[i] = POSITION_NONE;
}

int receiver_setup(void **state)
{
	(void)state;
	/* the mock waits a session time-out, less a second, for each rebalance */
	static const struct kafka_property quick[] = {{"session.timeout.ms", "3300", "test"},
						      {"heartbeat.interval.ms", "200", "test"}};
	mock_start(&receiver_mock);
	receiver_mock.config.properties = quick;
	receiver_mock.config.property_count = sizeof(quick) / sizeof(quick[0]);
	mock_create_topic(&receiver_mock, "reports", RECEIVER_PARTITIONS);
	rd_kafka_mock_coordinator_set(receiver_mock.cluster, "group", "group", 1);
	receiver_init(&receiver);
	receiver_init(&other);
	return 0;
}

int receiver_teardown(void **state)
{
	(void)state;
	mock_stop(&receiver_mock);
	return 0;
}

void receiver_start(struct receiver *to, const char *topic, bool is_once)
{
	struct error err = {0};
	struct subscriber_options options = {.config = &receiver_mock.config,
					     .group = "group",
					     .topics = {topic},
					     .topic_count = 1,
					     .is_once = is_once};
	struct subscriber_events events = {.context = to,
					   .on_message = on_message,
					   .on_assigned = on_assigned,
					   .on_revoked = on_revoked,
					   .on_done = on_done};
	(void)pthread_mutex_lock(&to->lock);
	to->subscriber = subscriber_start(&options, &events, &err);
	(void)pthread_mutex_unlock(&to->lock);
	if (to->subscriber == NULL)
		fail_msg("subscriber_start: %s", err.message);
}

void receiver_stop(struct receiver *to)
{
	subscriber_pause(to->subscriber);
	subscriber_stop(to->subscriber, 5000);
	subscriber_destroy(to->subscriber);
	to->subscriber = NULL;
}
