/* Reports for the tests of the store: made from a few numbers, or with everything in them. */
#ifndef TESTS_COMPONENT_STORE_ROWS_H
#define TESTS_COMPONENT_STORE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "check/report_row.h"
#include "store/store.h"

/* 2026-11-21T12:00:00Z */
#define ROWS_NOON INT64_C(1795262400000000)

struct rows {
	struct report_row *rows;
	struct store_origin *origins;
	struct store_message *messages;
	size_t count;
	size_t capacity;
};

struct uuid rows_producer(int number);

/* A plain report; texts are static or live as long as rows does. */
struct report_row rows_make(const char *site, struct uuid producer_id, int64_t seq,
			    wall_us started_at, enum outcome outcome);

/* Every field present, with values that are hard to carry; of producer 99. */
struct report_row rows_make_full(int64_t seq, wall_us started_at);

/* One of a round, up itself; it speaks for the round where that has an outcome. */
struct report_row rows_make_round(const char *site, int64_t seq, wall_us started_at,
				  const char *round, enum outcome outcome);

void rows_add(struct rows *rows, struct report_row row);
struct store_batch rows_batch(const struct rows *rows);
void rows_finish(struct rows *rows);

#endif
