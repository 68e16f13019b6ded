/* What a database has to offer to be a store; store.c calls it. Private to src/store/. */
#ifndef WEBSENTRY_STORE_STORE_DRIVER_H
#define WEBSENTRY_STORE_STORE_DRIVER_H

#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"
#include "store/store_quarantine.h"

struct audit;

struct store_driver {
	void (*close)(struct store *store);
	void (*interrupt)(struct store *store); /* any thread */
	int (*migrate)(struct store *store, bool is_allowed, struct error *err);
	int (*check_version)(struct store *store, struct error *err);
	int (*write)(struct store *store, const struct store_batch *batch,
		     struct store_written *ret_written, struct error *err);
	void (*expect_duplicates)(struct store *store);
	int (*tidy)(struct store *store, int *ret_again_ms, struct error *err);
	/* ERROR_RETRY: the store is away. Anything else: this alone failed, and batches need not know. */
	int (*refresh_strips)(struct store *store, bool *ret_is_done, struct error *err);
	int (*read_positions)(struct store *store, const char *cluster_id,
			      struct store_position *positions, size_t count, struct error *err);
	int (*claim_positions)(struct store *store, const char *cluster_id,
			       struct store_position *positions, size_t count, struct error *err);
	int (*read_last_seq)(struct store *store, const struct uuid *producer_id, bool *ret_found,
			     int64_t *ret_seq, struct error *err);
	int (*read_sites)(struct store *store,
			  bool (*on_site)(void *context, const struct store_site *site),
			  void *context, struct error *err);
	int (*read_quarantine)(struct store *store, const struct store_quarantine_query *query,
			       bool (*on_row)(void *context, const struct store_quarantined *row),
			       void *context, struct error *err);
	/* Fill an audit with all that seq_chunk, seq_range, seq_mark and producer hold. */
	int (*read_audit)(struct store *store, struct audit *audit, struct error *err);
	int (*declare_lost)(struct store *store, const struct uuid *producer_id,
			    const struct store_seq_range *range, const char *who,
			    struct error *err);
};

/* What the caller of store_write() does while that waits. run NULL: nothing. */
struct store_work {
	bool (*run)(void *context);
	void *context;
};

/* The first member of each driver's own struct. */
struct store {
	const struct store_driver *driver;
	struct store_work meanwhile;
	bool are_strips_failing;        /* and that was said */
	int64_t keep_days;              /* 0: all */
	const char *group;              /* of consumers, borrowed; NULL: none */
	struct store_audit_holes holes; /* of the last look */
	int64_t holes_after_us;
	mono_us holes_until; /* when to look again; 0: never looked */
};

/* The schema's newest file that this program knows: what the marks in comments, "[websentry N]", are compared with. */
enum { STORE_SCHEMA_VERSION = 4 };

/* The first day that is kept, at this time, and whether a report began before it. */
int64_t store_first_kept_day(const struct store *store, wall_us now);
bool store_is_too_old(const struct store *store, const struct report_row *row, wall_us now);

/* The number in a relation's mark; -1 where there is none: then it is somebody else's. */
int store_mark_version(const char *comment);

/* The relations of the schema, NULL at the end. Tables first. */
extern const char *const store_relations[];

enum { STORE_BYTES_MAX = 1024 * 1024 }; /* of a bad message that are kept */

#endif
