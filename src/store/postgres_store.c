/*
 * The PostgreSQL driver. store_write() is a loop around one attempt, which mends what an attempt finds broken:
 *
 *   unique violation        the conflict path
 *   relation missing, new   the migrations are replayed, and nothing that was known of tables holds any more
 *   a row's data refused    that row goes to quarantine
 *   deadlock, serialisation the same again
 *   connection lost         ERROR_RETRY: also when it was lost in COMMIT, for then nobody knows; the conflict path sorts it out
 */
#include "store/postgres_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"

enum { ATTEMPTS_MAX = 12 };

static struct postgres_store *of(struct store *store)
{
	return (struct postgres_store *)store;
}

void postgres_forget(struct postgres_store *store)
{
	free(store->known_relations);
	store->known_relations = NULL;
	free(store->days);
	store->days = NULL;
	store->day_count = 0;
	store->ahead_made_on = INT64_MIN;
	store->days_pause_until = 0;
	store->is_incoming_made = false;
	store_ids_forget(store->ids);
}

static void postgres_close(struct store *base)
{
	struct postgres_store *store = of(base);
	postgres_forget(store);
	postgres_connection_finish(&store->connection);
	store_ids_destroy(store->ids);
	buffer_finish(&store->buffer);
	free(store);
}

static void postgres_interrupt_store(struct store *base)
{
	postgres_interrupt(&of(base)->connection);
}

static int postgres_migrate_store(struct store *base, bool is_allowed, struct error *err)
{
	struct postgres_store *store = of(base);
	const struct store_plan no_rows = {.row_count = 0};
	if (postgres_migrate(store, is_allowed, err) != 0)
		return -1;
	store->known_generation = store->connection.generation;
	store->is_conflict_first = true;
	/* So that `db migrate` makes them for those who may not. */
	return is_allowed ? postgres_make_days(store, &no_rows, err) : 0;
}

static void postgres_expect_duplicates(struct store *base)
{
	of(base)->is_conflict_first = true;
}

/* Make the relations that are missing, if we may. */
static int heal(struct postgres_store *store, struct error *err)
{
	postgres_forget(store);
	if (postgres_migrate(store, store->may_migrate, err) != 0)
		return -1;
	if (store->may_migrate)
		log_event(LOG_WARN, "relations were missing or made anew in the database: the "
				    "schema was replayed");
	return 0;
}

/* Connected, with the relations known. */
static int prepare(struct postgres_store *store, struct error *err)
{
	if (postgres_connect(&store->connection, err) != 0)
		return -1;
	if (store->known_generation != store->connection.generation) {
		postgres_forget(store);
		store->known_generation = store->connection.generation;
		store->is_conflict_first = true;
	}
	if (store->known_relations != NULL)
		return 0;
	if (postgres_read_relations(store, POSTGRES_SELECT_RELATIONS, &store->known_relations,
				    err) != 0)
		return -1;
	if (store->known_relations != NULL)
		return 0;
	if (heal(store, err) != 0 || postgres_read_relations(store, POSTGRES_SELECT_RELATIONS,
							     &store->known_relations, err) != 0)
		return -1;
	if (store->known_relations != NULL)
		return 0;
	error_set(err, ERROR_RETRY, "relations of the store are missing");
	return -1;
}

static int try_batch(struct postgres_attempt *attempt, struct error *err)
{
	struct postgres_store *store = attempt->store;
	store_plan_finish(&attempt->plan);
	attempt->is_changed = attempt->is_stale = false;
	if (prepare(store, err) != 0)
		return -1;
	store_plan_make(&attempt->plan, attempt->batch, attempt->is_refused, store->ids);
	if (postgres_make_days(store, &attempt->plan, err) != 0 ||
	    postgres_write_dimensions(store, &attempt->plan, err) != 0)
		return -1;
	store_ids_mark_stored(store->ids);
	return postgres_write_batch(attempt, err);
}

static bool is_state(const struct postgres_connection *connection, const char *state)
{
	return strcmp(connection->sqlstate, state) == 0;
}

/* After a failed attempt. Returns 0 when it is worth another one; -1 with err filled where it is not. */
static int mend(struct postgres_attempt *attempt, struct error *err)
{
	struct postgres_store *store = attempt->store;
	const struct postgres_connection *connection = &store->connection;
	if (attempt->is_stale)
		return -1;
	if (attempt->is_changed)
		return heal(store, err);
	if (connection->is_lost || connection->conn == NULL)
		return -1;
	if (is_state(connection, "25006")) {
		/* It was the primary and is a standby now, say: the next connection looks for the one that takes writes. */
		postgres_disconnect(&store->connection);
		return -1;
	}
	if (is_state(connection, "23505")) {
		store->is_conflict_first = true;
		return 0;
	}
	if (is_state(connection, "42P01") || is_state(connection, "42703") ||
	    is_state(connection, "3F000") ||
	    (is_state(connection, "23514") && connection->constraint[0] == '\0'))
		return heal(store, err);
	if (is_state(connection, "40P01") || is_state(connection, "40001"))
		return 0;
	if (postgres_is_data_error(connection))
		return postgres_find_refused(attempt, err);
	return -1;
}

static int postgres_write(struct store *base, const struct store_batch *batch,
			  struct store_written *ret_written, struct error *err)
{
	struct postgres_attempt attempt = {.store = of(base), .batch = batch};
	struct error local;
	if (err == NULL)
		err = &local;
	int status = -1;
	attempt.store->connection.meanwhile = base->meanwhile;
	postgres_refuse_old(&attempt);
	for (int i = 0; i < ATTEMPTS_MAX; i++) {
		status = try_batch(&attempt, err);
		if (status == 0 || mend(&attempt, err) != 0)
			break;
	}
	if (status == 0) {
		if (attempt.written.inserted == attempt.plan.row_count)
			attempt.store->is_conflict_first = false;
		*ret_written = attempt.written;
		postgres_fold_seq_chunks(attempt.store);
	}
	attempt.store->connection.meanwhile = (struct store_work){.run = NULL};
	store_plan_finish(&attempt.plan);
	free(attempt.is_refused);
	free(attempt.refusals);
	return status;
}

static const struct store_driver postgres_driver = {
	.close = postgres_close,
	.interrupt = postgres_interrupt_store,
	.migrate = postgres_migrate_store,
	.check_version = postgres_check_version,
	.write = postgres_write,
	.expect_duplicates = postgres_expect_duplicates,
	.tidy = postgres_tidy,
	.refresh_strips = postgres_refresh_strips,
	.read_positions = postgres_read_positions,
	.claim_positions = postgres_claim_positions,
	.read_last_seq = postgres_read_last_seq,
	.read_sites = postgres_read_sites,
	.read_quarantine = postgres_read_quarantine,
	.read_audit = postgres_read_audit,
	.declare_lost = postgres_declare_lost,
};

struct store *store_open_postgres(const char *dsn, enum store_mode mode, struct error *err)
{
	struct postgres_store *store = xcalloc(1, sizeof(*store));
	if (postgres_connection_init(&store->connection, dsn, mode == STORE_READ, err) != 0) {
		free(store);
		return NULL;
	}
	store->store.driver = &postgres_driver;
	store->ids = store_ids_create();
	store->fold_chunk = -1;
	store->expired_day = INT64_MIN;
	buffer_init(&store->buffer, POSTGRES_BUFFER_MAX);
	postgres_forget(store);
	return &store->store;
}
