/* What was put aside: how it gets into the table and out of it with a batch, and what a person sees of it. */
#include <stdlib.h>
#include <string.h>

#include "base/planted.h"
#include "base/text.h"
#include "store/postgres_parameters.h"
#include "store/postgres_store.h"

static const char insert_quarantine[] =
	"INSERT INTO quarantine (id, kafka_topic, kafka_partition, "
	"kafka_offset, reason, detail, length, bytes) "
	"SELECT * FROM unnest($1::bigint[], $2::text[], "
	"$3::integer[], $4::bigint[], $5::text[], $6::text[], "
	"$7::bigint[], $8::bytea[]) ORDER BY 1 ON CONFLICT DO NOTHING";

static const char delete_quarantine[] = "DELETE FROM quarantine WHERE id = ANY ($1::bigint[])";

#define SELECT_QUARANTINE                                                                          \
	"SELECT id, kafka_topic, kafka_partition, kafka_offset, reason, detail, stored_at, "       \
	"length, CASE WHEN $1::bigint >= 0 THEN bytes END FROM quarantine "                        \
	"WHERE ($1::bigint < 0 OR id = $1::bigint) AND ($2::text = '' OR reason = $2::text) "      \
	"AND id > $3::bigint "

static const char select_newest[] =
	SELECT_QUARANTINE "ORDER BY stored_at DESC, kafka_offset DESC, id LIMIT $4::bigint";
static const char select_by_id[] = SELECT_QUARANTINE "ORDER BY id LIMIT $4::bigint";

struct quarantine_columns {
	struct buffer *id, *topic, *partition, *offset, *reason, *detail, *length, *bytes;
};

static void encode_bad(const struct quarantine_columns *columns, const struct store_origin *origin,
		       const char *reason, const char *detail, const char *bytes, size_t length)
{
	encode_int8(columns->id, store_id_of_message(origin, bytes, length));
	if (origin->topic != NULL) {
		encode_word(columns->topic, origin->topic);
		encode_int4(columns->partition, origin->partition);
		encode_int8(columns->offset, origin->offset);
	} else {
		encode_null(columns->topic);
		encode_null(columns->partition);
		encode_null(columns->offset);
	}
	encode_word(columns->reason, reason);
	char *clean = text_clean_copy(detail, strlen(detail), 512);
	encode_word(columns->detail, clean);
	free(clean);
	if (bytes == NULL)
		encode_null(columns->length);
	else
		encode_int8(columns->length, (int64_t)length);
	encode_bytes(columns->bytes, bytes, length < STORE_BYTES_MAX ? length : STORE_BYTES_MAX);
}

static size_t count_refused(const struct postgres_attempt *attempt)
{
	size_t count = 0;
	for (size_t i = 0; attempt->is_refused != NULL && i < attempt->batch->row_count; i++)
		count += attempt->is_refused[i] ? 1 : 0;
	return count;
}

/* What the batch's rows were made of is stored with them, but for what is refused once more: that stays as it is. */
static int settle(struct postgres_attempt *attempt, size_t refused, struct error *err)
{
	const struct store_batch *batch = attempt->batch;
	struct parameter_list list = {0};
	struct buffer *ids = parameter_array(&list, TYPE_INT8, batch->row_count - refused);
	for (size_t i = 0; i < batch->row_count; i++)
		if (attempt->is_refused == NULL || !attempt->is_refused[i])
			encode_int8(ids, batch->quarantined[i]);
	int status =
		parameter_query(&attempt->store->connection, delete_quarantine, &list, NULL, err);
	parameter_finish(&list);
	return status;
}

int postgres_write_quarantine(struct postgres_attempt *attempt, struct error *err)
{
	const struct store_batch *batch = attempt->batch;
	size_t refused = count_refused(attempt);
	attempt->written.refused = refused;
	if (batch->quarantined != NULL) {
		if (settle(attempt, refused, err) != 0)
			return -1;
		refused = 0;
	}
	size_t count = batch->bad_count + refused;
	if (count == 0 || IS_PLANTED(POISON_VANISHES))
		return 0;
	struct parameter_list list = {0};
	struct quarantine_columns columns;
	columns.id = parameter_array(&list, TYPE_INT8, count);
	columns.topic = parameter_array(&list, TYPE_TEXT, count);
	columns.partition = parameter_array(&list, TYPE_INT4, count);
	columns.offset = parameter_array(&list, TYPE_INT8, count);
	columns.reason = parameter_array(&list, TYPE_TEXT, count);
	columns.detail = parameter_array(&list, TYPE_TEXT, count);
	columns.length = parameter_array(&list, TYPE_INT8, count);
	columns.bytes = parameter_array(&list, TYPE_BYTEA, count);
	for (size_t i = 0; i < batch->bad_count; i++) {
		const struct store_bad_message *bad = &batch->bad[i];
		encode_bad(&columns, &bad->origin, bad->reason, bad->detail, bad->bytes,
			   bad->length);
	}
	for (size_t i = 0; refused > 0 && i < batch->row_count; i++)
		if (attempt->is_refused[i])
			encode_bad(&columns, &batch->origins[i], attempt->refusals[i].reason,
				   attempt->refusals[i].detail, batch->messages[i].bytes,
				   batch->messages[i].length);
	PGresult *result;
	int status = parameter_query(&attempt->store->connection, insert_quarantine, &list, &result,
				     err);
	parameter_finish(&list);
	if (status != 0)
		return -1;
	attempt->written.quarantined = strtoul(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	return 0;
}

static void fill_row(struct store_quarantined *row, const PGresult *result, int at)
{
	*row = (struct store_quarantined){
		.id = postgres_read_int64(PQgetvalue(result, at, 0)),
		.reason = PQgetvalue(result, at, 4),
		.detail = PQgetvalue(result, at, 5),
		.stored_at = postgres_read_int64(PQgetvalue(result, at, 6)) + POSTGRES_EPOCH_US,
		.length = -1,
	};
	if (!PQgetisnull(result, at, 1))
		row->origin = (struct store_origin){
			.topic = PQgetvalue(result, at, 1),
			.partition = postgres_read_int32(PQgetvalue(result, at, 2)),
			.offset = postgres_read_int64(PQgetvalue(result, at, 3)),
		};
	if (!PQgetisnull(result, at, 7))
		row->length = postgres_read_int64(PQgetvalue(result, at, 7));
	if (!PQgetisnull(result, at, 8)) {
		row->bytes = PQgetvalue(result, at, 8);
		row->byte_count = (size_t)PQgetlength(result, at, 8);
	}
}

int postgres_read_quarantine(struct store *base, const struct store_quarantine_query *query,
			     bool (*on_row)(void *context, const struct store_quarantined *row),
			     void *context, struct error *err)
{
	struct postgres_store *store = (struct postgres_store *)base;
	struct parameter_list list = {0};
	PGresult *result;
	if (postgres_connect(&store->connection, err) != 0)
		return -1;
	parameter_int8(&list, query->id);
	parameter_text(&list, query->reason == NULL ? "" : query->reason);
	parameter_int8(&list, query->after);
	parameter_int8(&list, query->limit);
	int status =
		parameter_query(&store->connection, query->is_by_id ? select_by_id : select_newest,
				&list, &result, err);
	parameter_finish(&list);
	if (status != 0)
		return -1;
	for (int i = 0; i < PQntuples(result); i++) {
		struct store_quarantined row;
		fill_row(&row, result, i);
		if (!on_row(context, &row))
			break;
	}
	PQclear(result);
	return 0;
}
