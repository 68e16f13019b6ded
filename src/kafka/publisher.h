/*
 * The publisher: sends messages to Kafka (librdkafka, idempotent, acks=all, no message time-out). It belongs to the outbox
 * thread: every function but publisher_create() is called there, and so are the callbacks.
 *
 * Before the first message it asks the cluster for all topics and compares; to a missing topic nothing is sent (one log
 * line says so, again when it appears), unless is_creating_topics.
 */
#ifndef WEBSENTRY_KAFKA_PUBLISHER_H
#define WEBSENTRY_KAFKA_PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct figures;
struct kafka_config;
struct publisher;

struct publisher_events {
	void *context;
	void (*on_delivered)(void *context, int64_t id);
	/* A new handle had to be made: everything that is not delivered must be sent again, in order. */
	void (*on_rewind)(void *context);
	/* The broker refuses the message even when shrunk: it is put aside by the callee. */
	void (*on_refused)(void *context, int64_t id, const char *message, size_t length,
			   const char *why);
	/* Make a message smaller into fresh memory (report_shrink); NULL result: can't be. */
	char *(*shrink)(void *context, const char *message, size_t length, size_t *ret_length);
};

struct publisher_options {
	const struct kafka_config *config;
	const char *topics[2]; /* by enum outbox_class: success, failure; may be the same */
	bool is_creating_topics;
	struct figures *figures; /* NULL: nobody looks. Borrowed until publisher_destroy() */
};

/* config and topics are borrowed until publisher_destroy(). NULL with ERROR_REJECT where the settings can't work. */
struct publisher *publisher_create(const struct publisher_options *options,
				   const struct publisher_events *events, struct error *err);

/* Copies the message. 0: on_delivered follows some time (or on_refused, or on_rewind). -1: not ready or no room, try again later. */
int publisher_send(struct publisher *publisher, int64_t id, int topic_index, const char *key,
		   size_t key_length, const char *message, size_t length);

/* Poll librdkafka without blocking. To be called when the descriptor is readable, and every second. */
void publisher_serve(struct publisher *publisher);
int publisher_fd(const struct publisher *publisher);

/* Gives up what is in flight (the outbox still has it). At most timeout_ms. Accepts NULL. */
void publisher_destroy(struct publisher *publisher, int timeout_ms);

#endif
