/* Batches into a real SQLite: each report once, as it was, with the state of its site. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "folder.h"
#include "rows.h"

static struct folder folder;
static struct store *store;
static struct rows rows;
static struct error err;

static int setup(void **state)
{
	(void)state;
	folder_make(&folder);
	store = folder_open_store(&folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	rows_finish(&rows);
	folder_remove(&folder);
	return 0;
}

static struct store_written write_batch(const struct store_batch *batch)
{
	struct store_written written = {0};
	if (store_write(store, batch, &written, &err) != 0)
		fail_msg("%s", err.message);
	return written;
}

/* Write the rows added so far, and forget them. */
static struct store_written write_rows(void)
{
	struct store_batch batch = rows_batch(&rows);
	struct store_written written = write_batch(&batch);
	rows_finish(&rows);
	return written;
}

static void add(const char *site, int64_t seq, int second, enum outcome outcome)
{
	rows_add(&rows, rows_make(site, rows_producer(1), seq, ROWS_NOON + second * CLOCK_US_PER_S,
				  outcome));
}

static void assert_query(const char *sql, const char *wanted)
{
	folder_assert(&folder, sql, wanted);
}

static void every_field_comes_back(void **state)
{
	(void)state;
	rows_add(&rows, rows_make_full(7, ROWS_NOON));
	assert_int_equal(write_rows().inserted, 1);
	static const struct {
		const char *column;
		const char *value;
	} cases[] = {
		{"v", "1"},
		{"producer_id", "ee000000-0000-0000-0000-000000000063"},
		{"seq", "7"},
		{"kind", "http"},
		{"site", "Ünïcode \xf0\x9f\x92\xa1 'quoted\" \\ <b>"},
		{"url", "http://127.0.0.1/"},
		{"host", "probe-1"},
		{"location", "eu-1"},
		{"labels", "{\"team\":\"a\\\"b\",\"ключ\":\"\\u00e9\"}"},
		{"interval_us", "9223372036854775807"},
		{"timeout_us", "-9223372036854775808"},
		{"scheduled_at", "2026-11-21T11:59:59.999850Z"},
		{"started_at", "2026-11-21T12:00:00.000000Z"},
		{"late_us", "-1"},
		{"suspect", "1"},
		{"missed", "0"},
		{"outcome", "degraded"},
		{"reason", "timeout"},
		{"message", ""},
		{"failures", "[\"slow\",\"cert_expiring\"]"},
		{"http_status_code", "999"},
		{"http_version", "1.1"},
		{"ip", "2001:db8::1"},
		{"dns_us", "0"},
		{"connect_us", "1"},
		{"tls_us", "9223372036854775807"},
		{"wait_us", "-9223372036854775808"},
		{"transfer_us", "5"},
		{"total_us", "6"},
		{"body_bytes", "7"},
		{"decoded_bytes", "9007199254740992"},
		{"redirects", "[{\"url\":\"http://a/\",\"http_status_code\":301,\"total_us\":12}]"},
		{"attempts", "[]"},
		{"pattern", "id=\"([^\"]+)\""},
		{"pattern_matched", "0"},
		{"pattern_capture", "{}, \\N \t\n\\."},
		{"tls_version", "1.3"},
		{"cert_not_after", "2026-11-21T12:00:00.000001Z"},
		{"chain_not_after", "9999-12-31T23:59:59.999999Z"},
		{"cert_issuer", "CN=R3,O=Let's Encrypt,C=US"},
		{"keepalive", "1"},
		{"evidence", "{\"body\":\"<html>\",\"n\":-1.5e-3,\"deep\":[[[null,true]]]}"},
		{"truncated", "0"},
		{"round", "{\"address\":\"2001:db8::1\",\"outcome\":\"degraded\"}"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char sql[96];
		(void)snprintf(sql, sizeof(sql), "SELECT %s FROM report_view", cases[i].column);
		assert_query(sql, cases[i].value);
	}
	assert_query("SELECT stored_at LIKE '____-__-__T__:__:__.______Z' FROM report_view", "1");
}

static void absent_fields_are_null(void **state)
{
	(void)state;
	struct report_row row = rows_make("a", rows_producer(1), 0, ROWS_NOON, OUTCOME_UP);
	row.http_status_code.is_present = row.total_us.is_present = false;
	rows_add(&rows, row);
	(void)write_rows();
	static const char *const columns[] = {"labels",           "suspect",        "message",
					      "http_status_code", "total_us",       "redirects",
					      "pattern",          "cert_not_after", "keepalive",
					      "evidence",         "round"};
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		char sql[96];
		(void)snprintf(sql, sizeof(sql), "SELECT %s FROM report_view", columns[i]);
		assert_query(sql, NULL);
	}
}

static void a_report_is_stored_once(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 100; i++)
			add("a", i % 50 + round * 25, i % 50 + round * 25, OUTCOME_UP);
		struct store_written written = write_rows();
		assert_int_equal(written.inserted, round == 0 ? 50 : 25);
		assert_int_equal(written.duplicates, round == 0 ? 50 : 75);
	}
	assert_int_equal(folder_count(&folder, "SELECT count(*) FROM report"), 100);
	assert_query("SELECT strip FROM site_state",
		     "UUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUU");
}

/* All steps, of which there are so many. */
static void refresh_strips(int steps)
{
	bool is_done = false;
	for (int i = 1; i <= steps; i++) {
		assert_int_equal(store_refresh_strips(store, &is_done, &err), 0);
		assert_int_equal(is_done, i == steps);
	}
}

static void late_reports_do_not_move_the_latest(void **state)
{
	(void)state;
	add("a", 5, 50, OUTCOME_UP);
	add("a", 6, 60, OUTCOME_DOWN);
	(void)write_rows();
	assert_query("SELECT strip FROM site_state", "UD");
	add("a", 3, 30, OUTCOME_DEGRADED); /* before all */
	assert_int_equal(write_rows().late_sites, 1);
	assert_query("SELECT strip || seq || is_strip_stale FROM site_state", "UD61");
	refresh_strips(1);
	assert_query("SELECT strip || seq || is_strip_stale FROM site_state", "GUD60");
	add("a", 4, 55, OUTCOME_UNKNOWN); /* between */
	add("a", 7, 70, OUTCOME_UP);      /* and after, in one batch */
	assert_int_equal(write_rows().late_sites, 1);
	/* The latest is the latest at once. */
	assert_query("SELECT strip || seq || outcome FROM site_state", "GUDU7up");
	refresh_strips(1);
	assert_query("SELECT strip || seq || outcome FROM site_state", "GU?DU7up");
	add("a", 7, 70, OUTCOME_UP); /* once more: no change */
	assert_int_equal(write_rows().late_sites, 0);
	assert_query("SELECT strip || seq || is_strip_stale FROM site_state", "GU?DU70");
}

/* Of reports that began in the same microsecond the order of the key decides which is the latest, in the state as in the strip. */
static void of_equal_times_the_key_decides(void **state)
{
	(void)state;
	add("a", 5, 50, OUTCOME_UP);
	(void)write_rows();
	add("a", 4, 50, OUTCOME_DOWN);
	assert_int_equal(write_rows().late_sites, 1);
	assert_query("SELECT seq || outcome FROM site_state", "5up");
	add("a", 6, 50, OUTCOME_DEGRADED);
	assert_int_equal(write_rows().late_sites, 1);
	assert_query("SELECT seq || outcome FROM site_state", "6degraded");
	refresh_strips(1);
	assert_query("SELECT strip FROM site_state", "DUG");
}

#define PART(address) "{\"address\":\"" address "\",\"addresses\":2}"
#define SPEAKER(outcome)                                                                           \
	"{\"address\":\"192.0.2.1\",\"outcome\":\"" outcome                                        \
	"\",\"reason\":\"connect_refused\",\"message\":\"1 of 2\"}"

static void add_round(const char *site, int64_t seq, int second, const char *round,
		      enum outcome outcome)
{
	rows_add(&rows,
		 rows_make_round(site, seq, ROWS_NOON + second * CLOCK_US_PER_S, round, outcome));
}

/* However its reports are spread over batches, and in whatever order they come. */
static void a_round_is_one_check_of_its_site(void **state)
{
	(void)state;
	add("a", 1, 10, OUTCOME_UP);
	add_round("a", 3, 20, PART("192.0.2.2"), OUTCOME_UP);
	(void)write_rows();
	assert_query("SELECT strip || seq FROM site_state", "U1");
	add_round("a", 2, 20, SPEAKER("down"), OUTCOME_DOWN);
	add_round("a", 4, 20, PART("192.0.2.3"), OUTCOME_UP);
	assert_int_equal(write_rows().late_sites, 0);
	assert_query("SELECT strip || seq || outcome || reason || message FROM site_state",
		     "UD2downconnect_refused1 of 2 addresses fails: 192.0.2.1 connect_refused");
	/* what comes late counts by the same rule */
	add_round("a", 6, 15, PART("192.0.2.2"), OUTCOME_UP);
	add_round("a", 5, 15, SPEAKER("degraded"), OUTCOME_DEGRADED);
	assert_int_equal(write_rows().late_sites, 1);
	refresh_strips(1);
	assert_query("SELECT strip || seq FROM site_state", "UGD2");
	/* and so does a state that is made again */
	folder_execute(&folder, "DROP TABLE site_state");
	add("b", 7, 30, OUTCOME_UP);
	(void)write_rows();
	assert_query("SELECT strip || seq || outcome || reason || message FROM site_state WHERE "
		     "site_id = (SELECT id FROM site WHERE name = 'a')",
		     "UGD2downconnect_refused1 of 2");
	assert_query("SELECT count(*) FROM report_view WHERE round IS NOT NULL", "5");
}

static void many_stale_strips_take_several_steps(void **state)
{
	(void)state;
	enum { SITES = 2 * STORE_STRIPS_STEP + 1 };
	char names[SITES][24]; /* borrowed by the rows */
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < SITES; i++) {
			(void)snprintf(names[i], sizeof(names[i]), "site %d", i);
			/* The second half of the rows is the older one. */
			add(names[i], round * SITES + i, round == 0 ? 20 : 10,
			    round == 0 ? OUTCOME_UP : OUTCOME_DOWN);
		}
		assert_int_equal(write_rows().late_sites, round == 0 ? 0 : SITES);
	}
	refresh_strips(3);
	assert_query("SELECT DISTINCT strip FROM site_state", "DU");
	/* Somebody deleted all reports of a site: there is nothing to make a strip of, and no reason to try for ever. */
	folder_execute(&folder, "DELETE FROM report WHERE site_id = (SELECT id FROM site WHERE "
				"name = 'site 7')");
	folder_execute(&folder, "UPDATE site_state SET is_strip_stale = 1 WHERE site_id = (SELECT "
				"id FROM site WHERE name = 'site 7')");
	refresh_strips(1);
	assert_query("SELECT sum(is_strip_stale) FROM site_state", "0");
}

static void positions_and_bad_messages_are_of_the_batch(void **state)
{
	(void)state;
	struct store_bad_message bad[2] = {
		{.origin = {"t", 1, 5},
		 .reason = "not_json",
		 .detail = "",
		 .bytes = "\0\377x",
		 .length = 3},
		{.origin = {"t", 1, 6}, .reason = "empty", .detail = "", .bytes = NULL},
	};
	struct store_position positions[2] = {
		{.topic = "t", .partition = 1, .next = 7},
		{.topic = "t", .partition = 2, .next = 9},
	};
	struct store_batch batch = {
		.bad = bad,
		.bad_count = 2,
		.cluster_id = "c",
		.positions = positions,
		.position_count = 2,
	};
	assert_int_equal(write_batch(&batch).quarantined, 2);
	/* once more, as after an unknown commit */
	assert_int_equal(write_batch(&batch).quarantined, 0);
	assert_int_equal(folder_count(&folder, "SELECT count(*) FROM quarantine"), 2);
	assert_query("SELECT hex(bytes) || length || kafka_topic || kafka_partition || "
		     "kafka_offset FROM quarantine "
		     "WHERE reason = 'not_json'",
		     "00FF783t15");
	assert_query("SELECT length FROM quarantine WHERE reason = 'empty'", NULL);
	assert_query("SELECT reason FROM quarantine_view ORDER BY kafka_offset", "not_json");
	struct store_position asked[3] = {
		{.topic = "t", .partition = 2},
		{.topic = "t", .partition = 1},
		{.topic = "u", .partition = 1},
	};
	assert_int_equal(store_read_positions(store, "c", asked, 3, &err), 0);
	assert_int_equal(asked[0].next, 9);
	assert_int_equal(asked[1].next, 7);
	assert_int_equal(asked[2].next, -1);
	positions[0].next = 2; /* backwards is allowed: a topic may have been made anew */
	(void)write_batch(&batch);
	assert_int_equal(store_read_positions(store, "c", asked, 2, &err), 0);
	assert_int_equal(asked[1].next, 2);
}

static void a_mebibyte_of_a_bad_message_is_kept(void **state)
{
	(void)state;
	size_t length = 3 * 1024 * 1024;
	char *bytes = calloc(1, length);
	struct store_bad_message bad = {.origin = {"t", 1, 5},
					.reason = "too_large",
					.detail = "",
					.bytes = bytes,
					.length = length};
	struct store_batch batch = {.bad = &bad, .bad_count = 1};
	(void)write_batch(&batch);
	free(bytes);
	assert_query("SELECT length(bytes) || ' of ' || length FROM quarantine",
		     "1048576 of 3145728");
}

struct seen {
	int count;
	char text[512];
	int stop_after;
};

static bool on_site(void *context, const struct store_site *site)
{
	struct seen *seen = context;
	size_t used = strlen(seen->text);
	(void)snprintf(seen->text + used, sizeof(seen->text) - used,
		       "%s %s %d %s %s %lld %lld %d %s %lld;", site->name, site->url,
		       (int)site->outcome, site->reason, site->strip, (long long)site->total_us,
		       (long long)site->interval_us, site->http_status_code, site->location,
		       (long long)(site->started_at - ROWS_NOON));
	return ++seen->count != seen->stop_after;
}

static void the_page_reads_all_sites_by_name(void **state)
{
	(void)state;
	add("b", 1, 1, OUTCOME_DOWN);
	add("a", 2, 2, OUTCOME_UP);
	(void)write_rows();
	struct store *reader = store_open_sqlite(folder.file, STORE_READ, &err);
	struct seen seen = {0};
	assert_int_equal(store_read_sites(reader, on_site, &seen, &err), 0);
	assert_string_equal(seen.text,
			    "a http://127.0.0.1/ 0 ok U 1234 60000000 200 eu-1 2000000;"
			    "b http://127.0.0.1/ 3 timeout D 1234 60000000 200 eu-1 1000000;");
	add("c", 3, 3, OUTCOME_UNKNOWN);
	(void)write_rows();
	seen = (struct seen){.stop_after = 2};
	assert_int_equal(store_read_sites(reader, on_site, &seen, &err), 0);
	assert_int_equal(seen.count, 2);
	seen = (struct seen){0};
	assert_int_equal(store_read_sites(reader, on_site, &seen, &err), 0);
	assert_int_equal(seen.count, 3);
	store_close(reader);
}

static void a_changed_setting_keeps_what_was(void **state)
{
	(void)state;
	struct report_row row = rows_make("a", rows_producer(1), 0, ROWS_NOON, OUTCOME_UP);
	rows_add(&rows, row);
	row.seq.value = 1;
	row.started_at.value++;
	row.url = (struct row_text){.bytes = "http://new/", .length = 11};
	rows_add(&rows, row);
	(void)write_rows();
	assert_query("SELECT group_concat(url) FROM (SELECT url FROM report_view ORDER BY seq)",
		     "http://127.0.0.1/,http://new/");
	assert_int_equal(folder_count(&folder, "SELECT count(*) FROM site"), 1);
}

static void last_seq_of_a_producer(void **state)
{
	(void)state;
	struct uuid one = rows_producer(1);
	struct uuid two = rows_producer(2);
	bool is_found;
	int64_t seq;
	assert_int_equal(store_read_last_seq(store, &one, &is_found, &seq, &err), 0);
	assert_false(is_found);
	add("a", 4, 1, OUTCOME_UP);
	add("b", 9, 2, OUTCOME_UP);
	add("a", 7, 3, OUTCOME_UP);
	rows_add(&rows,
		 rows_make("a", two, 30, ROWS_NOON + 9000000, OUTCOME_UP)); /* has the state of a */
	(void)write_rows();
	assert_int_equal(store_read_last_seq(store, &one, &is_found, &seq, &err), 0);
	assert_true(is_found);
	assert_int_equal(seq, 9);
	assert_int_equal(store_read_last_seq(store, &two, &is_found, &seq, &err), 0);
	assert_int_equal(seq, 30);
}

static void the_first_report_says_what_came_before(void **state)
{
	(void)state;
	struct report_row row = rows_make("a", rows_producer(2), 0, ROWS_NOON, OUTCOME_UP);
	rows_add(&rows,
		 rows_make("b", rows_producer(2), 1, ROWS_NOON, OUTCOME_UP)); /* came first */
	(void)write_rows();
	assert_query("SELECT prev_seq FROM producer", NULL);
	row.has_prev = true;
	row.prev = (struct identity){.producer_id = rows_producer(1), .seq = 41};
	rows_add(&rows, row);
	(void)write_rows();
	assert_query("SELECT prev_producer_id || ' ' || prev_seq FROM producer",
		     "ee000000-0000-0000-0000-000000000001 41");
}

static void uptime_counts_what_could_tell(void **state)
{
	(void)state;
	static const enum outcome outcomes[] = {OUTCOME_UP,       OUTCOME_UP,   OUTCOME_UP,
						OUTCOME_DEGRADED, OUTCOME_DOWN, OUTCOME_UNKNOWN};
	wall_us now = clock_wall_us();
	for (int i = 0; i < 6; i++)
		rows_add(&rows, rows_make("a", rows_producer(1), i, now - (i + 1) * CLOCK_US_PER_S,
					  outcomes[i]));
	rows_add(&rows,
		 rows_make("a", rows_producer(1), 6, now - 7200 * CLOCK_US_PER_S, OUTCOME_DOWN));
	rows_add(&rows,
		 rows_make("b", rows_producer(1), 7, now - 7200 * CLOCK_US_PER_S, OUTCOME_UP));
	(void)write_rows();
	assert_query("SELECT checks || ' ' || uptime FROM uptime_view WHERE site = 'a' AND period "
		     "= 'hour'",
		     "6 80.0");
	assert_query("SELECT uptime FROM uptime_view WHERE site = 'a' AND period = 'day'",
		     "66.6667");
	/* four addresses that were checked together are one check, and its outcome is theirs together */
	for (int i = 0; i < 4; i++)
		rows_add(&rows,
			 rows_make_round("c", 8 + i, now - 60 * CLOCK_US_PER_S,
					 i == 2 ? SPEAKER("down") : PART("1"), OUTCOME_DOWN));
	rows_add(&rows, rows_make("c", rows_producer(1), 12, now, OUTCOME_UP));
	(void)write_rows();
	assert_query("SELECT checks || ' ' || up || ' ' || down || ' ' || uptime FROM uptime_view "
		     "WHERE site = 'c' AND period = 'hour'",
		     "2 1 1 50.0");
	assert_query("SELECT uptime FROM uptime_view WHERE site = 'b' AND period = 'hour'", NULL);
	assert_query("SELECT checks FROM uptime_view WHERE site = 'b' AND period = 'hour'", "0");
}

static void an_empty_batch_is_fine(void **state)
{
	(void)state;
	struct store_batch batch = {0};
	struct store_written written = write_batch(&batch);
	assert_int_equal(written.inserted + written.duplicates + written.quarantined, 0);
}

static void days_and_centuries_make_no_difference(void **state)
{
	(void)state;
	static const wall_us times[] = {
		0,
		1,
		INT64_C(-62167219200000000), /* 0000-01-01 */
		INT64_C(7258118400000000),   /* 2200 */
		INT64_C(1795305599999999),   /* the last microsecond of a day */
		INT64_C(1795305600000000)};
	for (size_t i = 0; i < 6; i++)
		rows_add(&rows, rows_make("a", rows_producer(1), (int64_t)i, times[i], OUTCOME_UP));
	assert_int_equal(write_rows().inserted, 6);
	assert_query("SELECT min(started_at) || max(started_at) FROM report_view",
		     "0000-01-01T00:00:00.000000Z2200-01-01T00:00:00.000000Z");
	assert_query("SELECT strip || seq FROM site_state", "UUUUUU3");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_field_comes_back),
		CASE(absent_fields_are_null),
		CASE(a_report_is_stored_once),
		CASE(late_reports_do_not_move_the_latest),
		CASE(of_equal_times_the_key_decides),
		CASE(a_round_is_one_check_of_its_site),
		CASE(many_stale_strips_take_several_steps),
		CASE(positions_and_bad_messages_are_of_the_batch),
		CASE(a_mebibyte_of_a_bad_message_is_kept),
		CASE(the_page_reads_all_sites_by_name),
		CASE(a_changed_setting_keeps_what_was),
		CASE(last_seq_of_a_producer),
		CASE(the_first_report_says_what_came_before),
		CASE(uptime_counts_what_could_tell),
		CASE(an_empty_batch_is_fine),
		CASE(days_and_centuries_make_no_difference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
