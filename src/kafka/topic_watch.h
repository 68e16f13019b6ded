/*
 * Which of our topics exist. Asks the cluster for *all* its topics and compares: asking for one by name would create it
 * on a broker with default settings. The call blocks, hence a thread, which asks only while somebody wants to know.
 *
 * Every function but start and stop: the owner's thread. Inside src/kafka only.
 */
#ifndef WEBSENTRY_KAFKA_TOPIC_WATCH_H
#define WEBSENTRY_KAFKA_TOPIC_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include <librdkafka/rdkafka.h>

enum { TOPIC_WATCH_MAX = 2 };

struct topic_watch;

/* The answer: what the cluster had at that moment. */
struct topic_watch_view {
	bool is_complete;                /* all of the topics exist */
	int partitions[TOPIC_WATCH_MAX]; /* by topic; 0: it does not exist */
};

/* Asks at once, and on until topic_watch_want(false). wake_fd, an eventfd, is written to with each new answer. */
struct topic_watch *topic_watch_start(rd_kafka_t *rk, const char *const *topics, size_t topic_count,
				      bool is_creating, int wake_fd);
void topic_watch_stop(struct topic_watch *watch); /* blocks up to a second; accepts NULL */

/* Ask (again and again), or rest. */
void topic_watch_want(struct topic_watch *watch, bool is_wanted);

/* True once for each new answer. Says in one log line when a topic is missing, and when it is there. */
bool topic_watch_look(struct topic_watch *watch, struct topic_watch_view *ret_view);

/* A message or request found the topic gone. Accepts NULL. */
void topic_watch_lost(struct topic_watch *watch, size_t topic_index);

#endif
