/*
 * What was appended and is not committed: a bounded list that any thread adds to and the outbox thread empties.
 *
 * Unlike a mailbox it wakes its reader twice a batch and not for each row: for the first one, which starts the clock of
 * a commit, and for the one that makes a commit due.
 */
#ifndef WEBSENTRY_OUTBOX_OUTBOX_INTAKE_H
#define WEBSENTRY_OUTBOX_OUTBOX_INTAKE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outbox/outbox.h"

struct outbox_pending {
	struct outbox_pending *next;
	int64_t id; /* 0 until it first enters a commit; then it and seq stay */
	int64_t seq;
	enum outbox_class class;
	size_t key_length;
	size_t body_length;
	char bytes[]; /* key, body */
};

struct outbox_intake {
	pthread_mutex_t lock;
	struct outbox_pending *first;
	struct outbox_pending **end;
	size_t count;
	bool is_closed;
	int fd; /* eventfd */
};

int outbox_intake_init(struct outbox_intake *intake, struct error *err);
void outbox_intake_finish(struct outbox_intake *intake); /* frees what is left */

/* Takes the row and returns true; false once closed. */
bool outbox_intake_add(struct outbox_intake *intake, struct outbox_pending *row);

/* Everything, oldest first. */
struct outbox_pending *outbox_intake_take(struct outbox_intake *intake, size_t *ret_count);

size_t outbox_intake_count(struct outbox_intake *intake);

/* The reader forgets that it was woken. */
void outbox_intake_quiet(struct outbox_intake *intake);

void outbox_intake_close(struct outbox_intake *intake);

#endif
