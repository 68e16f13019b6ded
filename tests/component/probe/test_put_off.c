/*
 * A body that makes much work has no turn of the loop for itself: it goes on in the next ones, and nothing of it is lost. One that comes byte
 * by byte does not have all the turns. A transfer whose socket can't be watched ends in the next one, and no other.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <uv.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "check/observation.h"
#include "check/site.h"
#include "loop_bench.h"
#include "peer.h"
#include "probe/check_run.h"
#include "probe/poller.h"

enum {
	BOMB_SIZE = 12 * 1024 * 1024,
	CHUNKS = 100 * 1000, /* of one byte each */
	/* As transfer_body.c has it: bytes a turn, and what a call and a chunk cost. */
	WORK_A_TURN = 512 * 1024,
	WORK_A_CHUNK = 128,
	/* As socket_watch.c has it: turns for a socket with little to read. More than it has looks in an hour, 33 * ln(3.6e6). */
	READS_MAX = 150,
	LOOKS_AN_HOUR = 500,
	FULL_BYTES = 16 * 1024,
	BYTES = 3000,
	PAUSE_NS = 500 * 1000,
	/* Crumbs between two bursts, fewer than make a socket rest; and chunks in a burst, twice what a turn is for. */
	CRUMBS = 100,
	BURST = 2 * WORK_A_TURN / WORK_A_CHUNK,
	BURSTS_MAX = 5,
	RESTS = 20, /* are enough */
	TIMEOUT_MS = 30 * 1000,
	SHORT_MS = 2000,
	CURLS_TIMER_MS = 300, /* it looks at the socket of its own accord, 200 ms after it began */
};

/* --- what the poller does with its socket; the peer's thread looks on --- */

/* Of the calls that let a socket be watched, libuv's own apart, the one that fails; 0: none. */
static int calls_left;

static atomic_int watched_fd;
static atomic_int rest_count; /* times that it was left to itself with little to read */
static atomic_int put_asides; /* times that curl took it out, which it does with what is put off */
static int put_asides_before; /* the first rest */
static bool is_rest_endless;  /* there is nothing whenever it is looked at */
static int
	pretended_unread; /* bytes that wait in every socket, as its reader is told; -1: as it is */

static void watch_anew(int unread)
{
	watched_fd = -1;
	rest_count = 0;
	put_asides = 0;
	put_asides_before = 0;
	pretended_unread = unread;
}

static void note_call(int operation, int fd)
{
	if (operation == EPOLL_CTL_ADD)
		watched_fd = fd;
	if (operation == EPOLL_CTL_DEL)
		put_asides++;
}

static void note_rest(void)
{
	if (rest_count == 0)
		put_asides_before = put_asides;
	rest_count++;
	if (is_rest_endless)
		pretended_unread = 0;
}

int __real_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);

int __wrap_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event)
{
	if (operation != EPOLL_CTL_DEL && calls_left > 0 && --calls_left == 0) {
		errno = ENOSPC;
		return -1;
	}
	note_call(operation, fd);
	return __real_epoll_ctl(epoll_fd, operation, fd, event);
}

int __real_setsockopt(int fd, int level, int option, const void *value, socklen_t size);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t size);

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	if (level == SOL_SOCKET && option == SO_RCVLOWAT && *(const int *)value > 1)
		note_rest();
	return __real_setsockopt(fd, level, option, value, size);
}

int __real_ioctl(int fd, unsigned long request, int *number);
int __wrap_ioctl(int fd, unsigned long request, int *number);

int __wrap_ioctl(int fd, unsigned long request, int *number)
{
	int result = __real_ioctl(fd, request, number);
	if (result == 0 && request == FIONREAD && pretended_unread >= 0)
		*number = pretended_unread;
	return result;
}

/* Packed once: that takes a while. */
static unsigned char bomb[64 * 1024];
static size_t bomb_length;

static int pack_bomb(void **state)
{
	(void)state;
	z_stream stream = {0};
	char *zeroes = xcalloc(1, BOMB_SIZE);
	int status = deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
	stream.next_in = (unsigned char *)zeroes;
	stream.avail_in = BOMB_SIZE;
	stream.next_out = bomb;
	stream.avail_out = sizeof(bomb);
	if (status == Z_OK)
		status = deflate(&stream, Z_FINISH);
	bomb_length = sizeof(bomb) - stream.avail_out;
	(void)deflateEnd(&stream);
	free(zeroes);
	return status == Z_STREAM_END ? 0 : -1;
}

static void send_bomb(struct peer_connection *connection)
{
	(void)(peer_say_format(connection,
			       "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
			       "Content-Length: %zu\r\n\r\n",
			       bomb_length) &&
	       peer_send(connection, bomb, bomb_length));
}

static void send_chunks(struct peer_connection *connection)
{
	static const char chunk[] = "1\r\nc\r\n";
	enum { SIZE = sizeof(chunk) - 1 };
	char *chunks = xmalloc((size_t)CHUNKS * SIZE);
	for (size_t i = 0; i < CHUNKS; i++)
		memcpy(chunks + i * SIZE, chunk, SIZE);
	(void)(peer_say(connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") &&
	       peer_send(connection, chunks, (size_t)CHUNKS * SIZE) &&
	       peer_say(connection, "0\r\n\r\n"));
	free(chunks);
}

static void send_bytes(struct peer_connection *connection)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	int is_quick = 1;
	(void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &is_quick, sizeof(is_quick));
	bool is_there =
		peer_say_format(connection, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BYTES);
	for (int i = 0; i < BYTES && is_there; i++) {
		is_there = peer_say(connection, "b");
		(void)nanosleep(&pause, NULL);
	}
}

/* Wait until what was sent has been read, so that the next bytes are read by themselves. */
static void await_reader(void)
{
	enum { LOOKS_MAX = 20 * 1000 };
	const struct timespec pause = {.tv_nsec = PAUSE_NS / 10};
	int unread = 1;
	for (int i = 0; i < LOOKS_MAX && unread > 0; i++) {
		(void)nanosleep(&pause, NULL);
		if (__real_ioctl(watched_fd, FIONREAD, &unread) != 0)
			return;
	}
}

static atomic_int sent; /* bytes of a body in chunks of one */

static bool send_one_by_one(struct peer_connection *connection, int count)
{
	int is_quick = 1;
	(void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &is_quick, sizeof(is_quick));
	for (int i = 0; i < count && rest_count < RESTS; i++) {
		if (!peer_say(connection, "1\r\nc\r\n"))
			return false;
		sent++;
		await_reader();
	}
	return true;
}

#define CHUNKED_HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define LAST_CHUNK "0\r\n\r\n"

/* Twice as many crumbs as make a socket rest, if it does not. */
static void send_crumbs(struct peer_connection *connection)
{
	(void)(send_one_by_one(connection, 2 * READS_MAX) && peer_say(connection, LAST_CHUNK));
}

/* Crumbs until the socket rests, and then the last of them. */
static void send_end_at_rest(struct peer_connection *connection)
{
	bool is_there = true;
	peer_pause(connection, CURLS_TIMER_MS);
	for (int i = 0; i < 2 * READS_MAX && rest_count == 0 && is_there; i++)
		is_there = send_one_by_one(connection, 1);
	(void)(is_there && peer_say(connection, LAST_CHUNK));
	peer_hang(connection);
}

/* Crumbs, and again and again so much at once that it is put off. */
static void send_bursts(struct peer_connection *connection)
{
	static const char chunk[] = "1\r\nc\r\n";
	enum { SIZE = sizeof(chunk) - 1 };
	char *burst = xmalloc((size_t)BURST * SIZE);
	bool is_there = true;
	for (size_t i = 0; i < BURST; i++)
		memcpy(burst + i * SIZE, chunk, SIZE);
	for (int i = 0; i < BURSTS_MAX && rest_count < RESTS && is_there; i++) {
		is_there = send_one_by_one(connection, CRUMBS) &&
			   peer_send(connection, burst, (size_t)BURST * SIZE);
		sent += BURST;
		await_reader();
	}
	(void)(is_there && peer_say(connection, LAST_CHUNK));
	free(burst);
}

#define PAGE "page"
#define PAGE_RESPONSE "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" PAGE

static const struct peer_behaviour behaviours[] = {{"bomb", NULL, send_bomb},
						   {"chunks", NULL, send_chunks},
						   {"bytes", NULL, send_bytes},
						   {"crumbs", CHUNKED_HEAD, send_crumbs},
						   {"bursts", CHUNKED_HEAD, send_bursts},
						   {"rest", CHUNKED_HEAD, send_end_at_rest},
						   {"page", PAGE_RESPONSE, NULL},
						   {NULL, NULL, NULL}};

struct bench {
	struct loop_bench base;
	struct check_run *run;
	int turns;
	bool is_finished;
	int timeout_ms;
};

static struct bench bench;

static void on_turn(uv_prepare_t *turn)
{
	(void)turn;
	bench.turns++;
	if (bench.is_finished)
		uv_stop(&bench.base.loop);
}

static void on_finished(void *context, struct check_run *run)
{
	(void)context;
	(void)run;
	bench.is_finished = true;
}

static int set_up(void **state)
{
	(void)state;
	struct error err;
	bench = (struct bench){.timeout_ms = TIMEOUT_MS};
	sent = 0;
	watch_anew(-1);
	if (loop_bench_open(&bench.base, behaviours, on_turn, on_finished, check_run_on_ended) != 0)
		return -1;
	bench.run = check_run_create(&bench.base.env, &err);
	return bench.run == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	check_run_close(bench.run);
	loop_bench_close(&bench.base);
	check_run_destroy(bench.run);
	return loop_bench_destroy(&bench.base);
}

static void start(struct site *site, const char *path)
{
	char url[64];
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/%s", peer_port(bench.base.peer),
		       path);
	site_init(site);
	site->url = xstrdup(url);
	site->timeout_us = bench.timeout_ms * CLOCK_US_PER_MS;
	const struct check_start start = {.site = site};
	check_run_start(bench.run, &start, clock_mono_us());
}

/* Check it to its end, and compare what came (-1: with what was sent); returns how many turns of the loop that took. */
static int check(const char *path, int64_t decoded_bytes)
{
	struct site site;
	start(&site, path);
	bench.turns = 0;
	(void)uv_run(&bench.base.loop, UV_RUN_DEFAULT);
	const struct observation *observation = check_run_observation(bench.run);
	assert_int_equal(observation->trouble, REASON_OK);
	assert_int_equal(observation->decoded_bytes, decoded_bytes < 0 ? sent : decoded_bytes);
	check_run_clear(bench.run);
	site_finish(&site);
	bench.is_finished = false;
	return bench.turns;
}

static void what_is_packed_tightly_takes_many_turns(void **state)
{
	(void)state;
	assert_true(check("bomb", BOMB_SIZE) >= BOMB_SIZE / (2 * WORK_A_TURN));
}

static void chunks_of_a_byte_take_many_turns(void **state)
{
	(void)state;
	assert_true(check("chunks", CHUNKS) >= (int64_t)CHUNKS * WORK_A_CHUNK / (2 * WORK_A_TURN));
}

/* The first of them, and then some of those that there is time for. */
static void bytes_one_by_one_do_not_take_a_turn_each(void **state)
{
	(void)state;
	int turns = check("bytes", BYTES);
	assert_in_range(turns, 1, 2 * READS_MAX + LOOKS_AN_HOUR);
}

/* What curl would take in one go is read at once. */
static void what_is_there_decides_whether_a_socket_rests(void **state)
{
	(void)state;
	static const struct {
		int unread;
		bool does_rest;
	} cases[] = {{1, true}, {FULL_BYTES - 1, true}, {FULL_BYTES, false}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		watch_anew(cases[i].unread);
		sent = 0;
		(void)check("crumbs", -1);
		if ((rest_count > 0) != cases[i].does_rest)
			fail_msg("%d bytes: %d rests", cases[i].unread, (int)rest_count);
	}
}

/* One check of a socket that rests for ever; its trouble. */
static enum reason check_at_rest(int timeout_ms)
{
	struct site site;
	watch_anew(1);
	bench.timeout_ms = timeout_ms;
	is_rest_endless = true;
	start(&site, "rest");
	(void)uv_run(&bench.base.loop, UV_RUN_DEFAULT);
	is_rest_endless = false;
	const struct observation *observation = check_run_observation(bench.run);
	enum reason trouble = observation->trouble;
	if (trouble == REASON_OK)
		assert_int_equal(observation->decoded_bytes, sent);
	check_run_clear(bench.run);
	site_finish(&site);
	return trouble;
}

/* Its end lies there when the time is over. On a busy machine it may not have been said by then: then again, with more time. */
static void what_came_in_time_counts_though_its_socket_rests(void **state)
{
	int timeout_ms = SHORT_MS;
	enum reason trouble = check_at_rest(timeout_ms);
	while (trouble == REASON_TIMEOUT && timeout_ms < TIMEOUT_MS) {
		timeout_ms *= 2;
		assert_int_equal(tear_down(state), 0);
		assert_int_equal(set_up(state), 0);
		trouble = check_at_rest(timeout_ms);
	}
	assert_int_equal(trouble, REASON_OK);
	assert_true(rest_count > 0);
}

/* curl takes out the socket of what is put off and watches it anew; it is the same socket, and was read as often. */
static void what_is_put_off_still_counts(void **state)
{
	(void)state;
	watch_anew(1);
	(void)check("bursts", -1);
	assert_true(rest_count > 0);
	assert_true(put_asides_before > 0);
}

/* After any number of turns; the handle is as good as before. */
static void what_is_put_off_can_be_given_up(void **state)
{
	(void)state;
	for (int turns = 1; turns <= 2 * BOMB_SIZE / WORK_A_TURN; turns++) {
		struct site site;
		start(&site, "bomb");
		for (int i = 0; i < turns && !bench.is_finished; i++)
			(void)uv_run(&bench.base.loop, UV_RUN_ONCE);
		assert_true(check_run_abandon(bench.run));
		site_finish(&site);
		bench.is_finished = false;
	}
	(void)check("chunks", CHUNKS);
}

/* Each of the calls that a check makes fails once. (A page so short that nothing is put off to rest, which is a call as well.) */
static void what_can_not_be_watched_ends_alone(void **state)
{
	(void)state;
	int failed = 0;
	for (int call = 1; call == 1 + failed; call++) {
		struct site site;
		calls_left = call;
		start(&site, "page");
		(void)uv_run(&bench.base.loop, UV_RUN_DEFAULT);
		failed += calls_left == 0;
		calls_left = 0;
		const struct observation *observation = check_run_observation(bench.run);
		bool is_told = observation->trouble == REASON_PROBER_OVERLOADED;
		assert_int_equal(is_told, failed == call);
		check_run_clear(bench.run);
		site_finish(&site);
		bench.is_finished = false;
		(void)check("page", sizeof(PAGE) - 1);
	}
	assert_true(failed > 0);
}

CURLM *__real_curl_multi_init(void);
CURLM *__wrap_curl_multi_init(void);
static bool has_no_memory;

CURLM *__wrap_curl_multi_init(void)
{
	return has_no_memory ? NULL : __real_curl_multi_init();
}

static void what_could_not_be_prepared_is_said(void **state)
{
	(void)state;
	struct error err;
	has_no_memory = true;
	errno = EACCES; /* of something else, long ago */
	struct poller *poller = poller_create(&bench.base.loop, NULL, &err);
	has_no_memory = false;
	assert_null(poller);
	assert_string_equal(err.message, "prepare transfers: libcurl is out of memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_packed_tightly_takes_many_turns, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(chunks_of_a_byte_take_many_turns, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(bytes_one_by_one_do_not_take_a_turn_each, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_there_decides_whether_a_socket_rests,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_came_in_time_counts_though_its_socket_rests,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_put_off_still_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_put_off_can_be_given_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_can_not_be_watched_ends_alone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_could_not_be_prepared_is_said, set_up,
						tear_down),
	};
	return cmocka_run_group_tests_name("put off", tests, pack_bomb, NULL);
}
