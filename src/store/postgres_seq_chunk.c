/*
 * What a batch adds to seq_chunk, in its transaction: the bits of the rows that are new.
 */
#include <endian.h>
#include <string.h>

#include "store/postgres_parameters.h"
#include "store/postgres_store.h"
#include "store/seq_chunk.h"

/* Sorted by key: consumers that meet in a row wait for one another, and never in a circle. The answer tells
 * whether something was deleted by hand, which this batch may bring back. */
static const char upsert_chunks[] =
	"WITH marked AS (INSERT INTO seq_mark (producer_id, slot, seq) "
	"SELECT producer_id, date_bin('5 minutes', now(), '2000-01-01'), max(last) "
	"FROM unnest($1::uuid[], $8::bigint[]) AS t (producer_id, last) WHERE last IS NOT NULL "
	"GROUP BY producer_id ORDER BY producer_id ON CONFLICT DO NOTHING), "
	"written AS (INSERT INTO seq_chunk AS old (producer_id, chunk, partition, stored, "
	"quarantined, first_at, last_at) "
	"SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::integer[], $4::varbit[], "
	"$5::varbit[], $6::timestamptz[], $7::timestamptz[]) "
	"AS t (producer_id, chunk, partition) ORDER BY producer_id, chunk, partition "
	"ON CONFLICT (producer_id, chunk, partition) DO UPDATE SET "
	"stored = coalesce(old.stored | excluded.stored, old.stored, excluded.stored), "
	"quarantined = coalesce(old.quarantined | excluded.quarantined, old.quarantined, "
	"excluded.quarantined), "
	"first_at = least(old.first_at, excluded.first_at), "
	"last_at = greatest(old.last_at, excluded.last_at), changed_at = now()) "
	"SELECT EXISTS (SELECT FROM seq_range WHERE state = 'deleted') "
	"AND has_table_privilege('seq_range', 'DELETE')";

/* Reports that had been deleted by hand are back. */
static const char undelete[] =
	"WITH back AS (SELECT producer_id, range_agg(numrange(seq, seq::numeric + 1)) AS seqs "
	"FROM unnest($1::uuid[], $2::bigint[]) AS t (producer_id, seq) GROUP BY producer_id), "
	"gone AS (DELETE FROM seq_range AS r USING back WHERE r.state = 'deleted' "
	"AND r.producer_id = back.producer_id "
	"AND numrange(r.first, r.last::numeric + 1) && back.seqs RETURNING r.producer_id, "
	"nummultirange(numrange(r.first, r.last::numeric + 1)) - back.seqs AS rest) "
	"INSERT INTO seq_range (state, producer_id, first, last) "
	"SELECT 'deleted', producer_id, lower(piece), upper(piece) - 1 FROM gone, unnest(rest) AS "
	"piece";

static void encode_bits(struct buffer *out, const unsigned char *bits)
{
	if (bits == NULL) {
		encode_null(out);
		return;
	}
	char field[4 + SEQ_CHUNK_BYTES];
	const uint32_t count = htobe32(SEQ_CHUNK_SIZE);
	memcpy(field, &count, sizeof(count));
	memcpy(field + sizeof(count), bits, SEQ_CHUNK_BYTES);
	encode_bytes(out, field, sizeof(field));
}

static int upsert(struct postgres_store *store, const struct seq_chunks *chunks,
		  bool *ret_has_deleted, struct error *err)
{
	enum { PRODUCER, CHUNK, PARTITION, STORED, QUARANTINED, FIRST_AT, LAST_AT, LAST, COLUMNS };
	static const enum postgres_type types[COLUMNS] = {
		TYPE_UUID,   TYPE_INT8,        TYPE_INT4,        TYPE_VARBIT,
		TYPE_VARBIT, TYPE_TIMESTAMPTZ, TYPE_TIMESTAMPTZ, TYPE_INT8,
	};
	struct parameter_list list = {0};
	struct buffer *columns[COLUMNS];
	for (int i = 0; i < COLUMNS; i++)
		columns[i] = parameter_array(&list, types[i], chunks->count);
	for (size_t i = 0; i < chunks->count; i++) {
		const struct seq_chunk *chunk = chunks->chunks[i];
		encode_uuid(columns[PRODUCER], &chunk->producer_id);
		encode_int8(columns[CHUNK], chunk->chunk);
		encode_int4(columns[PARTITION], chunk->partition);
		encode_bits(columns[STORED], chunk->has_stored ? chunk->stored : NULL);
		encode_bits(columns[QUARANTINED],
			    chunk->has_quarantined ? chunk->quarantined : NULL);
		if (chunk->has_stored) {
			encode_time(columns[FIRST_AT], chunk->first_at);
			encode_time(columns[LAST_AT], chunk->last_at);
			encode_int8(columns[LAST], seq_chunk_last(chunk->chunk, chunk->stored));
		} else {
			encode_null(columns[FIRST_AT]);
			encode_null(columns[LAST_AT]);
			encode_null(columns[LAST]);
		}
	}
	PGresult *result;
	int status = parameter_query_prepared(&store->connection, POSTGRES_UPSERT_CHUNKS,
					      upsert_chunks, &list, &result, err);
	parameter_finish(&list);
	if (status != 0)
		return -1;
	*ret_has_deleted = PQgetvalue(result, 0, 0)[0] != 0;
	PQclear(result);
	return 0;
}

static int bring_back(struct postgres_store *store, const struct store_plan *plan,
		      struct error *err)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->row_count; i++)
		count += plan->rows[i].is_inserted ? 1 : 0;
	if (count == 0)
		return 0;
	struct parameter_list list = {0};
	struct buffer *producers = parameter_array(&list, TYPE_UUID, count);
	struct buffer *seqs = parameter_array(&list, TYPE_INT8, count);
	for (size_t i = 0; i < plan->row_count; i++) {
		if (!plan->rows[i].is_inserted)
			continue;
		encode_uuid(producers, &plan->rows[i].row->producer_id.value);
		encode_int8(seqs, plan->rows[i].row->seq.value);
	}
	int status = parameter_query(&store->connection, undelete, &list, NULL, err);
	parameter_finish(&list);
	return status;
}

int postgres_write_seq_chunks(struct postgres_attempt *attempt, struct error *err)
{
	struct seq_chunks chunks = {0};
	bool has_deleted = false;
	seq_chunks_from_batch(&chunks, attempt->batch, &attempt->plan, attempt->is_refused);
	int status = chunks.count == 0 ? 0 : upsert(attempt->store, &chunks, &has_deleted, err);
	seq_chunks_finish(&chunks);
	if (status == 0 && has_deleted)
		status = bring_back(attempt->store, &attempt->plan, err);
	return status;
}
