/* The web server over a store that tests control: routes, headers, limits, and what it does when the store is away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "../loopback.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "client.h"
#include "fake_store.h"
#include "web/web.h"

enum { PATIENCE_MS = 120000, LOOK_MS = 20 };

struct fixture {
	struct store *store;
	struct web *web;
};

static struct web *start_on(const char *listen, struct store *store)
{
	const struct web_options options = {.listen = listen, .store = store};
	struct error err = {0};
	struct web *web = web_start(&options, &err);
	if (web == NULL)
		print_error("%s\n", err.message);
	assert_non_null(web);
	return web;
}

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	fixture->store = fake_store_create();
	/* Until the test has set its sites: an answer would be fresh for a second, and each test would wait for the next. */
	fake_store_fail(fixture->store, true);
	fixture->web = start_on("127.0.0.1:0", fixture->store);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	web_stop(fixture->web);
	free(fixture);
	assert_int_equal(fake_store_open_count(), 0);
	return 0;
}

/* Ask until the body holds (or no longer holds) a text. The answer is the caller's. */
static struct answer get_until(const struct fixture *fixture, const char *path, const char *text,
			       bool is_wanted)
{
	for (int waited_ms = 0;; waited_ms += LOOK_MS) {
		struct answer answer = client_get(web_address(fixture->web), path);
		assert_non_null(answer.body);
		if ((strstr(answer.body, text) != NULL) == is_wanted)
			return answer;
		if (waited_ms > PATIENCE_MS)
			fail_msg("%s: waited in vain for \"%s\"; got: %s", path, text, answer.body);
		answer_finish(&answer);
		(void)usleep(LOOK_MS * 1000);
	}
}

static void page_shows_every_outcome_as_a_word(void **state)
{
	struct fixture *fixture = *state;
	const struct store_site sites[] = {
		fake_site("good", OUTCOME_UP, "ok", "UUUU"),
		fake_site("lame", OUTCOME_DEGRADED, "slow", "UUUG"),
		fake_site("gone", OUTCOME_DOWN, "connect_refused", "UUUD"),
		fake_site("odd", OUTCOME_UNKNOWN, "match_truncated", "UUU?"),
	};
	fake_store_set(fixture->store, sites, 4);
	struct answer answer = get_until(fixture, "/", "gone", true);
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
	struct fixture *fixture = *state;
	struct store_site site =
		fake_site("<script>alert(1)</script>", OUTCOME_DOWN, "<b>new</b>", "D");
	site.url = "https://example.com/?\"><img src=x onerror=alert(2)>";
	site.message = "'quoted' & <i>";
	site.location = "\"</script>";
	fake_store_set(fixture->store, &site, 1);
	static const char *const paths[] = {"/", "/board"};
	for (size_t i = 0; i < 2; i++) {
		struct answer answer = get_until(fixture, paths[i], "&lt;script&gt;alert(1)", true);
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
	struct fixture *fixture = *state;
	struct store_site sites[] = {
		fake_site("a", OUTCOME_UP, "ok", "U"),
		fake_site("b", OUTCOME_UP, "ok", "U"),
	};
	sites[0].url = "javascript:alert(1)";
	sites[1].url = "https://example.com/?token=***";
	fake_store_set(fixture->store, sites, 2);
	struct answer answer = get_until(fixture, "/board", "token", true);
	assert_null(strstr(answer.body, "href=\"javascript:"));
	assert_null(strstr(answer.body, "href=\"https://example.com/?token"));
	answer_finish(&answer);
}

static void page_has_no_inline_script_or_style(void **state)
{
	struct fixture *fixture = *state;
	const struct store_site site = fake_site("good", OUTCOME_UP, "ok", "UUDDG?U");
	fake_store_set(fixture->store, &site, 1);
	struct answer answer = get_until(fixture, "/", "good", true);
	assert_null(strstr(answer.body, "style="));
	assert_null(strstr(answer.body, "<style"));
	assert_null(strstr(answer.body, "<script>"));
	assert_null(strstr(answer.body, "onclick"));
	assert_null(strstr(answer.body, "http-equiv=\"Content"));
	assert_non_null(strstr(answer.body, "<noscript><meta http-equiv=\"refresh\""));
	answer_finish(&answer);
}

static void every_answer_has_the_strict_headers(void **state)
{
	struct fixture *fixture = *state;
	static const char *const paths[] = {"/", "/board", "/api/v1/sites", "/healthz", "/nowhere"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct answer answer = client_get(web_address(fixture->web), paths[i]);
		char *policy = answer_header(&answer, "Content-Security-Policy");
		assert_string_equal(policy,
				    "default-src 'none'; script-src 'self'; style-src 'self'; "
				    "img-src 'self'; connect-src 'self'; base-uri 'none'; "
				    "form-action 'none'; frame-ancestors 'none'");
		assert_true(answer_has_header(&answer, "X-Content-Type-Options: nosniff"));
		assert_true(answer_has_header(&answer, "Referrer-Policy: no-referrer"));
		assert_null(strstr(answer.headers, "Access-Control-Allow-Origin"));
		free(policy);
		answer_finish(&answer);
	}
}

static void api_has_the_frozen_names(void **state)
{
	struct fixture *fixture = *state;
	struct store_site sites[] = {
		fake_site("good", OUTCOME_UP, "ok", "GU"),
		fake_site("gone", OUTCOME_DOWN, "dns_error", "D"),
	};
	sites[0].started_at = clock_wall_us() / CLOCK_US_PER_S * CLOCK_US_PER_S;
	sites[1].total_us = -1;
	sites[1].http_status_code = 0;
	sites[1].message = "no such host";
	fake_store_set(fixture->store, sites, 2);
	struct answer answer = get_until(fixture, "/api/v1/sites", "good", true);
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
	struct fixture *fixture = *state;
	static const char *const paths[] = {"/board", "/api/v1/sites"};
	struct store_site site = fake_site("good", OUTCOME_UP, "ok", "U");
	site.started_at = clock_wall_us();
	fake_store_set(fixture->store, &site, 1);
	for (size_t i = 0; i < 2; i++) {
		struct answer first = get_until(fixture, paths[i], "good", true);
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
	struct fixture *fixture = *state;
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

static void head_is_get_without_a_body(void **state)
{
	struct fixture *fixture = *state;
	static const char *const paths[] = {"/", "/healthz", "/nowhere"};
	static const int statuses[] = {200, 200, 404};
	for (size_t i = 0; i < 3; i++) {
		char *request = xasprintf("HEAD %s HTTP/1.1\r\nHost: localhost\r\n", paths[i]);
		struct answer answer = client_ask(web_address(fixture->web), request);
		char *length = answer_header(&answer, "Content-Length");
		assert_int_equal(answer.status, statuses[i]);
		assert_int_equal(answer.body_length, 0);
		assert_true(strtol(length, NULL, 10) > 0);
		free(length);
		free(request);
		answer_finish(&answer);
	}
}

static void other_requests_are_refused(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *name;
		const char *request;
		int status;
	} cases[] = {
		{"post", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n", 405},
		{"put", "PUT /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n", 405},
		{"options", "OPTIONS / HTTP/1.1\r\nHost: localhost\r\n", 405},
		{"own method", "BREW / HTTP/1.1\r\nHost: localhost\r\n", 405},
		{"get with a body", "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n",
		 400},
		{"chunked get",
		 "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n", 400},
		{"unknown path", "GET /admin HTTP/1.1\r\nHost: localhost\r\n", 404},
		{"climbing path", "GET /static/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n",
		 404},
		{"encoded path", "GET /static/%2e%2e/x HTTP/1.1\r\nHost: localhost\r\n", 404},
		{"query is ignored", "GET /?a=b HTTP/1.1\r\nHost: localhost\r\n", 200},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer answer = client_ask(web_address(fixture->web), cases[i].request);
		if (answer.status != cases[i].status)
			fail_msg("%s: got %d, expected %d", cases[i].name, answer.status,
				 cases[i].status);
		answer_finish(&answer);
	}
	struct answer answer = client_ask(web_address(fixture->web), cases[0].request);
	assert_true(answer_has_header(&answer, "Allow: GET, HEAD"));
	answer_finish(&answer);
}

static void foreign_host_names_get_nothing(void **state)
{
	struct fixture *fixture = *state;
	char own[256] = "";
	assert_int_equal(gethostname(own, sizeof(own) - 1), 0);
	const struct {
		const char *host;
		int status;
	} cases[] = {
		{"127.0.0.1:8080", 200},
		{"localhost", 200},
		{"LOCALHOST.:80", 200},
		{"a.localhost:1", 200},
		{"[::1]:8080", 200},
		{own, 200},
		{"evil.example", 403},
		{"evil.example:80", 403},
		{"localhost.evil.example", 403},
		{"notlocalhost", 403},
		{"[::1", 403},
		{"", 403},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *request = xasprintf("GET /healthz HTTP/1.1\r\nHost: %s\r\n", cases[i].host);
		struct answer answer = client_ask(web_address(fixture->web), request);
		if (answer.status != cases[i].status)
			fail_msg("Host \"%s\": got %d, expected %d", cases[i].host, answer.status,
				 cases[i].status);
		answer_finish(&answer);
		free(request);
	}
}

static void endless_headers_are_refused(void **state)
{
	struct fixture *fixture = *state;
	int fd = client_connect(web_address(fixture->web));
	char filler[1025];
	memset(filler, 'x', sizeof(filler) - 1);
	filler[sizeof(filler) - 1] = '\0';
	client_send(fd, "GET / HTTP/1.1\r\nHost: localhost\r\nX: ");
	for (int i = 0; i < 1024; i++)
		client_send(fd, filler);
	struct answer answer = client_read(fd);
	assert_true(answer.status == 0 || (answer.status >= 400 && answer.status < 500));
	answer_finish(&answer);
	answer = client_get(web_address(fixture->web), "/healthz");
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

static void slow_clients_hold_up_nobody(void **state)
{
	enum { SLOW = 100 };
	struct fixture *fixture = *state;
	int fds[SLOW];
	for (int i = 0; i < SLOW; i++) {
		fds[i] = client_connect(web_address(fixture->web));
		client_send(fds[i], "GET / HTTP/1.1\r\nHos"); /* and then nothing */
	}
	mono_us start = clock_mono_us();
	struct answer answer = client_get(web_address(fixture->web), "/healthz");
	assert_int_equal(answer.status, 200);
	assert_true(clock_mono_us() - start < 20 * (mono_us)CLOCK_US_PER_S);
	answer_finish(&answer);
	for (int i = 0; i < SLOW; i++)
		(void)close(fds[i]);
}

static void many_viewers_read_the_store_once_a_second(void **state)
{
	enum { VIEWERS = 200 };
	struct fixture *fixture = *state;
	const struct store_site site = fake_site("good", OUTCOME_UP, "ok", "U");
	fake_store_set(fixture->store, &site, 1);
	struct answer answer = get_until(fixture, "/", "good", true);
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
	struct fixture *fixture = *state;
	struct store_site site = fake_site("good", OUTCOME_UP, "ok", "U");
	fake_store_set(fixture->store, &site, 1);
	struct answer answer = get_until(fixture, "/", "good", true);
	assert_null(strstr(answer.body, "figures are old"));
	answer_finish(&answer);

	fake_store_fail(fixture->store, true);
	answer = get_until(fixture, "/", "figures are old", true);
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "good"));
	assert_non_null(strstr(answer.body, "The store can't be read since"));
	assert_true(answer_has_header(&answer, "Websentry-Stale: true"));
	answer_finish(&answer);

	fake_store_fail(fixture->store, false);
	answer = get_until(fixture, "/", "figures are old", false);
	assert_non_null(strstr(answer.body, "good"));
	answer_finish(&answer);
}

static void a_hanging_store_holds_up_nobody(void **state)
{
	struct fixture *fixture = *state;
	const struct store_site site = fake_site("good", OUTCOME_UP, "ok", "U");
	fake_store_set(fixture->store, &site, 1);
	struct answer answer = get_until(fixture, "/", "good", true);
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
	answer = get_until(fixture, "/", "figures are old", true);
	assert_non_null(strstr(answer.body, "good"));
	answer_finish(&answer);

	fake_store_hang(fixture->store, false);
	answer = get_until(fixture, "/", "figures are old", false);
	answer_finish(&answer);
}

static void a_store_that_has_not_answered_is_awaited(void **state)
{
	(void)state;
	struct store *store = fake_store_create();
	fake_store_fail(store, true);
	struct fixture fixture = {.store = store, .web = start_on("127.0.0.1:0", store)};
	struct answer answer = client_get(web_address(fixture.web), "/api/v1/sites");
	assert_int_equal(answer.status, 503);
	assert_true(answer_has_header(&answer, "Retry-After: 1"));
	answer_finish(&answer);
	answer = client_get(web_address(fixture.web), "/");
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "Waiting for the store"));
	answer_finish(&answer);
	fake_store_fail(store, false);
	answer = get_until(&fixture, "/", "No report yet", true);
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
	struct fixture fixture = {.store = store, .web = web_start(&options, &err)};
	assert_non_null(fixture.web);
	struct answer answer = get_until(&fixture, "/", "good", true);
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
	struct fixture *fixture = *state;
	struct store_site site = fake_site("good", OUTCOME_UP, "ok", "U");
	site.started_at = clock_wall_us() - 3600 * (wall_us)CLOCK_US_PER_S;
	fake_store_set(fixture->store, &site, 1);
	struct answer answer = get_until(fixture, "/", "good", true);
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
	struct web *web = start_on("127.0.0.1:0", NULL);
	struct answer answer = client_get(web_address(web), "/healthz");
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "\"status\":\"ok\""));
	answer_finish(&answer);
	answer = client_get(web_address(web), "/");
	assert_int_equal(answer.status, 404);
	answer_finish(&answer);
	web_stop(web);
}

static void addresses_are_understood(void **state)
{
	(void)state;
	static const struct {
		const char *listen;
		const char *starts_with;
		const char *ask;
	} cases[] = {
		{"127.0.0.1:0", "127.0.0.1:", "127.0.0.1"},
		{"[::1]:0", "[::1]:", "[::1]"},
		{":0", "[::]:", "127.0.0.1"},
		{":0", "[::]:", "[::1]"},
		{"0.0.0.0:0", "0.0.0.0:", "127.0.0.1"},
		{"localhost:0", "", "127.0.0.1"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(cases[i].ask, "[::1]") == 0 && !loopback_has_ipv6())
			continue;
		struct web *web = start_on(cases[i].listen, NULL);
		const char *address = web_address(web);
		assert_int_equal(
			strncmp(address, cases[i].starts_with, strlen(cases[i].starts_with)), 0);
		const char *host = address[0] == '[' && cases[i].starts_with[0] == '\0'
					   ? "[::1]"
					   : cases[i].ask;
		char *peer = xasprintf("%s%s", host, strrchr(address, ':'));
		struct answer answer = client_get(peer, "/healthz");
		assert_int_equal(answer.status, 200);
		answer_finish(&answer);
		free(peer);
		web_stop(web);
	}
}

static void bad_addresses_are_refused_by_name(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"8080",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:http",
		"::1:8080",
		"127.0.0.1:-1",
		"1.2.3.4:65536",
		"[::1]",
		"no such host:80",
		"192.0.2.1:0",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct web_options options = {.listen = bad[i], .store = fake_store_create()};
		struct error err = {0};
		assert_null(web_start(&options, &err));
		assert_int_equal(err.kind, ERROR_REJECT);
		assert_non_null(strstr(err.message, bad[i]));
	}
	assert_int_equal(fake_store_open_count(), 0);
}

static void a_taken_address_is_refused_by_name(void **state)
{
	struct fixture *fixture = *state;
	const char *address = web_address(fixture->web);
	const struct web_options options = {.listen = address};
	struct error err = {0};
	assert_null(web_start(&options, &err));
	assert_int_equal(err.kind, ERROR_REJECT);
	assert_non_null(strstr(err.message, address));
	assert_non_null(strstr(err.message, "in use"));
}

static void an_address_can_be_used_again_at_once(void **state)
{
	(void)state;
	struct web *web = start_on("127.0.0.1:0", NULL);
	char *address = xstrdup(web_address(web));
	for (int i = 0; i < 5; i++) {
		struct answer answer = client_get(address, "/healthz");
		assert_int_equal(answer.status, 200);
		answer_finish(&answer);
		web_stop(web);
		web = start_on(address, NULL);
	}
	web_stop(web);
	free(address);
}

static void stopping_does_not_wait_for_clients(void **state)
{
	(void)state;
	struct web *web = start_on("127.0.0.1:0", NULL);
	int fd = client_connect(web_address(web));
	client_send(fd, "GET /healthz HTTP/1.1\r\n");
	mono_us start = clock_mono_us();
	web_stop(web);
	assert_true(clock_mono_us() - start < 20 * (mono_us)CLOCK_US_PER_S);
	(void)close(fd);
}

static void stopping_does_not_wait_for_a_hanging_store(void **state)
{
	(void)state;
	struct store *store = fake_store_create();
	fake_store_hang(store, true);
	struct web *web = start_on("127.0.0.1:0", store);
	while (fake_store_reads(store) == 0)
		(void)usleep(LOOK_MS * 1000);
	mono_us start = clock_mono_us();
	web_stop(web);
	assert_true(clock_mono_us() - start < 20 * (mono_us)CLOCK_US_PER_S);
	/* the thread that was left behind closes the store as soon as it can */
	assert_int_equal(fake_store_open_count(), 1);
	fake_store_hang(store, false);
	for (int waited_ms = 0; fake_store_open_count() > 0; waited_ms += LOOK_MS) {
		assert_true(waited_ms < PATIENCE_MS);
		(void)usleep(LOOK_MS * 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(page_shows_every_outcome_as_a_word, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(all_text_is_escaped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_http_links_are_links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(page_has_no_inline_script_or_style, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(every_answer_has_the_strict_headers, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(api_has_the_frozen_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unchanged_board_is_not_sent_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(assets_are_kept_for_ever, set_up, tear_down),
		cmocka_unit_test_setup_teardown(head_is_get_without_a_body, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_requests_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(foreign_host_names_get_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(endless_headers_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(slow_clients_hold_up_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_viewers_read_the_store_once_a_second, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(figures_stay_when_the_store_goes_away, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_hanging_store_holds_up_nobody, set_up, tear_down),
		cmocka_unit_test(a_store_that_has_not_answered_is_awaited),
		cmocka_unit_test(sites_of_the_file_wait_and_others_are_closed),
		cmocka_unit_test_setup_teardown(old_reports_are_overdue, set_up, tear_down),
		cmocka_unit_test(without_a_store_there_is_only_health),
		cmocka_unit_test(addresses_are_understood),
		cmocka_unit_test(bad_addresses_are_refused_by_name),
		cmocka_unit_test_setup_teardown(a_taken_address_is_refused_by_name, set_up,
						tear_down),
		cmocka_unit_test(an_address_can_be_used_again_at_once),
		cmocka_unit_test(stopping_does_not_wait_for_clients),
		cmocka_unit_test(stopping_does_not_wait_for_a_hanging_store),
	};
	log_configure(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
