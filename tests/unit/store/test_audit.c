/* What is missing, from what a driver has read; and the bitmaps of a batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "rows.h"
#include "store/audit.h"
#include "store/seq_chunk.h"
#include "store/seq_ranges.h"
#include "store/store_plan.h"

#define HOUR (3600 * CLOCK_US_PER_S)
#define NOW (ROWS_NOON + 100 * HOUR)

static const struct audit_times old = {ROWS_NOON, ROWS_NOON + 1, NOW - 2 * HOUR};
static const struct audit_times fresh = {ROWS_NOON, ROWS_NOON + 1, NOW - 1};

/* "missing 3-4 pending 7-7 quarantined lost expected 9" of the one producer with an expectation. */
static char told[512];

static size_t tell_ranges(size_t at, const char *name, const struct store_seq_range *ranges,
			  size_t count)
{
	at += (size_t)snprintf(told + at, sizeof(told) - at, "%s", name);
	for (size_t i = 0; i < count; i++)
		at += (size_t)snprintf(told + at, sizeof(told) - at, " %lld-%lld",
				       (long long)ranges[i].first, (long long)ranges[i].last);
	return at;
}

static bool tell(void *context, const struct store_audit_producer *producer)
{
	const struct uuid *wanted = context;
	if (!uuid_equal(wanted, &producer->producer_id))
		return true;
	size_t at =
		tell_ranges(0, "missing", producer->missing_ranges, producer->missing_range_count);
	at = tell_ranges(at, ", pending", producer->pending_ranges, producer->pending_range_count);
	at = tell_ranges(at, ", quarantined", producer->quarantined_ranges,
			 producer->quarantined_range_count);
	at = tell_ranges(at, ", lost", producer->lost_ranges, producer->lost_range_count);
	(void)snprintf(told + at, sizeof(told) - at, ", expected %lld, stored %lld",
		       (long long)producer->expected_seq, (long long)producer->stored);
	return true;
}

static const char *judge(struct audit *audit)
{
	struct uuid producer_id = rows_producer(1);
	told[0] = '\0';
	audit_each(audit, tell, &producer_id);
	audit_destroy(audit);
	return told;
}

static void add_stored(struct audit *audit, int64_t first, int64_t last,
		       const struct audit_times *times)
{
	struct uuid producer_id = rows_producer(1);
	const struct store_seq_range range = {.first = first, .last = last};
	audit_add_range(audit, &producer_id, AUDIT_STORED, &range, times);
}

static void add_range(struct audit *audit, enum audit_state state, int64_t first, int64_t last)
{
	struct uuid producer_id = rows_producer(1);
	const struct store_seq_range range = {.first = first, .last = last};
	audit_add_range(audit, &producer_id, state, &range, &old);
}

static void a_hole_is_old_when_a_later_seq_was_known_long_ago(void **state)
{
	(void)state;
	struct audit *audit = audit_create(HOUR, NOW);
	add_stored(audit, 0, 4, &old);
	add_stored(audit, 7, 9, &old);
	add_stored(audit, 12, 20, &fresh);
	assert_string_equal(judge(audit), "missing 5-6, pending 10-11, quarantined, lost, "
					  "expected 20, stored 17");
}

static void a_mark_settles_what_is_below_it(void **state)
{
	(void)state;
	struct uuid producer_id = rows_producer(1);
	struct audit *audit = audit_create(HOUR, NOW);
	add_stored(audit, 0, 4, &fresh);
	add_stored(audit, 7, 9, &fresh);
	add_stored(audit, 12, 20, &fresh);
	audit_add_mark(audit, &producer_id, 8);
	assert_string_equal(judge(audit), "missing 5-6, pending 10-11, quarantined, lost, "
					  "expected 20, stored 17");
}

static void what_is_accounted_for_is_not_missing(void **state)
{
	(void)state;
	unsigned char quarantined[SEQ_CHUNK_BYTES] = {0x06, 0x80}; /* 5, 6, 8 */
	struct uuid producer_id = rows_producer(1);
	struct audit *audit = audit_create(HOUR, NOW);
	add_stored(audit, 2, 4, &old);
	add_stored(audit, 8, 9, &old);
	add_stored(audit, 20, 20, &old);
	audit_add_chunk(audit, &producer_id, 0, NULL, quarantined, &old);
	add_range(audit, AUDIT_LOST, 7, 12);
	add_range(audit, AUDIT_EXPIRED, 0, 1);
	add_range(audit, AUDIT_DELETED, 9, 9);
	assert_string_equal(judge(audit), "missing 13-19, pending, quarantined 5-6, lost 7-7 "
					  "9-12, expected 20, stored 5");
}

static void quarantine_alone_proves_no_seq(void **state)
{
	(void)state;
	unsigned char quarantined[SEQ_CHUNK_BYTES] = {0x01};
	struct uuid producer_id = rows_producer(1);
	struct audit *audit = audit_create(0, NOW);
	audit_add_chunk(audit, &producer_id, 1000, NULL, quarantined, &old);
	assert_string_equal(judge(audit), "missing, pending, quarantined 4096007-4096007, lost, "
					  "expected -1, stored 0");
}

static void the_next_process_names_the_last_report(void **state)
{
	(void)state;
	const struct identity prev = {.producer_id = rows_producer(1), .seq = 6};
	struct uuid next = rows_producer(2);
	struct audit *audit = audit_create(HOUR, NOW);
	add_stored(audit, 0, 3, &old);
	audit_add_producer(audit, &next, "here", "host", &prev, NOW - 2 * HOUR);
	assert_string_equal(judge(audit),
			    "missing 4-6, pending, quarantined, lost, expected 6, stored 4");
	audit = audit_create(HOUR, NOW);
	add_stored(audit, 0, 3, &old);
	audit_add_producer(audit, &next, "here", "host", &prev, NOW);
	assert_string_equal(judge(audit),
			    "missing, pending 4-6, quarantined, lost, expected 6, stored 4");
	audit = audit_create(HOUR, NOW); /* of which nothing came at all */
	audit_add_producer(audit, &next, "here", "host", &prev, NOW - 2 * HOUR);
	assert_string_equal(judge(audit),
			    "missing 0-6, pending, quarantined, lost, expected 6, stored 0");
}

static void partitions_of_a_chunk_are_one(void **state)
{
	(void)state;
	struct uuid producer_id = rows_producer(1);
	unsigned char even[SEQ_CHUNK_BYTES];
	unsigned char odd[SEQ_CHUNK_BYTES];
	memset(even, 0xaa, sizeof(even));
	memset(odd, 0x55, sizeof(odd));
	odd[1] = 0x54; /* without 15 */
	struct audit *audit = audit_create(0, NOW);
	audit_add_chunk(audit, &producer_id, 0, even, NULL, &old);
	audit_add_chunk(audit, &producer_id, 0, odd, NULL, &old);
	audit_add_chunk(audit, &producer_id, 1, even, NULL, &old);
	audit_add_chunk(audit, &producer_id, 1, odd, NULL, &old);
	assert_string_equal(judge(audit), "missing 15-15 4111-4111, pending, quarantined, lost, "
					  "expected 8191, stored 8190");
}

static void the_largest_seq_is_no_trouble(void **state)
{
	(void)state;
	struct uuid producer_id = rows_producer(1);
	unsigned char bits[SEQ_CHUNK_BYTES] = {0};
	bits[SEQ_CHUNK_BYTES - 1] = 1;
	struct audit *audit = audit_create(0, NOW);
	audit_add_chunk(audit, &producer_id, INT64_MAX / SEQ_CHUNK_SIZE, bits, NULL, &old);
	add_range(audit, AUDIT_DELETED, INT64_MAX, INT64_MAX);
	assert_string_equal(judge(audit),
			    "missing 0-9223372036854775806, pending "
			    "9223372036854775807-9223372036854775807, quarantined, lost, "
			    "expected 9223372036854775807, stored 0");
}

static void a_batch_becomes_bitmaps_in_the_order_of_the_key(void **state)
{
	(void)state;
	static const char bad[] =
		"{\"v\":1,\"producer_id\":\"ee000000-0000-0000-0000-000000000001\","
		"\"seq\":4097,";
	const int64_t seqs[] = {9000, 3, 1, 0, 4096};
	struct rows rows = {0};
	struct store_plan plan = {.row_count = 5};
	struct plan_row planned[5] = {0};
	for (int i = 0; i < 5; i++)
		rows_add(&rows, rows_make("a", rows_producer(i == 4 ? 0 : 1), seqs[i],
					  ROWS_NOON + seqs[i], OUTCOME_UP));
	struct store_batch batch = rows_batch(&rows);
	for (int i = 0; i < 5; i++)
		planned[i] = (struct plan_row){.row = &batch.rows[i], .is_inserted = i != 2};
	plan.rows = planned;
	const struct store_bad_message message = {.bytes = bad, .length = sizeof(bad) - 1};
	batch.bad = &message;
	batch.bad_count = 1;
	struct seq_chunks chunks = {0};
	seq_chunks_from_batch(&chunks, &batch, &plan, NULL);
	assert_int_equal(chunks.count, 4);
	static const struct {
		int producer;
		int64_t chunk;
		bool has_stored;
		int64_t last;
	} wanted[] = {{0, 1, true, 4096}, {1, 0, true, 3}, {1, 1, false, -1}, {1, 2, true, 9000}};
	for (size_t i = 0; i < 4; i++) {
		const struct seq_chunk *chunk = chunks.chunks[i];
		struct uuid producer_id = rows_producer(wanted[i].producer);
		assert_true(uuid_equal(&chunk->producer_id, &producer_id));
		assert_int_equal(chunk->chunk, wanted[i].chunk);
		assert_int_equal(chunk->has_stored, wanted[i].has_stored);
		assert_int_equal(seq_chunk_last(chunk->chunk, chunk->stored), wanted[i].last);
	}
	assert_int_equal(chunks.chunks[1]->stored[0], 0x90); /* 0 and 3: 1 was there before */
	assert_int_equal(chunks.chunks[1]->first_at, ROWS_NOON);
	assert_int_equal(chunks.chunks[1]->last_at, ROWS_NOON + 3);
	assert_int_equal(chunks.chunks[2]->quarantined[0], 0x40);
	seq_chunks_finish(&chunks);
	rows_finish(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hole_is_old_when_a_later_seq_was_known_long_ago),
		cmocka_unit_test(a_mark_settles_what_is_below_it),
		cmocka_unit_test(what_is_accounted_for_is_not_missing),
		cmocka_unit_test(quarantine_alone_proves_no_seq),
		cmocka_unit_test(the_next_process_names_the_last_report),
		cmocka_unit_test(partitions_of_a_chunk_are_one),
		cmocka_unit_test(the_largest_seq_is_no_trouble),
		cmocka_unit_test(a_batch_becomes_bitmaps_in_the_order_of_the_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
