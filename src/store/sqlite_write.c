/* A batch into SQLite: one transaction; what was there already is found by the primary key, row by row. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/sqlite_store.h"
#include "store/store_columns.h"

#define COLUMN_QUESTION(name, type) ", ?"
const char sqlite_insert_report[] =
	"INSERT INTO report (" REPORT_COLUMN_NAMES ", stored_at) VALUES (?, ?, ?, ?" REPORT_COLUMNS(
		COLUMN_QUESTION) ", ?) ON CONFLICT DO NOTHING";

/* ?12 is the oldest of the batch's reports of the site: one that is not newer than what is there came late. */
const char sqlite_upsert_state[] =
	"INSERT INTO site_state (site_id, started_at, seq, setup_id, http_status_code, total_us, "
	"producer_id, outcome, reason, strip, message) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
	"?10, ?11) "
	"ON CONFLICT (site_id) DO UPDATE SET started_at = excluded.started_at, seq = excluded.seq, "
	"setup_id = excluded.setup_id, http_status_code = excluded.http_status_code, "
	"total_us = excluded.total_us, producer_id = excluded.producer_id, outcome = "
	"excluded.outcome, "
	"reason = excluded.reason, strip = substr(site_state.strip || excluded.strip, -50), "
	"message = excluded.message WHERE site_state.started_at < ?12";

/* Where reports came late and yet the batch has the latest one. Until the strip is made anew its last letter is that outcome's. */
const char sqlite_advance_state[] =
	"UPDATE site_state SET started_at = ?2, seq = ?3, setup_id = ?4, http_status_code = ?5, "
	"total_us = ?6, producer_id = ?7, outcome = ?8, reason = ?9, strip = substr(strip || "
	"substr(?10, -1), -50), message = ?11, is_strip_stale = 1 WHERE site_id = ?1 AND "
	"(started_at, producer_id, seq) < (?2, ?7, ?3)";

static const char *const statement_texts[SQLITE_STATEMENT_COUNT] = {
#define STATEMENT_TEXT(suffix, sql) [SQLITE_STATEMENT_##suffix] = (sql),
	SQLITE_STATEMENTS(STATEMENT_TEXT)
#undef STATEMENT_TEXT
};

/* A statement being bound: place is the next parameter's. */
struct binding {
	sqlite3_stmt *statement;
	int place;
};

static void bind_text(struct binding *binding, const char *bytes, size_t length)
{
	(void)sqlite3_bind_text64(binding->statement, binding->place++, bytes, length,
				  SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void bind_word(struct binding *binding, const char *word)
{
	bind_text(binding, word, strlen(word));
}

static void bind_null(struct binding *binding)
{
	(void)sqlite3_bind_null(binding->statement, binding->place++);
}

static void bind_int(struct binding *binding, int64_t number)
{
	(void)sqlite3_bind_int64(binding->statement, binding->place++, number);
}

static void bind_time(struct binding *binding, wall_us time)
{
	char text[CLOCK_TEXT_SIZE];
	clock_format(time, text);
	bind_word(binding, text);
}

static void bind_uuid(struct binding *binding, const struct uuid *uuid)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(uuid, text);
	bind_word(binding, text);
}

static void bind_TEXT(struct binding *binding, struct row_text field)
{
	if (field.bytes == NULL)
		bind_null(binding);
	else
		bind_text(binding, field.bytes, field.length);
}

static void bind_LIST(struct binding *binding, struct row_text field)
{
	bind_TEXT(binding, field);
}

static void bind_OBJECT(struct binding *binding, struct row_text field)
{
	bind_TEXT(binding, field);
}

static void bind_INT(struct binding *binding, struct row_int field)
{
	if (field.is_present)
		bind_int(binding, field.value);
	else
		bind_null(binding);
}

static void bind_BOOL(struct binding *binding, struct row_bool field)
{
	if (field.is_present)
		bind_int(binding, field.value ? 1 : 0);
	else
		bind_null(binding);
}

static void bind_TIME(struct binding *binding, struct row_time field)
{
	if (field.is_present)
		bind_time(binding, field.value);
	else
		bind_null(binding);
}

static void bind_UUID(struct binding *binding, struct row_uuid field)
{
	bind_uuid(binding, &field.value);
}

static void bind_OUTCOME(struct binding *binding, struct row_outcome field)
{
	bind_word(binding, outcome_name(field.value));
}

static struct binding start(struct sqlite_store *store, enum sqlite_statement which)
{
	return (struct binding){.statement = store->statements[which], .place = 1};
}

/* Run a bound statement; *ret_changed: whether it changed a row. */
static int run(struct sqlite_store *store, const struct binding *binding, bool *ret_changed,
	       struct error *err)
{
	int step = sqlite3_step(binding->statement);
	if (ret_changed != NULL)
		*ret_changed = sqlite3_changes(store->db) > 0;
	int status = step == SQLITE_DONE ? 0 : sqlite_fail(store, "write", err);
	(void)sqlite3_reset(binding->statement);
	return status;
}

static int prepare(struct sqlite_store *store, struct error *err)
{
	for (int i = 0; i < SQLITE_STATEMENT_COUNT; i++)
		if (store->statements[i] == NULL &&
		    sqlite3_prepare_v3(store->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &store->statements[i], NULL) != SQLITE_OK)
			return sqlite_fail(store, "prepare", err);
	return 0;
}

static int write_name(struct sqlite_store *store, enum sqlite_statement which, int64_t id,
		      struct row_text name, wall_us now, struct error *err)
{
	struct binding binding = start(store, which);
	bind_int(&binding, id);
	bind_TEXT(&binding, name);
	bind_time(&binding, now);
	return run(store, &binding, NULL, err);
}

static int write_producer(struct sqlite_store *store, const struct plan_row *planned, wall_us now,
			  struct error *err)
{
	const struct report_row *row = planned->row;
	struct binding binding = start(store, SQLITE_STATEMENT_PRODUCER);
	bind_uuid(&binding, &row->producer_id.value);
	bind_int(&binding, planned->ids.location_id);
	bind_TEXT(&binding, row->host);
	if (row->has_prev) {
		bind_uuid(&binding, &row->prev.producer_id);
		bind_int(&binding, row->prev.seq);
	} else {
		bind_null(&binding);
		bind_null(&binding);
	}
	bind_time(&binding, now);
	return run(store, &binding, NULL, err);
}

static int write_setup(struct sqlite_store *store, const struct plan_row *planned, wall_us now,
		       struct error *err)
{
	struct binding binding = start(store, SQLITE_STATEMENT_SETUP);
	bind_int(&binding, planned->ids.setup_id);
	bind_int(&binding, planned->ids.site_id);
	bind_int(&binding, planned->ids.location_id);
#define BIND_FIELD(name, type) bind_##type(&binding, planned->row->name);
	SETUP_FIELDS(BIND_FIELD)
#undef BIND_FIELD
	bind_time(&binding, now);
	return run(store, &binding, NULL, err);
}

static int write_dimensions(struct sqlite_store *store, const struct plan_row *planned, wall_us now,
			    struct error *err)
{
	const struct report_row *row = planned->row;
	if (write_name(store, SQLITE_STATEMENT_SITE, planned->ids.site_id, row->site, now, err) !=
		    0 ||
	    write_name(store, SQLITE_STATEMENT_LOCATION, planned->ids.location_id, row->location,
		       now, err) != 0)
		return -1;
	return write_producer(store, planned, now, err) != 0
		       ? -1
		       : write_setup(store, planned, now, err);
}

static int write_report(struct sqlite_store *store, struct plan_row *planned, wall_us now,
			struct error *err)
{
	const struct report_row *row = planned->row;
	struct binding binding = start(store, SQLITE_STATEMENT_REPORT);
	bind_int(&binding, planned->ids.site_id);
	bind_time(&binding, row->started_at.value);
	bind_int(&binding, row->seq.value);
	bind_int(&binding, planned->ids.setup_id);
#define BIND_COLUMN(name, type) bind_##type(&binding, row->name);
	REPORT_COLUMNS(BIND_COLUMN)
#undef BIND_COLUMN
	bind_time(&binding, now);
	return run(store, &binding, &planned->is_inserted, err);
}

/* A statement whose first parameters are those of sqlite_upsert_state. */
static struct binding start_state(struct sqlite_store *store, enum sqlite_statement which,
				  const struct plan_state *state)
{
	const struct report_row *row = state->latest->row;
	struct binding binding = start(store, which);
	bind_int(&binding, state->latest->ids.site_id);
	bind_time(&binding, row->started_at.value);
	bind_int(&binding, row->seq.value);
	bind_int(&binding, state->latest->ids.setup_id);
	bind_INT(&binding, row->http_status_code);
	bind_INT(&binding, row->total_us);
	bind_uuid(&binding, &row->producer_id.value);
	bind_word(&binding, outcome_name(report_row_site_outcome(row)));
	bind_TEXT(&binding, report_row_site_reason(row));
	bind_word(&binding, state->strip);
	bind_TEXT(&binding, report_row_site_message(row));
	return binding;
}

static int write_state(struct sqlite_store *store, const struct plan_state *state,
		       struct store_written *written, struct error *err)
{
	bool is_written;
	struct binding binding = start_state(store, SQLITE_STATEMENT_STATE, state);
	bind_time(&binding, state->first_at);
	if (run(store, &binding, &is_written, err) != 0)
		return -1;
	if (is_written)
		return 0;
	written->late_sites++;
	binding = start_state(store, SQLITE_STATEMENT_ADVANCE, state);
	if (run(store, &binding, &is_written, err) != 0)
		return -1;
	if (is_written)
		return 0;
	binding = start(store, SQLITE_STATEMENT_MARK);
	bind_int(&binding, state->latest->ids.site_id);
	return run(store, &binding, NULL, err);
}

static int write_bad(struct sqlite_store *store, const struct store_bad_message *bad, wall_us now,
		     struct store_written *written, struct error *err)
{
	struct binding binding = start(store, SQLITE_STATEMENT_BAD);
	bind_int(&binding, store_id_of_message(&bad->origin, bad->bytes, bad->length));
	if (bad->origin.topic != NULL) {
		bind_word(&binding, bad->origin.topic);
		bind_int(&binding, bad->origin.partition);
		bind_int(&binding, bad->origin.offset);
	} else {
		bind_null(&binding);
		bind_null(&binding);
		bind_null(&binding);
	}
	bind_word(&binding, bad->reason);
	char *detail = text_clean_copy(bad->detail, strlen(bad->detail), 512);
	bind_word(&binding, detail);
	free(detail);
	if (bad->bytes == NULL) {
		bind_null(&binding);
		bind_null(&binding);
	} else {
		bind_int(&binding, (int64_t)bad->length);
		size_t kept = bad->length < STORE_BYTES_MAX ? bad->length : STORE_BYTES_MAX;
		(void)sqlite3_bind_blob64(binding.statement, binding.place++, bad->bytes, kept,
					  SQLITE_TRANSIENT);
	}
	bind_time(&binding, now);
	bool is_new = false;
	if (run(store, &binding, &is_new, err) != 0)
		return -1;
	written->quarantined += is_new ? 1 : 0;
	return 0;
}

static int write_positions(struct sqlite_store *store, const struct store_batch *batch, wall_us now,
			   struct error *err)
{
	for (size_t i = 0; batch->cluster_id != NULL && i < batch->position_count; i++) {
		struct binding binding = start(store, SQLITE_STATEMENT_POSITION);
		bind_word(&binding, batch->cluster_id);
		bind_word(&binding, store->store.group == NULL ? "" : store->store.group);
		bind_word(&binding, batch->positions[i].topic);
		bind_int(&binding, batch->positions[i].partition);
		bind_int(&binding, batch->positions[i].next);
		bind_time(&binding, now);
		if (run(store, &binding, NULL, err) != 0)
			return -1;
	}
	return 0;
}

/* A report of before what is kept. */
static int write_old(struct sqlite_store *store, const struct store_batch *batch, size_t index,
		     wall_us now, struct store_written *written, struct error *err)
{
	char detail[64] = "started_at ";
	clock_format(batch->rows[index].started_at.value, detail + strlen(detail));
	const struct store_bad_message bad = {
		.origin = batch->origins[index],
		.reason = "too_old",
		.detail = detail,
		.bytes = batch->messages[index].bytes,
		.length = batch->messages[index].length,
	};
	return write_bad(store, &bad, now, written, err);
}

/* Which rows are older than what is kept; NULL: none is. To be freed. */
static bool *find_old(const struct sqlite_store *store, const struct store_batch *batch)
{
	bool *is_old = NULL;
	wall_us now = clock_wall_us();
	for (size_t i = 0; store->store.keep_days != 0 && i < batch->row_count; i++) {
		if (!store_is_too_old(&store->store, &batch->rows[i], now))
			continue;
		if (is_old == NULL)
			is_old = xcalloc(batch->row_count, sizeof(*is_old));
		is_old[i] = true;
	}
	return is_old;
}

static int write_all(struct sqlite_store *store, const struct store_batch *batch,
		     struct store_plan *plan, const bool *is_old, struct store_written *written,
		     struct error *err)
{
	wall_us now = clock_wall_us();
	for (size_t i = 0; i < plan->row_count; i++) {
		struct plan_row *planned = &plan->rows[i];
		if ((planned->needs_dimensions &&
		     write_dimensions(store, planned, now, err) != 0) ||
		    write_report(store, planned, now, err) != 0)
			return -1;
		written->inserted += planned->is_inserted ? 1 : 0;
	}
	store_plan_states(plan);
	for (size_t i = 0; i < plan->state_count; i++)
		if (write_state(store, &plan->states[i], written, err) != 0)
			return -1;
	for (size_t i = 0; i < batch->bad_count; i++)
		if (write_bad(store, &batch->bad[i], now, written, err) != 0)
			return -1;
	for (size_t i = 0; is_old != NULL && i < batch->row_count; i++) {
		if (!is_old[i])
			continue;
		written->refused++;
		if (batch->quarantined == NULL &&
		    write_old(store, batch, i, now, written, err) != 0)
			return -1;
	}
	for (size_t i = 0; batch->quarantined != NULL && i < batch->row_count; i++) {
		if (is_old != NULL && is_old[i])
			continue;
		struct binding binding = start(store, SQLITE_STATEMENT_SETTLE);
		bind_int(&binding, batch->quarantined[i]);
		if (run(store, &binding, NULL, err) != 0)
			return -1;
	}
	if (sqlite_write_seq_chunks(store, batch, plan, is_old, now, err) != 0)
		return -1;
	written->duplicates = plan->duplicates + plan->row_count - written->inserted;
	return write_positions(store, batch, now, err);
}

int sqlite_write(struct store *base, const struct store_batch *batch,
		 struct store_written *ret_written, struct error *err)
{
	struct sqlite_store *store = (struct sqlite_store *)base;
	assert(store->mode == STORE_WRITE);
	struct store_written written = {.inserted = 0};
	if (sqlite_connect(store, err) != 0 || sqlite_check_relations(store, err) != 0 ||
	    prepare(store, err) != 0 || sqlite_begin(store, err) != 0)
		return -1;
	struct store_plan plan;
	bool *is_old = find_old(store, batch);
	store_plan_make(&plan, batch, is_old, store->ids);
	int status = write_all(store, batch, &plan, is_old, &written, err);
	free(is_old);
	if (status == 0)
		status = sqlite_execute(store, "COMMIT", err);
	if (status == 0) {
		store_ids_mark_stored(store->ids);
		*ret_written = written;
		sqlite_fold_seq_chunks(store);
	} else {
		sqlite_rollback(store);
	}
	store_plan_finish(&plan);
	return status;
}
