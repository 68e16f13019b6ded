/*
 * The writer: one thread that turns messages into batches and batches into transactions.
 *
 * Messages come through a bounded mailbox (writer_post()); a batch is closed by size or age; it is written until it succeeds, with
 * capped back-off, and then on_committed says which positions hold. In `run` the messages come without identity, and the writer
 * gives it (producer_id in struct writer_options). The decoder is a function pointer: store/ does not know codec/.
 */
#ifndef WEBSENTRY_STORE_WRITER_H
#define WEBSENTRY_STORE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/identity.h"
#include "base/message.h"
#include "check/report_row.h"

struct figures;
struct store;
struct writer;

enum { WRITER_BATCH_ROWS = 20000, WRITER_BATCH_BYTES = 16 * 1024 * 1024, WRITER_BATCH_MS = 200 };

/* Of the messages from writer_post() until they are written or dropped: when there are so many, no more are taken. */
enum { WRITER_WAITING_BYTES = 64 * 1024 * 1024 };

/* On the writer's thread. Members may be NULL. */
struct writer_events {
	void *context;
	/* Rows of a generation are in the store, up to these positions. */
	void (*on_committed)(void *context, uint64_t generation, const struct position *positions,
			     size_t count, size_t inserted);
	/* The answer to writer_ask_positions(). */
	void (*on_positions)(void *context, uint64_t generation, const struct position *positions,
			     size_t count);
	/* The store was put back to an earlier state: this generation is dropped; ask for positions again and read from there. */
	void (*on_put_back)(void *context, uint64_t generation);
	/* A later assignment has claimed partitions of this generation, which is stored all the same; told once. */
	void (*on_outclaimed)(void *context, uint64_t generation);
	/* There is room in the mailbox again after a post was refused. */
	void (*on_room)(void *context);
	/* The store refuses for a reason that a person must mend (ERROR_REJECT or ERROR_FATAL at start). */
	void (*on_failed)(void *context, const struct error *err);
	/* The store is migrated and ready, for the first time. */
	void (*on_ready)(void *context);
};

/* Processes in a row that may have ended before their first report. */
enum { WRITER_PREVIOUS_MAX = 8 };

struct writer_options {
	struct store
		*store; /* taken: closed by writer_destroy(); used by the writer's thread alone */
	bool may_migrate;
	const char *const *topics; /* names by topic_index, borrowed */
	size_t topic_count;
	/* `run`: give identities, from seq 0 on; NULL where messages have theirs. Copied. */
	const struct uuid *producer_id;
	/* `run`: the producer_ids of the processes before in this data folder, the latest first: the writer looks for the first
	 * that has a report in the store, and puts it with its last seq into the first report as prev. Copied. */
	const struct uuid *previous;
	size_t previous_count;   /* WRITER_PREVIOUS_MAX at most */
	size_t max_waiting;      /* messages not written yet; 10,000 in `run` */
	struct figures *figures; /* NULL: nobody looks. Borrowed until writer_destroy() */
	/* report_decode(): 0 good; otherwise the reason's word in *ret_reason (static text) and a detail */
	int (*decode)(const char *bytes, size_t length, struct report_row *ret_row,
		      const char **ret_reason, char *ret_detail, size_t detail_size);
};

struct writer *writer_start(const struct writer_options *options,
			    const struct writer_events *events, struct error *err);

/* Takes the message and returns true; false (still the caller's) when max_waiting or WRITER_WAITING_BYTES wait: on_room follows. Any thread. */
bool writer_post(struct writer *writer, struct message *taken);
bool writer_has_room(const struct writer *writer);
/* Of one that had none: a tenth of it is free. Whoever stops and goes on by this does so seldom, however slow the store is. */
bool writer_has_room_again(const struct writer *writer);

/* Read the store's positions of these partitions; on_positions follows. Any thread. cluster_id is copied. */
void writer_ask_positions(struct writer *writer, uint64_t generation, const char *cluster_id,
			  const struct position *positions, size_t count);

/* Messages of this generation and older that are not committed are dropped. Any thread. */
void writer_revoke(struct writer *writer, uint64_t generation);

/* Write what waits, for at most deadline_ms, and end the thread. Returns how many messages were left unwritten. */
size_t writer_stop(struct writer *writer, int deadline_ms);
/* After writer_stop(): false where the thread hangs in its store (a disk that never answers) and still uses all that it was given. */
bool writer_has_ended(const struct writer *writer);
void writer_destroy(struct writer *writer);

#endif
