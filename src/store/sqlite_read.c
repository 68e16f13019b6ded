/* What the page asks the store for. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/sqlite_store.h"

static const char select_position[] =
	"SELECT next FROM kafka_offset WHERE cluster_id = ?1 AND topic = ?2 AND partition = ?3 "
	"AND group_id IN (?4, '') ORDER BY group_id DESC LIMIT 1";

/* The highest seq was made at the end of the producer's life: near its newest report that is some site's latest. Where no site has
 * one, all reports are looked at. Two days leave room for a clock that jumped. */
static const char select_last_seq[] = "SELECT max(report.seq) FROM site JOIN report ON "
				      "report.site_id = site.id AND report.started_at >= coalesce("
				      "(SELECT strftime('%Y-%m-%dT%H:%M:%S', max(started_at), '-2 "
				      "days') FROM site_state WHERE producer_id = ?1), '') "
				      "WHERE report.producer_id = ?1";

static const char select_sites[] =
	"SELECT site.name, setup.url, s.outcome, s.reason, s.message, s.started_at, s.total_us, "
	"setup.interval_us, "
	"s.http_status_code, location.name, s.strip FROM site_state AS s JOIN site ON site.id = "
	"s.site_id "
	"LEFT JOIN check_setup AS setup ON setup.id = s.setup_id "
	"LEFT JOIN location ON location.id = setup.location_id ORDER BY site.name";

static sqlite3_stmt *prepare(struct sqlite_store *store, const char *sql, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite_connect(store, err) != 0)
		return NULL;
	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
		(void)sqlite_fail(store, "read", err);
	return statement;
}

int sqlite_read_positions(struct store *base, const char *cluster_id,
			  struct store_position *positions, size_t count, struct error *err)
{
	struct sqlite_store *store = (struct sqlite_store *)base;
	sqlite3_stmt *statement = prepare(store, select_position, err);
	if (statement == NULL)
		return -1;
	int status = 0;
	for (size_t i = 0; i < count && status == 0; i++) {
		(void)sqlite3_bind_text(statement, 1, cluster_id, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(statement, 2, positions[i].topic, -1, SQLITE_STATIC);
		(void)sqlite3_bind_int(statement, 3, positions[i].partition);
		(void)sqlite3_bind_text(statement, 4, base->group == NULL ? "" : base->group, -1,
					SQLITE_STATIC);
		positions[i].claim = 0; /* one process writes, and nobody else moves a position */
		int step = sqlite3_step(statement);
		if (step == SQLITE_ROW)
			positions[i].next = sqlite3_column_int64(statement, 0);
		else if (step == SQLITE_DONE)
			positions[i].next = -1;
		else
			status = sqlite_fail(store, "read", err);
		(void)sqlite3_reset(statement);
	}
	(void)sqlite3_finalize(statement);
	return status;
}

int sqlite_read_last_seq(struct store *base, const struct uuid *producer_id, bool *ret_found,
			 int64_t *ret_seq, struct error *err)
{
	struct sqlite_store *store = (struct sqlite_store *)base;
	sqlite3_stmt *statement = prepare(store, select_last_seq, err);
	if (statement == NULL)
		return -1;
	char text[UUID_TEXT_SIZE];
	uuid_format(producer_id, text);
	(void)sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
	int status = 0;
	if (sqlite3_step(statement) == SQLITE_ROW) {
		*ret_found = sqlite3_column_type(statement, 0) != SQLITE_NULL;
		*ret_seq = *ret_found ? sqlite3_column_int64(statement, 0) : -1;
	} else {
		status = sqlite_fail(store, "read", err);
	}
	(void)sqlite3_finalize(statement);
	return status;
}

static int64_t int_or(sqlite3_stmt *statement, int column, int64_t missing)
{
	return sqlite3_column_type(statement, column) == SQLITE_NULL
		       ? missing
		       : sqlite3_column_int64(statement, column);
}

static void fill_site(struct store_site *site, sqlite3_stmt *statement)
{
	*site = (struct store_site){
		.name = sqlite_text(statement, 0),
		.url = sqlite_text(statement, 1),
		.outcome = OUTCOME_UNKNOWN,
		.reason = sqlite_text(statement, 3),
		.message = sqlite_text(statement, 4),
		.total_us = int_or(statement, 6, -1),
		.interval_us = int_or(statement, 7, 0),
		.http_status_code = (int)int_or(statement, 8, 0),
		.location = sqlite_text(statement, 9),
	};
	const char *outcome = sqlite_text(statement, 2);
	(void)outcome_parse(outcome, strlen(outcome), &site->outcome);
	const char *started_at = sqlite_text(statement, 5);
	(void)clock_parse(started_at, strlen(started_at), &site->started_at);
	(void)snprintf(site->strip, sizeof(site->strip), "%s", sqlite_text(statement, 10));
}

int sqlite_read_sites(struct store *base,
		      bool (*on_site)(void *context, const struct store_site *site), void *context,
		      struct error *err)
{
	struct sqlite_store *store = (struct sqlite_store *)base;
	sqlite3_stmt *statement = prepare(store, select_sites, err);
	if (statement == NULL)
		return -1;
	int step;
	bool is_wanted = true;
	while (is_wanted && (step = sqlite3_step(statement)) == SQLITE_ROW) {
		struct store_site site;
		fill_site(&site, statement);
		is_wanted = on_site(context, &site);
	}
	int status = is_wanted && step != SQLITE_DONE ? sqlite_fail(store, "read", err) : 0;
	(void)sqlite3_finalize(statement);
	return sqlite_confirm(store, status, err);
}
