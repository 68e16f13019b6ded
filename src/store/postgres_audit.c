/* What audit reads, and the one thing that it writes. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/audit.h"
#include "store/postgres_parameters.h"
#include "store/postgres_store.h"
#include "store/seq_chunk.h"

/* One moment for all of it, by the clock that the rows were dated with. */
static const char begin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
			    "SET LOCAL cursor_tuple_fraction = 1";
static const char select_now[] = "SELECT now()";

static const char select_producers[] =
	"SELECT p.id, coalesce(location.name, ''), p.host, p.prev_producer_id, p.prev_seq, "
	"p.first_seen_at "
	"FROM producer AS p LEFT JOIN location ON location.id = p.location_id";

static const char select_chunks[] =
	"SELECT producer_id, chunk, stored, quarantined, first_at, last_at, changed_at FROM "
	"seq_chunk ORDER BY producer_id, chunk";

static const char select_ranges[] = "SELECT producer_id, state, first, last, first_at, last_at, "
				    "changed_at FROM seq_range";

/* of after_us */
#define SELECT_MARKS                                                                               \
	"SELECT producer_id, max(seq) FROM seq_mark WHERE marked_at <= now() - %lld * interval "   \
	"'1 microsecond' GROUP BY producer_id"

enum { FETCH_ROWS = 1000 };
#define FETCH "FETCH FORWARD 1000 FROM audit_rows"

static const char insert_lost[] =
	"INSERT INTO seq_range AS old (state, producer_id, first, last, who) "
	"VALUES ('lost', $1::uuid, $2::bigint, $3::bigint, $4::text) "
	"ON CONFLICT (state, producer_id, first) DO UPDATE SET "
	"last = greatest(old.last, excluded.last), changed_at = now(), who = excluded.who";

static struct uuid uuid_at(const PGresult *result, int row, int column)
{
	struct uuid uuid;
	memcpy(uuid.bytes, PQgetvalue(result, row, column), sizeof(uuid.bytes));
	return uuid;
}

static int64_t int_at(const PGresult *result, int row, int column)
{
	return postgres_read_int64(PQgetvalue(result, row, column));
}

static wall_us time_at(const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column) ? STORE_NO_TIME
						: int_at(result, row, column) + POSTGRES_EPOCH_US;
}

static struct audit_times times_at(const PGresult *result, int row, int column)
{
	return (struct audit_times){
		.first_at = time_at(result, row, column),
		.last_at = time_at(result, row, column + 1),
		.changed_at = time_at(result, row, column + 2),
	};
}

/* A bitmap comes as its length in bits and its bytes. */
static const unsigned char *bits_at(const PGresult *result, int row, int column)
{
	if (PQgetisnull(result, row, column) ||
	    PQgetlength(result, row, column) != 4 + SEQ_CHUNK_BYTES)
		return NULL;
	return (const unsigned char *)PQgetvalue(result, row, column) + 4;
}

static int read_now(struct postgres_store *store, struct audit *audit, struct error *err)
{
	static const struct parameter_list none = {0};
	PGresult *result;
	if (parameter_query(&store->connection, select_now, &none, &result, err) != 0)
		return -1;
	audit_set_now(audit, time_at(result, 0, 0));
	PQclear(result);
	return 0;
}

static void add_producer(struct audit *audit, const struct uuid *producer_id,
			 const PGresult *result, int row)
{
	struct identity prev;
	bool has_prev = !PQgetisnull(result, row, 3) && !PQgetisnull(result, row, 4);
	if (has_prev)
		prev = (struct identity){.producer_id = uuid_at(result, row, 3),
					 .seq = int_at(result, row, 4)};
	audit_add_producer(audit, producer_id, PQgetvalue(result, row, 1),
			   PQgetvalue(result, row, 2), has_prev ? &prev : NULL,
			   time_at(result, row, 5));
}

static void add_chunk(struct audit *audit, const struct uuid *producer_id, const PGresult *result,
		      int row)
{
	const struct audit_times times = times_at(result, row, 4);
	audit_add_chunk(audit, producer_id, int_at(result, row, 1), bits_at(result, row, 2),
			bits_at(result, row, 3), &times);
}

static void add_range(struct audit *audit, const struct uuid *producer_id, const PGresult *result,
		      int row)
{
	const enum audit_state state = audit_state_parse(PQgetvalue(result, row, 1));
	const struct store_seq_range range = {.first = int_at(result, row, 2),
					      .last = int_at(result, row, 3)};
	const struct audit_times times = times_at(result, row, 4);
	if (state != AUDIT_STATE_COUNT)
		audit_add_range(audit, producer_id, state, &range, &times);
}

static void add_mark(struct audit *audit, const struct uuid *producer_id, const PGresult *result,
		     int row)
{
	audit_add_mark(audit, producer_id, int_at(result, row, 1));
}

/* A statement's rows, some at a time: a table may be larger than what we want to hold. The first column is the producer_id. */
static int read_rows(struct postgres_store *store, struct audit *audit, const char *sql,
		     void (*add)(struct audit *audit, const struct uuid *producer_id,
				 const PGresult *result, int row),
		     struct error *err)
{
	char *declare = xasprintf("DECLARE audit_rows NO SCROLL BINARY CURSOR FOR %s", sql);
	int status = postgres_execute(&store->connection, declare, NULL, err);
	free(declare);
	for (int count = FETCH_ROWS; status == 0 && count == FETCH_ROWS;) {
		PGresult *result;
		if (postgres_execute(&store->connection, FETCH, &result, err) != 0)
			return -1;
		count = PQntuples(result);
		for (int i = 0; i < count; i++) {
			const struct uuid producer_id = uuid_at(result, i, 0);
			add(audit, &producer_id, result, i);
		}
		PQclear(result);
	}
	return status == 0 ? postgres_execute(&store->connection, "CLOSE audit_rows", NULL, err)
			   : -1;
}

static int read_all(struct postgres_store *store, struct audit *audit, struct error *err)
{
	if (postgres_execute(&store->connection, begin, NULL, err) != 0 ||
	    read_now(store, audit, err) != 0 ||
	    read_rows(store, audit, select_producers, add_producer, err) != 0 ||
	    read_rows(store, audit, select_chunks, add_chunk, err) != 0 ||
	    read_rows(store, audit, select_ranges, add_range, err) != 0)
		return -1;
	char *marks = xasprintf(SELECT_MARKS, (long long)audit_after_us(audit));
	int status = read_rows(store, audit, marks, add_mark, err);
	free(marks);
	return status;
}

/* A missing relation is a schema that is not there yet. */
static void explain(const struct postgres_store *store, struct error *err)
{
	if (strcmp(store->connection.sqlstate, "42P01") == 0)
		error_set(err, ERROR_RETRY,
			  "PostgreSQL: no tables to audit: start what fills the store once, "
			  "or run `websentry db migrate`");
}

int postgres_read_audit(struct store *base, struct audit *audit, struct error *err)
{
	struct postgres_store *store = (struct postgres_store *)base;
	if (postgres_connect(&store->connection, err) != 0)
		return -1;
	if (read_all(store, audit, err) == 0)
		return postgres_execute(&store->connection, "COMMIT", NULL, err);
	explain(store, err);
	postgres_rollback(&store->connection);
	return -1;
}

int postgres_declare_lost(struct store *base, const struct uuid *producer_id,
			  const struct store_seq_range *range, const char *who, struct error *err)
{
	struct postgres_store *store = (struct postgres_store *)base;
	struct parameter_list list = {0};
	if (postgres_connect(&store->connection, err) != 0)
		return -1;
	parameter_uuid(&list, producer_id);
	parameter_int8(&list, range->first);
	parameter_int8(&list, range->last);
	parameter_text(&list, who);
	int status = parameter_query(&store->connection, insert_lost, &list, NULL, err);
	parameter_finish(&list);
	if (status != 0)
		explain(store, err);
	return status;
}
