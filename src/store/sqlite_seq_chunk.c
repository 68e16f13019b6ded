/*
 * What a batch adds to seq_chunk, in its transaction. One connection writes: a row is read, and written with more bits. Also
 * here: all of it made again from the reports where a table was missing.
 */
#include <string.h>

#include "base/clock.h"
#include "store/seq_chunk.h"
#include "store/sqlite_store.h"

enum { MARK_SLOT_S = 300 };

static const char select_chunk[] = "SELECT stored, quarantined, first_at, last_at FROM seq_chunk "
				   "WHERE producer_id = ?1 AND chunk = ?2 AND partition = ?3";

static const char upsert_chunk[] =
	"INSERT INTO seq_chunk (producer_id, chunk, partition, stored, quarantined, first_at, "
	"last_at, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
	"ON CONFLICT DO UPDATE SET stored = excluded.stored, quarantined = excluded.quarantined, "
	"first_at = excluded.first_at, last_at = excluded.last_at, changed_at = "
	"excluded.changed_at";

static const char insert_mark[] = "INSERT INTO seq_mark (producer_id, slot, marked_at, seq) "
				  "VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";

static const char undelete[] = "DELETE FROM seq_range WHERE state = 'deleted' AND producer_id = ?1 "
			       "AND first = ?2";

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
	(void)sqlite3_bind_text(statement, place, text, -1, SQLITE_TRANSIENT);
}

static void bind_uuid(sqlite3_stmt *statement, int place, const struct uuid *uuid)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(uuid, text);
	bind_text(statement, place, text);
}

static void bind_time(sqlite3_stmt *statement, int place, wall_us time)
{
	char text[CLOCK_TEXT_SIZE];
	clock_format(time, text);
	bind_text(statement, place, text);
}

static void bind_bits(sqlite3_stmt *statement, int place, bool is_present,
		      const unsigned char *bits)
{
	if (is_present)
		(void)sqlite3_bind_blob(statement, place, bits, SEQ_CHUNK_BYTES, SQLITE_TRANSIENT);
	else
		(void)sqlite3_bind_null(statement, place);
}

static sqlite3_stmt *prepare(struct sqlite_store *store, const char *sql, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
		(void)sqlite_fail(store, "prepare", err);
	return statement;
}

/* Bind nothing more, run to the end. */
static int finish(struct sqlite_store *store, sqlite3_stmt *statement, struct error *err)
{
	int step = sqlite3_step(statement);
	int status =
		step == SQLITE_DONE || step == SQLITE_ROW ? 0 : sqlite_fail(store, "write", err);
	(void)sqlite3_finalize(statement);
	return status;
}

static wall_us time_in(sqlite3_stmt *statement, int column, wall_us missing)
{
	wall_us time = missing;
	const char *text = (const char *)sqlite3_column_text(statement, column);
	if (text != NULL)
		(void)clock_parse(text, strlen(text), &time);
	return time;
}

/* What the table holds of the chunk already. */
static int merge_old(struct sqlite_store *store, struct seq_chunk *chunk, struct error *err)
{
	sqlite3_stmt *statement = prepare(store, select_chunk, err);
	if (statement == NULL)
		return -1;
	bind_uuid(statement, 1, &chunk->producer_id);
	(void)sqlite3_bind_int64(statement, 2, chunk->chunk);
	(void)sqlite3_bind_int(statement, 3, chunk->partition);
	int step = sqlite3_step(statement);
	if (step == SQLITE_ROW) {
		chunk->has_stored |= sqlite_add_bits(statement, 0, chunk->stored);
		chunk->has_quarantined |= sqlite_add_bits(statement, 1, chunk->quarantined);
		wall_us first_at = time_in(statement, 2, INT64_MAX);
		wall_us last_at = time_in(statement, 3, INT64_MIN);
		chunk->first_at = first_at < chunk->first_at ? first_at : chunk->first_at;
		chunk->last_at = last_at > chunk->last_at ? last_at : chunk->last_at;
	}
	int status =
		step == SQLITE_ROW || step == SQLITE_DONE ? 0 : sqlite_fail(store, "read", err);
	(void)sqlite3_finalize(statement);
	return status;
}

static int write_chunk(struct sqlite_store *store, const struct seq_chunk *chunk, wall_us now,
		       struct error *err)
{
	sqlite3_stmt *statement = prepare(store, upsert_chunk, err);
	if (statement == NULL)
		return -1;
	bind_uuid(statement, 1, &chunk->producer_id);
	(void)sqlite3_bind_int64(statement, 2, chunk->chunk);
	(void)sqlite3_bind_int(statement, 3, chunk->partition);
	bind_bits(statement, 4, chunk->has_stored, chunk->stored);
	bind_bits(statement, 5, chunk->has_quarantined, chunk->quarantined);
	if (chunk->has_stored) {
		bind_time(statement, 6, chunk->first_at);
		bind_time(statement, 7, chunk->last_at);
	}
	bind_time(statement, 8, now);
	return finish(store, statement, err);
}

static int write_mark(struct sqlite_store *store, const struct seq_chunk *chunk, wall_us now,
		      struct error *err)
{
	const wall_us slot_us = MARK_SLOT_S * CLOCK_US_PER_S;
	sqlite3_stmt *statement = prepare(store, insert_mark, err);
	if (statement == NULL)
		return -1;
	bind_uuid(statement, 1, &chunk->producer_id);
	bind_time(statement, 2, now - now % slot_us);
	bind_time(statement, 3, now);
	(void)sqlite3_bind_int64(statement, 4, seq_chunk_last(chunk->chunk, chunk->stored));
	return finish(store, statement, err);
}

/* The last chunks of a producer_id come last: their mark is the one that counts. */
static bool is_last_of_producer(const struct seq_chunks *chunks, size_t i)
{
	return i + 1 == chunks->count ||
	       !uuid_equal(&chunks->chunks[i]->producer_id, &chunks->chunks[i + 1]->producer_id);
}

static int write_chunks(struct sqlite_store *store, struct seq_chunks *chunks, wall_us now,
			struct error *err)
{
	for (size_t i = 0; i < chunks->count; i++) {
		struct seq_chunk *chunk = chunks->chunks[i];
		bool is_marked = chunk->has_stored && is_last_of_producer(chunks, i);
		if (is_marked && write_mark(store, chunk, now, err) != 0)
			return -1;
		if (merge_old(store, chunk, err) != 0 || write_chunk(store, chunk, now, err) != 0)
			return -1;
	}
	return 0;
}

/* One number; -1 on an error. */
static int64_t ask(struct sqlite_store *store, const char *sql, struct error *err)
{
	int64_t number = -1;
	sqlite3_stmt *statement = prepare(store, sql, err);
	if (statement == NULL)
		return -1;
	if (sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	else
		(void)sqlite_fail(store, "read", err);
	(void)sqlite3_finalize(statement);
	return number;
}

/* Reports that had been deleted by hand are back. */
static int bring_back(struct sqlite_store *store, const struct store_plan *plan, struct error *err)
{
	int64_t has_deleted =
		ask(store, "SELECT EXISTS (SELECT 1 FROM seq_range WHERE state = 'deleted')", err);
	if (has_deleted <= 0)
		return has_deleted < 0 ? -1 : 0;
	for (size_t i = 0; i < plan->row_count; i++) {
		if (!plan->rows[i].is_inserted)
			continue;
		sqlite3_stmt *statement = prepare(store, undelete, err);
		if (statement == NULL)
			return -1;
		bind_uuid(statement, 1, &plan->rows[i].row->producer_id.value);
		(void)sqlite3_bind_int64(statement, 2, plan->rows[i].row->seq.value);
		if (finish(store, statement, err) != 0)
			return -1;
	}
	return 0;
}

int sqlite_write_seq_chunks(struct sqlite_store *store, const struct store_batch *batch,
			    const struct store_plan *plan, const bool *is_old, wall_us now,
			    struct error *err)
{
	struct seq_chunks chunks = {0};
	seq_chunks_from_batch(&chunks, batch, plan, is_old);
	int status = write_chunks(store, &chunks, now, err);
	if (status == 0 && chunks.count > 0)
		status = bring_back(store, plan, err);
	seq_chunks_finish(&chunks);
	return status;
}

/* --- made again --- */

static const char count_parts[] =
	"SELECT count(*) FROM sqlite_schema WHERE name IN ('seq_chunk', 'seq_range', "
	"'report_deleted')";
enum { PARTS = 3 };

int sqlite_seq_chunks_are_there(struct sqlite_store *store, bool *ret_are_there, struct error *err)
{
	int64_t count = ask(store, count_parts, err);
	*ret_are_there = count == PARTS;
	return count < 0 ? -1 : 0;
}

static int note_reports(struct sqlite_store *store, struct seq_chunks *chunks, struct error *err)
{
	sqlite3_stmt *statement =
		prepare(store, "SELECT producer_id, seq, started_at FROM report", err);
	if (statement == NULL)
		return -1;
	int step;
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		struct identity identity = {.seq = sqlite3_column_int64(statement, 1)};
		const char *text = (const char *)sqlite3_column_text(statement, 0);
		if (text == NULL || identity.seq < 0 ||
		    uuid_parse(text, strlen(text), &identity.producer_id) != 0)
			continue;
		seq_chunks_note_stored(chunks, &identity, SEQ_CHUNK_NO_PARTITION,
				       time_in(statement, 2, 0));
	}
	int status = step == SQLITE_DONE ? 0 : sqlite_fail(store, "read", err);
	(void)sqlite3_finalize(statement);
	return status;
}

static int note_quarantined(struct sqlite_store *store, struct seq_chunks *chunks,
			    struct error *err)
{
	sqlite3_stmt *statement = prepare(
		store, "SELECT substr(bytes, 1, 256) FROM quarantine WHERE bytes IS NOT NULL", err);
	if (statement == NULL)
		return -1;
	int step;
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		struct identity identity;
		if (identity_read_message(sqlite3_column_blob(statement, 0),
					  (size_t)sqlite3_column_bytes(statement, 0),
					  &identity) == 0)
			seq_chunks_note_quarantined(chunks, &identity, SEQ_CHUNK_NO_PARTITION);
	}
	int status = step == SQLITE_DONE ? 0 : sqlite_fail(store, "read", err);
	(void)sqlite3_finalize(statement);
	return status;
}

int sqlite_make_seq_chunks(struct sqlite_store *store, struct error *err)
{
	struct seq_chunks chunks = {0};
	int status = -1;
	if (sqlite_execute(store,
			   "DELETE FROM seq_chunk; "
			   "DELETE FROM seq_range WHERE state IN "
			   "('stored', 'deleted', 'quarantined')",
			   err) != 0 ||
	    note_reports(store, &chunks, err) != 0 || note_quarantined(store, &chunks, err) != 0)
		goto out;
	seq_chunks_settle(&chunks);
	status = write_chunks(store, &chunks, clock_wall_us(), err);
out:
	seq_chunks_finish(&chunks);
	return status;
}
