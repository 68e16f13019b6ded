#include "outbox/outbox_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/planted.h"

static const mono_us retry_pause_min = INT64_C(100) * CLOCK_US_PER_MS;
static const mono_us retry_pause_max = INT64_C(2) * CLOCK_US_PER_S;
/* A backlog leaves a large file behind; from this much unused space on it is given back once all is sent. */
static const int64_t shrink_from_bytes = INT64_C(64) * 1024 * 1024;

static void set_aside(struct outbox *outbox, const struct error *why, struct error *err)
{
	char *name = NULL;
	if (outbox_place_set_aside(outbox->path, &name, err) != 0)
		return;
	figures_add(&outbox->figures->set_aside, 1);
	log_event(LOG_WARN, "outbox damaged, set aside", LOG_STR("file", outbox->path),
		  LOG_STR("now", name), LOG_STR("reason", why->message));
	free(name);
}

/* What the file says of earlier processes. */
static void adopt(struct outbox *outbox, const struct outbox_file_meta *meta)
{
	struct outbox_file_meta before = outbox->meta;
	outbox->meta = *meta;
	if (IS_PLANTED(REUSE_PRODUCER_ID) && meta->has_last)
		outbox->producer_id = meta->last.producer_id;
	if (!meta->has_last) { /* a new file in the place of one that we wrote to */
		outbox->meta.has_last = before.has_last;
		outbox->meta.last = before.last;
	}
	if (outbox->next_id <= meta->last_id)
		outbox->next_id = meta->last_id + 1;
	bool is_pending = outbox->pending != NULL && outbox->pending->id != 0;
	outbox->committed_id = (is_pending ? outbox->pending->id : outbox->next_id) - 1;
	/* not trusting the figures, look */
	int64_t last_id = outbox_segment_last_id(outbox->segments);
	if (outbox->sent_id > last_id)
		outbox->sent_id = last_id;
	if (IS_PLANTED(FORGET_WAITING))
		outbox->sent_id = outbox->committed_id;
}

static void finish_rename(const struct outbox *outbox)
{
	char *name = outbox_place_finish_rename(outbox->path);
	if (name != NULL)
		log_event(LOG_WARN, "outbox was being renamed when its process ended, done now",
			  LOG_STR("file", outbox->path), LOG_STR("now", name));
	free(name);
}

int outbox_commit_open(struct outbox *outbox, struct error *err)
{
	struct outbox_file_meta meta = {0};
	struct error reason = {0};
	enum outbox_file_result result = OUTBOX_FILE_DAMAGED;
	finish_rename(outbox);
	bool is_new = access(outbox->path, F_OK) != 0;
	if (outbox_place_is_torn(outbox->path))
		error_set(&reason, ERROR_REJECT, "empty beside a write-ahead log");
	else
		result = outbox_file_open(outbox->path, outbox->durability, &outbox->file, &meta,
					  &reason);
	if (result == OUTBOX_FILE_FAILED && outbox_place_is_folder(outbox->path))
		result = OUTBOX_FILE_DAMAGED;
	if (result == OUTBOX_FILE_DAMAGED) {
		struct error aside = {0};
		set_aside(outbox, &reason, &aside);
		if (aside.kind != ERROR_NONE) {
			if (err != NULL)
				*err = aside;
			return -1;
		}
		result = outbox_file_open(outbox->path, outbox->durability, &outbox->file, &meta,
					  &reason);
	}
	if (result == OUTBOX_FILE_UNSYNCED && is_new)
		outbox_place_remove(outbox->path); /* not even the empty file is sure */
	if (result == OUTBOX_FILE_HELD)
		error_set(&reason, ERROR_REJECT, "held by another process");
	if (result != OUTBOX_FILE_OK) {
		error_set(err, ERROR_REJECT, "%s: %s", outbox->path, reason.message);
		return -1;
	}
	/*
	 * The process before may have been killed right after a failed fsync: what it left in the log reads well, but is not on the
	 * disk, and whatever is synced behind it would be lost with it in a power cut. Out of the log, then.
	 */
	if (!is_new)
		(void)outbox_file_checkpoint(outbox->file);
	adopt(outbox, &meta);
	return 0;
}

/* Said once; tried again with a growing pause. */
static void retry_later(struct outbox *outbox, enum outbox_file_result result,
			const struct error *err, mono_us now)
{
	bool is_first = !atomic_load(&outbox->is_in_trouble);
	outbox->is_full = result == OUTBOX_FILE_FULL;
	if (is_first)
		outbox->retry_pause = retry_pause_min;
	else if (outbox->retry_pause < retry_pause_max)
		outbox->retry_pause *= 2;
	outbox->retry_at = now + outbox->retry_pause;
	atomic_store(&outbox->is_in_trouble, true);
	if (is_first && outbox->events.on_trouble != NULL)
		outbox->events.on_trouble(outbox->events.context, err);
}

/* A transaction failed. With a new file in the place of one that can't be used, there is no need to wait. */
static void fail(struct outbox *outbox, enum outbox_file_result result, const struct error *err,
		 mono_us now)
{
	struct error trouble = *err;
	bool is_again = outbox->is_unsynced;
	figures_add(&outbox->figures->commit_failures, 1);
	if (outbox->file != NULL)
		outbox_file_rollback(outbox->file);
	if (result == OUTBOX_FILE_DAMAGED) {
		outbox_commit_replace_file(outbox, err, now);
		if (outbox->file != NULL) {
			outbox->retry_at = now;
			return;
		}
	}
	if (result == OUTBOX_FILE_UNSYNCED && outbox->file != NULL) {
		outbox->is_unsynced = true;
		if (outbox_segment_begin(outbox, err, &trouble) == 0 && !is_again) {
			outbox->retry_at = now;
			return;
		}
	}
	retry_later(outbox, result, &trouble, now);
}

static void succeed(struct outbox *outbox, mono_us now)
{
	if (outbox->unsynced_since == 0 && outbox->durability == OUTBOX_DURABILITY_PROCESS)
		outbox->unsynced_since = now;
	if (atomic_exchange(&outbox->is_in_trouble, false) && outbox->events.on_recovered != NULL)
		outbox->events.on_recovered(outbox->events.context);
	outbox->is_full = false;
	outbox->is_unsynced = false;
	outbox_reserve_restore(&outbox->reserve, now);
}

void outbox_commit_replace_file(struct outbox *outbox, const struct error *why, mono_us now)
{
	struct error err = {0};
	outbox_file_close(outbox->file, true);
	outbox->file = NULL;
	set_aside(outbox, why, &err);
	/* what lay in it waits there; rows that are in flight may still arrive */
	int64_t segments_last_id = outbox_segment_last_id(outbox->segments);
	int64_t rows = outbox->meta.rows;
	int64_t bytes = outbox->meta.bytes;
	size_t cursor = 0;
	struct outbox_window_range range;
	while (outbox_window_next_range(&outbox->window, &cursor, &range)) {
		if (range.first_id <= segments_last_id)
			continue;
		rows -= range.rows;
		bytes -= range.bytes;
	}
	atomic_fetch_sub(&outbox->waiting_rows, rows);
	atomic_fetch_sub(&outbox->waiting_bytes, bytes);
	outbox_window_drop_range(&outbox->window, segments_last_id + 1, INT64_MAX);
	outbox_window_begin_after(&outbox->window, segments_last_id);
	outbox->meta.rows = 0;
	outbox->meta.bytes = 0;
	if (err.kind != ERROR_NONE || outbox_commit_open(outbox, &err) != 0)
		fail(outbox, OUTBOX_FILE_FAILED, &err, now);
}

/* With a transaction open: delete what is acknowledged, and take it off the figures. */
static enum outbox_file_result delete_acknowledged(struct outbox *outbox,
						   struct outbox_file_meta *meta, struct error *err)
{
	size_t cursor = 0;
	struct outbox_window_range range;
	int64_t segments_last_id = outbox_segment_last_id(outbox->segments);
	while (outbox->window.acknowledged > 0 &&
	       outbox_window_next_range(&outbox->window, &cursor, &range)) {
		if (range.first_id <= segments_last_id)
			continue; /* nothing is deleted there, the whole file goes at its end */
		enum outbox_file_result result = outbox_file_delete(
			outbox->file, IS_PLANTED(DELETE_RANGE) ? 0 : range.first_id, range.last_id,
			err);
		if (result != OUTBOX_FILE_OK)
			return result;
		meta->rows -= range.rows;
		meta->bytes -= range.bytes;
	}
	return OUTBOX_FILE_OK;
}

/* It is committed that they are gone. */
static void forget_acknowledged(struct outbox *outbox)
{
	outbox_segment_settle(outbox);
	outbox_window_forget_acknowledged(&outbox->window);
	outbox_segment_remove_drained(outbox);
}

static void batch_row(const struct outbox *outbox, const struct outbox_batch *batch, size_t i,
		      struct outbox_row *ret_row)
{
	const struct outbox_pending *pending = batch->rows[i];
	size_t start = i == 0 ? 0 : batch->ends[i - 1];
	*ret_row = (struct outbox_row){
		.id = pending->id,
		.class = pending->class,
		.key = pending->bytes,
		.key_length = pending->key_length,
		.message = outbox->text.data + start,
		.message_length = batch->ends[i] - start,
	};
}

/* A row gets its identity once, here; it keeps it whatever becomes of the commit. */
static void batch_collect(struct outbox *outbox, struct outbox_batch *batch)
{
	buffer_clear(&outbox->text);
	batch->count = 0;
	for (struct outbox_pending *row = outbox->pending;
	     row != NULL && batch->count < OUTBOX_BATCH_ROWS_MAX; row = row->next) {
		if (row->id == 0) {
			outbox_age_note(&outbox->age, outbox->next_id, clock_wall_us());
			row->id = outbox->next_id++;
			row->seq = outbox->next_seq++;
		}
		struct identity identity = {.producer_id = outbox->producer_id, .seq = row->seq};
		bool has_prev = row->seq == 0 && outbox->has_prev;
		(void)identity_append_message(&outbox->text, &identity,
					      has_prev ? &outbox->prev : NULL,
					      row->bytes + row->key_length, row->body_length);
		assert(!outbox->text.is_overflowed);
		batch->rows[batch->count] = row;
		batch->ends[batch->count++] = outbox->text.length;
		if (outbox->text.length >= OUTBOX_BATCH_BYTES_MAX)
			break;
	}
}

static enum outbox_file_result batch_write(struct outbox *outbox, const struct outbox_batch *batch,
					   struct outbox_file_meta *meta, struct error *err)
{
	enum outbox_file_result result = outbox_file_begin(outbox->file, err);
	if (result == OUTBOX_FILE_OK)
		result = delete_acknowledged(outbox, meta, err);
	for (size_t i = 0; result == OUTBOX_FILE_OK && i < batch->count; i++) {
		struct outbox_row row;
		batch_row(outbox, batch, i, &row);
		result = outbox_file_insert(outbox->file, &row, err);
		meta->rows++;
		meta->bytes += (int64_t)row.message_length;
		meta->last_id = row.id;
		meta->has_last = true;
		meta->last = (struct identity){.producer_id = outbox->producer_id,
					       .seq = batch->rows[i]->seq};
	}
	return result == OUTBOX_FILE_OK ? outbox_file_commit(outbox->file, meta, err) : result;
}

/* The batch is in the file: say so, send it from memory where nothing older waits, and let go of it. */
static void batch_finish(struct outbox *outbox, const struct outbox_batch *batch)
{
	bool is_next = outbox->sent_id >= outbox->committed_id;
	int64_t added_bytes = 0;
	outbox->committed_id = batch->rows[batch->count - 1]->id;
	atomic_fetch_sub(&outbox->uncommitted_rows, (int64_t)batch->count);
	atomic_fetch_add(&outbox->committed, (int64_t)batch->count);
	figures_add(&outbox->figures->commits, 1);
	figures_add(&outbox->figures->committed, (int64_t)batch->count);
	for (size_t i = 0; i < batch->count; i++) {
		struct outbox_row row;
		batch_row(outbox, batch, i, &row);
		added_bytes += (int64_t)(row.message_length - batch->rows[i]->body_length);
		/* read back what the drain does not take now */
		is_next = is_next && outbox->drain != NULL && outbox_send_row(outbox, &row);
	}
	atomic_fetch_add(&outbox->waiting_bytes, added_bytes);
	outbox->pending = batch->rows[batch->count - 1]->next;
	if (outbox->pending == NULL)
		outbox->pending_end = &outbox->pending;
	for (size_t i = 0; i < batch->count; i++)
		free(batch->rows[i]);
	if (outbox->events.on_durable != NULL)
		outbox->events.on_durable(outbox->events.context, batch->count);
}

/* False: stop here for now. */
static bool commit_batch(struct outbox *outbox, struct outbox_batch *batch, mono_us now)
{
	struct error err = {0};
	struct outbox_file_meta meta = outbox->meta;
	batch_collect(outbox, batch);
	outbox_file_reset(outbox->file);
	mono_us began_at = clock_mono_us();
	enum outbox_file_result result = batch_write(outbox, batch, &meta, &err);
	figures_observe(&outbox->figures->commit_took, clock_mono_us() - began_at);
	if (IS_PLANTED(ACKNOWLEDGE_BEFORE_COMMIT) && result != OUTBOX_FILE_OK) {
		outbox_file_rollback(outbox->file);
		batch_finish(outbox, batch);
		return true;
	}
	if (result != OUTBOX_FILE_OK) {
		if (IS_PLANTED(REUSE_SEQ))
			outbox->next_seq = batch->rows[0]->seq;
		for (size_t i = 0; IS_PLANTED(SKIP_SEQ) && i < batch->count; i++)
			batch->rows[i]->id = 0;
		fail(outbox, result, &err, now);
		return false;
	}
	outbox->meta = meta;
	outbox->deleted_at = now;
	forget_acknowledged(outbox);
	batch_finish(outbox, batch);
	succeed(outbox, now);
	return true;
}

bool outbox_commit_has_file(struct outbox *outbox, mono_us now)
{
	struct error err = {0};
	if (outbox->file != NULL || outbox_commit_open(outbox, &err) == 0)
		return true;
	fail(outbox, OUTBOX_FILE_FAILED, &err, now);
	return false;
}

void outbox_commit_pending(struct outbox *outbox, mono_us now)
{
	if (outbox->is_full)
		outbox_commit_deletes(outbox, now);
	while (outbox->pending != NULL && outbox_commit_has_file(outbox, now))
		if (!commit_batch(outbox, &outbox->batch, now))
			break;
}

/*
 * On a full disk the reserve is given up here, and only here, where rows can go: it lets the WAL be copied into the
 * database, after which the WAL's own file has room for a transaction that only deletes, and the pages that this frees
 * have room for new rows.
 */
void outbox_commit_deletes(struct outbox *outbox, mono_us now)
{
	struct error err = {0};
	if (outbox->window.acknowledged == 0 || !outbox_commit_has_file(outbox, now))
		return;
	outbox_file_reset(outbox->file);
	bool was_full = outbox->is_full;
	if (was_full) {
		(void)outbox_reserve_release(&outbox->reserve, now);
		(void)outbox_file_checkpoint(outbox->file);
	}
	struct outbox_file_meta meta = outbox->meta;
	enum outbox_file_result result = outbox_file_begin(outbox->file, &err);
	if (result == OUTBOX_FILE_OK)
		result = delete_acknowledged(outbox, &meta, &err);
	if (result == OUTBOX_FILE_OK)
		result = outbox_file_commit(outbox->file, &meta, &err);
	if (result != OUTBOX_FILE_OK) {
		fail(outbox, result, &err, now);
		return;
	}
	outbox->meta = meta;
	outbox->deleted_at = now;
	forget_acknowledged(outbox);
	if (was_full)
		(void)outbox_file_checkpoint(outbox->file);
	if (outbox->pending == NULL)
		succeed(outbox, now);
	if (meta.rows == 0 && outbox_file_free_bytes(outbox->file) >= shrink_from_bytes)
		outbox_file_shrink(outbox->file);
}

void outbox_commit_sync(struct outbox *outbox, mono_us now)
{
	outbox->unsynced_since = 0;
	if (outbox->file == NULL)
		return;
	outbox_file_reset(outbox->file);
	if (!outbox_file_checkpoint(outbox->file))
		outbox->unsynced_since =
			now; /* a full disk: again in a while; anything else shows in the next commit */
}

void outbox_commit_bad_row(struct outbox *outbox, const struct outbox_row *row, mono_us now)
{
	struct error err = {0};
	struct outbox_file_meta meta = outbox->meta;
	int64_t id = row->id;
	int64_t bytes = (int64_t)row->message_length;
	const struct outbox_window_entry *entry = outbox_window_find(&outbox->window, id);
	outbox_file_reset(outbox->file);
	if (entry != NULL && entry->state == OUTBOX_WINDOW_ACKNOWLEDGED) {
		outbox->sent_id = id; /* it has arrived, and is deleted like any other */
		return;
	}
	meta.rows--;
	meta.bytes -= bytes;
	enum outbox_file_result result = outbox_file_begin(outbox->file, &err);
	if (result == OUTBOX_FILE_OK)
		result = outbox_file_move_bad(outbox->file, id, &err);
	if (result == OUTBOX_FILE_OK)
		result = outbox_file_commit(outbox->file, &meta, &err);
	if (result != OUTBOX_FILE_OK) {
		fail(outbox, result, &err, now);
		outbox->is_drain_blocked = true; /* again after the next serve */
		return;
	}
	outbox->meta = meta;
	outbox->sent_id = id;
	outbox_window_drop(&outbox->window, id);
	atomic_fetch_sub(&outbox->waiting_rows, 1);
	atomic_fetch_sub(&outbox->waiting_bytes, bytes);
	figures_add(&outbox->figures->set_aside, 1);
	log_event(LOG_WARN, "outbox row damaged, put aside", LOG_STR("file", outbox->path),
		  LOG_INT("row", id));
}
