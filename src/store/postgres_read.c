/* What the page and `run` ask the store for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/postgres_parameters.h"
#include "store/postgres_store.h"

/* The highest seq was made at the end of the producer's life: near its newest report that is some site's latest. Where no site has
 * one, all reports are looked at. Two days leave room for a clock that jumped. */
static const char select_last_seq[] = "SELECT max(report.seq) FROM site JOIN report ON "
				      "report.site_id = site.id AND report.started_at >= coalesce("
				      "(SELECT max(started_at) - interval '2 days' FROM site_state "
				      "WHERE producer_id = $1::uuid), '-infinity') "
				      "WHERE report.producer_id = $1::uuid";

static const char select_sites[] =
	"SELECT site.name, coalesce(setup.url, ''), s.outcome, s.reason, coalesce(s.message, ''), "
	"s.started_at, "
	"s.total_us, coalesce(setup.interval_us, 0), s.http_status_code, coalesce(location.name, "
	"''), s.strip "
	"FROM site_state AS s JOIN site ON site.id = s.site_id LEFT JOIN check_setup AS setup ON "
	"setup.id = s.setup_id "
	"LEFT JOIN location ON location.id = setup.location_id ORDER BY site.name COLLATE \"C\"";

/* One statement outside a transaction; a missing relation is a schema that is not there yet. */
static int read(struct postgres_store *store, const char *sql, const struct parameter_list *list,
		PGresult **ret_result, struct error *err)
{
	if (postgres_connect(&store->connection, err) != 0)
		return -1;
	if (parameter_query(&store->connection, sql, list, ret_result, err) == 0)
		return 0;
	if (strcmp(store->connection.sqlstate, "42P01") == 0)
		err->kind = ERROR_RETRY;
	return -1;
}

int postgres_read_last_seq(struct store *base, const struct uuid *producer_id, bool *ret_found,
			   int64_t *ret_seq, struct error *err)
{
	struct postgres_store *store = (struct postgres_store *)base;
	struct parameter_list list = {0};
	parameter_uuid(&list, producer_id);
	PGresult *result;
	int status = read(store, select_last_seq, &list, &result, err);
	parameter_finish(&list);
	if (status != 0)
		return -1;
	*ret_found = !PQgetisnull(result, 0, 0);
	*ret_seq = *ret_found ? postgres_read_int64(PQgetvalue(result, 0, 0)) : -1;
	PQclear(result);
	return 0;
}

static int64_t int_or(const PGresult *result, int row, int column, int64_t missing)
{
	return PQgetisnull(result, row, column)
		       ? missing
		       : postgres_read_int64(PQgetvalue(result, row, column));
}

static void fill_site(struct store_site *site, const PGresult *result, int row)
{
	const char *outcome = PQgetvalue(result, row, 2);
	*site = (struct store_site){
		.name = PQgetvalue(result, row, 0),
		.url = PQgetvalue(result, row, 1),
		.outcome = OUTCOME_UNKNOWN,
		.reason = PQgetvalue(result, row, 3),
		.message = PQgetvalue(result, row, 4),
		.started_at = postgres_read_int64(PQgetvalue(result, row, 5)) + POSTGRES_EPOCH_US,
		.total_us = int_or(result, row, 6, -1),
		.interval_us = int_or(result, row, 7, 0),
		.http_status_code = (int)int_or(result, row, 8, 0),
		.location = PQgetvalue(result, row, 9),
	};
	(void)outcome_parse(outcome, strlen(outcome), &site->outcome);
	(void)snprintf(site->strip, sizeof(site->strip), "%s", PQgetvalue(result, row, 10));
}

int postgres_read_sites(struct store *base,
			bool (*on_site)(void *context, const struct store_site *site),
			void *context, struct error *err)
{
	struct postgres_store *store = (struct postgres_store *)base;
	struct parameter_list none = {0};
	PGresult *result;
	if (read(store, select_sites, &none, &result, err) != 0)
		return -1;
	for (int i = 0; i < PQntuples(result); i++) {
		struct store_site site;
		fill_site(&site, result, i);
		if (!on_site(context, &site))
			break;
	}
	PQclear(result);
	return 0;
}
