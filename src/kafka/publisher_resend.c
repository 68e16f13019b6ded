/*
 * Rows that Kafka turned away.
 *
 *     too large in a batch  -> again, alone in a batch
 *     too large alone       -> shrunk, again alone; too large still, or not to be shrunk: on_refused, done
 *     delivered, but where? -> again, and the second time it counts
 *     invalid timestamp     -> again without one, and so are all rows of the next minute
 *     anything else         -> again after a pause; one log line says why
 *
 * A row is in held until it is sent, in flying until it is delivered, then gone.
 */
#include "kafka/publisher_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/planted.h"

static const mono_us mode_lasts = INT64_C(60) * CLOCK_US_PER_S;
static const mono_us pause_min = INT64_C(500) * CLOCK_US_PER_MS;
static const mono_us pause_max = INT64_C(30) * CLOCK_US_PER_S;

static struct resend *resend_create(int64_t id, int topic_index, const char *key, size_t key_length,
				    const char *message, size_t length)
{
	struct resend *resend = xcalloc(1, sizeof(*resend));
	resend->id = id;
	resend->topic_index = topic_index;
	resend->key = xmemdup(key, key_length);
	resend->key_length = key_length;
	resend->message = xmemdup(message, length);
	resend->length = length;
	return resend;
}

static void resend_free(struct resend *resend)
{
	free(resend->key);
	free(resend->message);
	free(resend);
}

static void clear_list(struct resend_list *list)
{
	struct resend *resend;
	while ((resend = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, resend, link);
		resend_free(resend);
	}
}

void publisher_resend_clear(struct publisher *publisher)
{
	clear_list(&publisher->held);
	clear_list(&publisher->flying);
}

void publisher_resend_delivered(struct publisher *publisher, struct resend *resend)
{
	if (publisher->is_refusal_said) {
		publisher->is_refusal_said = false;
		log_event(LOG_INFO, "kafka takes messages again");
	}
	publisher->refusal_pause = 0;
	if (resend == NULL)
		return;
	TAILQ_REMOVE(&publisher->flying, resend, link);
	resend_free(resend);
}

/* Refused alone. Shrinking is the caller's art; a row that stays too large is the caller's to keep. */
static void shrink(struct publisher *publisher, struct resend *resend)
{
	size_t length = 0;
	char *message = NULL;
	if (!resend->is_shrunk && publisher->events.shrink != NULL)
		message = publisher->events.shrink(publisher->events.context, resend->message,
						   resend->length, &length);
	if (message != NULL && length < resend->length) {
		free(resend->message);
		resend->message = message;
		resend->length = length;
		resend->is_shrunk = true;
		resend->is_refused = false;
		return;
	}
	free(message);
	TAILQ_REMOVE(&publisher->held, resend, link);
	publisher->events.on_refused(publisher->events.context, resend->id, resend->message,
				     resend->length, "message too large for the topic");
	resend_free(resend);
}

void publisher_resend_too_large(struct publisher *publisher, int64_t id, int topic_index,
				const char *key, size_t key_length, const char *message,
				size_t length)
{
	struct resend *resend = resend_create(id, topic_index, key, key_length, message, length);
	resend->is_alone = true;
	resend->is_refused = true;
	TAILQ_INSERT_TAIL(&publisher->held, resend, link);
}

static void note_too_large(struct publisher *publisher, struct resend *resend, bool was_alone,
			   mono_us now)
{
	if (!publisher->is_single_said)
		log_event(LOG_WARN, "kafka finds a batch too large, sending one by one",
			  LOG_STR("topic", publisher->options.topics[resend->topic_index]));
	publisher->is_single_said = true;
	publisher->single_until = now + mode_lasts;
	resend->is_refused = was_alone || IS_PLANTED(CONDEMN_BATCH);
	resend->is_alone = true;
}

static void note_timestamp(struct publisher *publisher, mono_us now)
{
	if (!publisher->is_untimed_said)
		log_event(LOG_WARN, "kafka finds our clock wrong, sending without timestamps");
	publisher->is_untimed_said = true;
	publisher->untimed_until = now + mode_lasts;
}

static void note_refusal(struct publisher *publisher, struct resend *resend,
			 const rd_kafka_message_t *message, mono_us now)
{
	if (!publisher->is_refusal_said)
		log_event(LOG_WARN, "kafka refuses messages, trying on",
			  LOG_STR("topic", publisher->options.topics[resend->topic_index]),
			  LOG_STR("code", rd_kafka_err2name(message->err)),
			  LOG_STR("reason", rd_kafka_err2str(message->err)));
	publisher->is_refusal_said = true;
	if (publisher->refusal_pause == 0)
		publisher->refusal_pause = pause_min;
	resend->due_at = now + publisher->refusal_pause;
}

/* Into held: a row that librdkafka has given back, plain or on its way once more. */
static struct resend *take_back(struct publisher *publisher, const rd_kafka_message_t *message,
				struct resend *resend, int64_t id, int topic_index)
{
	if (resend != NULL)
		TAILQ_REMOVE(&publisher->flying, resend, link);
	else
		resend = resend_create(id, topic_index, message->key, message->key_len,
				       message->payload, message->len);
	TAILQ_INSERT_TAIL(&publisher->held, resend, link);
	return resend;
}

void publisher_resend_unproven(struct publisher *publisher, const rd_kafka_message_t *message,
			       struct resend *resend, int64_t id, int topic_index)
{
	figures_add(&publisher->figures->kafka.unproven, 1);
	take_back(publisher, message, resend, id, topic_index)->is_unproven = true;
}

void publisher_resend_failed(struct publisher *publisher, const rd_kafka_message_t *message,
			     struct resend *resend, int64_t id, int topic_index, bool was_alone)
{
	mono_us now = clock_mono_us();
	figures_add(&publisher->figures->kafka.delivery_failures, 1);
	resend = take_back(publisher, message, resend, id, topic_index);
	switch ((int)message->err) {
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
		note_too_large(publisher, resend, was_alone, now);
		break;
	case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
		note_timestamp(publisher, now);
		break;
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
		publisher->is_present[topic_index] = false;
		topic_watch_lost(publisher->bulk.client->watch, (size_t)topic_index);
		break;
	default:
		note_refusal(publisher, resend, message, now);
		break;
	}
}

/* False: the handle has no room, or the topic is missing; later. */
static bool send_one(struct publisher *publisher, struct resend *resend)
{
	struct publisher_handle *handle =
		resend->is_alone ? publisher_single(publisher) : &publisher->bulk;
	if (handle == NULL)
		return false;
	/* first the list: the delivery report may come before the call is over */
	TAILQ_REMOVE(&publisher->held, resend, link);
	TAILQ_INSERT_TAIL(&publisher->flying, resend, link);
	rd_kafka_resp_err_t code = publisher_produce(
		publisher, handle, resend->topic_index, resend->key, resend->key_length,
		resend->message, resend->length, resend->id, resend);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return true;
	TAILQ_REMOVE(&publisher->flying, resend, link);
	TAILQ_INSERT_HEAD(&publisher->held, resend, link);
	if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) { /* our own limit, before any broker's */
		resend->is_refused = true;
		return true;
	}
	return false;
}

void publisher_resend_serve(struct publisher *publisher, mono_us now)
{
	struct resend *resend;
	bool was_waiting = false;
	while ((resend = TAILQ_FIRST(&publisher->held)) != NULL &&
	       /* the analyzer does not see that TAILQ_REMOVE() took the freed one out */
	       resend->due_at <= now) { /* NOLINT(clang-analyzer-unix.Malloc) */
		was_waiting = was_waiting || resend->due_at != 0;
		if (resend->is_refused)
			shrink(publisher, resend); /* smaller, or gone */
		else if (!send_one(publisher, resend))
			break;
	}
	/* what is refused again waits longer */
	if (was_waiting && publisher->refusal_pause < pause_max)
		publisher->refusal_pause *= 2;
}
