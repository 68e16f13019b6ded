#include "sim_disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sim_message.h"
#include "sim_oracle.h"
#include "sim_random.h"
#include "sim_task.h"
#include "sim_trace.h"

struct outbox_file {
	struct sim_disk *disk;
	struct sim_disk_file *file;
	enum outbox_durability durability;
	bool is_unsynced;
	int64_t read_id;
};

static struct sim_disk_row *find(struct sim_disk_state *state, int64_t id)
{
	size_t low = 0;
	size_t high = state->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (state->rows[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return &state->rows[low]; /* the first that is not below */
}

/* --- outbox_file.h --- */

/* What the disk has against a call. */
static enum outbox_file_result trouble(const struct sim_disk *disk, struct sim_disk_file *file,
				       struct error *err)
{
	sim_point();
	if (sim_random_chance(disk->damage_chance)) {
		sim_trace("the file is damaged", 0, 0, 0);
		error_set(err, ERROR_RETRY, "simulated damage");
		file->is_damaged = true;
		return OUTBOX_FILE_DAMAGED;
	}
	if (!sim_random_chance(disk->fail_chance))
		return OUTBOX_FILE_OK;
	sim_trace("the disk fails", 0, 0, 0);
	error_set(err, ERROR_RETRY, "simulated failure");
	return OUTBOX_FILE_FAILED;
}

static enum outbox_file_result unsynced(struct error *err)
{
	error_set(err, ERROR_RETRY, "simulated failure to sync");
	return OUTBOX_FILE_UNSYNCED;
}

static bool sync_fails(struct outbox_file *file)
{
	if (!sim_random_chance(file->disk->sync_chance))
		return false;
	sim_trace("an fsync fails", 0, 0, 0);
	file->is_unsynced = true;
	return true;
}

/* A checkpoint: the log is synced, then the database written and synced. With that, no gap of the log matters any more. */
static bool sync_all(struct outbox_file *file)
{
	struct sim_disk_file *on_disk = file->file;
	if (sync_fails(file))
		return false;
	sim_disk_copy(&on_disk->synced, &on_disk->now);
	on_disk->has_gap = false;
	return true;
}

enum outbox_file_result outbox_file_open(const char *path, enum outbox_durability durability,
					 struct outbox_file **ret_file,
					 struct outbox_file_meta *ret_meta, struct error *err)
{
	struct sim_disk *disk = sim_process_current()->owner;
	bool is_new = sim_disk_find(disk, path) == NULL;
	struct sim_disk_file *on_disk = sim_disk_make(disk, path);
	if (on_disk == NULL) {
		error_set(err, ERROR_RETRY, "no room for one more file");
		return OUTBOX_FILE_FAILED;
	}
	enum outbox_file_result result = trouble(disk, on_disk, err);
	if (result == OUTBOX_FILE_OK && is_new && sim_random_chance(disk->sync_chance))
		result = unsynced(err);
	if (result != OUTBOX_FILE_OK) {
		disk->has_unread = true;
		return result;
	}
	struct outbox_file *file = xcalloc(1, sizeof(*file));
	*file = (struct outbox_file){.disk = disk, .file = on_disk, .durability = durability};
	disk->is_in_transaction = false;
	*ret_meta = on_disk->now.meta;
	*ret_file = file;
	sim_trace("opens outbox: # rows, last id #", ret_meta->rows, ret_meta->last_id, 0);
	return OUTBOX_FILE_OK;
}

enum outbox_file_result outbox_file_open_to_read(const char *path, struct outbox_file **ret_file,
						 struct outbox_file_meta *ret_meta,
						 struct error *err)
{
	return outbox_file_open(path, OUTBOX_DURABILITY_PROCESS, ret_file, ret_meta, err);
}

void outbox_file_close(struct outbox_file *file, bool is_damaged)
{
	(void)is_damaged;
	free(file);
}

enum outbox_file_result outbox_file_begin(struct outbox_file *file, struct error *err)
{
	if (file->is_unsynced)
		return unsynced(err);
	enum outbox_file_result result = trouble(file->disk, file->file, err);
	if (result != OUTBOX_FILE_OK)
		return result;
	assert(!file->disk->is_in_transaction);
	file->disk->is_in_transaction = true;
	sim_disk_copy(&file->disk->next, &file->file->now);
	return OUTBOX_FILE_OK;
}

enum outbox_file_result outbox_file_insert(struct outbox_file *file, const struct outbox_row *row,
					   struct error *err)
{
	struct sim_message message;
	struct sim_disk *disk = file->disk;
	assert(disk->is_in_transaction);
	if (disk->is_full) {
		error_set(err, ERROR_RETRY, "simulated full disk");
		return OUTBOX_FILE_FULL;
	}
	struct sim_disk_state *state = &disk->next;
	struct sim_disk_row *at = find(state, row->id);
	bool is_new = at == state->rows + state->count || at->id != row->id;
	assert(state->count < SIM_DISK_ROWS);
	if (is_new) {
		memmove(at + 1, at, (size_t)(state->rows + state->count - at) * sizeof(*at));
		state->count++;
	}
	if (!sim_message_parse(row->message, row->message_length, &message)) {
		sim_oracle_fail("a row without identity: id", row->id, 0);
		message.nonce = 0;
	}
	*at = (struct sim_disk_row){
		.id = row->id,
		.nonce = message.nonce,
		.class = row->class,
		.key = sim_message_keep(row->key, row->key_length),
		.key_length = row->key_length,
		.message = sim_message_keep(row->message, row->message_length),
		.message_length = row->message_length,
	};
	if (row->id >= state->meta.last_id)
		state->last_nonce = message.nonce;
	return OUTBOX_FILE_OK;
}

enum outbox_file_result outbox_file_delete(struct outbox_file *file, int64_t first_id,
					   int64_t last_id, struct error *err)
{
	enum outbox_file_result result = trouble(file->disk, file->file, err);
	if (result != OUTBOX_FILE_OK)
		return result;
	assert(file->disk->is_in_transaction);
	struct sim_disk_state *state = &file->disk->next;
	struct sim_disk_row *first = find(state, first_id);
	struct sim_disk_row *end = find(state, last_id + 1);
	for (const struct sim_disk_row *row = first; row < end; row++)
		sim_disk_check_deleted(row);
	memmove(first, end, (size_t)(state->rows + state->count - end) * sizeof(*end));
	state->count -= (size_t)(end - first);
	return OUTBOX_FILE_OK;
}

enum outbox_file_result outbox_file_move_bad(struct outbox_file *file, int64_t id,
					     struct error *err)
{
	enum outbox_file_result result = trouble(file->disk, file->file, err);
	if (result != OUTBOX_FILE_OK)
		return result;
	struct sim_disk_state *state = &file->disk->next;
	struct sim_disk_row *row = find(state, id);
	if (row == state->rows + state->count || row->id != id || !row->is_bad) {
		sim_oracle_fail("a good row was put aside as damaged: id", id, 0);
		return OUTBOX_FILE_OK;
	}
	memmove(row, row + 1, (size_t)(state->rows + state->count - row - 1) * sizeof(*row));
	state->count--;
	state->bad_count++;
	return OUTBOX_FILE_OK;
}

static void apply(struct outbox_file *file)
{
	struct sim_disk_file *on_disk = file->file;
	sim_disk_become(on_disk, &file->disk->next);
	on_disk->has_ghost = false;
	if (file->durability == OUTBOX_DURABILITY_POWER) {
		on_disk->promised_id = on_disk->now.meta.last_id;
		if (!on_disk->has_gap)
			sim_disk_copy(&on_disk->synced, &on_disk->now);
	}
	/* every so many pages there is a checkpoint; its failure shows later */
	if (sim_random_chance(1000))
		(void)sync_all(file);
}

/* The report that meta names as the last one, where this transaction has not committed it itself. */
static void note_last(struct sim_disk_state *state)
{
	if (state->last_nonce < 0 && state->meta.has_last)
		state->last_nonce = sim_oracle_nonce(&state->meta.last);
}

enum outbox_file_result outbox_file_commit(struct outbox_file *file,
					   const struct outbox_file_meta *meta, struct error *err)
{
	struct sim_disk *disk = file->disk;
	struct sim_disk_file *on_disk = file->file;
	assert(disk->is_in_transaction);
	disk->next.meta = *meta;
	note_last(&disk->next);
	sim_disk_copy(&on_disk->ghost, &disk->next);
	on_disk->has_ghost = true;
	on_disk->is_ghost_dropped = false;
	enum outbox_file_result result = trouble(disk, on_disk, err);
	if (result == OUTBOX_FILE_OK && file->durability == OUTBOX_DURABILITY_POWER &&
	    sync_fails(file))
		result = unsynced(err);
	if (result != OUTBOX_FILE_OK) {
		on_disk->has_ghost = result != OUTBOX_FILE_DAMAGED && sim_random_chance(5000);
		on_disk->is_ghost_dropped = result == OUTBOX_FILE_UNSYNCED;
		return result;
	}
	disk->is_in_transaction = false;
	apply(file);
	sim_trace("commits outbox: # rows, last id #", meta->rows, meta->last_id, 0);
	if ((int64_t)on_disk->now.count != meta->rows)
		sim_oracle_fail("the outbox counts wrong: rows, counted",
				(int64_t)on_disk->now.count, meta->rows);
	sim_point();
	return OUTBOX_FILE_OK;
}

void outbox_file_rollback(struct outbox_file *file)
{
	file->disk->is_in_transaction = false;
}

void outbox_file_seek(struct outbox_file *file, int64_t after_id)
{
	file->read_id = after_id;
}

enum outbox_file_result outbox_file_next(struct outbox_file *file, struct outbox_row *ret_row,
					 struct error *err)
{
	struct sim_disk *disk = file->disk;
	if (sim_random_chance(disk->fail_chance)) {
		error_set(err, ERROR_RETRY, "simulated failure to read");
		return OUTBOX_FILE_FAILED;
	}
	struct sim_disk_state *state = &file->file->now;
	struct sim_disk_row *row = find(state, file->read_id + 1);
	if (row == state->rows + state->count)
		return OUTBOX_FILE_NO_ROW;
	file->read_id = row->id;
	if (!row->is_bad && sim_random_chance(disk->rot_chance)) {
		row->is_bad = true;
		sim_oracle_report(row->nonce)->is_excused = true;
	}
	*ret_row = (struct outbox_row){
		.id = row->id,
		.class = row->class,
		.key = row->key,
		.key_length = row->key_length,
		.message = row->message,
		.message_length = row->message_length,
	};
	return row->is_bad ? OUTBOX_FILE_BAD_ROW : OUTBOX_FILE_OK;
}

void outbox_file_reset(struct outbox_file *file)
{
	(void)file;
}

int64_t outbox_file_first_id(struct outbox_file *file)
{
	const struct sim_disk_state *state = &file->file->now;
	return state->count == 0 ? INT64_MAX : state->rows[0].id;
}

bool outbox_file_has_bad_rows(struct outbox_file *file)
{
	return file->file->now.bad_count > 0;
}

void outbox_file_shrink(struct outbox_file *file)
{
	(void)file;
}

int64_t outbox_file_free_bytes(struct outbox_file *file)
{
	(void)file;
	return 0;
}

bool outbox_file_checkpoint(struct outbox_file *file)
{
	return !file->is_unsynced && sync_all(file);
}
