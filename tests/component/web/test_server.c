/* The web server and its clients: which requests it answers, whom it waits for, where it listens, how it stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../loopback.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "client.h"
#include "fake_store.h"
#include "web/web.h"
#include "web_fixture.h"

static void every_answer_has_the_strict_headers(void **state)
{
	struct web_fixture *fixture = *state;
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

static void head_is_get_without_a_body(void **state)
{
	struct web_fixture *fixture = *state;
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
	struct web_fixture *fixture = *state;
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
	struct web_fixture *fixture = *state;
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
	struct web_fixture *fixture = *state;
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
	struct web_fixture *fixture = *state;
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
		struct web *web = web_fixture_start(cases[i].listen, NULL);
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
	struct web_fixture *fixture = *state;
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
	struct web *web = web_fixture_start("127.0.0.1:0", NULL);
	char *address = xstrdup(web_address(web));
	for (int i = 0; i < 5; i++) {
		struct answer answer = client_get(address, "/healthz");
		assert_int_equal(answer.status, 200);
		answer_finish(&answer);
		web_stop(web);
		web = web_fixture_start(address, NULL);
	}
	web_stop(web);
	free(address);
}

static void stopping_does_not_wait_for_clients(void **state)
{
	(void)state;
	struct web *web = web_fixture_start("127.0.0.1:0", NULL);
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
	struct web *web = web_fixture_start("127.0.0.1:0", store);
	while (fake_store_reads(store) == 0)
		(void)usleep(WEB_FIXTURE_LOOK_MS * 1000);
	mono_us start = clock_mono_us();
	web_stop(web);
	assert_true(clock_mono_us() - start < 20 * (mono_us)CLOCK_US_PER_S);
	/* the thread that was left behind closes the store as soon as it can */
	assert_int_equal(fake_store_open_count(), 1);
	fake_store_hang(store, false);
	for (int waited_ms = 0; fake_store_open_count() > 0; waited_ms += WEB_FIXTURE_LOOK_MS) {
		assert_true(waited_ms < WEB_FIXTURE_PATIENCE_MS);
		(void)usleep(WEB_FIXTURE_LOOK_MS * 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_answer_has_the_strict_headers,
						web_fixture_set_up, web_fixture_tear_down),
		cmocka_unit_test_setup_teardown(head_is_get_without_a_body, web_fixture_set_up,
						web_fixture_tear_down),
		cmocka_unit_test_setup_teardown(other_requests_are_refused, web_fixture_set_up,
						web_fixture_tear_down),
		cmocka_unit_test_setup_teardown(foreign_host_names_get_nothing, web_fixture_set_up,
						web_fixture_tear_down),
		cmocka_unit_test_setup_teardown(endless_headers_are_refused, web_fixture_set_up,
						web_fixture_tear_down),
		cmocka_unit_test_setup_teardown(slow_clients_hold_up_nobody, web_fixture_set_up,
						web_fixture_tear_down),
		cmocka_unit_test(addresses_are_understood),
		cmocka_unit_test(bad_addresses_are_refused_by_name),
		cmocka_unit_test_setup_teardown(a_taken_address_is_refused_by_name,
						web_fixture_set_up, web_fixture_tear_down),
		cmocka_unit_test(an_address_can_be_used_again_at_once),
		cmocka_unit_test(stopping_does_not_wait_for_clients),
		cmocka_unit_test(stopping_does_not_wait_for_a_hanging_store),
	};
	log_configure(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
