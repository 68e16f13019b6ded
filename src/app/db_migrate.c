/* `websentry db migrate`: create or upgrade the schema, or (--print) show its SQL. */
#include <stdio.h>

#include "app/commands.h"
#include "app/process.h"
#include "app/store_settings.h"
#include "base/log.h"
#include "config/settings.h"

/* PostgreSQL's: SQLite's has no other user than `run`, which makes it itself. */
static void print_schema(void)
{
	for (const char *const *files = store_schema_postgres(); *files != NULL; files++)
		(void)printf("%s\n", *files);
}

int command_db_migrate(const struct settings *settings)
{
	if (settings->print_sql) {
		print_schema();
		return EXIT_FINE;
	}
	struct error err = {0};
	struct store *store = store_settings_open(settings, STORE_WRITE, &err);
	int result = store == NULL ? -1 : store_migrate(store, true, &err);
	store_close(store);
	if (result != 0) {
		log_event(LOG_ERROR, err.message);
		return err.kind == ERROR_REJECT ? EXIT_USAGE : EXIT_FAILED;
	}
	log_event(LOG_INFO, "schema is up to date",
		  LOG_STR("database", settings->database_dsn != NULL ? "PostgreSQL" : "SQLite"));
	return EXIT_FINE;
}
