#include "store/audit.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/memory.h"
#include "store/seq_chunk.h"
#include "store/seq_ranges.h"

struct audit_producer {
	struct uuid producer_id;
	char *location; /* NULL: not known */
	char *host;
	bool has_prev;
	struct identity prev;
	wall_us first_seen_at;
	wall_us first_at; /* STORE_NO_TIME: no report */
	wall_us last_at;
	int64_t expected; /* highest seq known to have existed; -1 none */
	int64_t settled;  /* holes below this seq are old */
	struct seq_ranges ranges[AUDIT_STATE_COUNT];
	UT_hash_handle hh;
};

/* Bitmaps of one chunk, put together of its partitions: ranges are made of the whole. */
struct audit_chunk {
	struct audit_producer *producer; /* NULL: none is open */
	int64_t chunk;
	unsigned char stored[SEQ_CHUNK_BYTES];
	unsigned char quarantined[SEQ_CHUNK_BYTES];
};

struct audit {
	struct audit_chunk open;
	int64_t after_us;
	wall_us now;
	struct audit_producer *producers; /* the hash */
	struct audit_producer *latest;    /* rows come by producer_id */
};

static const char *const state_names[AUDIT_STATE_COUNT] = {
	[AUDIT_STORED] = "stored",   [AUDIT_DELETED] = "deleted",         [AUDIT_LOST] = "lost",
	[AUDIT_EXPIRED] = "expired", [AUDIT_QUARANTINED] = "quarantined",
};

enum audit_state audit_state_parse(const char *word)
{
	for (int state = 0; state < AUDIT_STATE_COUNT; state++)
		if (strcmp(word, state_names[state]) == 0)
			return (enum audit_state)state;
	return AUDIT_STATE_COUNT;
}

struct audit *audit_create(int64_t after_us, wall_us now)
{
	struct audit *audit = xcalloc(1, sizeof(*audit));
	audit->after_us = after_us;
	audit->now = now;
	return audit;
}

static void destroy_producer(struct audit_producer *producer)
{
	for (int state = 0; state < AUDIT_STATE_COUNT; state++)
		seq_ranges_finish(&producer->ranges[state]);
	free(producer->location);
	free(producer->host);
	free(producer);
}

void audit_destroy(struct audit *audit)
{
	if (audit == NULL)
		return;
	struct audit_producer *producer;
	struct audit_producer *next;
	HASH_ITER (hh, audit->producers, producer, next) {
		HASH_DEL(audit->producers, producer);
		destroy_producer(producer);
	}
	free(audit);
}

wall_us audit_settled_before(const struct audit *audit)
{
	return audit->now - audit->after_us;
}

int64_t audit_after_us(const struct audit *audit)
{
	return audit->after_us;
}

void audit_set_now(struct audit *audit, wall_us now)
{
	audit->now = now;
}

static struct audit_producer *find(struct audit *audit, const struct uuid *producer_id)
{
	struct audit_producer *producer = audit->latest;
	if (producer != NULL && uuid_equal(&producer->producer_id, producer_id))
		return producer;
	HASH_FIND(hh, audit->producers, producer_id, sizeof(*producer_id), producer);
	if (producer == NULL) {
		producer = xcalloc(1, sizeof(*producer));
		producer->producer_id = *producer_id;
		producer->first_at = producer->last_at = STORE_NO_TIME;
		producer->first_seen_at = STORE_NO_TIME;
		producer->expected = -1;
		HASH_ADD(hh, audit->producers, producer_id, sizeof(producer->producer_id),
			 producer);
	}
	audit->latest = producer;
	return producer;
}

void audit_add_producer(struct audit *audit, const struct uuid *producer_id, const char *location,
			const char *host, const struct identity *prev, wall_us first_seen_at)
{
	struct audit_producer *producer = find(audit, producer_id);
	free(producer->location);
	free(producer->host);
	producer->location = xstrdup(location);
	producer->host = xstrdup(host);
	producer->first_seen_at = first_seen_at;
	producer->has_prev = prev != NULL;
	if (prev != NULL)
		producer->prev = *prev;
}

static void expect(struct audit_producer *producer, int64_t seq)
{
	if (seq > producer->expected)
		producer->expected = seq;
}

/* Every hole below a seq that was known by then is old. */
static void settle(const struct audit *audit, struct audit_producer *producer, int64_t seq,
		   wall_us known_at)
{
	if (known_at <= audit_settled_before(audit) && seq > producer->settled)
		producer->settled = seq;
}

static void note_stored(const struct audit *audit, struct audit_producer *producer, int64_t last,
			const struct audit_times *times)
{
	expect(producer, last);
	settle(audit, producer, last, times->changed_at);
	if (times->first_at != STORE_NO_TIME &&
	    (producer->first_at == STORE_NO_TIME || times->first_at < producer->first_at))
		producer->first_at = times->first_at;
	if (times->last_at != STORE_NO_TIME &&
	    (producer->last_at == STORE_NO_TIME || times->last_at > producer->last_at))
		producer->last_at = times->last_at;
}

/* The open chunk's bits become ranges. */
static void close_chunk(struct audit *audit)
{
	struct audit_chunk *open = &audit->open;
	if (open->producer == NULL)
		return;
	seq_chunk_add_ranges(&open->producer->ranges[AUDIT_STORED], open->chunk, open->stored);
	seq_chunk_add_ranges(&open->producer->ranges[AUDIT_QUARANTINED], open->chunk,
			     open->quarantined);
	*open = (struct audit_chunk){.producer = NULL};
}

static void add_bits(unsigned char *bits, const unsigned char *more)
{
	for (int i = 0; i < SEQ_CHUNK_BYTES; i++)
		bits[i] |= more[i];
}

void audit_add_chunk(struct audit *audit, const struct uuid *producer_id, int64_t chunk,
		     const unsigned char *stored, const unsigned char *quarantined,
		     const struct audit_times *times)
{
	struct audit_producer *producer = find(audit, producer_id);
	if (audit->open.producer != producer || audit->open.chunk != chunk) {
		close_chunk(audit);
		audit->open.producer = producer;
		audit->open.chunk = chunk;
	}
	if (quarantined != NULL)
		add_bits(audit->open.quarantined, quarantined);
	if (stored == NULL)
		return;
	add_bits(audit->open.stored, stored);
	int64_t last = seq_chunk_last(chunk, stored);
	if (last >= 0)
		note_stored(audit, producer, last, times);
}

void audit_add_range(struct audit *audit, const struct uuid *producer_id, enum audit_state state,
		     const struct store_seq_range *range, const struct audit_times *times)
{
	struct audit_producer *producer = find(audit, producer_id);
	seq_ranges_add(&producer->ranges[state], range->first, range->last);
	if (state == AUDIT_STORED || state == AUDIT_EXPIRED)
		note_stored(audit, producer, range->last, times);
	if (state == AUDIT_DELETED || state == AUDIT_EXPIRED) {
		/* It was there, so nothing is on its way. */
		expect(producer, range->last);
		settle(audit, producer, range->last + (range->last < INT64_MAX), STORE_NO_TIME);
	}
}

void audit_add_mark(struct audit *audit, const struct uuid *producer_id, int64_t seq)
{
	struct audit_producer *producer = find(audit, producer_id);
	expect(producer, seq);
	settle(audit, producer, seq, STORE_NO_TIME);
}

/* What the first report of a process says of the last one before it. */
static void follow_prev(struct audit *audit)
{
	struct audit_producer *producer;
	struct audit_producer *next;
	HASH_ITER (hh, audit->producers, producer, next) {
		if (!producer->has_prev)
			continue;
		struct audit_producer *previous = find(audit, &producer->prev.producer_id);
		int64_t seq = producer->prev.seq;
		expect(previous, seq);
		settle(audit, previous, seq + (seq < INT64_MAX), producer->first_seen_at);
		if (previous->host == NULL) { /* the same data folder, likely the same place */
			previous->location = xstrdup(producer->location);
			previous->host = xstrdup(producer->host);
		}
	}
}

static int by_first_report(const void *a, const void *b)
{
	const struct audit_producer *left = *(struct audit_producer *const *)a;
	const struct audit_producer *right = *(struct audit_producer *const *)b;
	if (left->first_at != right->first_at)
		return left->first_at < right->first_at ? -1 : 1;
	return memcmp(&left->producer_id, &right->producer_id, sizeof(left->producer_id));
}

/* *holes becomes holes without taken; *ret_taken what of taken was in them. */
static void take_out(struct seq_ranges *holes, const struct seq_ranges *taken,
		     struct seq_ranges *ret_taken)
{
	struct seq_ranges left = {0};
	seq_ranges_subtract(&left, holes, taken);
	seq_ranges_subtract(ret_taken, holes, &left);
	seq_ranges_finish(holes);
	*holes = left;
}

/* What became of the seq of a producer_id. */
struct judged {
	struct seq_ranges present;     /* stored, and not deleted by hand */
	struct seq_ranges quarantined; /* and not stored since */
	struct seq_ranges expired;
	struct seq_ranges lost;
	struct seq_ranges pending;
	struct seq_ranges missing; /* none of these */
};

static void judge(struct audit_producer *producer, struct judged *judged)
{
	struct seq_ranges all = {0};
	struct seq_ranges aside = {0};
	struct seq_ranges gone = {0};
	for (int state = 0; state < AUDIT_STATE_COUNT; state++)
		seq_ranges_settle(&producer->ranges[state]);
	seq_ranges_subtract(&judged->present, &producer->ranges[AUDIT_STORED],
			    &producer->ranges[AUDIT_DELETED]);
	seq_ranges_subtract(&judged->quarantined, &producer->ranges[AUDIT_QUARANTINED],
			    &judged->present);
	seq_ranges_add(&all, 0, producer->expected);
	seq_ranges_subtract(&judged->missing, &all, &judged->present);
	take_out(&judged->missing, &judged->quarantined, &aside);
	/* A range that has expired in part stands as both: what is not there of it was deleted. */
	seq_ranges_subtract(&gone, &producer->ranges[AUDIT_EXPIRED],
			    &producer->ranges[AUDIT_STORED]);
	take_out(&judged->missing, &gone, &judged->expired);
	take_out(&judged->missing, &producer->ranges[AUDIT_LOST], &judged->lost);
	seq_ranges_split(&judged->missing, producer->settled, &judged->pending);
	seq_ranges_finish(&all);
	seq_ranges_finish(&aside);
	seq_ranges_finish(&gone);
}

static void judged_finish(struct judged *judged)
{
	seq_ranges_finish(&judged->present);
	seq_ranges_finish(&judged->quarantined);
	seq_ranges_finish(&judged->expired);
	seq_ranges_finish(&judged->lost);
	seq_ranges_finish(&judged->pending);
	seq_ranges_finish(&judged->missing);
}

static bool tell(struct audit_producer *producer,
		 bool (*on_producer)(void *context, const struct store_audit_producer *producer),
		 void *context)
{
	struct judged judged = {.present = {0}};
	judge(producer, &judged);
	const struct store_audit_producer facts = {
		.producer_id = producer->producer_id,
		.location = producer->location == NULL ? "" : producer->location,
		.host = producer->host == NULL ? "" : producer->host,
		.first_at = producer->first_at,
		.last_at = producer->last_at,
		.stored = seq_ranges_sum(&judged.present),
		.highest_seq = seq_ranges_last(&judged.present, -1),
		.expected_seq = producer->expected,
		.missing = seq_ranges_sum(&judged.missing),
		.pending = seq_ranges_sum(&judged.pending),
		.quarantined = seq_ranges_sum(&judged.quarantined),
		.lost = seq_ranges_sum(&judged.lost),
		.expired = seq_ranges_sum(&judged.expired),
		.missing_ranges = judged.missing.items,
		.pending_ranges = judged.pending.items,
		.quarantined_ranges = judged.quarantined.items,
		.lost_ranges = judged.lost.items,
		.missing_range_count = judged.missing.count,
		.pending_range_count = judged.pending.count,
		.quarantined_range_count = judged.quarantined.count,
		.lost_range_count = judged.lost.count,
	};
	bool is_wanted = on_producer(context, &facts);
	judged_finish(&judged);
	return is_wanted;
}

void audit_each(struct audit *audit,
		bool (*on_producer)(void *context, const struct store_audit_producer *producer),
		void *context)
{
	close_chunk(audit);
	follow_prev(audit);
	size_t count = HASH_COUNT(audit->producers);
	struct audit_producer **sorted = xcalloc(count, sizeof(struct audit_producer *));
	struct audit_producer *producer;
	struct audit_producer *next;
	size_t filled = 0;
	HASH_ITER (hh, audit->producers, producer, next)
		sorted[filled++] = producer;
	qsort(sorted, filled, sizeof(struct audit_producer *), by_first_report);
	for (size_t i = 0; i < filled; i++)
		if (!tell(sorted[i], on_producer, context))
			break;
	free(sorted);
}
