/*
 * The Kafka cluster: topics with their partitions' logs, a consumer group, and the handles of the simulated librdkafka.
 * Acknowledged means written for good (acks=all, min.insync.replicas); what was not acknowledged may be written all the
 * same, also later, after its sender was killed.
 *
 * sim_broker.c: logs and what both kinds of handle share. sim_kafka_producer.c, sim_kafka_consumer.c: librdkafka's functions.
 * sim_group.c: the group's coordinator.
 */
#ifndef WEBSENTRY_SIM_BROKER_H
#define WEBSENTRY_SIM_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "kafka/kafka_client.h"
#include "sim_task.h"

enum {
	SIM_TOPICS = 2,
	SIM_PARTITIONS = 2, /* of each topic */
	SIM_LOG_MAX = 4096,
	SIM_HANDLES = 96,
	SIM_SENT_MAX = 24, /* messages that a handle holds */
};

extern const char *const sim_broker_topics[SIM_TOPICS];

struct sim_record {
	int nonce; /* -1: a poison message */
	const char *bytes;
	size_t length;
};

struct sim_log {
	size_t count;
	size_t skipped_until; /* the client has left out records before this one, once */
	struct sim_record records[SIM_LOG_MAX];
};

/* What may go wrong, of ten thousand batches or calls. */
struct sim_broker_faults {
	int refuse_chance; /* a batch comes back with an error, not written */
	int unsure_chance; /* with an error, written or not */
	int false_chance;  /* without an error and without an offset, not written */
	int fatal_chance;  /* the handle fails for good */
	int error_chance;  /* other requests fail */
	int skip_chance;   /* the client leaves a record out, though never the same one twice */
	bool is_down;
	bool is_missing[SIM_TOPICS]; /* the topic does not exist (yet) */
};

extern struct sim_log sim_broker_logs[SIM_TOPICS][SIM_PARTITIONS];
extern struct sim_broker_faults sim_broker_faults;

void sim_broker_reset(void);
/* A record at the end of a log, as a producer or a stranger writes it. */
/* Its offset. */
int64_t sim_broker_append(int topic, int partition, const char *bytes, size_t length);
/* How many records are in all logs, and how many the group has committed. */
int64_t sim_broker_records(void);
int64_t sim_broker_committed(void);
mono_us sim_broker_latency(void);
/* Its handles are gone with it. */
void sim_broker_process_ended(const struct sim_process *process);

/* --- handles --- */

struct rd_kafka_topic_s {
	int index;
};

struct rd_kafka_queue_s {
	rd_kafka_t *rk;
	bool is_closing; /* the queue that rd_kafka_consumer_close_queue() was given */
};

enum sim_sent_state { SIM_SENT_QUEUED, SIM_SENT_ON_WIRE, SIM_SENT_ANSWERED };

struct sim_sent {
	enum sim_sent_state state;
	rd_kafka_resp_err_t err;
	int64_t offset; /* of the record, with no err; below 0: nobody knows */
	void *opaque;
	int topic;
	int partition;
	const char *key;
	size_t key_length;
	const char *bytes;
	size_t length;
	bool is_timed;
};

struct rd_kafka_s {
	struct sim_process *process;
	struct kafka_client *client; /* the program's */
	bool is_open;
	bool is_member; /* of the group; may outlive is_open */
	int events;     /* that will come back to it */
	void (*on_delivery)(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);
	void (*on_rebalance)(rd_kafka_t *rk, rd_kafka_resp_err_t code,
			     rd_kafka_topic_partition_list_t *partitions, void *opaque);
	struct rd_kafka_topic_s topics[SIM_TOPICS];
	bool is_fatal;

	/* the watch on topics */
	bool is_watching;
	bool is_view_new;
	struct topic_watch_view view;

	/* producer */
	int batch_max;
	size_t sent_count;
	struct sim_sent sent[SIM_SENT_MAX]; /* in the order of produce */
	bool is_wire_busy[SIM_TOPICS][SIM_PARTITIONS];

	/* consumer */
	bool is_subscribed;
	bool has_joined; /* this round of the group */
	bool holds;      /* the application was given an assignment that it has not given back */
	bool must_revoke;
	bool must_assign;
	bool is_lost; /* the assignment went to others already */
	bool is_closing;
	bool is_closed;
	int64_t generation;
	bool is_given[SIM_TOPICS][SIM_PARTITIONS];    /* by the group */
	bool is_assigned[SIM_TOPICS][SIM_PARTITIONS]; /* by the application, to read */
	bool is_paused[SIM_TOPICS][SIM_PARTITIONS];
	bool is_end_said[SIM_TOPICS][SIM_PARTITIONS];
	int64_t position[SIM_TOPICS][SIM_PARTITIONS];
	int64_t fetched[SIM_TOPICS][SIM_PARTITIONS]; /* read ahead to here */
	struct sim_commit *commit;
};

/* Later, with the handle; it is not used for another one before that. */
void sim_broker_later(rd_kafka_t *rk, mono_us delay, void (*run)(void *rk, int64_t number),
		      int64_t number);
void sim_broker_event_done(rd_kafka_t *rk); /* the first call of such an event */
bool sim_broker_reaches(const rd_kafka_t *rk);
void sim_broker_wake(const rd_kafka_t *rk);
int sim_broker_topic_index(const char *name);

/* sim_kafka_consumer.c: the handle is let go of with a commit under way. */
void sim_kafka_drop_commit(rd_kafka_t *rk);

/* --- the group --- */

void sim_group_reset(void);
int64_t sim_group_committed(int topic, int partition); /* -1: none */
void sim_group_join(rd_kafka_t *rk);
void sim_group_leave(rd_kafka_t *rk);
bool sim_group_is_busy(void); /* rebalancing */
/* Commit an offset; RD_KAFKA_RESP_ERR_NO_ERROR, or why not. A request carries the generation in which it was made. */
rd_kafka_resp_err_t sim_group_commit(const rd_kafka_t *rk, int64_t sent_generation, int topic,
				     int partition, int64_t offset);

#endif
