/*
 * What publisher and subscriber have in common: a librdkafka handle, the descriptor that tells when it has something to
 * say, and a log of changes ("kafka unreachable", "kafka reachable") in place of librdkafka's own lines, which go to debug.
 *
 * Belongs to the thread that polls the handle. Inside src/kafka only.
 */
#ifndef WEBSENTRY_KAFKA_KAFKA_CLIENT_H
#define WEBSENTRY_KAFKA_KAFKA_CLIENT_H

#include <stdbool.h>

#include <librdkafka/rdkafka.h>

#include "base/clock.h"
#include "base/error.h"
#include "kafka/topic_watch.h"

struct figures;
struct kafka_config;

struct kafka_client {
	rd_kafka_t *rk;
	void *owner;
	struct figures *figures;
	int wake_fd;               /* an eventfd of the client's own, doubling the owner's */
	int done_fd;               /* of a pipe, closed once it is gone; while it is destroyed */
	char *servers;             /* for the log */
	struct topic_watch *watch; /* NULL where none was asked for */
	bool is_fatal;             /* the handle can't go on, for reason: make a new one */
	bool is_down;
	bool is_refused; /* the servers answer, and turn us away */
	mono_us down_since;
	char reason[256]; /* librdkafka's last complaint */
};

struct kafka_client_setup {
	const struct kafka_config *config;
	bool is_producer;
	void *owner; /* what the callbacks find as the client's owner; borrowed */
	struct figures *figures;
	int wake_fd; /* an eventfd, written to when the handle or the watch has something */
	const char *group;
	const char *batch_messages; /* batch.num.messages, or NULL */
	/* what to watch; topic_count 0: no watch */
	const char *const *topics;
	size_t topic_count;
	bool is_creating_topics;
	void (*on_delivery)(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);
	void (*on_rebalance)(rd_kafka_t *rk, rd_kafka_resp_err_t code,
			     rd_kafka_topic_partition_list_t *partitions, void *opaque);
};

/* NULL with ERROR_REJECT where the settings can't work. The callbacks' opaque is the client. */
struct kafka_client *kafka_client_create(const struct kafka_client_setup *setup, struct error *err);

/*
 * Let go of the handle without a word to the brokers. That may block, so a thread does it; wait for it at most timeout_ms,
 * then leave it alone. Accepts NULL.
 */
void kafka_client_destroy(struct kafka_client *client, int timeout_ms);

/* Something arrived: the servers are there. */
void kafka_client_up(struct kafka_client *client);

/* Something failed, with librdkafka's code: keep the reason; say once that the servers are away or turn us away. */
void kafka_client_complain(struct kafka_client *client, rd_kafka_resp_err_t code,
			   const char *reason);

/* Look at what the watch found, if anything is new; tells it whether to go on looking. */
bool kafka_client_look(struct kafka_client *client, struct topic_watch_view *ret_view);

#endif
