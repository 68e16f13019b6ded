/*
 * How far Kafka's partitions are stored: claimed by an assignment, written with each batch. Rows are locked before anything is made
 * of what they hold, in the order of their key: a consumer that slept in the middle of its transaction, or another that waits for its
 * end, otherwise writes what was true before.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/postgres_parameters.h"
#include "store/postgres_store.h"
#include "store/store_positions.h"

/* Rows without a group are of before groups were told apart: they stand for each group that has none of its own. */
#define SELECT_POSITIONS(own)                                                                      \
	"SELECT coalesce(own.next, old.next, -1), coalesce(own.claim, -1) "                        \
	"FROM unnest($3::text[], $4::integer[]) WITH ORDINALITY AS t (topic, partition, place) "   \
	"LEFT JOIN " own " AS own ON own.cluster_id = $1::text AND own.group_id = $2::text "       \
	"AND own.topic = t.topic AND own.partition = t.partition "                                 \
	"LEFT JOIN kafka_offset AS old ON old.cluster_id = $1::text AND old.group_id = '' "        \
	"AND old.topic = t.topic AND old.partition = t.partition ORDER BY t.place"

static const char select_positions[] = SELECT_POSITIONS("kafka_offset");

static const char lock_positions[] =
	"WITH locked AS MATERIALIZED (SELECT * FROM kafka_offset "
	"WHERE cluster_id = $1::text AND group_id = $2::text AND (topic, partition) IN "
	"(SELECT * FROM unnest($3::text[], $4::integer[])) "
	"ORDER BY topic, partition FOR UPDATE) " SELECT_POSITIONS("locked");

static const char claim_positions[] =
	"UPDATE kafka_offset AS k SET claim = k.claim + 1 "
	"FROM unnest($3::text[], $4::integer[]) AS t (topic, partition) "
	"WHERE k.cluster_id = $1::text AND k.group_id = $2::text "
	"AND k.topic = t.topic AND k.partition = t.partition";

/* is_there: it was when the rows were locked. One that was made since then is another's, and its position is true as well. */
static const char upsert_positions[] =
	"WITH t AS (SELECT * FROM unnest($3::text[], $4::integer[], $5::bigint[], $6::bigint[], "
	"$7::integer[]) AS t (topic, partition, next, claim, is_there)), "
	"moved AS (UPDATE kafka_offset AS k SET next = t.next, claim = t.claim, stored_at = now() "
	"FROM t WHERE t.is_there = 1 AND k.cluster_id = $1::text AND k.group_id = $2::text "
	"AND k.topic = t.topic AND k.partition = t.partition) "
	"INSERT INTO kafka_offset AS k (cluster_id, group_id, topic, partition, next, claim) "
	"SELECT $1::text, $2::text, topic, partition, next, claim FROM t WHERE is_there = 0 "
	"ORDER BY topic, partition "
	"ON CONFLICT (cluster_id, group_id, topic, partition) DO UPDATE SET "
	"next = greatest(k.next, excluded.next), stored_at = now()";

/* Cluster, group, topics and partitions. */
static void start_parameters(struct parameter_list *list, const struct postgres_store *store,
			     const char *cluster_id, const struct store_position *positions,
			     size_t count)
{
	parameter_text(list, cluster_id);
	parameter_text(list, store->store.group == NULL ? "" : store->store.group);
	struct buffer *topics = parameter_array(list, TYPE_TEXT, count);
	struct buffer *partitions = parameter_array(list, TYPE_INT4, count);
	for (size_t i = 0; i < count; i++) {
		encode_bytes(topics, positions[i].topic, strlen(positions[i].topic));
		encode_int4(partitions, positions[i].partition);
	}
}

/* What the store holds of a partition; -1 each where it has no row. */
struct held {
	int64_t next;
	int64_t claim;
};

static int look(struct postgres_store *store, const char *sql, const char *cluster_id,
		const struct store_position *positions, size_t count, struct held *ret_held,
		struct error *err)
{
	struct parameter_list list = {0};
	PGresult *result;
	start_parameters(&list, store, cluster_id, positions, count);
	int status = sql == lock_positions
			     ? parameter_query_prepared(&store->connection, POSTGRES_LOCK_POSITIONS,
							sql, &list, &result, err)
			     : parameter_query(&store->connection, sql, &list, &result, err);
	parameter_finish(&list);
	if (status != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		ret_held[i] = (struct held){
			.next = postgres_read_int64(PQgetvalue(result, (int)i, 0)),
			.claim = postgres_read_int64(PQgetvalue(result, (int)i, 1)),
		};
	PQclear(result);
	return 0;
}

/* A missing relation or column is a schema that is not there yet. */
static int explain(const struct postgres_store *store, struct error *err)
{
	const char *state = store->connection.sqlstate;
	if (strcmp(state, "42P01") == 0 || strcmp(state, "42703") == 0)
		err->kind = ERROR_RETRY;
	return -1;
}

int postgres_read_positions(struct store *base, const char *cluster_id,
			    struct store_position *positions, size_t count, struct error *err)
{
	struct postgres_store *store = (struct postgres_store *)base;
	if (postgres_connect(&store->connection, err) != 0)
		return -1;
	struct held *held = xcalloc(count, sizeof(*held));
	int status = look(store, select_positions, cluster_id, positions, count, held, err);
	for (size_t i = 0; i < count && status == 0; i++) {
		positions[i].next = held[i].next;
		positions[i].claim = held[i].claim < 0 ? 0 : held[i].claim;
	}
	free(held);
	return status == 0 ? 0 : explain(store, err);
}

static int claim(struct postgres_store *store, const char *cluster_id,
		 const struct store_position *positions, size_t count, struct held *held,
		 struct error *err)
{
	if (postgres_execute(&store->connection, "BEGIN", NULL, err) != 0 ||
	    look(store, lock_positions, cluster_id, positions, count, held, err) != 0)
		return -1;
	struct parameter_list list = {0};
	start_parameters(&list, store, cluster_id, positions, count);
	int status = parameter_query(&store->connection, claim_positions, &list, NULL, err);
	parameter_finish(&list);
	return status == 0 ? postgres_execute(&store->connection, "COMMIT", NULL, err) : -1;
}

int postgres_claim_positions(struct store *base, const char *cluster_id,
			     struct store_position *positions, size_t count, struct error *err)
{
	struct postgres_store *store = (struct postgres_store *)base;
	if (postgres_connect(&store->connection, err) != 0)
		return -1;
	struct held *held = xcalloc(count, sizeof(*held));
	int status = claim(store, cluster_id, positions, count, held, err);
	if (status != 0)
		postgres_rollback(&store->connection);
	for (size_t i = 0; i < count && status == 0; i++) {
		positions[i].next = held[i].next;
		positions[i].claim = held[i].claim + 1; /* no row, no claim: 0 */
	}
	free(held);
	return status == 0 ? 0 : explain(store, err);
}

/* What the batch makes of what is held, into next and claim. */
static int follow(struct postgres_attempt *attempt, const struct held *held, struct buffer *next,
		  struct buffer *claims, struct buffer *are_there, struct error *err)
{
	const struct store_batch *batch = attempt->batch;
	for (size_t i = 0; i < batch->position_count; i++) {
		const struct store_position *position = &batch->positions[i];
		int64_t value;
		if (store_position_follow(position, held[i].next, held[i].claim, &value) != 0) {
			attempt->is_stale = true;
			error_set(err, ERROR_STALE,
				  "the database was put back to an earlier state");
			return -1;
		}
		int64_t latest = held[i].claim > position->claim ? held[i].claim : position->claim;
		attempt->written.is_outclaimed |=
			position->claim != STORE_NO_CLAIM && held[i].claim > position->claim;
		encode_int8(next, value);
		encode_int8(claims, latest < 0 ? 0 : latest);
		encode_int4(are_there, held[i].claim < 0 ? 0 : 1);
	}
	return 0;
}

int postgres_write_positions(struct postgres_attempt *attempt, struct error *err)
{
	const struct store_batch *batch = attempt->batch;
	struct postgres_store *store = attempt->store;
	size_t count = batch->position_count;
	if (batch->cluster_id == NULL || count == 0)
		return 0;
	struct held *held = xcalloc(count, sizeof(*held));
	struct parameter_list list = {0};
	int status =
		look(store, lock_positions, batch->cluster_id, batch->positions, count, held, err);
	if (status == 0) {
		start_parameters(&list, store, batch->cluster_id, batch->positions, count);
		struct buffer *next = parameter_array(&list, TYPE_INT8, count);
		struct buffer *claims = parameter_array(&list, TYPE_INT8, count);
		struct buffer *are_there = parameter_array(&list, TYPE_INT4, count);
		status = follow(attempt, held, next, claims, are_there, err);
	}
	if (status == 0)
		status = parameter_query_prepared(&store->connection, POSTGRES_UPSERT_POSITIONS,
						  upsert_positions, &list, NULL, err);
	parameter_finish(&list);
	free(held);
	return status;
}
