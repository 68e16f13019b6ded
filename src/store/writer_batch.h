/*
 * The writer's batch: messages, the rows and bad messages that they became, and the positions after them. Pure: no clock, no thread,
 * no store. Private to src/store/.
 *
 * A batch is of one generation. It is full by rows or bytes, and due a while after its first message. In `run` a message gets its
 * identity when it enters a batch and keeps it, because the batch is written until it succeeds.
 */
#ifndef WEBSENTRY_STORE_WRITER_BATCH_H
#define WEBSENTRY_STORE_WRITER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "store/store.h"
#include "store/writer.h"

struct writer_batch_options {
	const char *const *topics;      /* names by topic_index */
	const struct uuid *producer_id; /* `run`: give identities */
	const struct identity *prev;
	int (*decode)(const char *bytes, size_t length, struct report_row *ret_row,
		      const char **ret_reason, char *ret_detail, size_t detail_size);
};

enum { WRITER_DETAIL_SIZE = 256 };

struct writer_batch {
	struct writer_batch_options options;
	int64_t next_seq; /* `run` */
	uint64_t generation;
	mono_us opened_at; /* when the first message came */
	size_t bytes;
	size_t posted_bytes; /* of the messages as they came, without the identities given here */

	size_t capacity;           /* of the five arrays */
	struct message **messages; /* owned */
	size_t message_count;
	struct report_row *rows; /* owned; row_count of each of the three */
	struct store_origin *origins;
	struct store_message *texts;
	size_t row_count;
	struct store_bad_message *bad; /* details owned */
	size_t bad_count;
	struct position *positions;
	struct store_position *store_positions;
	size_t position_count;
	size_t position_capacity;
};

void writer_batch_init(struct writer_batch *batch, const struct writer_batch_options *options);
void writer_batch_finish(struct writer_batch *batch);

/* Whether a message may enter: the batch is not full, and empty or of the message's generation. */
bool writer_batch_accepts(const struct writer_batch *batch, const struct message *message);

/* Takes the message, which must be one that is accepted. Returns NULL where it is good, or the word for what is wrong with it. */
const char *writer_batch_add(struct writer_batch *batch, struct message *message, mono_us now);

bool writer_batch_is_full(const struct writer_batch *batch);

/* When the batch is to be written: INT64_MAX while it is empty. */
mono_us writer_batch_due(const struct writer_batch *batch);

/* The batch as the store takes it; borrowed until the next change. cluster_id NULL: no positions. */
struct store_batch writer_batch_view(struct writer_batch *batch, const char *cluster_id);

/* Forget the messages: they are written, or revoked. */
void writer_batch_clear(struct writer_batch *batch);

#endif
