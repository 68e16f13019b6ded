/*
 * A message on its way from Kafka (or, in `run`, from the prober) to the store, and a place in a topic's partition.
 * Shared by the subscriber, which makes messages, and the writer, which ends them; neither knows the other.
 */
#ifndef WEBSENTRY_BASE_MESSAGE_H
#define WEBSENTRY_BASE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/mailbox.h"

/* Owned by whoever holds it; the bytes belong to it. Released with message_destroy(). */
struct message {
	struct letter letter; /* must be first */
	uint64_t generation;  /* of the assignment it came in; 0 in `run` */
	int topic_index;      /* into the consumer's topics; -1 in `run` */
	int32_t partition;
	int64_t offset;
	size_t length; /* bytes */
	char *bytes;   /* NULL: a tombstone; NUL-terminated otherwise */
	char *others;  /* NULL: bytes are those that it was made with, which lie behind */
	char first[];
};

struct message *message_create(const char *bytes, size_t length); /* copies; topic_index -1 */
/* Other bytes in place of those; NUL-terminated, from malloc(), taken. */
void message_replace(struct message *message, char *bytes, size_t length);
void message_destroy(struct message *message); /* accepts NULL */

#define POSITION_NONE INT64_C(-1)

/* The next offset to read or to commit. */
struct position {
	int topic_index;
	int32_t partition;
	int64_t next; /* POSITION_NONE: none known */
};

#endif
