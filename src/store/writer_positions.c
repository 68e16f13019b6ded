/*
 * A database that was put back to a backup, or whose replica took over without the last transactions, holds less than what was committed
 * there, and nobody says so: only its positions show it. So each batch says what it follows, and the store refuses one that would
 * leave a hole; and where no messages come, the positions are looked at now and then. Then everything begins again from
 * what the store does hold: what Kafka still has comes again, and the primary key drops what is there.
 *
 * Another consumer moves positions as well, also back: whoever is assigned a partition begins at the smaller of the store's and Kafka's
 * position. So an assignment claims its partitions: the store counts the claims, and a writer whose claim is not the latest neither
 * judges nor moves a position. Such a one slept past its session, or has lost the partition and not heard of it yet.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/planted.h"
#include "store/store.h"
#include "store/writer_private.h"

enum { CHECK_EVERY_S = 20 };

static struct writer_stored *find(const struct writer *writer, const struct position *wanted)
{
	for (size_t i = 0; i < writer->stored_count; i++) {
		struct writer_stored *stored = &writer->stored[i];
		if (stored->position.topic_index == wanted->topic_index &&
		    stored->position.partition == wanted->partition)
			return stored;
	}
	return NULL;
}

static void look_later(struct writer *writer)
{
	writer->stored_check_at = clock_mono_us() + CHECK_EVERY_S * CLOCK_US_PER_S;
}

void writer_positions_begin(struct writer *writer, const struct writer_question *question,
			    const struct store_position *claimed)
{
	free(writer->stored);
	writer->stored = xcalloc(question->count, sizeof(*writer->stored));
	for (size_t i = 0; i < question->count; i++)
		writer->stored[i] = (struct writer_stored){.position = question->positions[i],
							   .claim = claimed[i].claim};
	writer->stored_count = question->count;
	writer->stored_generation = question->generation;
	look_later(writer);
}

void writer_positions_expect(const struct writer *writer, const struct writer_batch *batch)
{
	/* A planted bug must not be mended by what was made against other troubles. */
	if (batch->generation != writer->stored_generation || IS_PLANTED(LOSE_UNKNOWN_COMMIT))
		return;
	for (size_t i = 0; i < batch->position_count; i++) {
		const struct writer_stored *stored = find(writer, &batch->positions[i]);
		if (stored == NULL)
			continue;
		batch->store_positions[i].stored = stored->position.next;
		batch->store_positions[i].claim = stored->claim;
	}
}

void writer_positions_note(struct writer *writer, const struct writer_batch *batch)
{
	if (batch->generation != writer->stored_generation)
		return;
	for (size_t i = 0; i < batch->position_count; i++) {
		struct writer_stored *stored = find(writer, &batch->positions[i]);
		if (stored != NULL)
			stored->position.next = batch->positions[i].next;
	}
}

mono_us writer_positions_due(const struct writer *writer)
{
	/* What was revoked is another's, who may read it again from further back. */
	bool is_revoked = writer->stored_generation <= atomic_load(&writer->revoked);
	return writer->stored_count == 0 || is_revoked || IS_PLANTED(LOSE_UNKNOWN_COMMIT)
		       ? INT64_MAX
		       : writer->stored_check_at;
}

/* Less than we stored, and no later assignment than ours: nobody but a backup can have done that. */
static bool is_put_back(const struct writer_stored *stored, const struct store_position *found)
{
	return found->claim <= stored->claim && found->next < stored->position.next;
}

int writer_positions_check(struct writer *writer, struct error *err)
{
	struct store_position *positions = xcalloc(writer->stored_count, sizeof(*positions));
	for (size_t i = 0; i < writer->stored_count; i++)
		positions[i] = (struct store_position){
			.topic = writer->options.topics[writer->stored[i].position.topic_index],
			.partition = writer->stored[i].position.partition,
			.next = -1,
		};
	int status = store_read_positions(writer->options.store, writer->cluster_id, positions,
					  writer->stored_count, err);
	for (size_t i = 0; i < writer->stored_count && status == 0; i++)
		if (is_put_back(&writer->stored[i], &positions[i])) {
			error_set(err, ERROR_STALE, "the store was put back to an earlier state");
			status = -1;
		}
	free(positions);
	if (status == 0)
		look_later(writer);
	return status;
}

void writer_positions_lose(struct writer *writer)
{
	uint64_t generation = writer->stored_generation;
	log_event(LOG_WARN,
		  "the store was put back to an earlier state, reading again what it lacks");
	writer->stored_count = 0;
	writer_revoke(writer, generation);
	if (writer->events.on_put_back != NULL)
		writer->events.on_put_back(writer->events.context, generation);
}
