/* A socket that trickles is looked at less and less often, on time of the test's own; what it says at once, or last, is not waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/socket_watch.h"

enum {
	/* As socket_watch.c has it. */
	READS_MAX = 150,
	WRITES_MAX = 256,
	FULL_BYTES = 16 * 1024,
	LOOK_PART = 33,
	WRITE_LOOK_MS = 20,
	LONG_MS = 60 * 1000,
	READS_SENDING_MAX = 400,
	LOOKS_MAX =
		250, /* in so long: LOOK_PART * ln(60 s / 33 ms), and one a millisecond before */
	MANY_BYTES = 100 * 1000,
};

static uint64_t now_ms;
static uv_timer_cb due; /* NULL: no timer runs */
static uint64_t due_at;

uint64_t __wrap_uv_now(const uv_loop_t *loop);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb callback, uint64_t ms, uint64_t repeat);
int __wrap_uv_is_active(const uv_handle_t *handle);

uint64_t __wrap_uv_now(const uv_loop_t *loop)
{
	(void)loop;
	return now_ms;
}

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb callback, uint64_t ms, uint64_t repeat)
{
	(void)timer;
	assert_true(ms > 0 && repeat == 0);
	due = callback;
	due_at = now_ms + ms;
	return 0;
}

int __wrap_uv_is_active(const uv_handle_t *handle)
{
	(void)handle;
	return due != NULL;
}

struct bench {
	uv_loop_t loop;
	struct socket_watch watch;
	int ours, theirs;
	int looks;
	bool is_read_in_looks;
};

static void read_all(int fd)
{
	static char bytes[MANY_BYTES];
	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

static void on_look(void *context, int fd)
{
	struct bench *bench = context;
	assert_int_equal(fd, bench->ours);
	bench->looks++;
	if (bench->is_read_in_looks)
		read_all(fd);
}

/* Sets theirs, and returns ours. */
static int connect_pair(int *ret_theirs)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int ours = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(connect(ours, (struct sockaddr *)&address, sizeof(address)), 0);
	*ret_theirs = accept(listener, NULL, NULL);
	assert_true(*ret_theirs >= 0);
	(void)close(listener);
	return ours;
}

static int set_up(void **state)
{
	static struct bench bench;
	bench = (struct bench){.is_read_in_looks = true};
	now_ms = 1000;
	due = NULL;
	bench.ours = connect_pair(&bench.theirs);
	assert_int_equal(uv_loop_init(&bench.loop), 0);
	assert_int_equal(socket_watch_open(&bench.watch), 0);
	socket_watch_start(&bench.watch, &bench.loop, on_look, &bench);
	*state = &bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	socket_watch_close(&bench->watch);
	assert_int_equal(uv_run(&bench->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	socket_watch_finish(&bench->watch);
	(void)close(bench->ours);
	(void)close(bench->theirs);
	return 0;
}

/* What the kernel says of it, as soon as it says anything, or (wait_ms is 0) just now. */
static uint32_t ready(const struct bench *bench, int wait_ms)
{
	struct epoll_event event = {0};
	int count = epoll_wait(bench->watch.epoll_fd, &event, 1, wait_ms);
	return count == 1 ? event.events : 0;
}

static void say(const struct bench *bench, size_t size)
{
	static const char bytes[MANY_BYTES];
	assert_int_equal(send(bench->theirs, bytes, size, 0), size);
}

static void await_bytes(const struct bench *bench, int count)
{
	int there = 0;
	while (there < count)
		assert_int_equal(ioctl(bench->ours, FIONREAD, &there), 0);
}

/* One turn of the loop for the socket, in which it is read. */
static void turn(struct bench *bench, uint32_t events)
{
	socket_watch_begin_read(&bench->watch, bench->ours, events);
	if ((events & EPOLLIN) != 0)
		read_all(bench->ours);
	socket_watch_end_read(&bench->watch, bench->ours);
}

/* Byte by byte, a second after the first of them. */
static void trickle_so_often(struct bench *bench, int reads)
{
	for (int i = 0; i < reads; i++) {
		assert_null(due);
		say(bench, 1);
		assert_int_equal(ready(bench, -1) & EPOLLIN, EPOLLIN);
		turn(bench, EPOLLIN);
		if (i == 0)
			now_ms += 1000;
	}
}

/* Until it is looked at now and then. */
static void trickle(struct bench *bench)
{
	trickle_so_often(bench, READS_MAX + 1);
	assert_non_null(due);
}

static void pass(struct bench *bench, uint64_t ms)
{
	uint64_t until = now_ms + ms;
	while (due != NULL && due_at <= until) {
		uv_timer_cb callback = due;
		now_ms = due_at;
		due = NULL;
		callback(&bench->watch.timer);
	}
	now_ms = until;
}

static void add(struct bench *bench, uint32_t events, const void *user)
{
	assert_true(socket_watch_add(&bench->watch, bench->ours, events, user));
}

static void add_slow(struct bench *bench)
{
	add(bench, EPOLLIN, bench);
	trickle(bench);
}

static void little_waits_for_the_next_look(void **state)
{
	struct bench *bench = *state;
	add_slow(bench);
	assert_int_equal(due_at, now_ms + 1000 / LOOK_PART);
	say(bench, 1);
	await_bytes(bench, 1);
	assert_int_equal(ready(bench, 0), 0);
	pass(bench, 1000 / LOOK_PART - 1);
	assert_int_equal(bench->looks, 0);
	pass(bench, 1);
	assert_int_equal(bench->looks, 1);
	assert_true(due_at > now_ms + 1000 / LOOK_PART);
}

static void nothing_is_not_looked_at(void **state)
{
	struct bench *bench = *state;
	add_slow(bench);
	pass(bench, LONG_MS);
	assert_int_equal(bench->looks, 0);
}

static void looks_are_rare(void **state)
{
	struct bench *bench = *state;
	add_slow(bench);
	bench->is_read_in_looks = false;
	say(bench, 1);
	await_bytes(bench, 1);
	pass(bench, LONG_MS);
	assert_in_range(bench->looks, 1, LOOKS_MAX);
}

static void much_is_told_at_once(void **state)
{
	struct bench *bench = *state;
	add_slow(bench);
	say(bench, FULL_BYTES);
	assert_int_equal(ready(bench, -1), EPOLLIN);
	turn(bench, EPOLLIN);
	say(bench, FULL_BYTES - 1);
	await_bytes(bench, FULL_BYTES - 1);
	assert_int_equal(ready(bench, 0), 0);
}

/* Not all that there is, in the first place: what is there stays where nobody has taken it. */
static void the_more_has_come_the_more_is_waited_for(void **state)
{
	struct bench *bench = *state;
	add_slow(bench);
	for (int i = 0; i < LOOK_PART * 2; i++) {
		say(bench, FULL_BYTES);
		await_bytes(bench, FULL_BYTES);
		turn(bench, EPOLLIN);
	}
	say(bench, FULL_BYTES);
	await_bytes(bench, FULL_BYTES);
	assert_int_equal(ready(bench, 0), 0);
	say(bench, FULL_BYTES);
	assert_int_equal(ready(bench, -1), EPOLLIN);
}

static void the_end_is_told_at_once(void **state)
{
	struct bench *bench = *state;
	add_slow(bench);
	say(bench, 1);
	assert_int_equal(shutdown(bench->theirs, SHUT_WR), 0);
	assert_int_equal(ready(bench, -1), EPOLLIN);
}

static void one_that_is_woken_is_told_at_once(void **state)
{
	struct bench *bench = *state;
	add(bench, EPOLLIN, bench);
	assert_false(socket_watch_wake(&bench->watch, bench->ours));
	trickle(bench);
	say(bench, 1);
	await_bytes(bench, 1);
	assert_true(socket_watch_wake(&bench->watch, bench->ours));
	assert_int_equal(ready(bench, 0), EPOLLIN);
}

static void another_request_begins_anew(void **state)
{
	struct bench *bench = *state;
	add_slow(bench);
	socket_watch_remove(&bench->watch, bench->ours, true, NULL);
	add(bench, EPOLLIN, bench);
	due = NULL;
	trickle(bench);
}

/* Held for one that goes on, or that does not. */
static void what_is_held_is_still_known(void **state)
{
	struct bench *bench = *state;
	add_slow(bench);
	socket_watch_remove(&bench->watch, bench->ours, true, bench);
	add(bench, EPOLLIN, bench);
	say(bench, 1);
	await_bytes(bench, 1);
	assert_int_equal(ready(bench, 0), 0);
	pass(bench, 1000 / LOOK_PART);
	assert_int_equal(bench->looks, 1);
}

/* Its number is another's. */
static void replace_socket(struct bench *bench)
{
	int number = bench->ours;
	(void)close(bench->theirs);
	int fresh = connect_pair(&bench->theirs);
	assert_int_equal(dup2(fresh, number), number);
	(void)close(fresh);
}

static void what_is_held_for_nobody_any_more_is_forgotten(void **state)
{
	struct bench *bench = *state;
	add_slow(bench);
	socket_watch_remove(&bench->watch, bench->ours, true, bench);
	socket_watch_let_go(&bench->watch, bench);
	pass(bench, LONG_MS);
	assert_null(due);
	replace_socket(bench);
	add_slow(bench);
}

static void what_is_held_is_nothing_to_another(void **state)
{
	struct bench *bench = *state;
	add_slow(bench);
	socket_watch_remove(&bench->watch, bench->ours, true, bench);
	replace_socket(bench);
	add(bench, EPOLLIN, &bench->watch);
	due = NULL;
	trickle(bench);
}

/* What came before it, of TLS or HTTP/2, is no part of the response's time. */
static void the_time_is_that_of_the_response(void **state)
{
	struct bench *bench = *state;
	add(bench, EPOLLIN, bench);
	trickle_so_often(bench, READS_MAX);
	socket_watch_begin_response(&bench->watch, bench->ours);
	now_ms += LOOK_PART;
	say(bench, 1);
	assert_int_equal(ready(bench, -1), EPOLLIN);
	turn(bench, EPOLLIN);
	assert_int_equal(due_at, now_ms + 1);
}

/* Each may be a window for more of it. */
static void an_upload_is_given_more_turns(void **state)
{
	struct bench *bench = *state;
	add(bench, EPOLLIN | EPOLLOUT, bench);
	trickle_so_often(bench, READS_SENDING_MAX);
	assert_null(due);
	say(bench, 1);
	await_bytes(bench, 1);
	turn(bench, EPOLLIN);
	assert_non_null(due);
}

static void one_that_is_slow_is_not_looked_at_later_for_being_stuck(void **state)
{
	struct bench *bench = *state;
	add(bench, EPOLLIN, bench);
	trickle_so_often(bench, READS_MAX);
	socket_watch_begin_response(&bench->watch, bench->ours);
	say(bench, 1);
	await_bytes(bench, 1);
	turn(bench, EPOLLIN);
	assert_int_equal(due_at, now_ms + 1);
	assert_true(socket_watch_change(&bench->watch, bench->ours, EPOLLIN | EPOLLOUT));
	for (int i = 0; i <= WRITES_MAX; i++)
		turn(bench, EPOLLOUT);
	assert_int_equal(ready(bench, 0), 0);
	assert_int_equal(due_at, now_ms + 1);
	say(bench, 1);
	await_bytes(bench, 1);
	pass(bench, 1);
	assert_int_equal(bench->looks, 1);
}

static void who_only_can_be_written_to_is_asked_now_and_then(void **state)
{
	struct bench *bench = *state;
	add(bench, EPOLLIN | EPOLLOUT, bench);
	for (int i = 0; i <= WRITES_MAX; i++) {
		assert_int_equal(ready(bench, 0), EPOLLOUT);
		turn(bench, EPOLLOUT);
	}
	assert_int_equal(ready(bench, 0), 0);
	pass(bench, WRITE_LOOK_MS - 1);
	assert_int_equal(ready(bench, 0), 0);
	pass(bench, 1);
	assert_int_equal(ready(bench, 0), EPOLLOUT);
	turn(bench, EPOLLOUT);
	assert_int_equal(ready(bench, 0), 0);
	/* what it says is a reason to ask */
	say(bench, 1);
	assert_int_equal(ready(bench, -1), EPOLLIN);
	turn(bench, EPOLLIN);
	assert_int_equal(ready(bench, 0), EPOLLOUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(little_waits_for_the_next_look),
		TEST(nothing_is_not_looked_at),
		TEST(looks_are_rare),
		TEST(much_is_told_at_once),
		TEST(the_more_has_come_the_more_is_waited_for),
		TEST(the_end_is_told_at_once),
		TEST(one_that_is_woken_is_told_at_once),
		TEST(another_request_begins_anew),
		TEST(what_is_held_is_still_known),
		TEST(what_is_held_for_nobody_any_more_is_forgotten),
		TEST(what_is_held_is_nothing_to_another),
		TEST(the_time_is_that_of_the_response),
		TEST(an_upload_is_given_more_turns),
		TEST(one_that_is_slow_is_not_looked_at_later_for_being_stuck),
		TEST(who_only_can_be_written_to_is_asked_now_and_then),
	};
	return cmocka_run_group_tests_name("socket watch", tests, NULL, NULL);
}
