#include "sim_disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "outbox/outbox_place.h"
#include "sim_message.h"
#include "sim_oracle.h"
#include "sim_random.h"
#include "sim_task.h"
#include "sim_trace.h"

struct outbox_file {
	struct sim_disk *disk;
	enum outbox_durability durability;
	int64_t read_id;
};

static void copy(struct sim_disk_state *to, const struct sim_disk_state *from)
{
	to->meta = from->meta;
	to->last_nonce = from->last_nonce;
	to->count = from->count;
	memcpy(to->rows, from->rows, from->count * sizeof(from->rows[0]));
}

static void clear(struct sim_disk_state *state)
{
	state->meta = (struct outbox_file_meta){0};
	state->last_nonce = -1;
	state->count = 0;
}

void sim_disk_reset(struct sim_disk *disk)
{
	clear(&disk->now);
	clear(&disk->synced);
	disk->has_ghost = disk->is_in_transaction = disk->is_full = false;
	disk->fail_chance = disk->damage_chance = disk->rot_chance = 0;
	disk->asides = 0;
}

/* A report is finished, and counts, from the moment that its row is there. */
static void become(struct sim_disk *disk, const struct sim_disk_state *state)
{
	for (size_t i = 0; i < state->count; i++)
		sim_oracle_report(state->rows[i].nonce)->is_durable = true;
	copy(&disk->now, state);
}

void sim_disk_process_ended(struct sim_disk *disk)
{
	if (disk->has_ghost && sim_random_chance(5000)) {
		sim_trace("the failed commit had happened", 0, 0, 0);
		become(disk, &disk->ghost);
	}
	disk->has_ghost = disk->is_in_transaction = false;
}

void sim_disk_power_cut(struct sim_disk *disk)
{
	sim_trace("power cut: # rows, # synced", (int64_t)disk->now.count,
		  (int64_t)disk->synced.count, 0);
	for (size_t i = 0; i < disk->now.count; i++)
		if (disk->now.rows[i].id > disk->synced.meta.last_id)
			sim_oracle_report(disk->now.rows[i].nonce)->is_excused = true;
	copy(&disk->now, &disk->synced);
}

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

bool sim_disk_has(const struct sim_disk *disk, int nonce)
{
	for (size_t i = 0; i < disk->now.count; i++)
		if (disk->now.rows[i].nonce == nonce)
			return true;
	return false;
}

bool sim_disk_has_id(const struct sim_disk *disk, int64_t id)
{
	for (size_t i = 0; i < disk->now.count; i++)
		if (disk->now.rows[i].id == id)
			return true;
	return false;
}

/* --- outbox_file.h --- */

/* What the disk has against a call. */
static enum outbox_file_result trouble(const struct sim_disk *disk, struct error *err)
{
	sim_point();
	if (sim_random_chance(disk->damage_chance)) {
		sim_trace("the file is damaged", 0, 0, 0);
		error_set(err, ERROR_RETRY, "simulated damage");
		return OUTBOX_FILE_DAMAGED;
	}
	if (!sim_random_chance(disk->fail_chance))
		return OUTBOX_FILE_OK;
	sim_trace("the disk fails", 0, 0, 0);
	error_set(err, ERROR_RETRY, "simulated failure");
	return OUTBOX_FILE_FAILED;
}

enum outbox_file_result outbox_file_open(const char *path, enum outbox_durability durability,
					 struct outbox_file **ret_file,
					 struct outbox_file_meta *ret_meta, struct error *err)
{
	(void)path;
	struct sim_disk *disk = sim_process_current()->owner;
	enum outbox_file_result result = trouble(disk, err);
	if (result != OUTBOX_FILE_OK)
		return result;
	struct outbox_file *file = xcalloc(1, sizeof(*file));
	*file = (struct outbox_file){.disk = disk, .durability = durability};
	disk->is_in_transaction = false;
	*ret_meta = disk->now.meta;
	*ret_file = file;
	sim_trace("opens outbox: # rows, last id #", ret_meta->rows, ret_meta->last_id, 0);
	return OUTBOX_FILE_OK;
}

void outbox_file_close(struct outbox_file *file, bool is_damaged)
{
	(void)is_damaged;
	free(file);
}

enum outbox_file_result outbox_file_begin(struct outbox_file *file, struct error *err)
{
	enum outbox_file_result result = trouble(file->disk, err);
	if (result != OUTBOX_FILE_OK)
		return result;
	assert(!file->disk->is_in_transaction);
	file->disk->is_in_transaction = true;
	copy(&file->disk->next, &file->disk->now);
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

/* Nothing may go that neither Kafka nor a quarantine file has. */
static void check_deleted(const struct sim_disk_row *row)
{
	const struct sim_report *report = sim_oracle_report(row->nonce);
	if (!report->is_in_log && !report->is_put_aside)
		sim_oracle_fail("deleted from the outbox before Kafka had it: nonce, id",
				row->nonce, row->id);
}

enum outbox_file_result outbox_file_delete(struct outbox_file *file, int64_t first_id,
					   int64_t last_id, struct error *err)
{
	enum outbox_file_result result = trouble(file->disk, err);
	if (result != OUTBOX_FILE_OK)
		return result;
	assert(file->disk->is_in_transaction);
	struct sim_disk_state *state = &file->disk->next;
	struct sim_disk_row *first = find(state, first_id);
	struct sim_disk_row *end = find(state, last_id + 1);
	for (const struct sim_disk_row *row = first; row < end; row++)
		check_deleted(row);
	memmove(first, end, (size_t)(state->rows + state->count - end) * sizeof(*end));
	state->count -= (size_t)(end - first);
	return OUTBOX_FILE_OK;
}

enum outbox_file_result outbox_file_move_bad(struct outbox_file *file, int64_t id,
					     struct error *err)
{
	enum outbox_file_result result = trouble(file->disk, err);
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
	return OUTBOX_FILE_OK;
}

static void apply(struct outbox_file *file)
{
	struct sim_disk *disk = file->disk;
	become(disk, &disk->next);
	disk->has_ghost = false;
	/* WAL and synchronous=NORMAL: synced with the next checkpoint */
	if (file->durability == OUTBOX_DURABILITY_POWER || sim_random_chance(1000))
		copy(&disk->synced, &disk->now);
}

enum outbox_file_result outbox_file_commit(struct outbox_file *file,
					   const struct outbox_file_meta *meta, struct error *err)
{
	struct sim_disk *disk = file->disk;
	assert(disk->is_in_transaction);
	disk->next.meta = *meta;
	copy(&disk->ghost, &disk->next);
	disk->has_ghost = true;
	enum outbox_file_result result = trouble(disk, err);
	if (result != OUTBOX_FILE_OK) {
		disk->has_ghost = result == OUTBOX_FILE_FAILED && sim_random_chance(5000);
		return result;
	}
	disk->is_in_transaction = false;
	apply(file);
	sim_trace("commits outbox: # rows, last id #", meta->rows, meta->last_id, 0);
	if ((int64_t)disk->now.count != meta->rows)
		sim_oracle_fail("the outbox counts wrong: rows, counted", (int64_t)disk->now.count,
				meta->rows);
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
	struct sim_disk_row *row = find(&disk->now, file->read_id + 1);
	if (row == disk->now.rows + disk->now.count)
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
	const struct sim_disk *disk = file->disk;
	return disk->now.count == 0 ? INT64_MAX : disk->now.rows[0].id;
}

bool outbox_file_has_bad_rows(struct outbox_file *file)
{
	(void)file;
	return false;
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
	copy(&file->disk->synced, &file->disk->now);
	return true;
}

/* --- outbox_place.h --- */

int outbox_place_set_aside(const char *path, char **ret_name, struct error *err)
{
	(void)err;
	struct sim_disk *disk = sim_process_current()->owner;
	for (size_t i = 0; i < disk->now.count; i++) /* they wait there, for salvage */
		sim_oracle_report(disk->now.rows[i].nonce)->is_excused = true;
	clear(&disk->now);
	clear(&disk->synced);
	disk->has_ghost = disk->is_in_transaction = false;
	disk->asides++;
	*ret_name = xstrdup(path);
	sim_trace("sets the file aside", 0, 0, 0);
	return 0;
}

/* For files whose fsync failed: this disk confirms everything. */
int outbox_place_rename(const char *path, const char *infix, char **ret_name, struct error *err)
{
	(void)infix;
	(void)ret_name;
	error_set(err, ERROR_RETRY, "%s can't be renamed", path);
	return -1;
}

char *outbox_place_finish_rename(const char *path)
{
	(void)path;
	return NULL;
}

void outbox_place_remove(const char *path)
{
	(void)path;
}

bool outbox_place_is_torn(const char *path)
{
	(void)path;
	return false;
}

bool outbox_place_is_folder(const char *path)
{
	(void)path;
	return false;
}

void outbox_reserve_init(struct outbox_reserve *reserve, const char *path)
{
	(void)path;
	*reserve = (struct outbox_reserve){0};
}

void outbox_reserve_finish(struct outbox_reserve *reserve)
{
	(void)reserve;
}

bool outbox_reserve_release(struct outbox_reserve *reserve, mono_us now)
{
	(void)reserve;
	(void)now;
	return false;
}

void outbox_reserve_restore(struct outbox_reserve *reserve, mono_us now)
{
	(void)reserve;
	(void)now;
}
