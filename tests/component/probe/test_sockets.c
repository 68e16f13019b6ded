/*
 * A socket's number is another connection's as soon as curl has closed it, and what is known of it is that one's then, though the transfer
 * that had it before has not been told of its end yet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <uv.h>

#include "base/clock.h"
#include "base/memory.h"
#include "check/observation.h"
#include "check/request.h"
#include "check/site.h"
#include "loop_bench.h"
#include "peer.h"
#include "probe/check_run.h"

enum {
	PAUSE_MS = 50,
	AGAIN = 5, /* whether curl reads or sends first is a race */
};

/* Where no TCP leads: the system says so at once. */
#define NOWHERE "255.255.255.255"

/* Frames of HTTP/2: length, kind, flags, stream. */
static const char page[] = "\0\0\0\4\0\0\0\0\0"     /* SETTINGS */
			   "\0\0\1\1\4\0\0\0\1\x88" /* HEADERS */
			   "\0\0\2\0\0\0\0\0\1hi"
			   "\0\0\0\0\1\0\0\0\1"; /* DATA, and the end */

/* Our words are unread: the connection is reset, behind all that there is to say. */
static void say_and_reset(struct peer_connection *connection)
{
	peer_pause(connection, PAUSE_MS);
	(void)peer_send(connection, page, sizeof(page) - 1);
	peer_reset(connection);
}

static const struct peer_behaviour behaviours[] = {{"", NULL, say_and_reset}, {NULL, NULL, NULL}};

enum who { FIRST, NOT_THERE, LATER, RUN_COUNT };

static struct {
	struct loop_bench base;
	struct check_run *runs[RUN_COUNT];
	struct site sites[RUN_COUNT];
	int finished;
} bench;

static void start(enum who who)
{
	const struct check_start start = {.site = &bench.sites[who]};
	check_run_start(bench.runs[who], &start, clock_mono_us());
}

/* The first end has two more begin: curl hears of both before it does anything about one, and has ended one before it says so. */
static void on_ended(void *context, CURLcode code)
{
	check_run_on_ended(context, code);
	if (context != bench.runs[FIRST])
		return;
	start(NOT_THERE);
	start(LATER);
}

static void on_turn(uv_prepare_t *turn)
{
	(void)turn;
	if (bench.finished == RUN_COUNT)
		uv_stop(&bench.base.loop);
}

static void on_finished(void *context, struct check_run *run)
{
	(void)context;
	(void)run;
	bench.finished++;
}

static void make_site(enum who who, const char *host, int port)
{
	struct site *site = &bench.sites[who];
	site_init(site);
	site->url = xasprintf("http://%s:%d/", host, port);
	site->timeout_us = 30 * CLOCK_US_PER_S;
	request_make(site)->http = REQUEST_HTTP_2;
}

static int set_up(void **state)
{
	(void)state;
	struct error err;
	if (loop_bench_open(&bench.base, behaviours, on_turn, on_finished, on_ended) != 0)
		return -1;
	for (enum who who = FIRST; who < RUN_COUNT; who++) {
		bench.runs[who] = check_run_create(&bench.base.env, &err);
		if (bench.runs[who] == NULL)
			return -1;
		bool is_there = who == LATER;
		make_site(who, is_there ? "127.0.0.1" : NOWHERE,
			  is_there ? peer_port(bench.base.peer) : 9);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (enum who who = FIRST; who < RUN_COUNT; who++)
		check_run_close(bench.runs[who]);
	loop_bench_close(&bench.base);
	for (enum who who = FIRST; who < RUN_COUNT; who++) {
		check_run_destroy(bench.runs[who]);
		site_finish(&bench.sites[who]);
	}
	return loop_bench_destroy(&bench.base);
}

static enum reason reason_of(enum who who)
{
	return check_run_observation(bench.runs[who])->trouble;
}

static void a_number_is_the_connections_that_has_it_now(void **state)
{
	(void)state;
	for (int i = 0; i < AGAIN; i++) {
		bench.finished = 0;
		start(FIRST);
		(void)uv_run(&bench.base.loop, UV_RUN_DEFAULT);
		assert_int_not_equal(reason_of(NOT_THERE), REASON_OK);
		assert_int_equal(reason_of(LATER), REASON_OK);
		for (enum who who = FIRST; who < RUN_COUNT; who++)
			check_run_clear(bench.runs[who]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_number_is_the_connections_that_has_it_now, set_up,
						tear_down),
	};
	return cmocka_run_group_tests_name("sockets", tests, NULL, NULL);
}
