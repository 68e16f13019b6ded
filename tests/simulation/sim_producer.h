/*
 * A producer: a machine with a disk, on which the process `websentry producer` runs again and again. The outbox and the
 * publisher are the real ones, joined as app/producer.c joins them; in place of checks there are appends.
 */
#ifndef WEBSENTRY_SIM_PRODUCER_H
#define WEBSENTRY_SIM_PRODUCER_H

#include "base/error.h"
#include "outbox/outbox.h"
#include "sim_disk.h"
#include "sim_task.h"

struct publisher;

struct sim_producer {
	struct sim_disk disk; /* must be first: it is what the process finds as its machine */
	const char *name;
	const char *path;            /* of its outbox */
	struct sim_process *process; /* NULL: none runs */
	enum outbox_durability durability;
	int64_t max_rows;
	int odd_chance; /* of reports that are too large, of ten thousand */
	mono_us pause;  /* between two reports, about */
	bool is_quiet;  /* no more reports */
	bool is_asked_to_stop;

	/* the process's own */
	struct outbox *outbox;
	struct publisher *publisher;
	struct outbox_drain drain;
	int incarnation;
	int64_t sent_id; /* the last one that was taken, since the last rewind */
};

void sim_producer_start(struct sim_producer *producer);
/* Nothing waits, neither in memory nor on the disk. */
bool sim_producer_is_empty(const struct sim_producer *producer);
/* What the outbox says that it holds; -1: no process runs. */
int64_t sim_producer_rows(const struct sim_producer *producer);

#endif
