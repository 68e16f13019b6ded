#include "app/audit_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "codec/json_print.h"

enum { RANGES_SHOWN = 20, TEXT_MAX = 1024, TIME_SHOWN = 19 };

struct audit_print {
	yajl_gen json; /* NULL: for people */
	struct audit_totals totals;
};

struct range_list {
	const char *name;
	const struct store_seq_range *ranges;
	size_t count;
};

enum { LISTS = 4 };

static void list_ranges(const struct store_audit_producer *producer,
			struct range_list lists[static LISTS])
{
	lists[0] = (struct range_list){"missing", producer->missing_ranges,
				       producer->missing_range_count};
	lists[1] = (struct range_list){"pending", producer->pending_ranges,
				       producer->pending_range_count};
	lists[2] = (struct range_list){"quarantined", producer->quarantined_ranges,
				       producer->quarantined_range_count};
	lists[3] = (struct range_list){"lost", producer->lost_ranges, producer->lost_range_count};
}

/* --- JSON --- */

static void write_json(yajl_gen json)
{
	size_t length;
	const char *bytes = json_print_bytes(json, &length);
	(void)fwrite(bytes, 1, length, stdout);
	yajl_gen_clear(json);
}

static void put_time(yajl_gen json, const char *name, wall_us time)
{
	if (time != STORE_NO_TIME)
		json_put_time(json, name, time);
}

static void put_totals(yajl_gen json, const struct audit_totals *totals)
{
	json_put_int(json, "stored", totals->stored);
	json_put_int(json, "missing", totals->missing);
	json_put_int(json, "pending", totals->pending);
	json_put_int(json, "quarantined", totals->quarantined);
	json_put_int(json, "lost", totals->lost);
	json_put_int(json, "expired", totals->expired);
}

static void put_ranges(yajl_gen json, const struct range_list *list)
{
	char name[32];
	(void)snprintf(name, sizeof(name), "%s_ranges", list->name);
	json_print_name(json, name);
	(void)yajl_gen_array_open(json);
	for (size_t i = 0; i < list->count; i++) {
		(void)yajl_gen_array_open(json);
		(void)yajl_gen_integer(json, list->ranges[i].first);
		(void)yajl_gen_integer(json, list->ranges[i].last);
		(void)yajl_gen_array_close(json);
	}
	(void)yajl_gen_array_close(json);
}

static void put_producer(yajl_gen json, const struct store_audit_producer *producer,
			 const struct audit_totals *counts)
{
	struct range_list lists[LISTS];
	char id[UUID_TEXT_SIZE];
	uuid_format(&producer->producer_id, id);
	list_ranges(producer, lists);
	(void)yajl_gen_map_open(json);
	json_put_text(json, "producer_id", id, sizeof(id));
	json_put_text(json, "location", producer->location, TEXT_MAX);
	json_put_text(json, "host", producer->host, TEXT_MAX);
	put_time(json, "first_report_at", producer->first_at);
	put_time(json, "last_report_at", producer->last_at);
	json_put_int(json, "highest_seq", producer->highest_seq);
	json_put_int(json, "expected_seq", producer->expected_seq);
	put_totals(json, counts);
	for (size_t i = 0; i < LISTS; i++)
		put_ranges(json, &lists[i]);
	(void)yajl_gen_map_close(json);
}

/* --- for people --- */

/* To the second: "2026-11-21T20:33:45", or a dash. */
static void format_time(wall_us time, char text[static CLOCK_TEXT_SIZE])
{
	if (time == STORE_NO_TIME) {
		(void)snprintf(text, CLOCK_TEXT_SIZE, "-");
		return;
	}
	clock_format(time, text);
	text[TIME_SHOWN] = '\0';
}

static void print_head(void)
{
	(void)printf("%-36s  %-12s  %-16s  %-19s  %-19s  %10s  %10s  %8s  %8s  %11s  %8s\n",
		     "PRODUCER", "LOCATION", "HOST", "FIRST REPORT", "LAST REPORT", "STORED",
		     "HIGHEST", "MISSING", "PENDING", "QUARANTINED", "LOST");
}

static void print_ranges(const struct range_list *list, const struct store_audit_producer *producer)
{
	if (list->count == 0)
		return;
	(void)printf("    %-11s ", list->name);
	for (size_t i = 0; i < list->count && i < RANGES_SHOWN; i++) {
		const struct store_seq_range *range = &list->ranges[i];
		(void)printf("%s%" PRId64, i == 0 ? "" : ", ", range->first);
		if (range->last > range->first)
			(void)printf("-%" PRId64, range->last);
		if (range->last == producer->expected_seq && range->first > producer->highest_seq)
			(void)printf(" (the end of it)");
	}
	if (list->count > RANGES_SHOWN)
		(void)printf(" and %zu more ranges (--json has them)", list->count - RANGES_SHOWN);
	(void)puts("");
}

static void print_producer(const struct store_audit_producer *producer)
{
	struct range_list lists[LISTS];
	char id[UUID_TEXT_SIZE];
	char first_at[CLOCK_TEXT_SIZE];
	char last_at[CLOCK_TEXT_SIZE];
	uuid_format(&producer->producer_id, id);
	format_time(producer->first_at, first_at);
	format_time(producer->last_at, last_at);
	list_ranges(producer, lists);
	(void)printf("%s  %-12s  %-16s  %-19s  %-19s  %10" PRId64 "  %10" PRId64 "  %8" PRId64
		     "  %8" PRId64 "  %11" PRId64 "  %8" PRId64 "\n",
		     id, producer->location[0] == '\0' ? "-" : producer->location,
		     producer->host[0] == '\0' ? "-" : producer->host, first_at, last_at,
		     producer->stored, producer->highest_seq, producer->missing, producer->pending,
		     producer->quarantined, producer->lost);
	for (size_t i = 0; i < LISTS; i++)
		print_ranges(&lists[i], producer);
}

/* --- both --- */

struct audit_print *audit_print_create(bool is_json)
{
	struct audit_print *print = xcalloc(1, sizeof(*print));
	if (is_json) {
		print->json = json_print_create();
		(void)yajl_gen_map_open(print->json);
		json_print_name(print->json, "producers");
		(void)yajl_gen_array_open(print->json);
	}
	return print;
}

static void add(int64_t *sum, int64_t count)
{
	if (__builtin_add_overflow(*sum, count, sum))
		*sum = INT64_MAX;
}

void audit_print_producer(struct audit_print *print, const struct store_audit_producer *producer)
{
	const struct audit_totals counts = {
		.producers = 1,
		.stored = producer->stored,
		.missing = producer->missing,
		.pending = producer->pending,
		.quarantined = producer->quarantined,
		.lost = producer->lost,
		.expired = producer->expired,
	};
	if (print->json != NULL) {
		put_producer(print->json, producer, &counts);
		write_json(print->json);
	} else {
		if (print->totals.producers == 0)
			print_head();
		print_producer(producer);
	}
	struct audit_totals *totals = &print->totals;
	totals->producers++;
	add(&totals->stored, counts.stored);
	add(&totals->missing, counts.missing);
	add(&totals->pending, counts.pending);
	add(&totals->quarantined, counts.quarantined);
	add(&totals->lost, counts.lost);
	add(&totals->expired, counts.expired);
}

struct audit_totals audit_print_finish(struct audit_print *print)
{
	const struct audit_totals *totals = &print->totals;
	if (print->json != NULL) {
		(void)yajl_gen_array_close(print->json);
		json_print_name(print->json, "totals");
		(void)yajl_gen_map_open(print->json);
		json_put_int(print->json, "producers", totals->producers);
		put_totals(print->json, totals);
		(void)yajl_gen_map_close(print->json);
		(void)yajl_gen_map_close(print->json);
		write_json(print->json);
		(void)puts("");
		return *totals;
	}
	(void)printf("%s%" PRId64 " producer%s: %" PRId64 " reports stored, %" PRId64
		     " missing, %" PRId64 " pending, %" PRId64 " quarantined, %" PRId64
		     " declared lost",
		     totals->producers == 0 ? "" : "\n", totals->producers,
		     totals->producers == 1 ? "" : "s", totals->stored, totals->missing,
		     totals->pending, totals->quarantined, totals->lost);
	if (totals->expired > 0)
		(void)printf(", %" PRId64 " older than what is kept", totals->expired);
	(void)puts("");
	return *totals;
}

void audit_print_destroy(struct audit_print *print)
{
	if (print->json != NULL)
		yajl_gen_free(print->json);
	free(print);
}
