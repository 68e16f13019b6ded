/* The folder of the database goes away and comes back, as a volume may: what was stored in it is still there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/clock.h"
#include "folder.h"
#include "rows.h"

static int write_report(struct store *store, int64_t seq, struct error *err)
{
	struct rows rows = {0};
	struct store_written written;
	rows_add(&rows, rows_make("a", rows_producer(1), seq, ROWS_NOON + seq * CLOCK_US_PER_S,
				  OUTCOME_UP));
	struct store_batch batch = rows_batch(&rows);
	int status = store_write(store, &batch, &written, err);
	rows_finish(&rows);
	return status;
}

static bool ignore_site(void *context, const struct store_site *site)
{
	(void)context;
	(void)site;
	return true;
}

/* As long as the page reads it, what was committed lies in its log. */
static void what_was_stored_before_it_went_is_there_when_it_is_back(void **state)
{
	(void)state;
	struct folder folder;
	struct error err;
	char elsewhere[80];
	folder_make(&folder);
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s.away", folder.path);
	struct store *store = store_open_sqlite(folder.file, STORE_WRITE, &err);
	struct store *page = store_open_sqlite(folder.file, STORE_READ, &err);
	assert_non_null(store);
	assert_int_equal(store_migrate(store, true, &err), 0);
	assert_int_equal(write_report(store, 0, &err), 0);
	assert_int_equal(store_read_sites(page, ignore_site, NULL, &err), 0);

	assert_int_equal(rename(folder.path, elsewhere), 0);
	assert_int_equal(write_report(store, 1, &err), -1);
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_int_equal(rename(elsewhere, folder.path), 0);
	assert_int_equal(write_report(store, 1, &err), 0);
	assert_int_equal(store_read_sites(page, ignore_site, NULL, &err), 0);
	folder_assert(&folder, "SELECT group_concat(seq) FROM report", "0,1");
	store_close(store);
	store_close(page);
	folder_assert(&folder, "SELECT group_concat(seq) FROM report", "0,1");
	folder_remove(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_stored_before_it_went_is_there_when_it_is_back),
	};
	return cmocka_run_group_tests_name("store_sqlite_moved", tests, NULL, NULL);
}
