/*
 * The outbox: a durable queue of messages on their way to Kafka, in one SQLite file.
 *
 * One thread, the outbox thread, owns the one connection. outbox_append() hands a report over from any thread and
 * returns at once; the outbox thread commits what waits (OUTBOX_COMMIT_ROWS rows or OUTBOX_COMMIT_MS, whichever is
 * first, starts a commit, and a commit takes all that waits), gives each row its identity as it enters a commit, and then
 * says on_durable. Rows leave through the drain, in order, and are deleted once they are acknowledged.
 * After an unknown or failed commit the same rows keep their seq.
 */
#ifndef WEBSENTRY_OUTBOX_OUTBOX_H
#define WEBSENTRY_OUTBOX_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/identity.h"

struct figures;
struct outbox;

enum { OUTBOX_COMMIT_ROWS = 256, OUTBOX_COMMIT_MS = 10 };

/* With OUTBOX_DURABILITY_PROCESS: what was committed lies on the disk after so long, so a power cut costs no more than that. */
enum { OUTBOX_SYNC_MS = 1000 };

enum outbox_durability {
	OUTBOX_DURABILITY_PROCESS, /* survives kill -9 (SQLite: synchronous NORMAL), and a sync every OUTBOX_SYNC_MS */
	OUTBOX_DURABILITY_POWER, /* survives a power cut (FULL) */
};

/* Which of the two topics a message belongs to. */
enum outbox_class { OUTBOX_CLASS_SUCCESS, OUTBOX_CLASS_FAILURE };

struct outbox_row {
	int64_t id; /* grows with every row */
	enum outbox_class class;
	const char *key;
	size_t key_length;
	const char *message; /* plain JSON, identity in front */
	size_t message_length;
};

/* Where rows go. All are called on the outbox thread. */
struct outbox_drain {
	void *context;
	/* Once, before all others. May be NULL. */
	void (*begin)(void *context);
	/* Hand a row over; the bytes are borrowed for the call. 0: taken, outbox_acknowledge(id) follows some time. -1: no
	 * room or not ready; the outbox offers it again after the next serve. */
	int (*send)(void *context, const struct outbox_row *row);
	/* Let the receiver work (poll, deliver callbacks, which may call outbox_acknowledge() and outbox_rewind()). */
	void (*serve)(void *context);
	/* Readable when serve() has something to do. */
	int fd;
};

/* What the outbox says, on the outbox thread. Members may be NULL. */
struct outbox_events {
	void *context;
	void (*on_durable)(void *context, size_t rows); /* that many reports were committed */
	void (*on_trouble)(
		void *context,
		const struct error
			*err); /* a commit failed and is tried again; said once, not every time */
	void (*on_recovered)(void *context);
};

struct outbox_options {
	const char *path; /* of outbox.db */
	enum outbox_durability durability;
	int64_t max_rows; /* the bound; from then on outbox_has_room() is false, until a tenth is free */
	/* When a message was made (wall_us; 0 not known), for the age of what an earlier process left. NULL: never known. */
	int64_t (*made_at)(const char *message, size_t length);
	struct figures *figures; /* NULL: nobody looks. Borrowed until outbox_close() */
};

/* Open or create the file, and take producer_id, prev and what waits from it. NULL with err on failure. No thread yet. */
struct outbox *outbox_open(const struct outbox_options *options, const struct outbox_events *events,
			   struct error *err);

/* Start the outbox thread; drain is borrowed until outbox_stop(). */
int outbox_start(struct outbox *outbox, const struct outbox_drain *drain, struct error *err);

/*
 * Copy a report's JSON (without identity) into the outbox. Returns 0 once queued; -1 with ERROR_FULL when even the slack
 * above the bound for checks that were running is used up. Any thread.
 */
int outbox_append(struct outbox *outbox, enum outbox_class class, const char *key,
		  size_t key_length, const char *body, size_t body_length, struct error *err);

/*
 * False: at the bound or unable to commit: start no more checks. Once at the bound it is true again only when a tenth is free, for else
 * it would change with every row that leaves. Any thread; a few atomic loads.
 */
bool outbox_has_room(const struct outbox *outbox);

/* A row has arrived for good. Outbox thread only (from within serve). */
void outbox_acknowledge(struct outbox *outbox, int64_t id);

/* Offer everything that is not acknowledged again, in order. Outbox thread only. */
void outbox_rewind(struct outbox *outbox);

struct outbox_counts {
	int64_t waiting_rows; /* appended and not acknowledged, uncommitted ones included */
	int64_t waiting_bytes;
	int64_t committed; /* rows committed by this process */
	int64_t acknowledged;
	bool is_at_bound; /* so many wait, or did, and no tenth is free yet */
};

/* Figures of this moment; any thread. */
void outbox_count(const struct outbox *outbox, struct outbox_counts *ret_counts);

/* The producer_id of this process. */
struct uuid outbox_producer_id(const struct outbox *outbox);

/*
 * Commit what waits, serve the drain for at most grace_ms more while acknowledgements come, delete what is acknowledged, and end
 * the thread. What is left stays in the file.
 */
void outbox_stop(struct outbox *outbox, int grace_ms);
void outbox_close(struct outbox *outbox); /* accepts NULL */

#endif
