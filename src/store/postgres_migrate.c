/*
 * The schema: all files of schema/postgres/ are replayed in one transaction under an advisory lock. Before that each relation with
 * one of our names is looked at: without our mark in its comment it is somebody else's, and nothing is touched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/postgres_parameters.h"
#include "store/postgres_store.h"

/* "websentr" and a number, so that it is no other program's lock by accident. */
#define MIGRATE_LOCK "8602260756014002290"

/* Name and comment of each relation that has one of our names … */
#define SELECT_MARKS                                                                               \
	"SELECT c.relname, obj_description(c.oid, 'pg_class') FROM pg_class AS c "                 \
	"WHERE c.relname IN ('site', 'location', 'producer', 'check_setup', 'report', "            \
	"'report_default', 'site_state', "                                                         \
	"'kafka_offset', 'quarantine', 'seq_chunk', 'seq_range', 'seq_mark', 'report_view', "      \
	"'uptime_view', 'quarantine_view', 'delivery_audit_view') "

/* … wherever in the schema that we would create in, … */
static const char select_marks[] =
	SELECT_MARKS "AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = "
		     "current_schema()) ORDER BY c.relname";

/* … or that we would read. */
static const char select_read_marks[] =
	SELECT_MARKS "AND pg_table_is_visible(c.oid) ORDER BY c.relname";

/*
 * What would give our role the rights that it lacks, as statements; null where it has all. DELETE: ranges of seq replace bitmaps and one
 * another. $1: with --retention, which deletes from report_default, and drops days, which only their owner can.
 */
static const char select_rights[] =
	"WITH wanted (relation, privilege) AS ("
	"SELECT relation, privilege FROM unnest(ARRAY['site', 'location', 'producer', "
	"'check_setup', 'report', 'site_state', 'kafka_offset', 'quarantine', 'seq_chunk', "
	"'seq_range', 'seq_mark']) AS relation, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS "
	"privilege "
	"UNION ALL SELECT unnest(ARRAY['seq_chunk', 'seq_range', 'seq_mark']), 'DELETE' "
	"UNION ALL SELECT 'report_default', unnest(ARRAY['SELECT', 'DELETE']) WHERE $1::bigint <> "
	"0), "
	"lacking AS (SELECT relation, string_agg(privilege, ', ' ORDER BY position(privilege IN "
	"'SELECT INSERT UPDATE DELETE')) AS privileges FROM wanted "
	"WHERE NOT has_table_privilege(relation::regclass, privilege) GROUP BY relation), "
	"owners AS (SELECT DISTINCT relowner FROM pg_partition_tree('report') JOIN pg_class ON oid "
	"= "
	"relid WHERE $1::bigint <> 0 AND NOT pg_has_role(relowner, 'USAGE')), "
	"grants AS (SELECT format('GRANT %s ON %s TO %I', privileges, string_agg(relation, ', ' "
	"ORDER BY relation), current_user) AS line FROM lacking GROUP BY privileges "
	"UNION ALL SELECT format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), "
	"current_user) WHERE NOT has_database_privilege(current_database(), 'TEMPORARY') "
	"UNION ALL SELECT format('GRANT %I TO %I', rolname, current_user) FROM owners JOIN "
	"pg_roles "
	"ON oid = relowner WHERE NOT rolsuper "
	/* Nobody should be given a superuser's rights for this. */
	"UNION ALL SELECT format('DO $$DECLARE part regclass; BEGIN FOR part IN SELECT relid FROM "
	"pg_partition_tree(''report'') LOOP EXECUTE format(''ALTER TABLE %%s OWNER TO %I'', part); "
	"END LOOP; END$$', current_user) WHERE EXISTS (SELECT FROM owners JOIN pg_roles ON oid = "
	"relowner WHERE rolsuper)) "
	"SELECT string_agg(line, '; ' ORDER BY line) || CASE WHEN EXISTS (SELECT FROM owners) THEN "
	"' (for --retention: only its owner can drop a day of report)' ELSE '' END FROM grants";

int postgres_read_relations(struct postgres_store *store, const char *sql, char **ret_relations,
			    struct error *err)
{
	PGresult *result;
	if (postgres_execute(&store->connection, sql, &result, err) != 0)
		return -1;
	struct buffer oids;
	buffer_init(&oids, 1024);
	bool is_complete = true;
	for (int i = 0; i < PQnfields(result); i++) {
		is_complete = is_complete && !PQgetisnull(result, 0, i);
		(void)buffer_append_format(&oids, "%s ", PQgetvalue(result, 0, i));
	}
	PQclear(result);
	*ret_relations = is_complete ? buffer_take(&oids) : NULL;
	buffer_finish(&oids);
	return 0;
}

/* The name of the schema and of the role, quoted, for messages. */
static void read_place(struct postgres_store *store, char schema[static 128], char role[static 128])
{
	(void)snprintf(schema, 128, "public");
	(void)snprintf(role, 128, "the_role");
	PGresult *result;
	struct error ignored;
	if (postgres_execute(&store->connection,
			     "SELECT quote_ident(current_schema()), quote_ident(current_user)",
			     &result, &ignored) != 0)
		return;
	if (!PQgetisnull(result, 0, 0))
		(void)snprintf(schema, 128, "%s", PQgetvalue(result, 0, 0));
	(void)snprintf(role, 128, "%s", PQgetvalue(result, 0, 1));
	PQclear(result);
}

static int check_schema(struct postgres_store *store, struct error *err)
{
	PGresult *result;
	if (postgres_execute(&store->connection, "SELECT current_schema()", &result, err) != 0)
		return -1;
	bool is_missing = PQgetisnull(result, 0, 0);
	PQclear(result);
	if (is_missing) {
		error_set(err, ERROR_REJECT,
			  "the database has no schema to use: create the first one of the role's "
			  "search_path, "
			  "and GRANT USAGE on it");
		return -1;
	}
	return 0;
}

/* What to do about a newer release, for who would write and who would read. */
static const char write_remedy[] = "upgrade this program, or start it with --no-migrate";
static const char read_remedy[] = "upgrade this program";

/* Somebody else's relation, or (remedy not NULL) one of a newer release: ERROR_REJECT. */
static int check_marks(struct postgres_store *store, const char *select, const char *remedy,
		       struct error *err)
{
	PGresult *result;
	if (postgres_execute(&store->connection, select, &result, err) != 0)
		return -1;
	int status = 0;
	for (int i = 0; i < PQntuples(result) && status == 0; i++) {
		const char *name = PQgetvalue(result, i, 0);
		int version = store_mark_version(
			PQgetisnull(result, i, 1) ? NULL : PQgetvalue(result, i, 1));
		if (version < 0) {
			error_set(err, ERROR_REJECT,
				  "relation \"%s\" in the database is somebody else's (its comment "
				  "lacks our mark): "
				  "use another database or another schema (search_path)",
				  name);
			status = -1;
		} else if (version > STORE_SCHEMA_VERSION && remedy != NULL) {
			error_set(err, ERROR_REJECT,
				  "relation \"%s\" in the database is of a newer release: found "
				  "version %d, expected at most %d: %s",
				  name, version, STORE_SCHEMA_VERSION, remedy);
			status = -1;
		}
	}
	PQclear(result);
	return status;
}

int postgres_check_version(struct store *base, struct error *err)
{
	struct postgres_store *store = (struct postgres_store *)base;
	if (postgres_connect(&store->connection, err) != 0)
		return -1;
	return check_marks(store, select_read_marks, read_remedy, err);
}

/* In an open transaction. */
static int replay(struct postgres_store *store, struct error *err)
{
	for (const char *const *file = store_schema_postgres(); *file != NULL; file++)
		if (postgres_execute(&store->connection, *file, NULL, err) != 0)
			return -1;
	return postgres_execute(&store->connection, "COMMIT", NULL, err);
}

/* A right is missing: say what would give it. */
static void explain_rights(struct postgres_store *store, struct error *err)
{
	char schema[128];
	char role[128];
	read_place(store, schema, role);
	char cause[256];
	(void)snprintf(cause, sizeof(cause), "%.255s", err->message);
	error_set(err, ERROR_REJECT,
		  "%s: GRANT USAGE, CREATE ON SCHEMA %s TO %s, or run `websentry db migrate` as "
		  "the owner of the tables "
		  "and start this one with --no-migrate",
		  cause, schema, role);
}

static int migrate(struct postgres_store *store, struct error *err)
{
	struct postgres_connection *connection = &store->connection;
	if (postgres_execute(connection, "BEGIN; SELECT pg_advisory_xact_lock(" MIGRATE_LOCK ")",
			     NULL, err) == 0 &&
	    check_schema(store, err) == 0 &&
	    check_marks(store, select_marks, write_remedy, err) == 0 && replay(store, err) == 0)
		return 0;
	bool is_forbidden = strcmp(connection->sqlstate, "42501") == 0 && err->kind == ERROR_REJECT;
	postgres_rollback(connection);
	if (is_forbidden)
		explain_rights(store, err);
	return -1;
}

static int check_complete(struct postgres_store *store, struct error *err)
{
	PGresult *result;
	if (postgres_execute(&store->connection, select_marks, &result, err) != 0)
		return -1;
	const char *missing = NULL;
	for (size_t i = 0; store_relations[i] != NULL && missing == NULL; i++) {
		missing = store_relations[i];
		for (int j = 0; j < PQntuples(result) && missing != NULL; j++)
			if (strcmp(PQgetvalue(result, j, 0), missing) == 0 &&
			    store_mark_version(PQgetvalue(result, j, 1)) >= STORE_SCHEMA_VERSION)
				missing = NULL;
	}
	PQclear(result);
	if (missing == NULL)
		return 0;
	char schema[128];
	char role[128];
	read_place(store, schema, role);
	error_set(err, ERROR_REJECT,
		  "relation \"%s\" is missing or of an older release, and --no-migrate forbids to "
		  "make it: run "
		  "`websentry db migrate` as the owner, or GRANT USAGE, CREATE ON SCHEMA %s TO %s "
		  "and leave --no-migrate out",
		  missing, schema, role);
	return -1;
}

static int check_rights(struct postgres_store *store, struct error *err)
{
	struct parameter_list list = {0};
	PGresult *result;
	parameter_int8(&list, store->store.keep_days);
	int status = parameter_query(&store->connection, select_rights, &list, &result, err);
	parameter_finish(&list);
	if (status != 0)
		return -1;
	bool is_fine = PQgetisnull(result, 0, 0);
	if (!is_fine)
		error_set(err, ERROR_REJECT, "the database role lacks rights: %s",
			  PQgetvalue(result, 0, 0));
	PQclear(result);
	return is_fine ? 0 : -1;
}

int postgres_migrate(struct postgres_store *store, bool is_allowed, struct error *err)
{
	store->may_migrate = is_allowed;
	if (postgres_connect(&store->connection, err) != 0)
		return -1;
	postgres_forget(store);
	if (is_allowed ? migrate(store, err) != 0
		       : check_schema(store, err) != 0 ||
				 check_marks(store, select_marks, NULL, err) != 0 ||
				 check_complete(store, err) != 0)
		return -1;
	return check_rights(store, err);
}
