/*
 * The subscriber: one thread that reads the topics as a member of a consumer group (eager range assignment, one message at a time).
 *
 * Where to begin is the store's word: on an assignment the subscriber asks through on_assigned, and begins when
 * subscriber_begin() brings the positions; a partition begins at the smaller of the store's position and Kafka's committed
 * one. It keeps polling while the receiver is full, with its partitions paused, and so stays in its group.
 */
#ifndef WEBSENTRY_KAFKA_SUBSCRIBER_H
#define WEBSENTRY_KAFKA_SUBSCRIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/message.h"

struct figures;
struct kafka_config;
struct subscriber;

/* Called on the subscriber's thread. */
struct subscriber_events {
	void *context;
	/* Takes the message and returns true; false: full now; it is offered again after subscriber_resume(), or 100 ms later. */
	bool (*on_message)(void *context, struct message *taken);
	/* The group has answered. Partitions were assigned: find the store's positions and call subscriber_begin() with this
	 * generation. None (count 0, others have them all): stand by. */
	void (*on_assigned)(void *context, uint64_t generation, const char *cluster_id,
			    const struct position *positions, size_t count);
	/* The generation has ended: drop what is not committed. Messages of it may still lie in a mailbox. */
	void (*on_revoked)(void *context, uint64_t generation);
	/* With is_once: the group's position has passed the ends seen at the start. */
	void (*on_done)(void *context);
	/* With is_once: the group's position has moved, whoever moved it. May be NULL. */
	void (*on_progress)(void *context);
};

struct subscriber_options {
	const struct kafka_config *config;
	const char *group;
	const char *topics[2];
	size_t topic_count;
	bool is_once;
	struct figures *figures; /* NULL: nobody looks. Borrowed until subscriber_destroy() */
};

/* What config points to is borrowed until subscriber_destroy(). NULL with ERROR_REJECT where the settings can't work. */
struct subscriber *subscriber_start(const struct subscriber_options *options,
				    const struct subscriber_events *events, struct error *err);

/* The store's positions for an assignment; an old generation is ignored. Any thread. */
void subscriber_begin(struct subscriber *subscriber, uint64_t generation,
		      const struct position *positions, size_t count);

/* The store has lost what was committed there: the generation ends, and another begins with the same partitions. Any thread. */
void subscriber_begin_again(struct subscriber *subscriber, uint64_t generation);

/*
 * A later assignment has claimed partitions of this generation in the store. Where Kafka still takes this generation's commits the
 * partitions are ours, and that claim came late: the generation ends, and another begins with the same partitions. Any thread.
 */
void subscriber_claim_again(struct subscriber *subscriber, uint64_t generation);

/* These were committed in the store: commit them in Kafka as well. Any thread; an old generation is ignored. */
void subscriber_commit(struct subscriber *subscriber, uint64_t generation,
		       const struct position *positions, size_t count);

/* The receiver has room again. Any thread. */
void subscriber_resume(struct subscriber *subscriber);

/*
 * End in three steps: subscriber_pause() stops on_message (what was taken can still be written and committed), then
 * subscriber_stop() commits what subscriber_commit() brought, leaves the group and joins the thread; at most deadline_ms.
 */
void subscriber_pause(struct subscriber *subscriber);
void subscriber_stop(struct subscriber *subscriber, int deadline_ms);
void subscriber_destroy(struct subscriber *subscriber);

#endif
