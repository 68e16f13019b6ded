/*
 * The disk of a producer: the outbox's files (outbox.db and its segments) as tables in memory, with what of each survives the
 * end of a process and what survives a power cut. It stands in for outbox_file.h, outbox_place.h, and for looking into a folder.
 *
 * A commit that fails may have reached the disk all the same: then a process that is killed before the next good commit
 * may find it there. A commit in which the process is killed has happened or has not.
 *
 * An fsync may fail. The kernel then takes for clean what it had to write, and drops it. A process that is killed right then
 * leaves that in the write-ahead log; whatever the next one has synced there lies behind a gap, and a power cut takes all of
 * it, until a checkpoint has written the database itself.
 */
#ifndef WEBSENTRY_SIM_DISK_H
#define WEBSENTRY_SIM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outbox/outbox_file.h"

enum { SIM_DISK_ROWS = 512, SIM_DISK_FILES = 12, SIM_DISK_NAME_SIZE = 64 };

struct sim_disk_row {
	int64_t id;
	int nonce;
	enum outbox_class class;
	bool is_bad; /* a bit has flipped */
	const char *key;
	size_t key_length;
	const char *message;
	size_t message_length;
};

struct sim_disk_state {
	struct outbox_file_meta meta;
	int last_nonce;   /* of the row committed last; -1 none */
	size_t bad_count; /* damaged rows that were put aside in the same file */
	size_t count;
	struct sim_disk_row rows[SIM_DISK_ROWS]; /* by id */
};

struct sim_disk_file {
	char name[SIM_DISK_NAME_SIZE]; /* "": free */
	struct sim_disk_state now;
	struct sim_disk_state synced; /* what a power cut leaves */
	struct sim_disk_state ghost;  /* of the commit that failed last */
	int64_t promised_id;          /* rows up to here were confirmed to be on the disk */
	bool has_ghost;
	bool is_ghost_dropped; /* its fsync failed */
	bool has_gap;          /* of the log, what comes next is not there after a power cut */
	bool is_damaged;       /* somebody was told so */
};

struct sim_disk {
	struct sim_disk_file files[SIM_DISK_FILES];
	struct sim_disk_state next; /* of the transaction */
	int prev_nonce;  /* of the report that the folder's processes committed last; -1 none */
	bool has_unread; /* a segment that may know it better could not be opened */
	bool is_in_transaction;
	bool is_full;
	int fail_chance;   /* of a call, of ten thousand */
	int sync_chance;   /* that an fsync fails */
	int damage_chance; /* the file is found damaged */
	int rot_chance;    /* a row is found damaged */
	int64_t names;     /* given to segments */
	size_t asides;     /* files set aside */
	size_t segments;   /* files that became one */
};

void sim_disk_reset(struct sim_disk *disk);
/* The process that used it is gone. */
void sim_disk_process_ended(struct sim_disk *disk);
void sim_disk_power_cut(struct sim_disk *disk);
bool sim_disk_has(const struct sim_disk *disk, int nonce);
bool sim_disk_has_id(const struct sim_disk *disk, int64_t id);
/* Nor is there a segment that waits to be opened. */
bool sim_disk_is_empty(const struct sim_disk *disk);

/* Between sim_disk.c (what is in a file) and sim_disk_folder.c (files). */

void sim_disk_copy(struct sim_disk_state *to, const struct sim_disk_state *from);
/* NULL: there is none. "" finds a free one. */
struct sim_disk_file *sim_disk_find(struct sim_disk *disk, const char *path);
/* The same, or a new one; NULL: there are too many. */
struct sim_disk_file *sim_disk_make(struct sim_disk *disk, const char *path);
/* This is what is in it now. */
void sim_disk_become(struct sim_disk_file *file, const struct sim_disk_state *state);
/* Nothing may go that neither Kafka nor a quarantine file has. */
void sim_disk_check_deleted(const struct sim_disk_row *row);

#endif
