/*
 * What is missing, worked out from what a driver has read: struct audit collects the rows of seq_chunk, seq_range, seq_mark and
 * producer, by producer_id; audit_each() judges. Pure; one thread. Private to src/store/.
 *
 *   present     stored, but for what was deleted since
 *   expected    0 to the highest seq that is known to have existed: stored once, or named by the next process's prev
 *   hole        expected, not present: quarantined, expired (unless it was deleted), declared lost, or else
 *   missing     a hole below settled: for after_us at least the store has known of a later seq
 *   pending     the other holes: they may be on their way
 */
#ifndef WEBSENTRY_STORE_AUDIT_H
#define WEBSENTRY_STORE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/identity.h"
#include "store/store.h"

struct audit;

/* The words of seq_range.state. */
enum audit_state {
	AUDIT_STORED,      /* full chunks, folded */
	AUDIT_DELETED,     /* was stored, and was taken out of the table by hand */
	AUDIT_LOST,        /* declared lost */
	AUDIT_EXPIRED,     /* was stored, and is older than what is kept */
	AUDIT_QUARANTINED, /* of chunks that were folded */
	AUDIT_STATE_COUNT,
};
/* AUDIT_STATE_COUNT for a word that we do not know. */
enum audit_state audit_state_parse(const char *word);

/* Times of a row: started_at of its first and last report (STORE_NO_TIME: none), and when it was written last. */
struct audit_times {
	wall_us first_at;
	wall_us last_at;
	wall_us changed_at;
};

/* now by the clock that wrote the rows. */
struct audit *audit_create(int64_t after_us, wall_us now);
void audit_destroy(struct audit *audit); /* accepts NULL */

/* The moment that marks and rows must be older than, to settle holes. */
wall_us audit_settled_before(const struct audit *audit);
int64_t audit_after_us(const struct audit *audit);
void audit_set_now(struct audit *audit, wall_us now);

/* prev NULL: it has none. Texts are copied. */
void audit_add_producer(struct audit *audit, const struct uuid *producer_id, const char *location,
			const char *host, const struct identity *prev, wall_us first_seen_at);
/* Bitmaps of SEQ_CHUNK_BYTES; NULL for an empty one. Cheapest where the rows of a chunk follow one another. */
void audit_add_chunk(struct audit *audit, const struct uuid *producer_id, int64_t chunk,
		     const unsigned char *stored, const unsigned char *quarantined,
		     const struct audit_times *times);
void audit_add_range(struct audit *audit, const struct uuid *producer_id, enum audit_state state,
		     const struct store_seq_range *range, const struct audit_times *times);
/* A mark that is older than audit_settled_before(): this seq was stored then. */
void audit_add_mark(struct audit *audit, const struct uuid *producer_id, int64_t seq);

/* Once, when all was added. */
void audit_each(struct audit *audit,
		bool (*on_producer)(void *context, const struct store_audit_producer *producer),
		void *context);

#endif
