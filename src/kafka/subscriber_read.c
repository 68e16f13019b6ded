/*
 * From librdkafka to the receiver, one message at a time.
 *
 * A receiver without room is waited for without polling; the heartbeats go on by themselves. Only when that lasts are
 * the partitions paused and polled on, since pausing throws away what librdkafka has fetched ahead.
 */
#include "kafka/subscriber_private.h"

#include "base/mailbox.h"

enum { MESSAGES_A_TURN = 1000 };
static const mono_us offer_every = INT64_C(100) * CLOCK_US_PER_MS;

void subscriber_drop_held(struct subscriber *subscriber)
{
	while (subscriber->held != NULL) {
		struct letter *letter = subscriber->held;
		subscriber->held = letter->next;
		message_destroy((struct message *)letter);
	}
	subscriber->held_end = &subscriber->held;
}

static void hold(struct subscriber *subscriber, struct message *message)
{
	mono_us now = clock_mono_us();
	if (subscriber->held == NULL) {
		subscriber->held_since = now;
		subscriber->offer_at = now + offer_every;
	}
	message->letter.next = NULL;
	*subscriber->held_end = &message->letter;
	subscriber->held_end = &message->letter.next;
}

void subscriber_offer_held(struct subscriber *subscriber)
{
	while (subscriber->held != NULL) {
		struct message *message = (struct message *)subscriber->held;
		struct letter *next = subscriber->held->next; /* the receiver may link it anew */
		if (!subscriber->events.on_message(subscriber->events.context, message)) {
			message->letter.next = next;
			subscriber->offer_at = clock_mono_us() + offer_every;
			return;
		}
		subscriber->held = next;
	}
	subscriber->held_end = &subscriber->held;
	subscriber_resume_kafka(subscriber);
	subscriber->is_work_left = true;
}

static void hand_over(struct subscriber *subscriber, struct subscriber_partition *partition,
		      const rd_kafka_message_t *record)
{
	struct message *message = message_create(record->payload, record->len);
	message->generation = subscriber->generation;
	message->topic_index = partition->topic_index;
	message->partition = partition->partition;
	message->offset = record->offset;
	partition->handed_next = record->offset + 1;
	figures_add(&subscriber->figures->kafka.messages, 1);
	if (subscriber->held != NULL ||
	    !subscriber->events.on_message(subscriber->events.context, message))
		hold(subscriber, message);
}

static void on_record(struct subscriber *subscriber, const rd_kafka_message_t *record)
{
	int topic_index =
		record->rkt == NULL
			? -1
			: subscriber_topic_index(subscriber, rd_kafka_topic_name(record->rkt));
	struct subscriber_partition *partition =
		subscriber->phase == SUBSCRIBER_READING
			? subscriber_find(subscriber, topic_index, record->partition)
			: NULL;
	switch ((int)record->err) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		kafka_client_up(subscriber->client);
		if (partition == NULL || subscriber->is_quiet)
			break;
		if (subscriber_is_gap(subscriber, partition, record->offset))
			subscriber_assign_again(subscriber, subscriber->generation);
		else
			hand_over(subscriber, partition, record);
		break;
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		kafka_client_up(subscriber->client);
		if (partition == NULL || subscriber->is_quiet)
			break;
		if (subscriber_is_gap(subscriber, partition, record->offset)) {
			subscriber_assign_again(subscriber, subscriber->generation);
			break;
		}
		partition->end_at = record->offset;
		subscriber_pass_end(subscriber, partition);
		break;
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
		if (topic_index >= 0)
			topic_watch_lost(subscriber->client->watch, (size_t)topic_index);
		break;
	case RD_KAFKA_RESP_ERR__FATAL:
		subscriber->client->is_fatal = true;
		break;
	default:
		kafka_client_complain(subscriber->client, record->err,
				      rd_kafka_message_errstr(record));
		break;
	}
}

void subscriber_serve_kafka(struct subscriber *subscriber)
{
	subscriber->is_work_left = false;
	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		if (subscriber->held != NULL && !subscriber->is_kafka_paused)
			return;
		rd_kafka_message_t *record = rd_kafka_consumer_poll(subscriber->client->rk, 0);
		if (record == NULL)
			return;
		on_record(subscriber, record);
		rd_kafka_message_destroy(record);
	}
	subscriber->is_work_left = true;
}
