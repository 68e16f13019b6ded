/* Every field of the wire has a place in the tables, and report_view shows each under its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "check/report_row.h"
#include "store/store.h"
#include "store/store_columns.h"

#define NAME(name, ...) #name,
static const char *const fields[] = {REPORT_FIELDS(NAME)};
static const char *const report_columns[] = {"started_at", "seq", REPORT_COLUMNS(NAME)};
static const char *const setup_columns[] = {"site", "location", SETUP_FIELDS(NAME)};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool has(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void each_field_stands_in_one_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		int places = has(report_columns, COUNT(report_columns), fields[i]) +
			     has(setup_columns, COUNT(setup_columns), fields[i]);
		if (places != 1)
			fail_msg("%s stands in %d tables", fields[i], places);
	}
	assert_int_equal(COUNT(report_columns) + COUNT(setup_columns), COUNT(fields));
}

/* The names between the view's SELECT and FROM, in order. */
static void compare_view(const char *const *files)
{
	const char *at = NULL;
	for (; *files != NULL && at == NULL; files++)
		at = strstr(*files, "VIEW report_view AS");
	assert_non_null(at);
	at = strstr(at, "SELECT\n") + strlen("SELECT\n");
	/* what came after the first release stands behind the rest: PostgreSQL lets a view grow at its end alone */
	enum { FIRST_FIELDS = 43 };
	for (size_t i = 0; i <= COUNT(fields); i++) {
		const char *wanted = i < FIRST_FIELDS    ? fields[i]
				     : i == FIRST_FIELDS ? "stored_at"
							 : fields[i - 1];
		char line[128];
		int length = (int)strcspn(at, "\n");
		(void)snprintf(line, sizeof(line), "%.*s", length, at);
		at += length + 1;
		char *name = strstr(line, " AS ") != NULL ? strstr(line, " AS ") + 4
							  : strchr(line, '.') + 1;
		name[strcspn(name, ",")] = '\0';
		assert_string_equal(name, wanted);
	}
	assert_memory_equal(at, "FROM report\n", strlen("FROM report\n"));
}

static void report_view_has_the_fields_of_the_wire(void **state)
{
	(void)state;
	compare_view(store_schema_postgres());
	compare_view(store_schema_sqlite());
}

/* The columns of CREATE TABLE name, as ",a,b,c,". */
static void columns_of(const char *const *files, const char *table, char *out, size_t size)
{
	char start[64];
	(void)snprintf(start, sizeof(start), "CREATE TABLE IF NOT EXISTS %s (", table);
	const char *at = NULL;
	for (; *files != NULL && at == NULL; files++)
		at = strstr(*files, start);
	assert_non_null(at);
	size_t used = (size_t)snprintf(out, size, ",");
	for (at = strchr(at, '\n') + 1; *at == '\t'; at = strchr(at, '\n') + 1) {
		int length = (int)strcspn(at + 1, " ");
		if (at[1] >= 'a' && at[1] <= 'z')
			used += (size_t)snprintf(out + used, size - used, "%.*s,", length, at + 1);
	}
}

static void both_databases_have_the_same_columns(void **state)
{
	(void)state;
	static const char *const tables[] = {"site",   "location",   "producer",   "check_setup",
					     "report", "site_state", "quarantine", "kafka_offset"};
	for (size_t i = 0; i < COUNT(tables); i++) {
		char postgres[2048];
		char sqlite[2048];
		columns_of(store_schema_postgres(), tables[i], postgres, sizeof(postgres));
		columns_of(store_schema_sqlite(), tables[i], sqlite, sizeof(sqlite));
		assert_string_equal(postgres, sqlite);
	}
}

static void copy_lists_the_tables_columns_in_their_order(void **state)
{
	(void)state;
	char columns[2048];
	columns_of(store_schema_postgres(), "report", columns, sizeof(columns));
	const char *at = columns;
	size_t count = 0;
	for (const char *name = REPORT_COLUMN_NAMES; *name != '\0'; name += strspn(name, ", ")) {
		char wanted[80];
		int length = (int)strcspn(name, ",");
		(void)snprintf(wanted, sizeof(wanted), ",%.*s,", length, name);
		at = strstr(at, wanted);
		if (at == NULL)
			fail_msg("%s is missing or out of order", wanted);
		name += length;
		count++;
	}
	assert_int_equal(count, REPORT_COLUMN_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_field_stands_in_one_table),
		cmocka_unit_test(report_view_has_the_fields_of_the_wire),
		cmocka_unit_test(both_databases_have_the_same_columns),
		cmocka_unit_test(copy_lists_the_tables_columns_in_their_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
