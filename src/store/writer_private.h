/*
 * The writer's parts share this: writer.c, what others call from any thread; writer_thread.c, what the thread does, with
 * writer_fill.c, messages into batches, and writer_positions.c.
 * Private to src/store/.
 */
#ifndef WEBSENTRY_STORE_WRITER_PRIVATE_H
#define WEBSENTRY_STORE_WRITER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/figures.h"
#include "base/mailbox.h"
#include "store/writer.h"
#include "store/writer_batch.h"

/* A question for positions, on its way in or being answered. */
struct writer_question {
	struct letter letter; /* must be first */
	uint64_t generation;
	char *cluster_id;
	struct position *positions;
	size_t count;
};

/* A partition as the store has it, and the claim of this assignment. */
struct writer_stored {
	struct position position;
	int64_t claim;
};

struct writer {
	struct writer_options options;
	struct writer_events events;
	struct figures_store *figures;
	struct readiness *readiness;
	struct uuid producer_id; /* `run` */
	struct uuid previous[WRITER_PREVIOUS_MAX];
	struct identity prev;
	pthread_t thread;
	bool is_started;
	pthread_mutex_t lock; /* of has_ended */
	pthread_cond_t ended;
	bool has_ended;
	struct mailbox *messages;
	struct mailbox *questions;
	atomic_size_t waiting;
	atomic_size_t waiting_bytes;
	atomic_bool was_refused;
	atomic_uint_fast64_t
		revoked; /* messages of this generation and older are dropped; 0 none */
	atomic_bool is_stopping;
	atomic_bool is_abandoned; /* the stop's deadline is over */

	/* The thread's own. */
	struct writer_batch batch;
	struct writer_batch next; /* filled while the batch is written: writer_fill.c */
	struct letter *pending;   /* taken from the mailbox, not in a batch yet */
	struct writer_question *question;
	char *cluster_id;
	/* How far the store has the partitions of the batch's generation: what the next batch follows. */
	struct writer_stored *stored;
	size_t stored_count;
	uint64_t stored_generation;
	uint64_t outclaimed_generation; /* that was told of */
	mono_us stored_check_at;
	mono_us tidy_at;       /* when to look for what is kept no longer */
	mono_us strips_at;     /* when to look for stale strips */
	bool has_stale_strips; /* as far as we know */
	mono_us stop_seen_at;  /* 0: not asked to stop */
	int backoff_ms;        /* 0: the store is there */
	mono_us retry_at;
	mono_us away_since;
	char cause[256]; /* that was said last */
	mono_us cause_said_at;
	uint64_t foreign_count;
	uint64_t bad_count;
	uint64_t bad_logged;
	mono_us bad_logged_at;
	bool is_ready;
};

/* writer_fill.c, the thread's: messages into batches. */

bool writer_is_revoked(const struct writer *writer, uint64_t generation);
/* The batch is stored or dropped: forget it; the next one takes its place. */
void writer_end_batch(struct writer *writer);
/* What is of a revoked generation waits no more. */
void writer_drop_revoked(struct writer *writer);
/* From the mailbox into the batch, as far as it accepts them. Returns whether the batch is closed by what comes next. */
bool writer_fill_batch(struct writer *writer);
/* For store_meanwhile(): some messages into the next batch. */
bool writer_fill_next(void *context);
/* The bad messages since the last time; at most once a while, but for the last time. */
void writer_log_bad(struct writer *writer, bool is_last);

/* writer_positions.c, the thread's: what the store holds of each partition, and whether it still does. */

/* An assignment: what the store said, parallel to the question's positions. */
void writer_positions_begin(struct writer *writer, const struct writer_question *question,
			    const struct store_position *claimed);
/* What the next batch follows, into the positions that it will write. */
void writer_positions_expect(const struct writer *writer, const struct writer_batch *batch);
/* A batch was committed. */
void writer_positions_note(struct writer *writer, const struct writer_batch *batch);
/* When to look next whether the store still holds them: INT64_MAX where there is nothing to look for. */
mono_us writer_positions_due(const struct writer *writer);
/* Look: 0, or -1 with ERROR_RETRY, or with ERROR_STALE where it was put back. */
int writer_positions_check(struct writer *writer, struct error *err);
/* The store was put back: everything of this generation is dropped, and whoever reads begins again. */
void writer_positions_lose(struct writer *writer);

/* The thread: context is the writer. */
void *writer_run(void *context);

void writer_question_destroy(struct writer_question *question); /* accepts NULL */

/* Of several questions the newest counts: an assignment replaces the one before. Generation 0 is only a knock. */
void writer_take_questions(struct writer *writer);

#endif
