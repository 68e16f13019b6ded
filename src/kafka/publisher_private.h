/* The publisher's own state, shared by publisher.c (handles, interface) and publisher_resend.c (rows that need care). */
#ifndef WEBSENTRY_KAFKA_PUBLISHER_PRIVATE_H
#define WEBSENTRY_KAFKA_PUBLISHER_PRIVATE_H

#include <sys/queue.h>

#include "base/clock.h"
#include "base/figures.h"
#include "kafka/kafka_client.h"
#include "kafka/publisher.h"

enum { PUBLISHER_TOPICS = 2 };

/* A row that Kafka turned away and that is sent again in its own way. The publisher owns it and its bytes. */
struct resend {
	TAILQ_ENTRY(resend) link;
	int64_t id;
	int topic_index;
	bool is_alone;   /* in a batch of its own: its batch was too large */
	bool is_refused; /* too large even alone: to be shrunk */
	bool is_shrunk;
	bool is_unproven; /* it was called delivered without a place in the log */
	mono_us due_at;
	char *key;
	size_t key_length;
	char *message;
	size_t length;
};
TAILQ_HEAD(resend_list, resend);

/* One librdkafka handle with its topics. */
struct publisher_handle {
	struct kafka_client *client;
	rd_kafka_topic_t *topics[PUBLISHER_TOPICS]; /* NULL until the topic is known to exist */
};

struct publisher {
	struct publisher_options options;
	struct publisher_events events;
	struct figures *figures;
	int wake_fd;
	struct publisher_handle bulk;
	struct publisher_handle single; /* batches of one message; made when first needed */
	bool is_present[PUBLISHER_TOPICS];
	mono_us untimed_until; /* records go without a timestamp: the broker found ours wrong */
	bool is_untimed_said;
	mono_us single_until; /* rows go one by one: the broker found batches too large */
	bool is_single_said;
	mono_us started_at; /* the last new handle after a fatal error, and the pause before the next */
	mono_us start_pause;
	mono_us start_at;          /* while there is no handle */
	struct resend_list held;   /* to be sent */
	struct resend_list flying; /* sent */
	bool is_refusal_said;
	mono_us refusal_pause;
};

/* publisher.c */

/* Give a message to a handle. resend NULL: a plain row, found again by its id. */
rd_kafka_resp_err_t publisher_produce(struct publisher *publisher, struct publisher_handle *handle,
				      int topic_index, const char *key, size_t key_length,
				      const char *message, size_t length, int64_t id,
				      struct resend *resend);
/* The handle for batches of one; NULL where it can't be made. */
struct publisher_handle *publisher_single(struct publisher *publisher);

/* publisher_resend.c */

/* Librdkafka gave a message back with an error. resend NULL: a plain row. was_alone: in a batch of its own. */
void publisher_resend_failed(struct publisher *publisher, const rd_kafka_message_t *message,
			     struct resend *resend, int64_t id, int topic_index, bool was_alone);
/* Librdkafka calls it delivered, and does not know where it lies: once more. What comes twice is stored once. */
void publisher_resend_unproven(struct publisher *publisher, const rd_kafka_message_t *message,
			       struct resend *resend, int64_t id, int topic_index);
/* A plain row that the handle would not even take, because of its size. */
void publisher_resend_too_large(struct publisher *publisher, int64_t id, int topic_index,
				const char *key, size_t key_length, const char *message,
				size_t length);
void publisher_resend_delivered(struct publisher *publisher, struct resend *resend);
/* Send what is due. */
void publisher_resend_serve(struct publisher *publisher, mono_us now);
/* Forget all: it comes again with a rewind, or is given up. */
void publisher_resend_clear(struct publisher *publisher);

#endif
