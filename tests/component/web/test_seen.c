/* /metrics and /readyz of a process whose figures the test writes, over a store that it controls. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/figures.h"
#include "base/memory.h"
#include "client.h"
#include "fake_store.h"
#include "web/web.h"

enum { PATIENCE_MS = 20000, LOOK_MS = 20, COUNTERS = 4, COUNTS = 20000 };

static struct web *start_web(struct figures *figures, struct store *store)
{
	const struct web_options options = {
		.listen = "127.0.0.1:0", .store = store, .figures = figures};
	struct error err = {0};
	struct web *web = web_start(&options, &err);
	if (web == NULL)
		fail_msg("%s", err.message);
	return web;
}

/* Until /readyz answers with this status and says this text. */
static void wait_ready(const struct web *web, int status, const char *text)
{
	for (int waited_ms = 0;; waited_ms += LOOK_MS) {
		struct answer answer = client_get(web_address(web), "/readyz");
		bool is_so = answer.status == status && strstr(answer.body, text) != NULL;
		if (!is_so && waited_ms > PATIENCE_MS)
			fail_msg("waited in vain for %d %s; got %d %s", status, text, answer.status,
				 answer.body);
		assert_true(answer.status == 200 || answer.status == 503);
		answer_finish(&answer);
		if (is_so)
			return;
		(void)usleep(LOOK_MS * 1000);
	}
}

static void readiness_follows_the_obstacles(void **state)
{
	(void)state;
	static struct figures figures;
	figures_init(&figures, FIGURES_CHECKS | FIGURES_OUTBOX | FIGURES_KAFKA | FIGURES_PUBLISHER);
	struct web *web = start_web(&figures, NULL);
	wait_ready(web, 503, "\"reasons\":[{\"reason\":\"starting\",");
	readiness_set(&figures.readiness, OBSTACLE_STARTING, false);
	wait_ready(web, 503, "\"reasons\":[{\"reason\":\"kafka_unreachable\",");
	readiness_set(&figures.readiness, OBSTACLE_KAFKA_UNREACHABLE, false);
	wait_ready(web, 200, "{\"ready\":true,\"reasons\":[]}\n");
	readiness_set(&figures.readiness, OBSTACLE_OUTBOX_FULL, true);
	wait_ready(web, 503, "\"reason\":\"outbox_full\"");
	web_stop(web);
}

static void answers_are_fresh_and_of_their_types(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		const char *type;
	} cases[] = {
		{"/metrics", "Content-Type: text/plain; version=0.0.4; charset=utf-8"},
		{"/readyz", "Content-Type: application/json; charset=utf-8"},
	};
	static struct figures figures;
	figures_init(&figures, FIGURES_CHECKS);
	struct web *web = start_web(&figures, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer answer = client_get(web_address(web), cases[i].path);
		assert_true(answer_has_header(&answer, cases[i].type));
		assert_true(answer_has_header(&answer, "Cache-Control: no-store"));
		assert_true(answer_has_header(&answer, "X-Content-Type-Options: nosniff"));
		answer_finish(&answer);
		char *request = xasprintf("HEAD %s HTTP/1.1\r\nHost: localhost\r\n", cases[i].path);
		answer = client_ask(web_address(web), request);
		assert_int_equal(answer.body_length, 0);
		answer_finish(&answer);
		free(request);
		request = xasprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n",
				    cases[i].path);
		answer = client_ask(web_address(web), request);
		assert_int_equal(answer.status, 405);
		answer_finish(&answer);
		free(request);
	}
	web_stop(web);
}

static void a_process_without_figures_shows_itself(void **state)
{
	(void)state;
	struct web *web = start_web(NULL, NULL);
	struct answer answer = client_get(web_address(web), "/metrics");
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	wait_ready(web, 200, "\"reasons\":[]");
	web_stop(web);
}

static void a_page_without_a_writer_says_whether_its_store_is_there(void **state)
{
	(void)state;
	static struct figures figures;
	figures_init(&figures, FIGURES_PAGE);
	readiness_set(&figures.readiness, OBSTACLE_STARTING, false);
	struct store *store = fake_store_create();
	struct web *web = start_web(&figures, store);
	wait_ready(web, 200, "\"reasons\":[]");
	fake_store_fail(store, true);
	wait_ready(web, 503, "\"reason\":\"store_away\"");
	fake_store_fail(store, false);
	wait_ready(web, 200, "\"reasons\":[]");
	fake_store_hang(store, true);
	wait_ready(web, 503, "\"reason\":\"store_away\"");
	fake_store_hang(store, false);
	wait_ready(web, 200, "\"reasons\":[]");
	web_stop(web);
	assert_int_equal(fake_store_open_count(), 0);
}

static void a_page_beside_a_writer_waits_until_that_one_has_found_the_store(void **state)
{
	(void)state;
	static struct figures figures;
	figures_init(&figures, FIGURES_CHECKS | FIGURES_STORE);
	readiness_set(&figures.readiness, OBSTACLE_STARTING, false);
	struct store *store = fake_store_create();
	struct web *web = start_web(&figures, store);
	struct answer answer = client_get(web_address(web), "/api/v1/sites");
	assert_int_equal(answer.status, 503);
	answer_finish(&answer);
	assert_int_equal(fake_store_reads(store), 0);
	readiness_set(&figures.readiness, OBSTACLE_STORE_AWAY, false);
	for (int waited_ms = 0, status = 0; status != 200; waited_ms += LOOK_MS) {
		assert_true(waited_ms < PATIENCE_MS);
		answer = client_get(web_address(web), "/api/v1/sites");
		status = answer.status;
		answer_finish(&answer);
		(void)usleep(LOOK_MS * 1000);
	}
	/* from then on its own connection is enough */
	readiness_set(&figures.readiness, OBSTACLE_STORE_AWAY, true);
	answer = client_get(web_address(web), "/api/v1/sites");
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	web_stop(web);
}

/* Until /metrics and the page both say it, or the page says nothing of the kind. */
static void wait_missing(const struct web *web, const char *metric, const char *footer)
{
	for (int waited_ms = 0;; waited_ms += LOOK_MS) {
		struct answer metrics = client_get(web_address(web), "/metrics");
		struct answer page = client_get(web_address(web), "/");
		bool is_so = strstr(metrics.body, metric) != NULL &&
			     (footer != NULL ? strstr(page.body, footer) != NULL
					     : strstr(page.body, "missing in the store") == NULL);
		answer_finish(&metrics);
		answer_finish(&page);
		if (is_so)
			return;
		if (waited_ms > PATIENCE_MS)
			fail_msg("waited in vain for %s, %s", metric, footer);
		(void)usleep(LOOK_MS * 1000);
	}
}

static void missing_reports_are_a_figure_and_a_line_in_the_footer(void **state)
{
	(void)state;
	static struct figures figures;
	figures_init(&figures, FIGURES_PAGE | FIGURES_AUDIT);
	struct store *store = fake_store_create();
	fake_store_miss(store, 3);
	struct web *web = start_web(&figures, store);
	wait_missing(web, "\nwebsentry_audit_missing_reports 3\n",
		     "3 reports are missing in the store: <code>websentry audit</code>");
	fake_store_miss(store, 1);
	wait_missing(web, "\nwebsentry_audit_missing_reports 1\n",
		     "1 report is missing in the store");
	fake_store_miss(store, 0);
	wait_missing(web, "\nwebsentry_audit_missing_producers 0\n", NULL);
	assert_true(figures_get(&figures.audit.looked_at) > 0);
	web_stop(web);
}

static void a_page_goes_on_where_missing_reports_cant_be_counted(void **state)
{
	(void)state;
	static struct figures figures;
	figures_init(&figures, FIGURES_PAGE | FIGURES_AUDIT);
	readiness_set(&figures.readiness, OBSTACLE_STARTING, false);
	struct store *store = fake_store_create();
	fake_store_miss(store, -1);
	struct web *web = start_web(&figures, store);
	wait_ready(web, 200, "\"reasons\":[]");
	wait_missing(web, "\nwebsentry_audit_timestamp_seconds 0.000000\n", NULL);
	web_stop(web);
}

static void a_writer_that_waits_for_its_store_too_long_is_not_ready(void **state)
{
	(void)state;
	static struct figures figures;
	figures_init(&figures, FIGURES_STORE);
	readiness_set(&figures.readiness, OBSTACLE_STARTING, false);
	readiness_set(&figures.readiness, OBSTACLE_STORE_AWAY, false);
	struct web *web = start_web(&figures, NULL);
	figures_set(&figures.store.busy_since, clock_mono_us() - CLOCK_US_PER_S);
	wait_ready(web, 200, "\"reasons\":[]");
	figures_set(&figures.store.busy_since,
		    clock_mono_us() - (FIGURES_STORE_HANGS_MS + 7000) * CLOCK_US_PER_MS);
	wait_ready(web, 503, "\"reason\":\"store_away\",\"message\":\"The store does not answer");
	figures_set(&figures.store.busy_since, 0);
	wait_ready(web, 200, "\"reasons\":[]");
	web_stop(web);
}

static void *count_up(void *context)
{
	struct figures *figures = context;
	for (int64_t i = 0; i < COUNTS; i++) {
		figures_add(&figures->checks.by_reason[REASON_OK], 1);
		figures_observe(&figures->checks.late, i);
		readiness_set(&figures->readiness, OBSTACLE_REPORTS_HELD, (i & 1) != 0);
	}
	readiness_set(&figures->readiness, OBSTACLE_REPORTS_HELD, false);
	return NULL;
}

static void counting_and_reading_go_on_together(void **state)
{
	(void)state;
	static struct figures figures;
	pthread_t threads[COUNTERS];
	figures_init(&figures, FIGURES_CHECKS | FIGURES_STORE);
	struct web *web = start_web(&figures, NULL);
	for (size_t i = 0; i < COUNTERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_up, &figures), 0);
	for (int i = 0; i < 20; i++) {
		struct answer answer = client_get(web_address(web), i % 2 ? "/metrics" : "/readyz");
		assert_true(answer.status == 200 || answer.status == 503);
		answer_finish(&answer);
	}
	for (size_t i = 0; i < COUNTERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	struct answer answer = client_get(web_address(web), "/metrics");
	assert_non_null(strstr(answer.body,
			       "\nwebsentry_checks_total{outcome=\"up\",reason=\"ok\"} 80000\n"));
	assert_non_null(strstr(answer.body, "\nwebsentry_check_lateness_seconds_count 80000\n"));
	answer_finish(&answer);
	web_stop(web);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readiness_follows_the_obstacles),
		cmocka_unit_test(answers_are_fresh_and_of_their_types),
		cmocka_unit_test(a_process_without_figures_shows_itself),
		cmocka_unit_test(a_page_without_a_writer_says_whether_its_store_is_there),
		cmocka_unit_test(a_page_beside_a_writer_waits_until_that_one_has_found_the_store),
		cmocka_unit_test(missing_reports_are_a_figure_and_a_line_in_the_footer),
		cmocka_unit_test(a_page_goes_on_where_missing_reports_cant_be_counted),
		cmocka_unit_test(a_writer_that_waits_for_its_store_too_long_is_not_ready),
		cmocka_unit_test(counting_and_reading_go_on_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
