/*
 * One attempt at a batch, one transaction:
 *
 *   BEGIN, a light lock on every table and a look at their oids: nobody drops one meanwhile, and one that was dropped and made
 *   again since the last batch is noticed (its dimension rows are gone)
 *   the fast path: COPY binary straight into report; every row is new, or the whole COPY fails with a unique violation
 *   the conflict path: COPY into a temporary table, INSERT … ON CONFLICT DO NOTHING RETURNING tells which rows are new
 *   states of the sites, from the new rows alone
 *   quarantine, positions, COMMIT
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/planted.h"
#include "base/text.h"
#include "store/postgres_parameters.h"
#include "store/postgres_store.h"
#include "store/store_columns.h"

/* ONLY: a day's table cannot be dropped without a lock on report. */
static const char begin[] = "BEGIN; LOCK TABLE site, location, producer, check_setup, ONLY report, "
			    "site_state, kafka_offset, quarantine, seq_chunk, "
			    "seq_range, seq_mark "
			    "IN ACCESS SHARE MODE; " POSTGRES_SELECT_RELATIONS;

static const char copy_report[] =
	"COPY report (" REPORT_COLUMN_NAMES ") FROM STDIN (FORMAT binary)";
static const char copy_incoming[] =
	"COPY websentry_incoming (" REPORT_COLUMN_NAMES ") FROM STDIN (FORMAT binary)";

static const char create_incoming[] = "DROP TABLE IF EXISTS pg_temp.websentry_incoming; "
				      "CREATE TEMPORARY TABLE websentry_incoming (LIKE report "
				      "INCLUDING DEFAULTS) ON COMMIT DELETE ROWS";

const char postgres_insert_incoming[] =
	"INSERT INTO report (" REPORT_COLUMN_NAMES ") SELECT " REPORT_COLUMN_NAMES
	" FROM websentry_incoming "
	"ON CONFLICT DO NOTHING RETURNING site_id, started_at, producer_id, seq";

/* A planted bug: it makes another row of what is stored already. */
static const char delay_incoming[] =
	"UPDATE websentry_incoming SET started_at = started_at + interval '1 microsecond'";

bool postgres_is_data_error(const struct postgres_connection *connection)
{
	const char *state = connection->sqlstate;
	if (strcmp(state, "23505") == 0 ||
	    (strcmp(state, "23514") == 0 && connection->constraint[0] == '\0'))
		return false; /* a duplicate, or no partition */
	return strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0 ||
	       strncmp(state, "54", 2) == 0;
}

static int put_rows(struct postgres_store *store, struct error *err)
{
	struct buffer *buffer = &store->buffer;
	if (buffer->is_overflowed) {
		error_set(err, ERROR_FATAL, "a row is larger than %d bytes", POSTGRES_BUFFER_MAX);
		postgres_disconnect(&store->connection); /* in the middle of a COPY */
		return -1;
	}
	if (postgres_copy_put(&store->connection, buffer->data, buffer->length, err) != 0)
		return -1;
	buffer_clear(buffer);
	return 0;
}

/* In pieces: PostgreSQL works on the first ones while the others are made. */
static int copy_rows(struct postgres_store *store, const char *sql, const struct store_plan *plan,
		     size_t first, size_t end, struct error *err)
{
	struct buffer *buffer = &store->buffer;
	if (postgres_copy_start(&store->connection, sql, err) != 0)
		return -1;
	buffer_clear(buffer);
	encode_copy_start(buffer);
	for (size_t i = first; i < end; i++) {
		encode_report(buffer, &plan->rows[i]);
		if ((buffer->length >= POSTGRES_COPY_CHUNK || buffer->is_overflowed) &&
		    put_rows(store, err) != 0)
			return -1;
	}
	encode_copy_end(buffer);
	if (put_rows(store, err) != 0)
		return -1;
	return postgres_copy_end(&store->connection, err);
}

int postgres_copy_incoming(struct postgres_store *store, const struct store_plan *plan,
			   size_t first, size_t end, struct error *err)
{
	return copy_rows(store, copy_incoming, plan, first, end, err);
}

int postgres_make_incoming(struct postgres_store *store, struct error *err)
{
	if (store->is_incoming_made)
		return 0;
	if (postgres_execute(&store->connection, create_incoming, NULL, err) != 0)
		return -1;
	store->is_incoming_made = true;
	return 0;
}

/* The transaction's first step. *ret_changed: the relations are not the ones we know. */
static int open_transaction(struct postgres_store *store, bool *ret_changed, struct error *err)
{
	char *relations;
	if (postgres_read_relations(store, begin, &relations, err) != 0)
		return -1;
	*ret_changed = relations == NULL || strcmp(relations, store->known_relations) != 0;
	free(relations);
	return 0;
}

static int insert_fast(struct postgres_attempt *attempt, struct error *err)
{
	struct store_plan *plan = &attempt->plan;
	if (copy_rows(attempt->store, copy_report, plan, 0, plan->row_count, err) != 0)
		return -1;
	for (size_t i = 0; i < plan->row_count; i++)
		plan->rows[i].is_inserted = true;
	attempt->written.inserted = plan->row_count;
	return 0;
}

static int insert_with_conflicts(struct postgres_attempt *attempt, struct error *err)
{
	struct store_plan *plan = &attempt->plan;
	PGresult *result;
	static const struct postgres_parameters none = {0};
	if (postgres_copy_incoming(attempt->store, plan, 0, plan->row_count, err) != 0 ||
	    (IS_PLANTED(DOUBLE_ON_CONFLICT) &&
	     postgres_execute(&attempt->store->connection, delay_incoming, NULL, err) != 0) ||
	    postgres_query(&attempt->store->connection, postgres_insert_incoming, &none, &result,
			   err) != 0)
		return -1;
	for (size_t i = 0; i < plan->row_count; i++)
		plan->rows[i].is_inserted = false;
	for (int i = 0; i < PQntuples(result); i++) {
		struct uuid producer_id;
		memcpy(producer_id.bytes, PQgetvalue(result, i, 2), sizeof(producer_id.bytes));
		struct plan_row *planned = store_plan_find(
			plan, postgres_read_int64(PQgetvalue(result, i, 0)),
			postgres_read_int64(PQgetvalue(result, i, 1)) + POSTGRES_EPOCH_US,
			&producer_id, postgres_read_int64(PQgetvalue(result, i, 3)));
		if (planned != NULL)
			planned->is_inserted = true;
	}
	attempt->written.inserted = (size_t)PQntuples(result);
	PQclear(result);
	return 0;
}

/* A COMMIT of a transaction that had failed answers ROLLBACK, and no error. */
static int commit(struct postgres_store *store, struct error *err)
{
	PGresult *result;
	if (postgres_execute(&store->connection, "COMMIT", &result, err) != 0)
		return IS_PLANTED(LOSE_UNKNOWN_COMMIT) && store->connection.is_lost ? 0 : -1;
	bool is_committed = strcmp(PQcmdStatus(result), "COMMIT") == 0;
	PQclear(result);
	if (!is_committed)
		error_set(err, ERROR_RETRY, "PostgreSQL: the transaction was rolled back");
	return is_committed ? 0 : -1;
}

int postgres_write_batch(struct postgres_attempt *attempt, struct error *err)
{
	struct postgres_store *store = attempt->store;
	attempt->written = (struct store_written){.duplicates = 0};
	attempt->is_changed = attempt->is_stale = false;
	bool is_fast = !store->is_conflict_first || IS_PLANTED(NO_CONFLICT_PATH);
	if (!is_fast && attempt->plan.row_count > 0 && postgres_make_incoming(store, err) != 0)
		return -1;
	if (open_transaction(store, &attempt->is_changed, err) != 0 || attempt->is_changed)
		goto fail;
	if (attempt->plan.row_count > 0 &&
	    (is_fast ? insert_fast(attempt, err) : insert_with_conflicts(attempt, err)) != 0)
		goto fail;
	if (postgres_write_states(attempt, err) != 0 ||
	    postgres_write_seq_chunks(attempt, err) != 0 ||
	    postgres_write_quarantine(attempt, err) != 0 ||
	    postgres_write_positions(attempt, err) != 0 || commit(store, err) != 0)
		goto fail;
	attempt->written.duplicates =
		attempt->plan.duplicates + attempt->plan.row_count - attempt->written.inserted;
	return 0;
fail:
	postgres_rollback(&store->connection);
	if (IS_PLANTED(NO_CONFLICT_PATH) && strcmp(store->connection.sqlstate, "23505") == 0)
		return 0;
	return -1;
}
