/*
 * The parts of the PostgreSQL driver know one another through this struct. Private to src/store/.
 *
 *   postgres_store.c      the driver: open, close, the loop of store_write()
 *   postgres_connection.c one connection, with postgres_hosts.c: which servers it may be to
 *   postgres_migrate.c    the schema: whose relations, replay, comparison, rights
 *   postgres_partition.c  days of the report table
 *   postgres_retention.c  days that are kept no longer, and reports of such
 *   postgres_dimensions.c rows that reports refer to
 *   postgres_write.c      one attempt at a batch: COPY or the conflict path, positions
 *   postgres_quarantine.c what was put aside: in, out, and looked at
 *   postgres_state.c      the states of the sites
 *   postgres_strip.c      their last outcomes, where reports came late
 *   postgres_seq_chunk.c  which seq are stored
 *   postgres_seq_range.c  that becomes ranges, and expires
 *   postgres_audit.c      what audit reads of that
 *   postgres_refused.c    which rows of a batch the database refuses
 *   postgres_positions.c  how far Kafka's partitions are stored
 *   postgres_read.c       what the page and `run` read
 */
#ifndef WEBSENTRY_STORE_POSTGRES_STORE_H
#define WEBSENTRY_STORE_POSTGRES_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "store/postgres_connection.h"
#include "store/store_driver.h"
#include "store/store_ids.h"
#include "store/store_plan.h"

enum { POSTGRES_BUFFER_MAX = 512 * 1024 * 1024 }; /* bytes of an encoded batch */

struct postgres_store {
	struct store store;
	struct postgres_connection connection;
	uint64_t known_generation; /* of the connection, that what follows is known of */
	char *known_relations;     /* the oids of our relations; NULL: not looked at yet */
	struct store_ids *ids;
	bool may_migrate;
	bool is_conflict_first; /* batches take the conflict path until one has no duplicate */
	bool is_incoming_made;  /* the temporary table */
	int64_t *days;          /* days that have a partition; NULL: not looked at yet */
	size_t day_count;
	int64_t ahead_made_on;    /* the day on which the days ahead were made last */
	mono_us days_pause_until; /* after a failure */
	bool is_drop_waiting;     /* a day could not be dropped, and that was said */
	mono_us fold_at;          /* when chunks of seq become ranges again, and behind which one */
	struct uuid fold_producer;
	int64_t fold_chunk;
	int64_t expired_day;  /* what was stored before it is noted as expired */
	struct buffer buffer; /* reused from batch to batch */
};

/* Why a row goes to quarantine: the word and a detail, such as what the database said. */
struct postgres_refusal {
	const char *reason;
	char detail[128];
};

/* The batch and what became known of it while it was tried. */
struct postgres_attempt {
	struct postgres_store *store;
	const struct store_batch *batch;
	bool *is_refused; /* parallel to the batch's rows; NULL: none is */
	struct postgres_refusal *refusals;
	struct store_plan plan;
	struct store_written written;
	bool is_changed; /* the relations are not the ones that we know */
	bool is_stale;   /* the positions are behind the batch's */
};

/* Forget what was known of tables: they may have been dropped and made again. */
void postgres_forget(struct postgres_store *store);

int postgres_migrate(struct postgres_store *store, bool is_allowed, struct error *err);
int postgres_check_version(struct store *base, struct error *err);

/* Make the days ahead, and those of the plan's rows. What can't be made is no failure: the default partition takes the rows. */
int postgres_make_days(struct postgres_store *store, const struct store_plan *plan,
		       struct error *err);

/* Insert and commit the dimension rows that planned rows need, or, inside a transaction, only insert them. */
int postgres_write_dimensions(struct postgres_store *store, const struct store_plan *plan,
			      struct error *err);

/* One transaction. On failure the connection's sqlstate says why, and nothing is open. */
int postgres_write_batch(struct postgres_attempt *attempt, struct error *err);

/* In the batch's transaction, once it is known which rows are new. */
int postgres_write_states(struct postgres_attempt *attempt, struct error *err);

int postgres_write_seq_chunks(struct postgres_attempt *attempt, struct error *err);

/* Now and then, outside a transaction: chunks that are full, or that nothing comes to any more, become ranges. */
void postgres_fold_seq_chunks(struct postgres_store *store);

/* Reports that began before go: what is stored of them is expired from now on. Outside a transaction. */
int postgres_expire_seqs(struct postgres_store *store, wall_us before, struct error *err);

/* Make the temporary table, unless this connection has it. Outside a transaction. */
int postgres_make_incoming(struct postgres_store *store, struct error *err);

/* COPY planned rows [first, end) into it. */
int postgres_copy_incoming(struct postgres_store *store, const struct store_plan *plan,
			   size_t first, size_t end, struct error *err);

/* From it into the reports: what is new there is returned. */
extern const char postgres_insert_incoming[];

/* Whether an SQLSTATE says that a row's data are at fault. */
bool postgres_is_data_error(const struct postgres_connection *connection);

/* A row of the batch is put aside. */
void postgres_refuse(struct postgres_attempt *attempt, size_t index, const char *reason,
		     const char *detail);

/* Rows older than what is kept are put aside. */
void postgres_refuse_old(struct postgres_attempt *attempt);

int postgres_tidy(struct store *base, int *ret_again_ms, struct error *err);
int postgres_refresh_strips(struct store *base, bool *ret_is_done, struct error *err);

/* Whoever makes or drops a day holds this advisory lock. */
#define POSTGRES_DAYS_LOCK "8602260756014002291"

enum { POSTGRES_DAY_NAME_SIZE = 48 };
void postgres_name_day(int64_t day, char name[static POSTGRES_DAY_NAME_SIZE]);

/* Which days have a partition, into the store; INT64_MIN for a partition that is not a day of ours. */
int postgres_read_days(struct postgres_store *store, struct error *err);

/* Find the rows that the database refuses and mark them. Returns 0 when at least one was found. */
int postgres_find_refused(struct postgres_attempt *attempt, struct error *err);

#define POSTGRES_SELECT_RELATIONS                                                                  \
	"SELECT to_regclass('site')::oid, to_regclass('location')::oid, "                          \
	"to_regclass('producer')::oid, "                                                           \
	"to_regclass('check_setup')::oid, to_regclass('report')::oid, "                            \
	"to_regclass('report_default')::oid, "                                                     \
	"to_regclass('site_state')::oid, to_regclass('kafka_offset')::oid, "                       \
	"to_regclass('quarantine')::oid, "                                                         \
	"to_regclass('seq_chunk')::oid, to_regclass('seq_range')::oid, "                           \
	"to_regclass('seq_mark')::oid, "                                                           \
	"to_regclass('report_view')::oid, to_regclass('uptime_view')::oid, "                       \
	"to_regclass('quarantine_view')::oid, to_regclass('delivery_audit_view')::oid"

/* The oids of our relations as one text, to be freed; NULL where one is missing. sql ends with POSTGRES_SELECT_RELATIONS. */
int postgres_read_relations(struct postgres_store *store, const char *sql, char **ret_relations,
			    struct error *err);

int postgres_claim_positions(struct store *base, const char *cluster_id,
			     struct store_position *positions, size_t count, struct error *err);
int postgres_read_positions(struct store *base, const char *cluster_id,
			    struct store_position *positions, size_t count, struct error *err);
int postgres_read_last_seq(struct store *base, const struct uuid *producer_id, bool *ret_found,
			   int64_t *ret_seq, struct error *err);
int postgres_read_sites(struct store *base,
			bool (*on_site)(void *context, const struct store_site *site),
			void *context, struct error *err);
int postgres_read_quarantine(struct store *base, const struct store_quarantine_query *query,
			     bool (*on_row)(void *context, const struct store_quarantined *row),
			     void *context, struct error *err);

/* In the batch's transaction, last: the rows stay locked. ERROR_STALE, with is_stale. */
int postgres_write_positions(struct postgres_attempt *attempt, struct error *err);

/* In the batch's transaction: bad and refused messages into the table, and out of it what the batch's rows were made of. */
int postgres_write_quarantine(struct postgres_attempt *attempt, struct error *err);
int postgres_read_audit(struct store *base, struct audit *audit, struct error *err);
int postgres_declare_lost(struct store *base, const struct uuid *producer_id,
			  const struct store_seq_range *range, const char *who, struct error *err);

#endif
