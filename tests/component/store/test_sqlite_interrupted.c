/* SQLite's work is broken off at each of its steps, as by a stop whose time is over: what is half done must not count as done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"
#include "folder.h"
#include "store/store.h"

/* So many steps are left until SQLite is interrupted, once; 0: it is not. */
static int steps_left;

static int on_step(void *context)
{
	(void)context;
	return steps_left > 0 && --steps_left == 0;
}

static int watch(sqlite3 *db, const char **ret_message, const struct sqlite3_api_routines *api)
{
	(void)ret_message;
	(void)api;
	sqlite3_progress_handler(db, 1, on_step, NULL);
	return SQLITE_OK;
}

static const char old_ranges[] =
	"DELETE FROM seq_range; INSERT INTO seq_range (state, producer_id, first, last, first_at, "
	"last_at, changed_at) VALUES "
	"('stored', '00000000-0000-4000-8000-000000000001', 0, 9, '2020-01-01T00:00:00.000000Z', "
	"'2020-01-01T01:00:00.000000Z', '2020-01-01T01:00:00.000000Z'), "
	"('stored', '00000000-0000-4000-8000-000000000002', 0, 9, '2020-01-01T00:00:00.000000Z', "
	"'2020-01-01T01:00:00.000000Z', '2020-01-01T01:00:00.000000Z')";

static int64_t count(const struct folder *folder, const char *state)
{
	char *sql = xasprintf("SELECT count(*) FROM seq_range WHERE state = '%s'", state);
	int64_t found = folder_count(folder, sql);
	free(sql);
	return found;
}

/* A report that is neither stored nor expired is missing, says the audit. */
static void what_is_kept_no_longer_goes_as_a_whole(void **state)
{
	(void)state;
	struct folder folder;
	struct error err;
	folder_make(&folder);
	struct store *store = folder_open_store(&folder);
	bool is_whole = false;
	for (int steps = 1; !is_whole; steps++) {
		int again_ms;
		folder_execute(&folder, old_ranges);
		store_keep(store,
			   steps); /* another day each time: what was done is not done again */
		steps_left = steps;
		int status = store_tidy(store, &again_ms, &err);
		is_whole = steps_left > 0;
		steps_left = 0;
		assert_int_equal(status == 0, is_whole);
		int64_t expired = count(&folder, "expired");
		assert_true(!is_whole || expired == 2);
		assert_int_equal(count(&folder, "stored"), 2 - expired);
	}
	store_close(store);
	folder_remove(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept_no_longer_goes_as_a_whole),
	};
	(void)sqlite3_auto_extension((void (*)(void))watch);
	return cmocka_run_group_tests_name("store_sqlite_interrupted", tests, NULL, NULL);
}
