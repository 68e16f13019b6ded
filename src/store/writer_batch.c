#include "store/writer_batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/planted.h"

enum { BATCH_FIRST_ROWS = 128 };

void writer_batch_init(struct writer_batch *batch, const struct writer_batch_options *options)
{
	*batch = (struct writer_batch){.options = *options};
}

/* One more of each finds room. */
static void make_room(struct writer_batch *batch)
{
	if (batch->message_count < batch->capacity)
		return;
	size_t capacity = batch->capacity == 0 ? BATCH_FIRST_ROWS : batch->capacity * 2;
	batch->messages = xreallocarray(batch->messages, capacity, sizeof(struct message *));
	batch->rows = xreallocarray(batch->rows, capacity, sizeof(*batch->rows));
	batch->origins = xreallocarray(batch->origins, capacity, sizeof(*batch->origins));
	batch->texts = xreallocarray(batch->texts, capacity, sizeof(*batch->texts));
	batch->bad = xreallocarray(batch->bad, capacity, sizeof(*batch->bad));
	batch->capacity = capacity;
}

void writer_batch_clear(struct writer_batch *batch)
{
	for (size_t i = 0; i < batch->row_count; i++)
		report_row_finish(&batch->rows[i]);
	for (size_t i = 0; i < batch->bad_count; i++)
		free((char *)batch->bad[i].detail);
	for (size_t i = 0; i < batch->message_count; i++)
		message_destroy(batch->messages[i]);
	batch->message_count = batch->row_count = batch->bad_count = batch->position_count = 0;
	batch->bytes = batch->posted_bytes = 0;
}

void writer_batch_finish(struct writer_batch *batch)
{
	writer_batch_clear(batch);
	free(batch->messages);
	free(batch->rows);
	free(batch->origins);
	free(batch->texts);
	free(batch->bad);
	free(batch->positions);
	free(batch->store_positions);
}

bool writer_batch_is_full(const struct writer_batch *batch)
{
	return batch->message_count >= WRITER_BATCH_ROWS || batch->bytes >= WRITER_BATCH_BYTES;
}

mono_us writer_batch_due(const struct writer_batch *batch)
{
	if (batch->message_count == 0)
		return INT64_MAX;
	return batch->opened_at + (mono_us)WRITER_BATCH_MS * CLOCK_US_PER_MS;
}

bool writer_batch_accepts(const struct writer_batch *batch, const struct message *message)
{
	if (batch->message_count == 0)
		return true;
	return !writer_batch_is_full(batch) && batch->generation == message->generation;
}

/* `run`: the message becomes a whole one, with the next seq. */
static void give_identity(struct writer_batch *batch, struct message *message)
{
	struct identity identity = {.producer_id = *batch->options.producer_id,
				    .seq = batch->next_seq++};
	struct buffer whole;
	buffer_init(&whole, message->length + IDENTITY_PREFIX_MAX);
	if (identity_append_message(&whole, &identity,
				    identity.seq == 0 ? batch->options.prev : NULL, message->bytes,
				    message->length) == 0) {
		size_t length = whole.length;
		message_replace(message, buffer_take(&whole), length);
	}
	buffer_finish(&whole);
}

static void note_position(struct writer_batch *batch, const struct message *message)
{
	int64_t next = message->offset + 1 + (IS_PLANTED(POSITION_TOO_FAR) ? 1 : 0);
	for (size_t i = 0; i < batch->position_count; i++) {
		struct position *position = &batch->positions[i];
		int64_t *first = &batch->store_positions[i].first;
		if (position->topic_index == message->topic_index &&
		    position->partition == message->partition) {
			if (position->next < next)
				position->next = next;
			if (*first > message->offset)
				*first = message->offset;
			return;
		}
	}
	if (batch->position_count == batch->position_capacity) {
		batch->position_capacity = batch->position_capacity * 2 + 8;
		batch->positions = xreallocarray(batch->positions, batch->position_capacity,
						 sizeof(*batch->positions));
		batch->store_positions =
			xreallocarray(batch->store_positions, batch->position_capacity,
				      sizeof(*batch->store_positions));
	}
	batch->store_positions[batch->position_count].first = message->offset;
	batch->positions[batch->position_count++] = (struct position){
		.topic_index = message->topic_index,
		.partition = message->partition,
		.next = next,
	};
}

const char *writer_batch_add(struct writer_batch *batch, struct message *message, mono_us now)
{
	assert(writer_batch_accepts(batch, message));
	if (batch->message_count == 0) {
		batch->generation = message->generation;
		batch->opened_at = now;
	}
	make_room(batch);
	batch->posted_bytes += message->length;
	if (batch->options.producer_id != NULL && message->bytes != NULL)
		give_identity(batch, message);
	batch->messages[batch->message_count++] = message;
	batch->bytes += message->length;

	struct store_origin origin = {.topic = NULL};
	if (message->topic_index >= 0) {
		origin = (struct store_origin){
			.topic = batch->options.topics[message->topic_index],
			.partition = message->partition,
			.offset = message->offset,
		};
		note_position(batch, message);
		if (IS_PLANTED(POISON_NEIGHBOUR) && batch->bad_count > 0 &&
		    batch->bad[batch->bad_count - 1].origin.partition == message->partition)
			return NULL;
	}
	const char *reason = NULL;
	char detail[WRITER_DETAIL_SIZE];
	detail[0] = '\0';
	struct report_row *row = &batch->rows[batch->row_count];
	if (batch->options.decode(message->bytes, message->length, row, &reason, detail,
				  sizeof(detail)) == 0) {
		batch->origins[batch->row_count] = origin;
		batch->texts[batch->row_count] =
			(struct store_message){.bytes = message->bytes, .length = message->length};
		batch->row_count++;
		return NULL;
	}
	batch->bad[batch->bad_count++] = (struct store_bad_message){
		.origin = origin,
		.reason = reason,
		.detail = xstrdup(detail),
		.bytes = message->bytes,
		.length = message->length,
	};
	return reason;
}

struct store_batch writer_batch_view(struct writer_batch *batch, const char *cluster_id)
{
	for (size_t i = 0; i < batch->position_count; i++)
		batch->store_positions[i] = (struct store_position){
			.topic = batch->options.topics[batch->positions[i].topic_index],
			.partition = batch->positions[i].partition,
			.next = batch->positions[i].next,
			.first = batch->store_positions[i].first,
			.stored = -1,
			.claim = STORE_NO_CLAIM,
		};
	return (struct store_batch){
		.rows = batch->rows,
		.origins = batch->origins,
		.messages = batch->texts,
		.row_count = batch->row_count,
		.bad = batch->bad,
		.bad_count = batch->bad_count,
		.cluster_id = cluster_id,
		.positions = batch->store_positions,
		.position_count = batch->position_count,
	};
}
