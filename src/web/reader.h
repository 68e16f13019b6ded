/*
 * Reads the store for the web server, on a thread of its own: a store that hangs must not keep /healthz and the page from
 * answering. However many look, the store is read at most once a second; when nobody looks it is not read at all.
 */
#ifndef WEBSENTRY_WEB_READER_H
#define WEBSENTRY_WEB_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct figures;
struct reader;
struct store;
struct snapshot_names;

enum {
	READER_FRESH_MS = 1000, /* figures younger than this are not read again */
	READER_RETRY_MS =
		200, /* the same before the first answer: a process that starts makes its tables first */
	READER_GRACE_MS =
		10000, /* so long a store that has never answered is awaited, not missed */
	READER_WAIT_MS =
		500, /* so long a request waits for fresh figures, then it gets the old ones */
	READER_STOP_MS = 2000,         /* so long reader_stop() waits for a read to end */
	READER_HOLES_RETRY_MS = 60000, /* so long after missing reports could not be counted */
	READER_HANG_MS = 3000, /* a read that takes longer counts as failed until it answers */
};

/* All that is served of one moment, made once. Const once it is published; shared by counting. */
struct rendering {
	struct buffer page;
	struct buffer board;
	struct buffer sites_json; /* empty when !is_ready */
	bool is_ready;            /* the store has answered at least once */
	uint64_t hash;            /* of what is said; see page_hash() */
	int64_t read_at;          /* wall_us; 0 when !is_ready */
	bool is_stale;
	int references; /* atomic */
};

/*
 * Takes the store. Copies title; takes over what names holds. Reads once at once. Where figures has FIGURES_PAGE, keeps its
 * OBSTACLE_STORE_AWAY; counts what is missing for longer than hole_after_us in its audit section; borrowed until reader_stop(). Returns NULL with ERROR_FATAL.
 */
struct reader *reader_start(struct store *store, struct snapshot_names *names, const char *title,
			    struct figures *figures, int64_t hole_after_us, struct error *err);

/* Other names from the next read on; takes over what names holds. Any thread. */
void reader_set_names(struct reader *reader, struct snapshot_names *names);

/* Read the store if the figures are old, but wait for nothing. */
void reader_ask(struct reader *reader);

/* The newest rendering, waiting at most READER_WAIT_MS for one that is fresh. Never NULL; give it back. One thread. */
struct rendering *reader_current(struct reader *reader);
void rendering_release(struct rendering *rendering); /* any thread */

/*
 * Ends the thread and closes the store. Where the store hangs in a read, waits no longer than READER_STOP_MS: the thread
 * then does both by itself once it can, if the process lives that long. Accepts NULL.
 */
void reader_stop(struct reader *reader);

#endif
