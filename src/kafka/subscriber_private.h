/*
 * The subscriber's own state: subscriber.c (interface, thread), subscriber_assign.c (who reads what, from where),
 * subscriber_read.c (messages), subscriber_gap.c (offsets that are left out), subscriber_commit.c (Kafka's offsets), subscriber_once.c (when --once is done). All but the
 * mailbox is the thread's alone.
 */
#ifndef WEBSENTRY_KAFKA_SUBSCRIBER_PRIVATE_H
#define WEBSENTRY_KAFKA_SUBSCRIBER_PRIVATE_H

#include <pthread.h>

#include "base/clock.h"
#include "base/figures.h"
#include "kafka/kafka_client.h"
#include "kafka/kafka_config.h"
#include "kafka/subscriber.h"

/* Calls that block the thread do so this long at most. */
enum { SUBSCRIBER_BLOCK_MS = 1000 };

enum { SUBSCRIBER_TOPICS = 2 };

struct subscriber_partition {
	int topic_index;
	int32_t partition;
	/* next offsets; POSITION_NONE: none yet */
	int64_t store_next;  /* where the store said to begin */
	int64_t read_from;   /* where reading began; POSITION_NONE: wherever the partition does */
	int64_t handed_next; /* after the last message that was handed over */
	int64_t stored_next; /* committed in the store, or the end behind it */
	int64_t end_at;      /* read to the end, which was here */
	int64_t kafka_next;  /* committed in Kafka */
};

/*
 *     idle --assigned--> asked --subscriber_begin()--> placing --Kafka's offsets known--> reading
 *      ^-------------------------------- revoked -------------------------------------------'
 */
enum subscriber_phase {
	SUBSCRIBER_IDLE,
	SUBSCRIBER_ASKED,
	SUBSCRIBER_PLACING,
	SUBSCRIBER_READING,
};

/* Offsets that seemed to be missing, the last of a partition. Kept beyond the assignment. */
struct subscriber_gap {
	int topic_index;
	int32_t partition;
	int64_t next;  /* the first of them */
	bool is_usual; /* they are not in Kafka: here, offsets need not follow one another */
};

/* With is_once: the ends seen at the start. */
struct subscriber_end {
	int topic_index;
	int32_t partition;
	bool is_known;
	int64_t end; /* the group must have passed it; 0 for an empty partition */
};

struct subscriber {
	struct subscriber_events events;
	struct figures *figures;
	struct kafka_config config; /* borrowed strings */
	char *group;
	char *topics[SUBSCRIBER_TOPICS];
	size_t topic_count;
	struct mailbox *mailbox; /* of struct command */
	pthread_t thread;
	int wake_fd;
	bool is_started;
	bool is_once;

	/* the thread's */
	bool is_work_left;
	bool is_quiet; /* subscriber_pause(): nothing more is handed over */
	bool is_stopping;
	bool was_assigned;    /* the group has answered, if only with nothing */
	bool is_kafka_paused; /* the partitions are */
	bool is_committing;   /* a commit is under way */
	uint64_t outclaimed;  /* a generation whose partitions somebody claimed later; 0: none */
	bool is_proving; /* the commit under way began after that: its success tells that they are ours */
	uint64_t proven; /* the generation for which one succeeded; 0: none */
	bool is_done;    /* on_done was said */
	enum subscriber_phase phase;
	mono_us stop_at;
	struct kafka_client *client;
	rd_kafka_queue_t *commit_queue;
	char *cluster_id; /* NULL until asked for */

	/* subscriber_assign.c */
	uint64_t generation;
	struct subscriber_partition *partitions;
	size_t partition_count;
	mono_us place_at; /* try then */

	/* subscriber_gap.c */
	struct subscriber_gap *gaps;
	size_t gap_count;

	/* messages that the receiver has no room for, oldest first */
	struct letter *held;
	struct letter **held_end;
	mono_us held_since;
	mono_us offer_at;

	/* subscriber_commit.c */
	mono_us commit_at; /* not before, after a failure */

	mono_us lag_at; /* look at it then; subscriber_lag.c */

	/* subscriber_once.c */
	struct subscriber_end *ends;
	size_t end_count;
	mono_us check_at;
	int64_t progress; /* the sum of the group's positions */
};

/* subscriber.c */
void subscriber_take_commands(struct subscriber *subscriber);
int subscriber_topic_index(const struct subscriber *subscriber, const char *topic); /* or -1 */

/* subscriber_read.c */

/* Hand over what librdkafka has, a bounded number of messages. */
void subscriber_serve_kafka(struct subscriber *subscriber);
/* Offer again what the receiver had no room for. */
void subscriber_offer_held(struct subscriber *subscriber);
/* Let go of it; it comes again. */
void subscriber_drop_held(struct subscriber *subscriber);

/* subscriber_gap.c */

/* Whether this offset, of a message or of the end, leaves some out that must be asked for once more. */
bool subscriber_is_gap(struct subscriber *subscriber, const struct subscriber_partition *partition,
		       int64_t offset);

/* subscriber_assign.c */
void subscriber_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
			     rd_kafka_topic_partition_list_t *list, void *opaque);
void subscriber_take_positions(struct subscriber *subscriber, uint64_t generation,
			       const struct position *positions, size_t count);
/* With the store's positions known: get Kafka's, and begin. */
void subscriber_place(struct subscriber *subscriber, mono_us now);
/* The same partitions, in a generation of their own. */
void subscriber_assign_again(struct subscriber *subscriber, uint64_t generation);
/* The generation is over. */
void subscriber_end_generation(struct subscriber *subscriber);
struct subscriber_partition *subscriber_find(struct subscriber *subscriber, int topic_index,
					     int32_t partition);
void subscriber_pause_kafka(struct subscriber *subscriber);
void subscriber_resume_kafka(struct subscriber *subscriber);

/* subscriber_lag.c */

/* What is not stored yet, as far as librdkafka knows the ends. */
void subscriber_show_lag(struct subscriber *subscriber, mono_us now);

/* subscriber_commit.c */
void subscriber_take_stored(struct subscriber *subscriber, uint64_t generation,
			    const struct position *positions, size_t count);
/* A partition of which all is stored, and that was read to its end: its position is the end. */
void subscriber_pass_end(struct subscriber *subscriber, struct subscriber_partition *partition);
void subscriber_serve_commits(struct subscriber *subscriber, mono_us now);
/* Commit what there is and wait for the answer. */
void subscriber_flush_commits(struct subscriber *subscriber, int timeout_ms);
bool subscriber_has_commits(const struct subscriber *subscriber);

/* subscriber_once.c */
void subscriber_once_list(struct subscriber *subscriber, const struct topic_watch_view *view);
void subscriber_once_serve(struct subscriber *subscriber, mono_us now);

#endif
