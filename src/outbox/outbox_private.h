/* The outbox's own state, shared by outbox.c (interface, thread), outbox_commit.c and outbox_send.c. */
#ifndef WEBSENTRY_OUTBOX_OUTBOX_PRIVATE_H
#define WEBSENTRY_OUTBOX_OUTBOX_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/figures.h"
#include "outbox/outbox.h"
#include "outbox/outbox_age.h"
#include "outbox/outbox_file.h"
#include "outbox/outbox_intake.h"
#include "outbox/outbox_place.h"
#include "outbox/outbox_segment.h"
#include "outbox/outbox_window.h"

/*
 * Bounds on what is not committed yet, which lives in memory: from the first on no check is started, and the slack is for
 * the reports of checks that run already.
 */
enum { OUTBOX_UNCOMMITTED_MAX = 8192, OUTBOX_SLACK_ROWS = 16384 };

/* One transaction takes all that waits, up to this: with what the WAL holds already it stays below the reserve. */
enum { OUTBOX_BATCH_ROWS_MAX = 2048, OUTBOX_BATCH_BYTES_MAX = 256 * 1024 };

/* Pending rows with their identity, as they will stand in the file. */
struct outbox_batch {
	size_t count;
	struct outbox_pending *rows[OUTBOX_BATCH_ROWS_MAX];
	size_t ends[OUTBOX_BATCH_ROWS_MAX]; /* of each message in outbox->text */
};

struct outbox {
	char *path;
	int64_t max_rows;
	const struct outbox_drain *drain; /* borrowed while the thread runs */
	struct outbox_events events;
	struct figures_outbox *figures;
	struct readiness *readiness;
	struct outbox_intake intake;

	/* any thread reads, the comment says who writes */
	_Atomic int64_t waiting_rows; /* appenders add, the outbox thread takes away */
	_Atomic int64_t waiting_bytes;
	_Atomic int64_t uncommitted_rows; /* the part of waiting_rows that is in memory only */
	_Atomic int64_t committed;        /* outbox thread */
	_Atomic int64_t acknowledged;     /* outbox thread */
	_Atomic mono_us stop_at;          /* valid with is_stopping */
	atomic_bool is_stopping;
	atomic_bool is_in_trouble; /* outbox thread: the last transaction failed */
	atomic_bool
		is_at_bound; /* appenders set it, the outbox thread takes it back when a tenth is free */

	bool is_started;
	enum outbox_durability durability;
	pthread_t thread;

	/* the outbox thread's alone */
	struct outbox_file *file;        /* NULL while a damaged one could not be replaced */
	struct outbox_file_meta meta;    /* of the file; the segments have their own */
	struct outbox_segment *segments; /* drained before the file */
	struct outbox_window window;
	struct outbox_reserve reserve;
	struct outbox_pending *pending; /* taken from the intake, not committed */
	struct outbox_pending **pending_end;
	struct outbox_batch batch;
	struct buffer text; /* the messages of the batch */
	struct uuid producer_id;
	struct identity prev; /* goes into the report with seq 0 */
	int64_t next_seq;
	int64_t next_id;
	int64_t committed_id;     /* the highest in the file */
	int64_t sent_id;          /* rows up to here were handed over, or passed over */
	bool has_prev;            /* prev is known */
	bool is_drain_blocked;    /* until the next serve */
	bool is_full;             /* the trouble is a full disk */
	bool is_unsynced;         /* the disk confirmed nothing since it last failed to */
	bool has_unread_segments; /* that could not be opened; tried again at segments_retry_at */
	bool is_waiting_for_segments; /* nothing is sent until what is on its way has arrived */
	mono_us segments_retry_at;    /* 0: not set yet */
	mono_us batch_since;          /* the first row of the next commit came; 0: none */
	mono_us deleted_at;           /* the last commit: each deletes what it can */
	mono_us unsynced_since; /* the first commit that need not be on the disk; 0: all are */
	mono_us served_at;
	mono_us shown_at; /* the figures */
	struct outbox_age age;
	mono_us retry_at; /* while in trouble */
	mono_us retry_pause;
};

/* outbox_commit.c */

/* Open the file, setting aside what is damaged; fills in all that comes from it. */
int outbox_commit_open(struct outbox *outbox, struct error *err);
/* Whether there is a file, opening one where there is none: it became a segment, or was damaged and could not be replaced yet. */
bool outbox_commit_has_file(struct outbox *outbox, mono_us now);
/* Commit what is pending and delete what is acknowledged, in one transaction a batch. */
void outbox_commit_pending(struct outbox *outbox, mono_us now);
/* Delete what is acknowledged, in a transaction of its own. */
void outbox_commit_deletes(struct outbox *outbox, mono_us now);
/* See to it that what was committed is on the disk. */
void outbox_commit_sync(struct outbox *outbox, mono_us now);
/* The file turned out to be damaged: a new one in its place. */
void outbox_commit_replace_file(struct outbox *outbox, const struct error *why, mono_us now);
/* A row read back does not match its CRC. */
void outbox_commit_bad_row(struct outbox *outbox, const struct outbox_row *row, mono_us now);

/* outbox_send.c */

/* Offer a row that is next in order; false when the drain does not take it. */
bool outbox_send_row(struct outbox *outbox, const struct outbox_row *row);
/* Read rows back and offer them, a bounded number. */
void outbox_send_stored(struct outbox *outbox, mono_us now);
/* Whether there are rows to read back and the drain may take them. */
bool outbox_send_is_due(const struct outbox *outbox);

#endif
