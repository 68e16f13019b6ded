/*
 * The states of the sites, from the rows that a batch inserted:
 *
 *   update   sites whose reports in the batch are all newer than what is there: the strip is appended to
 *   insert   what was not updated: sites without a state
 *   advance  what was not inserted either: reports came late, and yet the batch has the latest one; the strip is stale
 *   mark     the rest: the strip is stale
 *
 * postgres_strip.c makes stale strips anew. A strip that is stale already is marked again: that locks the row, so that nobody makes
 * the strip, without our reports, before we commit.
 */
#include <string.h>

#include "store/postgres_parameters.h"
#include "store/postgres_store.h"

enum { PREPARED_STATES_MAX = 200 };

enum {
	SITE,
	STARTED,
	SEQ,
	SETUP,
	STATUS,
	TOTAL,
	PRODUCER,
	OUTCOME,
	REASON,
	STRIP,
	MESSAGE,
	FIRST,
	COLUMNS
};

static const enum postgres_type types[COLUMNS] = {
	TYPE_INT8, TYPE_TIMESTAMPTZ, TYPE_INT8, TYPE_INT8, TYPE_INT8, TYPE_INT8,
	TYPE_UUID, TYPE_TEXT,        TYPE_TEXT, TYPE_TEXT, TYPE_TEXT, TYPE_TIMESTAMPTZ,
};

#define STATE_COLUMNS                                                                              \
	"site_id, started_at, seq, setup_id, http_status_code, total_us, producer_id, outcome, "   \
	"reason, strip, message"

#define INCOMING                                                                                   \
	"unnest($1::bigint[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[], "       \
	"$6::bigint[], "                                                                           \
	"$7::uuid[], $8::text[], $9::text[], $10::text[], $11::text[], $12::timestamptz[]) AS i "  \
	"(" STATE_COLUMNS ", first_at)"

#define LATEST                                                                                     \
	"started_at = i.started_at, seq = i.seq, setup_id = i.setup_id, http_status_code = "       \
	"i.http_status_code, total_us = i.total_us, producer_id = i.producer_id, outcome = "       \
	"i.outcome, reason = i.reason, message = i.message"

/* Cheaper than INSERT ... ON CONFLICT DO UPDATE by half: that one locks each row in a step of its own. */
static const char update_states[] =
	"UPDATE site_state AS s SET " LATEST
	", strip = right(s.strip || i.strip, 50) FROM " INCOMING
	" WHERE s.site_id = i.site_id AND s.started_at < i.first_at RETURNING s.site_id";

static const char insert_states[] =
	"INSERT INTO site_state (" STATE_COLUMNS ") SELECT " STATE_COLUMNS " FROM " INCOMING
	" ORDER BY site_id ON CONFLICT DO NOTHING RETURNING site_id";

/* Until the strip is made anew its last letter is the latest outcome's. */
static const char advance_states[] =
	"UPDATE site_state AS s SET " LATEST ", strip = right(s.strip || right(i.strip, 1), 50), "
	"is_strip_stale = true FROM " INCOMING
	" WHERE s.site_id = i.site_id AND (s.started_at, s.producer_id, s.seq) < (i.started_at, "
	"i.producer_id, i.seq) RETURNING s.site_id";

static const char mark_states[] =
	"UPDATE site_state SET is_strip_stale = true WHERE site_id = ANY ($1::bigint[])";

static void encode_row_int(struct buffer *out, struct row_int number)
{
	if (number.is_present)
		encode_int8(out, number.value);
	else
		encode_null(out);
}

static size_t count_unwritten(const struct store_plan *plan)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->state_count; i++)
		count += plan->states[i].is_written ? 0 : 1;
	return count;
}

static void encode_state(struct buffer *const columns[COLUMNS], const struct plan_state *state)
{
	const struct report_row *row = state->latest->row;
	encode_int8(columns[SITE], state->latest->ids.site_id);
	encode_time(columns[STARTED], row->started_at.value);
	encode_int8(columns[SEQ], row->seq.value);
	encode_int8(columns[SETUP], state->latest->ids.setup_id);
	encode_row_int(columns[STATUS], row->http_status_code);
	encode_row_int(columns[TOTAL], row->total_us);
	encode_uuid(columns[PRODUCER], &row->producer_id.value);
	const struct row_text reason = report_row_site_reason(row);
	const struct row_text message = report_row_site_message(row);
	encode_word(columns[OUTCOME], outcome_name(report_row_site_outcome(row)));
	encode_bytes(columns[REASON], reason.bytes, reason.length);
	encode_word(columns[STRIP], state->strip);
	encode_bytes(columns[MESSAGE], message.bytes, message.length);
	encode_time(columns[FIRST], state->first_at);
}

/* Run sql with the states that are not written yet, and note those that it returns as written. */
static int write_with(struct postgres_attempt *attempt, const char *sql, struct error *err)
{
	struct store_plan *plan = &attempt->plan;
	size_t count = count_unwritten(plan);
	if (count == 0)
		return 0;
	struct parameter_list list = {0};
	struct buffer *columns[COLUMNS];
	for (int i = 0; i < COLUMNS; i++)
		columns[i] = parameter_array(&list, types[i], count);
	for (size_t i = 0; i < plan->state_count; i++)
		if (!plan->states[i].is_written)
			encode_state(columns, &plan->states[i]);
	PGresult *written;
	struct postgres_connection *connection = &attempt->store->connection;
	/* For many sites a plan that knows how many is worth its price. */
	int status = sql == update_states && count <= PREPARED_STATES_MAX
			     ? parameter_query_prepared(connection, POSTGRES_UPDATE_STATES, sql,
							&list, &written, err)
			     : parameter_query(connection, sql, &list, &written, err);
	parameter_finish(&list);
	if (status != 0)
		return -1;
	for (int i = 0; i < PQntuples(written); i++) {
		struct plan_state *state =
			store_plan_find_state(plan, postgres_read_int64(PQgetvalue(written, i, 0)));
		if (state != NULL)
			state->is_written = true;
	}
	PQclear(written);
	return 0;
}

static int mark(struct postgres_attempt *attempt, struct error *err)
{
	const struct store_plan *plan = &attempt->plan;
	size_t count = count_unwritten(plan);
	if (count == 0)
		return 0;
	struct parameter_list list = {0};
	struct buffer *site_ids = parameter_array(&list, TYPE_INT8, count);
	for (size_t i = 0; i < plan->state_count; i++)
		if (!plan->states[i].is_written)
			encode_int8(site_ids, plan->states[i].latest->ids.site_id);
	int status = parameter_query(&attempt->store->connection, mark_states, &list, NULL, err);
	parameter_finish(&list);
	return status;
}

int postgres_write_states(struct postgres_attempt *attempt, struct error *err)
{
	store_plan_states(&attempt->plan);
	if (write_with(attempt, update_states, err) != 0 ||
	    write_with(attempt, insert_states, err) != 0)
		return -1;
	attempt->written.late_sites = count_unwritten(&attempt->plan);
	return write_with(attempt, advance_states, err) != 0 ? -1 : mark(attempt, err);
}
