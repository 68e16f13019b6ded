/*
 * Which seq of a producer_id are stored, as bitmaps of SEQ_CHUNK_SIZE seq each: what a batch adds to the table seq_chunk. Bit n
 * stands for seq chunk * SEQ_CHUNK_SIZE + n; the first bit of a byte is its highest one, as in PostgreSQL's type bit.
 * Pure; one thread. Private to src/store/.
 */
#ifndef WEBSENTRY_STORE_SEQ_CHUNK_H
#define WEBSENTRY_STORE_SEQ_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/identity.h"

struct plan_row;
struct seq_ranges;
struct store_batch;
struct store_plan;

enum { SEQ_CHUNK_SIZE = 4096, SEQ_CHUNK_BYTES = SEQ_CHUNK_SIZE / 8 };
/* Chunks become ranges for so long at a time, and again when all were looked at, or where some are left. */
enum { SEQ_FOLD_STEP_MS = 100, SEQ_FOLD_EVERY_S = 60, SEQ_FOLD_AGAIN_S = 1 };
/* A chunk that nothing came to for so long is folded as it is, into so many ranges at most: more take more room than the bitmap. */
enum { SEQ_CHUNK_IDLE_S = 3600, SEQ_CHUNK_RANGES_MAX = 8 };
enum { SEQ_CHUNK_NO_PARTITION = -1 }; /* from no Kafka (`run`), or put together of several */

struct seq_chunk_entry; /* of the hash */

/* A row of the table. The partition is in its key so that consumers don't wait for one another's rows. */
struct seq_chunk {
	struct uuid producer_id;
	int64_t chunk;
	int32_t partition;
	bool has_stored;
	bool has_quarantined;
	unsigned char stored[SEQ_CHUNK_BYTES];
	unsigned char quarantined[SEQ_CHUNK_BYTES];
	wall_us first_at; /* started_at of the reports; first_at > last_at where there is none */
	wall_us last_at;
};

struct seq_chunks {
	struct seq_chunk **chunks; /* by key, once seq_chunks_settle() was called */
	size_t count;
	size_t capacity;
	struct seq_chunk_entry *entries;
	struct seq_chunk *latest; /* what was found last: the next one is likely there too */
};

void seq_chunks_finish(struct seq_chunks *chunks);

/* Note a report that is stored now. */
void seq_chunks_note_stored(struct seq_chunks *chunks, const struct identity *identity,
			    int32_t partition, wall_us started_at);
void seq_chunks_note_quarantined(struct seq_chunks *chunks, const struct identity *identity,
				 int32_t partition);

/*
 * All that a batch adds, in the order of the key: the rows of the plan that are inserted; bad messages whose identity can be read;
 * and the batch's rows that is_left_out (may be NULL) put aside.
 */
void seq_chunks_from_batch(struct seq_chunks *chunks, const struct store_batch *batch,
			   const struct store_plan *plan, const bool *is_left_out);
void seq_chunks_settle(struct seq_chunks *chunks);

/* The seq of a bitmap as ranges. */
void seq_chunk_add_ranges(struct seq_ranges *ranges, int64_t chunk,
			  const unsigned char bits[static SEQ_CHUNK_BYTES]);

/* Whether a chunk may become ranges, which are then put into the two sets (empty before). What is stored is not quarantined any more. */
bool seq_chunk_fold(int64_t chunk, const unsigned char stored[static SEQ_CHUNK_BYTES],
		    const unsigned char quarantined[static SEQ_CHUNK_BYTES], bool is_idle,
		    struct seq_ranges *ret_stored, struct seq_ranges *ret_quarantined);

/* The highest seq of a bitmap; -1 where it is empty. */
int64_t seq_chunk_last(int64_t chunk, const unsigned char bits[static SEQ_CHUNK_BYTES]);

#endif
