/* Rows that reports refer to: inserted where they are missing, and committed before the batch, so that batches of different writers
 * never wait for one another's dimension rows. */
#include <string.h>

#include "store/postgres_parameters.h"
#include "store/postgres_store.h"

static const char insert_sites[] =
	"INSERT INTO site (id, name) SELECT DISTINCT ON (id) id, name "
	"FROM unnest($1::bigint[], $2::text[]) AS t (id, name) ORDER BY id ON CONFLICT DO NOTHING";

static const char insert_locations[] =
	"INSERT INTO location (id, name) SELECT DISTINCT ON (id) id, name "
	"FROM unnest($1::bigint[], $2::text[]) AS t (id, name) ORDER BY id ON CONFLICT DO NOTHING";

static const char insert_producers[] =
	"INSERT INTO producer (id, location_id, host, prev_producer_id, prev_seq) "
	"SELECT DISTINCT ON (id) id, location_id, host, prev_producer_id, prev_seq "
	"FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[], $5::bigint[]) "
	"AS t (id, location_id, host, prev_producer_id, prev_seq) ORDER BY id, prev_seq NULLS LAST "
	"ON CONFLICT (id) DO UPDATE SET prev_producer_id = excluded.prev_producer_id, prev_seq = "
	"excluded.prev_seq "
	"WHERE producer.prev_seq IS NULL AND excluded.prev_seq IS NOT NULL";

static const char insert_setups[] =
	"INSERT INTO check_setup (id, site_id, location_id, v, kind, url, host, labels, "
	"interval_us, timeout_us, pattern) "
	"SELECT DISTINCT ON (id) * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], "
	"$4::bigint[], $5::text[], "
	"$6::text[], $7::text[], $8::jsonb[], $9::bigint[], $10::bigint[], $11::text[]) "
	"AS t (id, site_id, location_id, v, kind, url, host, labels, interval_us, timeout_us, "
	"pattern) "
	"ORDER BY id ON CONFLICT DO NOTHING";

static int run(struct postgres_store *store, const char *sql, struct parameter_list *list,
	       struct error *err)
{
	int status = parameter_query(&store->connection, sql, list, NULL, err);
	parameter_finish(list);
	return status;
}

static void encode_row_text(struct buffer *out, struct row_text text)
{
	encode_bytes(out, text.bytes, text.length);
}

/* count planned rows bring their dimensions. */
static int write_names(struct postgres_store *store, const struct store_plan *plan, size_t count,
		       bool is_site, struct error *err)
{
	struct parameter_list list = {0};
	struct buffer *ids = parameter_array(&list, TYPE_INT8, count);
	struct buffer *names = parameter_array(&list, TYPE_TEXT, count);
	for (size_t i = 0; i < plan->row_count; i++) {
		const struct plan_row *planned = &plan->rows[i];
		if (!planned->brings_dimensions)
			continue;
		encode_int8(ids, is_site ? planned->ids.site_id : planned->ids.location_id);
		encode_row_text(names, is_site ? planned->row->site : planned->row->location);
	}
	return run(store, is_site ? insert_sites : insert_locations, &list, err);
}

static int write_producers(struct postgres_store *store, const struct store_plan *plan,
			   size_t count, struct error *err)
{
	struct parameter_list list = {0};
	struct buffer *ids = parameter_array(&list, TYPE_UUID, count);
	struct buffer *location_ids = parameter_array(&list, TYPE_INT8, count);
	struct buffer *hosts = parameter_array(&list, TYPE_TEXT, count);
	struct buffer *prev_ids = parameter_array(&list, TYPE_UUID, count);
	struct buffer *prev_seqs = parameter_array(&list, TYPE_INT8, count);
	for (size_t i = 0; i < plan->row_count; i++) {
		const struct plan_row *planned = &plan->rows[i];
		if (!planned->brings_dimensions)
			continue;
		encode_uuid(ids, &planned->row->producer_id.value);
		encode_int8(location_ids, planned->ids.location_id);
		encode_row_text(hosts, planned->row->host);
		if (planned->row->has_prev) {
			encode_uuid(prev_ids, &planned->row->prev.producer_id);
			encode_int8(prev_seqs, planned->row->prev.seq);
		} else {
			encode_null(prev_ids);
			encode_null(prev_seqs);
		}
	}
	return run(store, insert_producers, &list, err);
}

static int write_setups(struct postgres_store *store, const struct store_plan *plan, size_t count,
			struct error *err)
{
	enum {
		SETUP_ID,
		SITE_ID,
		LOCATION_ID,
		V,
		KIND,
		URL,
		HOST,
		LABELS,
		INTERVAL,
		TIMEOUT,
		PATTERN,
		COLUMNS
	};
	static const enum postgres_type types[COLUMNS] = {
		TYPE_INT8, TYPE_INT8,  TYPE_INT8, TYPE_INT8, TYPE_TEXT, TYPE_TEXT,
		TYPE_TEXT, TYPE_JSONB, TYPE_INT8, TYPE_INT8, TYPE_TEXT,
	};
	struct parameter_list list = {0};
	struct buffer *columns[COLUMNS];
	for (int i = 0; i < COLUMNS; i++)
		columns[i] = parameter_array(&list, types[i], count);
	for (size_t i = 0; i < plan->row_count; i++) {
		const struct plan_row *planned = &plan->rows[i];
		const struct report_row *row = planned->row;
		if (!planned->brings_dimensions)
			continue;
		encode_int8(columns[SETUP_ID], planned->ids.setup_id);
		encode_int8(columns[SITE_ID], planned->ids.site_id);
		encode_int8(columns[LOCATION_ID], planned->ids.location_id);
		encode_int8(columns[V], row->v.value);
		encode_row_text(columns[KIND], row->kind);
		encode_row_text(columns[URL], row->url);
		encode_row_text(columns[HOST], row->host);
		encode_jsonb(columns[LABELS], row->labels.bytes, row->labels.length);
		encode_int8(columns[INTERVAL], row->interval_us.value);
		encode_int8(columns[TIMEOUT], row->timeout_us.value);
		encode_row_text(columns[PATTERN], row->pattern);
	}
	return run(store, insert_setups, &list, err);
}

int postgres_write_dimensions(struct postgres_store *store, const struct store_plan *plan,
			      struct error *err)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->row_count; i++)
		count += plan->rows[i].brings_dimensions ? 1 : 0;
	if (count == 0)
		return 0;
	if (write_names(store, plan, count, true, err) != 0 ||
	    write_names(store, plan, count, false, err) != 0 ||
	    write_producers(store, plan, count, err) != 0 ||
	    write_setups(store, plan, count, err) != 0)
		return -1;
	return 0;
}
