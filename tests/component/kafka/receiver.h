/*
 * A receiver of the subscriber's messages that plays the store: it says where to begin, remembers what it got, and
 * commits each message, or nothing. Two of them, and a mock cluster with the topic "reports", for the tests of the subscriber.
 */
#ifndef WEBSENTRY_TESTS_COMPONENT_KAFKA_RECEIVER_H
#define WEBSENTRY_TESTS_COMPONENT_KAFKA_RECEIVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "kafka/subscriber.h"
#include "mock.h"

enum { RECEIVER_MESSAGES_MAX = 20000, RECEIVER_PARTITIONS = 3 };

struct receiver {
	struct subscriber *subscriber;
	_Atomic bool is_full;
	bool is_silent;                     /* does not say where to begin */
	bool is_committing;                 /* each message at once */
	int64_t start[RECEIVER_PARTITIONS]; /* what the store says */
	_Atomic uint64_t generation;
	_Atomic int assignments;
	_Atomic int revocations;
	_Atomic int dones;
	_Atomic int64_t count;
	int64_t offsets[RECEIVER_PARTITIONS][RECEIVER_MESSAGES_MAX]; /* received, in order */
	_Atomic int64_t counts[RECEIVER_PARTITIONS];
	char cluster_id[64];
	pthread_mutex_t lock;
};

extern struct mock receiver_mock;
extern struct receiver receiver;
extern struct receiver other;

int receiver_setup(void **state);
int receiver_teardown(void **state);
void receiver_init(struct receiver *to);
void receiver_start(struct receiver *to, const char *topic, bool is_once); /* group "group" */
void receiver_stop(struct receiver *to);
void receiver_begin(struct receiver *to); /* say where to begin */

#endif
