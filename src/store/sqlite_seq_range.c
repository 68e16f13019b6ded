/*
 * Chunks become ranges: those that are full, and those that nothing was added to for an hour, where that makes few ranges of them. In
 * pages of the key, for a tenth of a second at a time. Also here: what retention takes away is noted as expired.
 *
 * Ranges that touch are joined. Stored ones only within a day (UTC) of their reports, so that whole ranges expire with their day.
 * Times stay the texts that they are, which sort as they follow one another.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/seq_chunk.h"
#include "store/seq_ranges.h"
#include "store/sqlite_store.h"

enum { PAGE_ROWS = 1000, MARKS_KEPT_S = 25 * 3600 };

/* A range, or a chunk's worth of them, with its times; "" for null. */
struct times {
	char first_at[CLOCK_TEXT_SIZE];
	char last_at[CLOCK_TEXT_SIZE];
	char changed_at[CLOCK_TEXT_SIZE];
};

struct chunk {
	char producer_id[UUID_TEXT_SIZE];
	int64_t chunk;
	unsigned char stored[SEQ_CHUNK_BYTES];
	unsigned char quarantined[SEQ_CHUNK_BYTES];
	struct times times;
};

enum statement { SELECT_TOUCHING, DELETE_TOUCHING, INSERT_RANGE, DELETE_CHUNK, STATEMENTS };

/* ?1 state, ?2 producer, ?3 first, ?4 last, ?5 the day of its reports, "" where they are of several */
#define TOUCHING                                                                                   \
	"FROM seq_range WHERE state = ?1 AND producer_id = ?2 AND ((first <= ?4 AND last >= ?3) "  \
	"OR ((first - 1 = ?4 OR last = ?3 - 1) AND (?1 <> 'stored' OR "                            \
	"(substr(first_at, 1, 10) = ?5 AND substr(last_at, 1, 10) = ?5))))"

static const char *const sql[STATEMENTS] = {
	[SELECT_TOUCHING] = "SELECT min(first), max(last), min(first_at), max(last_at), "
			    "max(changed_at) " TOUCHING,
	[DELETE_TOUCHING] = "DELETE " TOUCHING,
	[INSERT_RANGE] = "INSERT INTO seq_range (state, producer_id, first, last, first_at, "
			 "last_at, changed_at) "
			 "VALUES (?1, ?2, ?3, ?4, nullif(?5, ''), nullif(?6, ''), ?7)",
	[DELETE_CHUNK] = "DELETE FROM seq_chunk WHERE producer_id = ?1 AND chunk = ?2",
};

/* The statements of one step. */
struct step {
	struct sqlite_store *store;
	sqlite3_stmt *statements[STATEMENTS];
};

static int start(struct step *step, struct sqlite_store *store, struct error *err)
{
	*step = (struct step){.store = store};
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v2(store->db, sql[i], -1, &step->statements[i], NULL) !=
		    SQLITE_OK)
			return sqlite_fail(store, "prepare", err);
	return 0;
}

static void finish(struct step *step)
{
	for (int i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize(step->statements[i]);
}

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
	(void)sqlite3_bind_text(statement, place, text, -1, SQLITE_TRANSIENT);
}

static void copy_text(char text[static CLOCK_TEXT_SIZE], sqlite3_stmt *statement, int column)
{
	const char *found = (const char *)sqlite3_column_text(statement, column);
	(void)snprintf(text, CLOCK_TEXT_SIZE, "%s", found == NULL ? "" : found);
}

static void widen(struct times *times, const struct times *more)
{
	if (more->first_at[0] != '\0' &&
	    (times->first_at[0] == '\0' || strcmp(more->first_at, times->first_at) < 0))
		memcpy(times->first_at, more->first_at, sizeof(times->first_at));
	if (strcmp(more->last_at, times->last_at) > 0)
		memcpy(times->last_at, more->last_at, sizeof(times->last_at));
	if (strcmp(more->changed_at, times->changed_at) > 0)
		memcpy(times->changed_at, more->changed_at, sizeof(times->changed_at));
}

static void copy_times(struct times *times, sqlite3_stmt *statement, int column)
{
	copy_text(times->first_at, statement, column);
	copy_text(times->last_at, statement, column + 1);
	copy_text(times->changed_at, statement, column + 2);
}

static sqlite3_stmt *touching(struct step *step, enum statement which, const char *state,
			      const char *producer_id, const struct store_seq_range *range,
			      const struct times *times)
{
	enum { DAY = 10 };
	sqlite3_stmt *statement = step->statements[which];
	char day[DAY + 1] = "";
	(void)sqlite3_reset(statement);
	if (strncmp(times->first_at, times->last_at, DAY) == 0)
		(void)snprintf(day, sizeof(day), "%.10s", times->first_at);
	bind_text(statement, 1, state);
	bind_text(statement, 2, producer_id);
	(void)sqlite3_bind_int64(statement, 3, range->first);
	(void)sqlite3_bind_int64(statement, 4, range->last);
	bind_text(statement, 5, day);
	return statement;
}

static int run(struct step *step, sqlite3_stmt *statement, struct error *err)
{
	int status =
		sqlite3_step(statement) == SQLITE_DONE ? 0 : sqlite_fail(step->store, "write", err);
	(void)sqlite3_reset(statement);
	return status;
}

/* Into the table, joined with those that it touches. */
static int add_range(struct step *step, const char *state, const char *producer_id,
		     struct store_seq_range range, struct times times, struct error *err)
{
	for (;;) {
		sqlite3_stmt *found =
			touching(step, SELECT_TOUCHING, state, producer_id, &range, &times);
		if (sqlite3_step(found) != SQLITE_ROW)
			return sqlite_fail(step->store, "read", err);
		bool has_any = sqlite3_column_type(found, 0) != SQLITE_NULL;
		struct store_seq_range other = {.first = sqlite3_column_int64(found, 0),
						.last = sqlite3_column_int64(found, 1)};
		struct times others;
		copy_times(&others, found, 2);
		(void)sqlite3_reset(found);
		if (!has_any)
			break;
		if (run(step, touching(step, DELETE_TOUCHING, state, producer_id, &range, &times),
			err) != 0)
			return -1;
		range.first = other.first < range.first ? other.first : range.first;
		range.last = other.last > range.last ? other.last : range.last;
		widen(&times, &others);
	}
	sqlite3_stmt *insert = step->statements[INSERT_RANGE];
	bind_text(insert, 1, state);
	bind_text(insert, 2, producer_id);
	(void)sqlite3_bind_int64(insert, 3, range.first);
	(void)sqlite3_bind_int64(insert, 4, range.last);
	bind_text(insert, 5, times.first_at);
	bind_text(insert, 6, times.last_at);
	bind_text(insert, 7, times.changed_at);
	return run(step, insert, err);
}

static int add_ranges(struct step *step, const char *state, const struct chunk *chunk,
		      const struct seq_ranges *ranges, struct error *err)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (add_range(step, state, chunk->producer_id, ranges->items[i], chunk->times,
			      err) != 0)
			return -1;
	return 0;
}

/* Rows of producer_id, chunk, stored, quarantined, first_at, last_at, changed_at in the order of the key; those of a chunk become one. */
static int read_chunks(struct sqlite_store *store, sqlite3_stmt *statement, struct chunk *chunks,
		       size_t *ret_count, struct error *err)
{
	size_t count = 0;
	int result;
	while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
		char producer_id[UUID_TEXT_SIZE];
		const char *text = (const char *)sqlite3_column_text(statement, 0);
		int64_t number = sqlite3_column_int64(statement, 1);
		struct times times;
		(void)snprintf(producer_id, sizeof(producer_id), "%.36s", text == NULL ? "" : text);
		struct chunk *chunk = count == 0 ? NULL : &chunks[count - 1];
		if (chunk == NULL || chunk->chunk != number ||
		    strcmp(chunk->producer_id, producer_id) != 0) {
			chunk = &chunks[count++];
			*chunk = (struct chunk){.chunk = number};
			(void)snprintf(chunk->producer_id, sizeof(chunk->producer_id), "%s",
				       producer_id);
		}
		(void)sqlite_add_bits(statement, 2, chunk->stored);
		(void)sqlite_add_bits(statement, 3, chunk->quarantined);
		copy_times(&times, statement, 4);
		widen(&chunk->times, &times);
	}
	*ret_count = count;
	return result == SQLITE_DONE ? 0 : sqlite_fail(store, "read", err);
}

static int fold_chunk(struct step *step, const struct chunk *chunk, const char *idle_before,
		      struct error *err)
{
	struct seq_ranges stored = {0};
	struct seq_ranges quarantined = {0};
	int status = 0;
	if (seq_chunk_fold(chunk->chunk, chunk->stored, chunk->quarantined,
			   strcmp(chunk->times.changed_at, idle_before) < 0, &stored,
			   &quarantined)) {
		sqlite3_stmt *statement = step->statements[DELETE_CHUNK];
		bind_text(statement, 1, chunk->producer_id);
		(void)sqlite3_bind_int64(statement, 2, chunk->chunk);
		status = run(step, statement, err);
		if (status == 0)
			status = add_ranges(step, "stored", chunk, &stored, err);
		if (status == 0)
			status = add_ranges(step, "quarantined", chunk, &quarantined, err);
	}
	seq_ranges_finish(&stored);
	seq_ranges_finish(&quarantined);
	return status;
}

static const char select_page[] =
	"SELECT producer_id, chunk, stored, quarantined, first_at, last_at, changed_at FROM "
	"seq_chunk WHERE (producer_id, chunk) > (?1, ?2) ORDER BY producer_id, chunk, partition "
	"LIMIT ?3";

/* One page; *ret_is_last where there is none behind it. */
static int fold_page(struct step *step, struct chunk *chunks, const char *idle_before,
		     bool *ret_is_last, struct error *err)
{
	struct sqlite_store *store = step->store;
	sqlite3_stmt *statement;
	size_t count = 0;
	if (sqlite3_prepare_v2(store->db, select_page, -1, &statement, NULL) != SQLITE_OK)
		return sqlite_fail(store, "prepare", err);
	bind_text(statement, 1, store->fold_from.producer_id);
	(void)sqlite3_bind_int64(statement, 2, store->fold_from.chunk);
	(void)sqlite3_bind_int(statement, 3, PAGE_ROWS);
	int status = read_chunks(store, statement, chunks, &count, err);
	(void)sqlite3_finalize(statement);
	*ret_is_last = count < PAGE_ROWS; /* a row for each chunk, as there is no Kafka */
	for (size_t i = 0; i < count && status == 0; i++)
		status = fold_chunk(step, &chunks[i], idle_before, err);
	if (status != 0 || count == 0)
		return status;
	(void)snprintf(store->fold_from.producer_id, sizeof(store->fold_from.producer_id), "%s",
		       chunks[count - 1].producer_id);
	store->fold_from.chunk = chunks[count - 1].chunk;
	return 0;
}

/* Of marks that are older than a day only the newest tells anything, and that only where no range does. */
static const char drop_marks[] =
	"DELETE FROM seq_mark WHERE marked_at < ?1 AND (EXISTS (SELECT 1 FROM seq_mark AS later "
	"WHERE later.producer_id = seq_mark.producer_id AND later.slot > seq_mark.slot "
	"AND later.marked_at < ?1) OR (EXISTS (SELECT 1 FROM seq_range AS r WHERE r.state IN "
	"('stored', 'expired') AND r.producer_id = seq_mark.producer_id AND r.last >= seq_mark.seq "
	"AND r.changed_at < ?2) AND NOT EXISTS (SELECT 1 FROM seq_chunk AS c "
	"WHERE c.producer_id = seq_mark.producer_id)))";

static int drop_old_marks(struct sqlite_store *store, wall_us now, const char *idle_before,
			  struct error *err)
{
	sqlite3_stmt *statement;
	char kept[CLOCK_TEXT_SIZE];
	if (sqlite3_prepare_v2(store->db, drop_marks, -1, &statement, NULL) != SQLITE_OK)
		return sqlite_fail(store, "prepare", err);
	clock_format(now - MARKS_KEPT_S * CLOCK_US_PER_S, kept);
	bind_text(statement, 1, kept);
	bind_text(statement, 2, idle_before);
	int status = sqlite3_step(statement) == SQLITE_DONE ? 0 : sqlite_fail(store, "write", err);
	(void)sqlite3_finalize(statement);
	return status;
}

static int fold(struct sqlite_store *store, bool *ret_is_done, struct error *err)
{
	wall_us now = clock_wall_us();
	mono_us until = clock_mono_us() + SEQ_FOLD_STEP_MS * CLOCK_US_PER_MS;
	char idle_before[CLOCK_TEXT_SIZE];
	struct step step = {.store = store};
	clock_format(now - SEQ_CHUNK_IDLE_S * CLOCK_US_PER_S, idle_before);
	if (sqlite_begin(store, err) != 0)
		return -1;
	struct chunk *chunks = xcalloc(PAGE_ROWS, sizeof(*chunks));
	int status = start(&step, store, err);
	*ret_is_done = false;
	while (status == 0 && !*ret_is_done && clock_mono_us() < until)
		status = fold_page(&step, chunks, idle_before, ret_is_done, err);
	if (status == 0 && *ret_is_done)
		status = drop_old_marks(store, now, idle_before, err);
	finish(&step);
	free(chunks);
	return status == 0 ? sqlite_execute(store, "COMMIT", err) : -1;
}

void sqlite_fold_seq_chunks(struct sqlite_store *store)
{
	mono_us now = clock_mono_us();
	bool is_done = true;
	struct error err;
	if (now < store->fold_at)
		return;
	if (fold(store, &is_done, &err) != 0) {
		/* Nothing hangs on it: audit reads chunks as well. */
		log_event(LOG_DEBUG, "chunks were not folded", LOG_STR("cause", err.message));
		sqlite_rollback(store);
		is_done = true;
	}
	if (is_done)
		store->fold_from = (struct sqlite_fold_place){.chunk = -1};
	store->fold_at =
		clock_mono_us() + (is_done ? SEQ_FOLD_EVERY_S : SEQ_FOLD_AGAIN_S) * CLOCK_US_PER_S;
}

/* --- expired --- */

/* The seq of a row of select_old_chunks. */
static int expire_chunk(struct step *step, sqlite3_stmt *row, struct error *err)
{
	struct seq_ranges ranges = {0};
	struct chunk chunk = {.chunk = sqlite3_column_int64(row, 1)};
	(void)snprintf(chunk.producer_id, sizeof(chunk.producer_id), "%.36s",
		       (const char *)sqlite3_column_text(row, 0));
	(void)sqlite_add_bits(row, 2, chunk.stored);
	copy_times(&chunk.times, row, 3);
	seq_chunk_add_ranges(&ranges, chunk.chunk, chunk.stored);
	int status = add_ranges(step, "expired", &chunk, &ranges, err);
	seq_ranges_finish(&ranges);
	return status;
}

/* A row of select_old_ranges. */
static int expire_range(struct step *step, sqlite3_stmt *row, struct error *err)
{
	const struct store_seq_range range = {.first = sqlite3_column_int64(row, 1),
					      .last = sqlite3_column_int64(row, 2)};
	char producer_id[UUID_TEXT_SIZE];
	struct times times;
	(void)snprintf(producer_id, sizeof(producer_id), "%.36s",
		       (const char *)sqlite3_column_text(row, 0));
	copy_times(&times, row, 3);
	return add_range(step, "expired", producer_id, range, times, err);
}

static const char select_old_chunks[] =
	"SELECT producer_id, chunk, stored, first_at, last_at, changed_at FROM seq_chunk "
	"WHERE first_at < ?1";
static const char select_old_ranges[] =
	"SELECT producer_id, first, last, first_at, last_at, changed_at FROM seq_range "
	"WHERE state = 'stored' AND first_at < ?1";

/* Every row that a statement finds, by expire. */
static int expire_rows(struct step *step, const char *select, const char *before,
		       int (*expire)(struct step *step, sqlite3_stmt *row, struct error *err),
		       struct error *err)
{
	struct sqlite_store *store = step->store;
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v2(store->db, select, -1, &statement, NULL) != SQLITE_OK)
		return sqlite_fail(store, "prepare", err);
	bind_text(statement, 1, before);
	int status = 0;
	int result;
	while ((result = sqlite3_step(statement)) == SQLITE_ROW && status == 0)
		status = expire(step, statement, err);
	if (status == 0 && result != SQLITE_DONE)
		status = sqlite_fail(store, "read", err);
	(void)sqlite3_finalize(statement);
	return status;
}

int sqlite_expire_seqs(struct sqlite_store *store, wall_us before, struct error *err)
{
	char text[CLOCK_TEXT_SIZE];
	struct step step = {.store = store};
	clock_format(before, text);
	if (sqlite_begin(store, err) != 0)
		return -1;
	int status = start(&step, store, err);
	if (status == 0)
		status = expire_rows(&step, select_old_chunks, text, expire_chunk, err);
	if (status == 0)
		status = expire_rows(&step, select_old_ranges, text, expire_range, err);
	finish(&step);
	if (status == 0) {
		char *forget = xasprintf(
			"DELETE FROM seq_range WHERE state = 'stored' AND last_at < '%s'", text);
		status = sqlite_execute(store, forget, err);
		free(forget);
	}
	if (status == 0 && sqlite_execute(store, "COMMIT", err) == 0)
		return 0;
	sqlite_rollback(store);
	return -1;
}
