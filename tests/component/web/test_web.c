/* What the web server says over a store that tests control: page, board, API, and what it does when the store is away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "client.h"
#include "fake_store.h"
#include "web/web.h"
#include "web_fixture.h"

static void page_shows_every_outcome_as_a_word(void **state)
{
	struct web_fixture *fixture = *state;
	const struct store_site sites[] = {
		fake_site("good", OUTCOME_UP, "ok", "UUUU"),
		fake_site("lame", OUTCOME_DEGRADED, "slow", "UUUG"),
		fake_site("gone", OUTCOME_DOWN, "connect_refused", "UUUD"),
		fake_site("odd", OUTCOME_UNKNOWN, "match_truncated", "UUU?"),
	};
	fake_store_set(fixture->store, sites, 4);
	struct answer answer = web_fixture_get_until(fixture, "/", "gone", true);
	assert_int_equal(answer.status, 200);
	assert_true(answer_has_header(&answer, "Content-Type: text/html; charset=utf-8"));
	const char *down = strstr(answer.body, "</svg>Down<");
	const char *degraded = strstr(answer.body, "</svg>Degraded<");
	const char *unknown = strstr(answer.body, "</svg>Unknown<");
	const char *up = strstr(answer.body, "</svg>Up<");
	assert_true(down != NULL && degraded != NULL && unknown != NULL && up != NULL);
	/* the worst first */
	assert_true(down < degraded && degraded < unknown && unknown < up);
	assert_non_null(strstr(answer.body, "1 site is down"));
	assert_non_null(strstr(answer.body, "The connection was refused"));
	assert_non_null(strstr(answer.body, "Last 4 checks, newest at the right: 3 up, 1 down"));
	assert_non_null(strstr(answer.body, "12 ms"));
	answer_finish(&answer);
}

static void all_text_is_escaped(void **state)
{
	struct web_fixture *fixture = *state;
	struct store_site site =
		fake_site("<script>alert(1)</script>", OUTCOME_DOWN, "<b>new</b>", "D");
	site.url = "https://example.com/?\"><img src=x onerror=alert(2)>";
	site.message = "'quoted' & <i>";
	site.location = "\"</script>";
	fake_store_set(fixture->store, &site, 1);
	static const char *const paths[] = {"/", "/board"};
	for (size_t i = 0; i < 2; i++) {
		struct answer answer =
			web_fixture_get_until(fixture, paths[i], "&lt;script&gt;alert(1)", true);
		assert_null(strstr(answer.body, "<script>alert"));
		assert_null(strstr(answer.body, "<img"));
		assert_null(strstr(answer.body, "<b>new"));
		assert_null(strstr(answer.body, "<i>"));
		assert_non_null(strstr(answer.body, "&#39;quoted&#39; &amp; &lt;i&gt;"));
		answer_finish(&answer);
	}
	struct answer api = client_get(web_address(fixture->web), "/api/v1/sites");
	assert_non_null(strstr(api.body, "\"name\":\"\\u003cscript\\u003ealert(1)"));
	assert_non_null(strstr(api.body, "\"location\":\"\\\"\\u003c/script\\u003e\""));
	answer_finish(&api);
}

static void only_http_links_are_links(void **state)
{
	struct web_fixture *fixture = *state;
	struct store_site sites[] = {
		fake_site("a", OUTCOME_UP, "ok", "U"),
		fake_site("b", OUTCOME_UP, "ok", "U"),
	};
	sites[0].url = "javascript:alert(1)";
	sites[1].url = "https://example.com/?token=***";
	fake_store_set(fixture->store, sites, 2);
	struct answer answer = web_fixture_get_until(fixture, "/board", "token", true);
	assert_null(strstr(answer.body, "href=\"javascript:"));
	assert_null(strstr(answer.body, "href=\"https://example.com/?token"));
	answer_finish(&answer);
}

static void page_has_no_inline_script_or_style(void **state)
{
	struct web_fixture *fixture = *state;
	const struct store_site site = fake_site("good", OUTCOME_UP, "ok", "UUDDG?U");
	fake_store_set(fixture->store, &site, 1);
	struct answer answer = web_fixture_get_until(fixture, "/", "good", true);
	assert_null(strstr(answer.body, "style="));
	assert_null(strstr(answer.body, "<style"));
	assert_null(strstr(answer.body, "<script>"));
	assert_null(strstr(answer.body, "onclick"));
	assert_null(strstr(answer.body, "http-equiv=\"Content"));
	assert_non_null(strstr(answer.body, "<noscript><meta http-equiv=\"refresh\""));
	answer_finish(&answer);
}

static void api_has_the_frozen_names(void **state)
{
	struct web_fixture *fixture = *state;
	struct store_site sites[] = {
		fake_site("good", OUTCOME_UP, "ok", "GU"),
		fake_site("gone", OUTCOME_DOWN, "dns_error", "D"),
	};
	sites[0].started_at = clock_wall_us() / CLOCK_US_PER_S * CLOCK_US_PER_S;
	sites[1].total_us = -1;
	sites[1].http_status_code = 0;
	sites[1].message = "no such host";
	fake_store_set(fixture->store, sites, 2);
	struct answer answer = web_fixture_get_until(fixture, "/api/v1/sites", "good", true);
	char time[CLOCK_TEXT_SIZE];
	clock_format(sites[0].started_at, time);
	char *good = xasprintf("{\"name\":\"good\",\"url\":\"https://example.com/"
			       "\",\"outcome\":\"up\",\"reason\":\"ok\","
			       "\"message\":\"\",\"started_at\":\"%s\",\"total_us\":12345,"
			       "\"interval_us\":30000000,"
			       "\"http_status_code\":200,\"location\":\"default\",\"overdue\":"
			       "false,\"closed\":false,"
			       "\"recent\":[\"degraded\",\"up\"]}",
			       time);
	assert_true(answer_has_header(&answer, "Content-Type: application/json; charset=utf-8"));
	assert_non_null(strstr(answer.body, good));
	assert_non_null(strstr(answer.body, "\"message\":\"no such host\""));
	assert_non_null(strstr(answer.body, "\"total_us\":null"));
	assert_non_null(strstr(answer.body, "\"http_status_code\":null"));
	assert_int_equal(answer.body[0], '[');
	free(good);
	answer_finish(&answer);
}

static void unchanged_board_is_not_sent_again(void **state)
{
	struct web_fixture *fixture = *state;
	static const char *const paths[] = {"/board", "/api/v1/sites"};
	struct store_site site = fake_site("good", OUTCOME_UP, "ok", "U");
	site.started_at = clock_wall_us();
	fake_store_set(fixture->store, &site, 1);
	for (size_t i = 0; i < 2; i++) {
		struct answer first = web_fixture_get_until(fixture, paths[i], "good", true);
		char *etag = answer_header(&first, "ETag");
		assert_non_null(etag);
		char *request =
			xasprintf("GET %s HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: %s\r\n",
				  paths[i], etag);
		struct answer second = client_ask(web_address(fixture->web), request);
		assert_int_equal(second.status, 304);
		assert_int_equal(second.body_length, 0);
		answer_finish(&second);
		answer_finish(&first);
		free(request);
		free(etag);
	}
}

static void assets_are_kept_for_ever(void **state)
{
	struct web_fixture *fixture = *state;
	static const char *const types[][2] = {
		{"href=\"/static/page.", "Content-Type: text/css; charset=utf-8"},
		{"href=\"/static/sites.", "Content-Type: text/css; charset=utf-8"},
		{"src=\"/static/page.", "Content-Type: text/javascript; charset=utf-8"},
		{"href=\"/static/icon", "Content-Type: image/svg+xml"},
	};
	struct answer page = client_get(web_address(fixture->web), "/");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const char *at = strstr(page.body, types[i][0]);
		assert_non_null(at);
		at = strchr(at, '"') + 1;
		char *path = xstrndup(at, strcspn(at, "\""));
		struct answer asset = client_get(web_address(fixture->web), path);
		assert_int_equal(asset.status, 200);
		assert_true(asset.body_length > 100);
		assert_true(answer_has_header(&asset, types[i][1]));
		assert_true(answer_has_header(
			&asset, "Cache-Control: public, max-age=31536000, immutable"));
		answer_finish(&asset);
		free(path);
	}
	answer_finish(&page);
}

static void many_viewers_read_the_store_once_a_second(void **state)
{
	enum { VIEWERS = 200 };
	struct web_fixture *fixture = *state;
	const struct store_site site = fake_site("good", OUTCOME_UP, "ok", "U");
	fake_store_set(fixture->store, &site, 1);
	struct answer answer = web_fixture_get_until(fixture, "/", "good", true);
	answer_finish(&answer);
	mono_us start = clock_mono_us();
	unsigned reads = fake_store_reads(fixture->store);
	for (int i = 0; i < VIEWERS; i++) {
		answer = client_get(web_address(fixture->web), "/board");
		assert_int_equal(answer.status, 200);
		answer_finish(&answer);
	}
	reads = fake_store_reads(fixture->store) - reads;
	/* One at the beginning, and one that a busy machine had held up since before. */
	unsigned allowed = (unsigned)((clock_mono_us() - start) / CLOCK_US_PER_S) + 2;
	assert_true(reads <= allowed);
}

static void figures_stay_when_the_store_goes_away(void **state)
{
	struct web_fixture *fixture = *state;
	struct store_site site = fake_site("good", OUTCOME_UP, "ok", "U");
	fake_store_set(fixture->store, &site, 1);
	struct answer answer = web_fixture_get_until(fixture, "/", "good", true);
	assert_null(strstr(answer.body, "figures are old"));
	answer_finish(&answer);

	fake_store_fail(fixture->store, true);
	answer = web_fixture_get_until(fixture, "/", "figures are old", true);
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "good"));
	assert_non_null(strstr(answer.body, "The store can't be read since"));
	assert_true(answer_has_header(&answer, "Websentry-Stale: true"));
	answer_finish(&answer);

	fake_store_fail(fixture->store, false);
	answer = web_fixture_get_until(fixture, "/", "figures are old", false);
	assert_non_null(strstr(answer.body, "good"));
	answer_finish(&answer);
}

static void a_hanging_store_holds_up_nobody(void **state)
{
	struct web_fixture *fixture = *state;
	const struct store_site site = fake_site("good", OUTCOME_UP, "ok", "U");
	fake_store_set(fixture->store, &site, 1);
	struct answer answer = web_fixture_get_until(fixture, "/", "good", true);
	answer_finish(&answer);

	fake_store_hang(fixture->store, true);
	unsigned reads = fake_store_reads(fixture->store);
	while (fake_store_reads(fixture->store) == reads) {
		answer = client_get(web_address(fixture->web), "/");
		answer_finish(&answer);
	}
	mono_us start = clock_mono_us();
	answer = client_get(web_address(fixture->web), "/healthz");
	assert_int_equal(answer.status, 200);
	assert_true(clock_mono_us() - start < 20 * (mono_us)CLOCK_US_PER_S);
	answer_finish(&answer);
	answer = web_fixture_get_until(fixture, "/", "figures are old", true);
	assert_non_null(strstr(answer.body, "good"));
	answer_finish(&answer);

	fake_store_hang(fixture->store, false);
	answer = web_fixture_get_until(fixture, "/", "figures are old", false);
	answer_finish(&answer);
}

static void a_store_that_has_not_answered_is_awaited(void **state)
{
	(void)state;
	struct store *store = fake_store_create();
	fake_store_fail(store, true);
	struct web_fixture fixture = {.store = store,
				      .web = web_fixture_start("127.0.0.1:0", store)};
	struct answer answer = client_get(web_address(fixture.web), "/api/v1/sites");
	assert_int_equal(answer.status, 503);
	assert_true(answer_has_header(&answer, "Retry-After: 1"));
	answer_finish(&answer);
	answer = client_get(web_address(fixture.web), "/");
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "Waiting for the store"));
	answer_finish(&answer);
	fake_store_fail(store, false);
	answer = web_fixture_get_until(&fixture, "/", "No report yet", true);
	assert_non_null(strstr(answer.body, "first checks are on"));
	answer_finish(&answer);
	web_stop(fixture.web);
}

static void sites_of_the_file_wait_and_others_are_closed(void **state)
{
	(void)state;
	struct store *store = fake_store_create();
	const char *names[] = {"new", "good"};
	const struct store_site sites[] = {
		fake_site("gone", OUTCOME_DOWN, "dns_error", "D"),
		fake_site("good", OUTCOME_UP, "ok", "U"),
	};
	fake_store_set(store, sites, 2);
	const struct web_options options = {
		.listen = "127.0.0.1:0",
		.store = store,
		.site_names = names,
		.site_count = 2,
		.title = "Shop & Co",
	};
	struct error err;
	struct web_fixture fixture = {.store = store, .web = web_start(&options, &err)};
	assert_non_null(fixture.web);
	struct answer answer = web_fixture_get_until(&fixture, "/", "good", true);
	const char *details = strstr(answer.body, "<details");
	assert_non_null(details);
	assert_non_null(strstr(details, "1 closed site"));
	assert_non_null(strstr(details, "gone"));
	assert_true(strstr(answer.body, "data-key=\"new\"") < details);
	assert_non_null(strstr(answer.body, "The first check is on its way"));
	assert_non_null(strstr(answer.body, "Shop &amp; Co"));
	/* a closed site that was down is no trouble of today */
	assert_null(strstr(answer.body, "is down"));
	answer_finish(&answer);
	answer = client_get(web_address(fixture.web), "/api/v1/sites");
	assert_null(strstr(answer.body, "\"new\""));
	assert_non_null(strstr(answer.body, "\"closed\":true"));
	answer_finish(&answer);
	web_stop(fixture.web);
}

static void old_reports_are_overdue(void **state)
{
	struct web_fixture *fixture = *state;
	struct store_site site = fake_site("good", OUTCOME_UP, "ok", "U");
	site.started_at = clock_wall_us() - 3600 * (wall_us)CLOCK_US_PER_S;
	fake_store_set(fixture->store, &site, 1);
	struct answer answer = web_fixture_get_until(fixture, "/", "good", true);
	assert_non_null(strstr(answer.body, "</svg>Overdue<"));
	assert_non_null(strstr(answer.body, "Reports have stopped"));
	assert_non_null(strstr(answer.body, "1 site is overdue"));
	answer_finish(&answer);
	answer = client_get(web_address(fixture->web), "/api/v1/sites");
	assert_non_null(strstr(answer.body, "\"outcome\":\"up\""));
	assert_non_null(strstr(answer.body, "\"overdue\":true"));
	answer_finish(&answer);
}

static void without_a_store_there_is_only_health(void **state)
{
	(void)state;
	struct web *web = web_fixture_start("127.0.0.1:0", NULL);
	struct answer answer = client_get(web_address(web), "/healthz");
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "\"status\":\"ok\""));
	answer_finish(&answer);
	answer = client_get(web_address(web), "/");
	assert_int_equal(answer.status, 404);
	answer_finish(&answer);
	web_stop(web);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(page_shows_every_outcome_as_a_word,
						web_fixture_set_up, web_fixture_tear_down),
		cmocka_unit_test_setup_teardown(all_text_is_escaped, web_fixture_set_up,
						web_fixture_tear_down),
		cmocka_unit_test_setup_teardown(only_http_links_are_links, web_fixture_set_up,
						web_fixture_tear_down),
		cmocka_unit_test_setup_teardown(page_has_no_inline_script_or_style,
						web_fixture_set_up, web_fixture_tear_down),
		cmocka_unit_test_setup_teardown(api_has_the_frozen_names, web_fixture_set_up,
						web_fixture_tear_down),
		cmocka_unit_test_setup_teardown(unchanged_board_is_not_sent_again,
						web_fixture_set_up, web_fixture_tear_down),
		cmocka_unit_test_setup_teardown(assets_are_kept_for_ever, web_fixture_set_up,
						web_fixture_tear_down),
		cmocka_unit_test_setup_teardown(many_viewers_read_the_store_once_a_second,
						web_fixture_set_up, web_fixture_tear_down),
		cmocka_unit_test_setup_teardown(figures_stay_when_the_store_goes_away,
						web_fixture_set_up, web_fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_hanging_store_holds_up_nobody, web_fixture_set_up,
						web_fixture_tear_down),
		cmocka_unit_test(a_store_that_has_not_answered_is_awaited),
		cmocka_unit_test(sites_of_the_file_wait_and_others_are_closed),
		cmocka_unit_test_setup_teardown(old_reports_are_overdue, web_fixture_set_up,
						web_fixture_tear_down),
		cmocka_unit_test(without_a_store_there_is_only_health),
	};
	log_configure(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
