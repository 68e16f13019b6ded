#include "store/seq_chunk.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/memory.h"
#include "store/seq_ranges.h"
#include "store/store_plan.h"

/* Without padding: it is compared as bytes. */
struct chunk_key {
	struct uuid producer_id;
	int64_t chunk;
	int64_t partition;
};

struct seq_chunk_entry {
	struct chunk_key key;
	struct seq_chunk *chunk;
	UT_hash_handle hh;
};

void seq_chunks_finish(struct seq_chunks *chunks)
{
	struct seq_chunk_entry *entry = chunks->entries;
	HASH_CLEAR(hh, chunks->entries); /* the entries keep their order */
	while (entry != NULL) {
		struct seq_chunk_entry *next = entry->hh.next;
		free(entry);
		entry = next;
	}
	for (size_t i = 0; i < chunks->count; i++)
		free(chunks->chunks[i]);
	free(chunks->chunks);
	*chunks = (struct seq_chunks){0};
}

static struct seq_chunk *add(struct seq_chunks *chunks, const struct chunk_key *key)
{
	struct seq_chunk *chunk = xcalloc(1, sizeof(*chunk));
	chunk->producer_id = key->producer_id;
	chunk->chunk = key->chunk;
	chunk->partition = (int32_t)key->partition;
	chunk->first_at = INT64_MAX;
	chunk->last_at = INT64_MIN;
	if (chunks->count == chunks->capacity) {
		chunks->capacity = chunks->capacity * 2 + 8;
		chunks->chunks =
			xreallocarray(chunks->chunks, chunks->capacity, sizeof(struct seq_chunk *));
	}
	chunks->chunks[chunks->count++] = chunk;
	struct seq_chunk_entry *entry = xcalloc(1, sizeof(*entry));
	entry->key = *key;
	entry->chunk = chunk;
	HASH_ADD(hh, chunks->entries, key, sizeof(entry->key), entry);
	return chunk;
}

static struct seq_chunk *find(struct seq_chunks *chunks, const struct identity *identity,
			      int32_t partition)
{
	const struct chunk_key key = {
		.producer_id = identity->producer_id,
		.chunk = identity->seq / SEQ_CHUNK_SIZE,
		.partition = partition,
	};
	const struct seq_chunk *latest = chunks->latest;
	if (latest != NULL && latest->chunk == key.chunk && latest->partition == partition &&
	    uuid_equal(&latest->producer_id, &key.producer_id))
		return chunks->latest;
	struct seq_chunk_entry *entry;
	HASH_FIND(hh, chunks->entries, &key, sizeof(key), entry);
	chunks->latest = entry != NULL ? entry->chunk : add(chunks, &key);
	return chunks->latest;
}

static void set_bit(unsigned char *bits, int64_t seq)
{
	unsigned place = (unsigned)(seq % SEQ_CHUNK_SIZE);
	bits[place / 8] |= (unsigned char)(0x80U >> (place % 8));
}

static bool has_bit(const unsigned char *bits, unsigned place)
{
	return (bits[place / 8] & (0x80U >> (place % 8))) != 0;
}

void seq_chunks_note_stored(struct seq_chunks *chunks, const struct identity *identity,
			    int32_t partition, wall_us started_at)
{
	struct seq_chunk *chunk = find(chunks, identity, partition);
	set_bit(chunk->stored, identity->seq);
	chunk->has_stored = true;
	if (started_at < chunk->first_at)
		chunk->first_at = started_at;
	if (started_at > chunk->last_at)
		chunk->last_at = started_at;
}

void seq_chunks_note_quarantined(struct seq_chunks *chunks, const struct identity *identity,
				 int32_t partition)
{
	struct seq_chunk *chunk = find(chunks, identity, partition);
	set_bit(chunk->quarantined, identity->seq);
	chunk->has_quarantined = true;
}

static int compare_chunks(const void *a, const void *b)
{
	const struct seq_chunk *left = *(struct seq_chunk *const *)a;
	const struct seq_chunk *right = *(struct seq_chunk *const *)b;
	int order = memcmp(left->producer_id.bytes, right->producer_id.bytes,
			   sizeof(left->producer_id.bytes));
	if (order != 0)
		return order;
	if (left->chunk != right->chunk)
		return left->chunk < right->chunk ? -1 : 1;
	return left->partition < right->partition ? -1 : left->partition > right->partition;
}

void seq_chunks_settle(struct seq_chunks *chunks)
{
	if (chunks->count > 1)
		qsort(chunks->chunks, chunks->count, sizeof(struct seq_chunk *), compare_chunks);
}

static int32_t partition_of(const struct store_origin *origin)
{
	return origin->topic == NULL ? SEQ_CHUNK_NO_PARTITION : origin->partition;
}

static struct identity identity_of(const struct report_row *row)
{
	return (struct identity){.producer_id = row->producer_id.value, .seq = row->seq.value};
}

void seq_chunks_from_batch(struct seq_chunks *chunks, const struct store_batch *batch,
			   const struct store_plan *plan, const bool *is_left_out)
{
	for (size_t i = 0; i < plan->row_count; i++) {
		const struct plan_row *planned = &plan->rows[i];
		if (!planned->is_inserted)
			continue;
		const struct identity identity = identity_of(planned->row);
		size_t place = (size_t)(planned->row - batch->rows);
		seq_chunks_note_stored(chunks, &identity, partition_of(&batch->origins[place]),
				       planned->row->started_at.value);
	}
	for (size_t i = 0; is_left_out != NULL && i < batch->row_count; i++) {
		if (!is_left_out[i])
			continue;
		const struct identity identity = identity_of(&batch->rows[i]);
		seq_chunks_note_quarantined(chunks, &identity, partition_of(&batch->origins[i]));
	}
	for (size_t i = 0; i < batch->bad_count; i++) {
		const struct store_bad_message *bad = &batch->bad[i];
		struct identity identity;
		if (identity_read_message(bad->bytes, bad->length, &identity) == 0)
			seq_chunks_note_quarantined(chunks, &identity, partition_of(&bad->origin));
	}
	seq_chunks_settle(chunks);
}

void seq_chunk_add_ranges(struct seq_ranges *ranges, int64_t chunk,
			  const unsigned char bits[static SEQ_CHUNK_BYTES])
{
	int64_t base = chunk * SEQ_CHUNK_SIZE;
	for (unsigned i = 0; i < SEQ_CHUNK_BYTES; i++) {
		int64_t first = base + (int64_t)i * 8;
		if (bits[i] == 0)
			continue;
		if (bits[i] == 0xff) {
			seq_ranges_add(ranges, first, first + 7);
			continue;
		}
		for (unsigned j = 0; j < 8; j++)
			if (has_bit(bits, i * 8 + j))
				seq_ranges_add(ranges, first + j, first + j);
	}
}

static bool is_full(const unsigned char bits[static SEQ_CHUNK_BYTES])
{
	for (unsigned i = 0; i < SEQ_CHUNK_BYTES; i++)
		if (bits[i] != 0xff)
			return false;
	return true;
}

bool seq_chunk_fold(int64_t chunk, const unsigned char stored[static SEQ_CHUNK_BYTES],
		    const unsigned char quarantined[static SEQ_CHUNK_BYTES], bool is_idle,
		    struct seq_ranges *ret_stored, struct seq_ranges *ret_quarantined)
{
	unsigned char rest[SEQ_CHUNK_BYTES];
	if (!is_idle && !is_full(stored))
		return false;
	for (int i = 0; i < SEQ_CHUNK_BYTES; i++)
		rest[i] = (unsigned char)(quarantined[i] & ~stored[i]);
	seq_chunk_add_ranges(ret_stored, chunk, stored);
	seq_chunk_add_ranges(ret_quarantined, chunk, rest);
	return ret_stored->count + ret_quarantined->count <= SEQ_CHUNK_RANGES_MAX;
}

int64_t seq_chunk_last(int64_t chunk, const unsigned char bits[static SEQ_CHUNK_BYTES])
{
	for (int i = SEQ_CHUNK_BYTES - 1; i >= 0; i--)
		for (int j = 7; bits[i] != 0 && j >= 0; j--)
			if (has_bit(bits, (unsigned)i * 8 + (unsigned)j))
				return chunk * SEQ_CHUNK_SIZE + (int64_t)i * 8 + j;
	return -1;
}
