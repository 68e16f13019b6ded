/* The folder of a sim_disk: its files, what becomes of them, and outbox_place.h. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "outbox/outbox_place.h"
#include "sim_disk.h"
#include "sim_oracle.h"
#include "sim_random.h"
#include "sim_task.h"
#include "sim_trace.h"

void sim_disk_copy(struct sim_disk_state *to, const struct sim_disk_state *from)
{
	to->meta = from->meta;
	to->last_nonce = from->last_nonce;
	to->bad_count = from->bad_count;
	to->count = from->count;
	memcpy(to->rows, from->rows, from->count * sizeof(from->rows[0]));
}

static void clear(struct sim_disk_state *state)
{
	state->meta = (struct outbox_file_meta){0};
	state->last_nonce = -1;
	state->bad_count = 0;
	state->count = 0;
}

static bool is_there(const struct sim_disk_file *file)
{
	return file->name[0] != '\0';
}

struct sim_disk_file *sim_disk_find(struct sim_disk *disk, const char *path)
{
	for (int i = 0; i < SIM_DISK_FILES; i++)
		if (strcmp(disk->files[i].name, path) == 0)
			return &disk->files[i];
	return NULL;
}

struct sim_disk_file *sim_disk_make(struct sim_disk *disk, const char *path)
{
	struct sim_disk_file *file = sim_disk_find(disk, path);
	if (file != NULL)
		return file;
	file = sim_disk_find(disk, ""); /* a free one */
	if (file == NULL)
		return NULL;
	(void)snprintf(file->name, sizeof(file->name), "%s", path);
	clear(&file->now);
	clear(&file->synced);
	file->promised_id = 0;
	file->has_ghost = file->has_gap = file->is_damaged = false;
	return file;
}

/* outbox.db says it, and where that is new the newest segment. */
static int last_nonce(const struct sim_disk *disk)
{
	const struct sim_disk_file *last = NULL;
	for (int i = 0; i < SIM_DISK_FILES; i++) {
		const struct sim_disk_file *file = &disk->files[i];
		if (!is_there(file) || file->now.last_nonce < 0)
			continue;
		if (strstr(file->name, ".segment-") == NULL)
			return file->now.last_nonce;
		if (last == NULL || file->now.meta.last_id > last->now.meta.last_id)
			last = file;
	}
	return last == NULL ? -1 : last->now.last_nonce;
}

void sim_disk_reset(struct sim_disk *disk)
{
	for (int i = 0; i < SIM_DISK_FILES; i++)
		disk->files[i].name[0] = '\0';
	disk->prev_nonce = -1;
	disk->is_in_transaction = disk->is_full = disk->has_unread = false;
	disk->fail_chance = disk->sync_chance = disk->damage_chance = disk->rot_chance = 0;
	disk->names = 0;
	disk->asides = disk->segments = 0;
}

/* A report is finished, and counts, from the moment that its row is there. */
void sim_disk_become(struct sim_disk_file *file, const struct sim_disk_state *state)
{
	for (size_t i = 0; i < state->count; i++)
		sim_oracle_report(state->rows[i].nonce)->is_durable = true;
	sim_disk_copy(&file->now, state);
}

void sim_disk_process_ended(struct sim_disk *disk)
{
	for (int i = 0; i < SIM_DISK_FILES; i++) {
		struct sim_disk_file *file = &disk->files[i];
		if (is_there(file) && file->has_ghost && sim_random_chance(5000)) {
			sim_trace("the failed commit had happened", 0, 0, 0);
			sim_disk_become(file, &file->ghost);
			file->has_gap = file->has_gap || file->is_ghost_dropped;
		}
		file->has_ghost = false;
	}
	disk->is_in_transaction = disk->has_unread = false;
	disk->prev_nonce = last_nonce(disk);
}

static void cut_power(struct sim_disk_file *file)
{
	sim_trace("power cut: # rows, # synced", (int64_t)file->now.count,
		  (int64_t)file->synced.count, 0);
	for (size_t i = 0; i < file->now.count; i++)
		if (file->now.rows[i].id > file->synced.meta.last_id &&
		    file->now.rows[i].id > file->promised_id)
			sim_oracle_report(file->now.rows[i].nonce)->is_excused = true;
	sim_disk_copy(&file->now, &file->synced);
	file->has_gap = false;
}

void sim_disk_power_cut(struct sim_disk *disk)
{
	for (int i = 0; i < SIM_DISK_FILES; i++)
		if (is_there(&disk->files[i]))
			cut_power(&disk->files[i]);
	disk->prev_nonce = last_nonce(disk);
}

bool sim_disk_has(const struct sim_disk *disk, int nonce)
{
	for (int i = 0; i < SIM_DISK_FILES; i++)
		for (size_t j = 0; is_there(&disk->files[i]) && j < disk->files[i].now.count; j++)
			if (disk->files[i].now.rows[j].nonce == nonce)
				return true;
	return false;
}

bool sim_disk_has_id(const struct sim_disk *disk, int64_t id)
{
	for (int i = 0; i < SIM_DISK_FILES; i++)
		for (size_t j = 0; is_there(&disk->files[i]) && j < disk->files[i].now.count; j++)
			if (disk->files[i].now.rows[j].id == id)
				return true;
	return false;
}

bool sim_disk_is_empty(const struct sim_disk *disk)
{
	for (int i = 0; i < SIM_DISK_FILES; i++)
		if (is_there(&disk->files[i]) && disk->files[i].now.count > 0)
			return false;
	return true;
}

void sim_disk_check_deleted(const struct sim_disk_row *row)
{
	const struct sim_report *report = sim_oracle_report(row->nonce);
	if (!report->is_in_log && !report->is_put_aside)
		sim_oracle_fail("deleted from the outbox before Kafka had it: nonce, id",
				row->nonce, row->id);
}

/* --- outbox_place.h --- */

int outbox_place_set_aside(const char *path, char **ret_name, struct error *err)
{
	struct sim_disk *disk = sim_process_current()->owner;
	struct sim_disk_file *file = sim_disk_find(disk, path);
	(void)err;
	for (size_t i = 0; file != NULL && i < file->now.count; i++) {
		if (file->is_damaged || file->now.rows[i].is_bad) /* they wait there, for salvage */
			sim_oracle_report(file->now.rows[i].nonce)->is_excused = true;
		else
			sim_disk_check_deleted(&file->now.rows[i]);
	}
	if (file != NULL)
		file->name[0] = '\0';
	disk->is_in_transaction = false;
	disk->asides++;
	disk->prev_nonce = last_nonce(disk);
	*ret_name = xstrdup(path);
	sim_trace("sets the file aside", 0, 0, 0);
	return 0;
}

int outbox_place_rename(const char *path, const char *infix, char **ret_name, struct error *err)
{
	struct sim_disk *disk = sim_process_current()->owner;
	sim_point();
	struct sim_disk_file *file = sim_disk_find(disk, path);
	assert(file != NULL && !disk->is_in_transaction);
	if (sim_disk_find(disk, "") == NULL || sim_random_chance(disk->fail_chance)) {
		error_set(err, ERROR_RETRY, "%s can't be renamed", path);
		return -1;
	}
	*ret_name = xasprintf("%s%s%lld", path, infix, (long long)disk->names++);
	(void)snprintf(file->name, sizeof(file->name), "%s", *ret_name);
	disk->segments++;
	sim_trace("a file becomes a segment: # rows", (int64_t)file->now.count, 0, 0);
	sim_point();
	return 0;
}

char *outbox_place_finish_rename(const char *path)
{
	(void)path;
	return NULL;
}

void outbox_place_remove(const char *path)
{
	struct sim_disk *disk = sim_process_current()->owner;
	struct sim_disk_file *file = sim_disk_find(disk, path);
	sim_point();
	for (size_t i = 0; file != NULL && i < file->now.count; i++)
		sim_disk_check_deleted(&file->now.rows[i]);
	if (file != NULL)
		file->name[0] = '\0';
	sim_trace("removes a file", 0, 0, 0);
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

/* --- looking into a folder --- */

/* One listing at a time is all that the outbox makes; it does not give way meanwhile. */
struct listing {
	struct dirent entry;
	const char *folder;
	int next;
};

int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode)
{
	(void)mode;
	if (sim_disk_find(sim_process_current()->owner, path) != NULL)
		return 0;
	errno = ENOENT;
	return -1;
}

DIR *__wrap_opendir(const char *path);
DIR *__wrap_opendir(const char *path)
{
	struct listing *listing = xcalloc(1, sizeof(*listing));
	listing->folder = path;
	return (DIR *)listing;
}

struct dirent *__wrap_readdir64(DIR *folder);
struct dirent *__wrap_readdir64(DIR *folder)
{
	struct listing *listing = (struct listing *)folder;
	const struct sim_disk *disk = sim_process_current()->owner;
	size_t length = strlen(listing->folder);
	while (listing->next < SIM_DISK_FILES) {
		const struct sim_disk_file *file = &disk->files[listing->next++];
		if (!is_there(file))
			continue;
		assert(strncmp(file->name, listing->folder, length) == 0);
		(void)snprintf(listing->entry.d_name, sizeof(listing->entry.d_name), "%s",
			       file->name + length + 1);
		return &listing->entry;
	}
	return NULL;
}

int __wrap_closedir(DIR *folder);
int __wrap_closedir(DIR *folder)
{
	free(folder);
	return 0;
}
