/*
 * The disk of a producer: the outbox's file as a table in memory, with what of it survives the end of a process and what
 * survives a power cut. It stands in for outbox_file.h and outbox_place.h.
 *
 * A commit that fails may have reached the disk all the same: then a process that is killed before the next good commit
 * may find it there. A commit in which the process is killed has happened or has not.
 */
#ifndef WEBSENTRY_SIM_DISK_H
#define WEBSENTRY_SIM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outbox/outbox_file.h"

enum { SIM_DISK_ROWS = 512 };

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
	int last_nonce; /* of the row committed last; -1 none */
	size_t count;
	struct sim_disk_row rows[SIM_DISK_ROWS]; /* by id */
};

struct sim_disk {
	struct sim_disk_state now;
	struct sim_disk_state next;   /* of the transaction */
	struct sim_disk_state synced; /* what a power cut leaves */
	struct sim_disk_state ghost;  /* of the commit that failed last */
	bool has_ghost;
	bool is_in_transaction;
	bool is_full;
	int fail_chance;   /* of a call, of ten thousand */
	int damage_chance; /* the file is found damaged */
	int rot_chance;    /* a row is found damaged */
	size_t asides;     /* files set aside */
};

void sim_disk_reset(struct sim_disk *disk);
/* The process that used it is gone. */
void sim_disk_process_ended(struct sim_disk *disk);
void sim_disk_power_cut(struct sim_disk *disk);
bool sim_disk_has(const struct sim_disk *disk, int nonce);
bool sim_disk_has_id(const struct sim_disk *disk, int64_t id);

#endif
