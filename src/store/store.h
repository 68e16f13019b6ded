/*
 * The store: where reports are kept, in PostgreSQL or SQLite behind one interface (struct store_driver).
 *
 * A store belongs to one thread. The writer has one for writing; the web server opens its own for reading.
 * Error kinds: ERROR_RETRY (server away, deadlock, commit unknown: do the same again), ERROR_REJECT (somebody else's relation, a
 * schema of a newer release, missing rights: a person must act), ERROR_FATAL (can't go on).
 */
#ifndef WEBSENTRY_STORE_STORE_H
#define WEBSENTRY_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/identity.h"
#include "check/outcome.h"
#include "check/report_row.h"

struct store;

enum { STORE_STRIP_LENGTH = 50 }; /* outcomes in a site's strip */

enum store_mode { STORE_WRITE, STORE_READ };

/*
 * Make a handle. PostgreSQL: dsn is a libpq connection string or URI; nothing is connected before the first use, and a
 * lost connection is made again by the next call. SQLite: path is the database file; STORE_WRITE creates it and
 * takes its lock (ERROR_REJECT names who holds it), STORE_READ never writes and opens nothing before the first read
 * (ERROR_RETRY as long as the file or its tables are not there).
 */
struct store *store_open_postgres(const char *dsn, enum store_mode mode, struct error *err);
struct store *store_open_sqlite(const char *path, enum store_mode mode, struct error *err);
void store_close(struct store *store); /* accepts NULL */

/* The call under way and every later one end soon, with ERROR_RETRY and nothing known of the batch. For stopping. Any thread. */
void store_interrupt(struct store *store);

/* Create or upgrade every relation (schema/), under a lock. Idempotent. is_allowed false (--no-migrate): only compare. */
int store_migrate(struct store *store, bool is_allowed, struct error *err);

/*
 * Whether this release knows what is there, for whoever only looks: ERROR_REJECT where a relation is of a newer release or somebody
 * else's. That relations are missing, or of an older release, is left to the reading.
 */
int store_check_version(struct store *store, struct error *err);

/* The SQL that store_migrate() runs, for db migrate --print. Static text, one string for each file, NULL at the end. */
const char *const *store_schema_postgres(void);
const char *const *store_schema_sqlite(void);

/* Where a row or a bad message came from. topic NULL: from no topic (`run`). */
struct store_origin {
	const char *topic;
	int32_t partition;
	int64_t offset;
};

struct store_bad_message {
	struct store_origin origin;
	const char *reason; /* decode_problem_name(), "too_old", … */
	const char *detail; /* "" where there is none */
	const char *bytes;  /* NULL for a tombstone */
	size_t length;      /* the first 1 MiB of it are kept */
};

struct store_position {
	const char *topic;
	int32_t partition;
	int64_t next;
	/* store_write(): the offset of the batch's first message. From there on the batch holds whatever the store lacks. */
	int64_t first;
	/* store_write(): what the store held after the batch before. Less: it was put back. More: another writer is ahead of us, and
	 * next does not move it back. Not above 0: nothing. */
	int64_t stored;
	/* Which assignment the batch is of, from store_claim_positions(). Where a later one has claimed the partition, the position
	 * is not ours to judge or to move. STORE_NO_CLAIM: of none, and where stored is not above 0 next is written as it is. */
	int64_t claim;
};

#define STORE_NO_CLAIM INT64_C(-1)

/* The bytes of a message, as it came. */
struct store_message {
	const char *bytes;
	size_t length;
};

/* One transaction. Everything is borrowed for the call. */
struct store_batch {
	const struct report_row *rows;
	const struct store_origin *origins; /* parallel to rows */
	const struct store_message *
		messages; /* parallel to rows: what quarantine keeps of a row that the database refuses */
	/* Parallel to rows; NULL: they come from no quarantine. The quarantine's row that a row was made of, which goes in the same
	 * transaction; where the row is put aside again (refused, too old) it stays as it is. */
	const int64_t *quarantined;
	size_t row_count;
	const struct store_bad_message *bad;
	size_t bad_count;
	const char *cluster_id; /* NULL: no positions */
	const struct store_position *positions;
	size_t position_count;
};

struct store_written {
	size_t inserted; /* rows that were not there before */
	size_t duplicates;
	size_t quarantined; /* bad messages and refused rows that were not in quarantine before */
	size_t refused; /* rows that the database refused or that are too old, in quarantine before or not */
	bool is_outclaimed; /* of some positions there is a later claim than the batch's: they were not moved */
	size_t late_sites; /* whose strip is stale now, since reports came that are older than what was there */
};

/*
 * Write a batch in one transaction: rows once each (primary key), bad messages to quarantine, positions. On ERROR_RETRY it is
 * unknown or known not to be written: the caller calls again with the same batch. A missing relation is made again within.
 * ERROR_STALE: the store's positions are behind those that the batch follows, because a backup was put back or a replica took over
 * that lacked the last transactions; nothing is written, and what the store lost must be read again first.
 */
int store_write(struct store *store, const struct store_batch *batch,
		struct store_written *ret_written, struct error *err);

/*
 * While store_write() waits for its database it calls work, again and again, as long as that returns true: more is left. A piece is
 * short, some 0.1 ms, and does not use the store. A store that never waits never calls it. Before the store is used.
 */
void store_meanwhile(struct store *store, bool (*work)(void *context), void *context);

/*
 * Keep reports of today and of so many days before it (UTC); 0, the default: all. An older report goes to quarantine as too_old and
 * changes no figure. Before the store is used.
 */
void store_keep(struct store *store, int64_t days);

/*
 * Take a small step at removing what is older, and say when to call again: soon where there is more. A table that somebody uses is
 * left for later, which is no failure.
 */
enum { STORE_TIDY_MS = 600000, STORE_TIDY_STEP_MS = 50, STORE_TIDY_WAIT_MS = 5000 };
int store_tidy(struct store *store, int *ret_again_ms, struct error *err);

/*
 * Take a small step at making stale strips anew, some milliseconds long; is_done: none was left but those that another writer has in
 * hand. A strip is stale for a while when reports come late: to read them all again for each batch would hold up the batches. -1: the
 * store is away; where it is not and yet fails here (an index of an old day is damaged, say), that is logged, and done for now.
 */
enum { STORE_STRIPS_STEP = 100 };
int store_refresh_strips(struct store *store, bool *ret_is_done, struct error *err);

/* Tell the store that positions may move backwards or rows come again (assignment, reconnect): the conflict path first. */
void store_expect_duplicates(struct store *store);

/* The consumer group whose positions these are, borrowed for the store's life. Before the store is used. */
void store_set_group(struct store *store, const char *group);

/* For an assignment: as store_read_positions(), and from now on a batch of an earlier claim moves no position of these. */
int store_claim_positions(struct store *store, const char *cluster_id,
			  struct store_position *positions, size_t count, struct error *err);

/* Fill next (-1 where the store has none) and claim (of the latest assignment; 0 none) of each position. */
int store_read_positions(struct store *store, const char *cluster_id,
			 struct store_position *positions, size_t count, struct error *err);

/* The highest seq stored of a producer_id; *ret_found false where there is none. For `run`'s prev. */
int store_read_last_seq(struct store *store, const struct uuid *producer_id, bool *ret_found,
			int64_t *ret_seq, struct error *err);

/* What the page shows of a site: its latest report and the last outcomes. Texts are borrowed for the callback. */
struct store_site {
	const char *name;
	const char *url;
	enum outcome outcome;
	const char *reason;
	const char *message; /* "" where there is none */
	wall_us started_at;
	int64_t total_us; /* -1 not known */
	int64_t interval_us;
	int http_status_code; /* 0 none */
	const char *location;
	char strip[STORE_STRIP_LENGTH + 1]; /* oldest first: U up, G degraded, D down, ? unknown */
};

/* --- audit: which reports are in the store, from seq_chunk and seq_range alone, never from the reports themselves --- */

/* Both ends belong to it. */
struct store_seq_range {
	int64_t first;
	int64_t last;
};

/* What is known of a producer_id. Its reports have seq 0 to expected_seq without gaps; texts and ranges are borrowed for the callback. */
struct store_audit_producer {
	struct uuid producer_id;
	const char *location; /* "" where no report told it */
	const char *host;
	wall_us first_at; /* started_at of the first and the last report; STORE_NO_TIME where none is stored */
	wall_us last_at;
	int64_t stored;       /* how many */
	int64_t highest_seq;  /* of those stored; -1 none */
	int64_t expected_seq; /* the highest that is known to have existed, stored or not; -1 none */
	int64_t missing;      /* neither stored nor accounted for */
	int64_t pending;      /* the same, but for less than the time that was asked for */
	int64_t quarantined;  /* put aside, and not stored since */
	int64_t lost;         /* declared lost */
	int64_t expired;      /* older than what is kept */
	const struct store_seq_range *missing_ranges;
	const struct store_seq_range *pending_ranges;
	const struct store_seq_range *quarantined_ranges;
	const struct store_seq_range *lost_ranges;
	size_t missing_range_count;
	size_t pending_range_count;
	size_t quarantined_range_count;
	size_t lost_range_count;
};

#define STORE_NO_TIME INT64_MIN

/*
 * Call on_producer for every producer_id, by first report; end early when it returns false. A seq that is not there counts as pending
 * for after_us from when the store first knew of a later one.
 */
int store_audit(struct store *store, int64_t after_us,
		bool (*on_producer)(void *context, const struct store_audit_producer *producer),
		void *context, struct error *err);

/* Reports that are missing for longer than after_us, for the page and a metric: remembered for a while, so that it may be asked often. */
struct store_audit_holes {
	int64_t reports;   /* how many seq */
	int64_t producers; /* of how many producer_ids */
};
int store_audit_holes(struct store *store, int64_t after_us, struct store_audit_holes *ret_holes,
		      struct error *err);

/* Note that these seq are lost for good: audit counts them as such from now on. who is kept with it. A store opened for writing. */
int store_declare_lost(struct store *store, const struct uuid *producer_id,
		       const struct store_seq_range *range, const char *who, struct error *err);

/* Call on_site for every site, by name; end early when it returns false. */
int store_read_sites(struct store *store,
		     bool (*on_site)(void *context, const struct store_site *site), void *context,
		     struct error *err);

#endif
