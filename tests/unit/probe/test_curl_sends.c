/* What send() says of a connection that was reset, and recv() of its end: on a socket that is heard out, and on any other. */
#undef _FORTIFY_SOURCE /* it would have a recv() of its own */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

#include "probe/curl_reads.h"
#include "probe/curl_sends.h"

#define PAGE "a page"

enum { PATIENCE_MS = 10000 };

static struct curl_sends sends;

static int enter(void **state)
{
	(void)state;
	curl_reads_bound();
	curl_sends_bound(&sends);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	curl_reads_unbound();
	curl_sends_unbound();
	curl_sends_finish(&sends);
	return 0;
}

/* A socket that was connected over TCP, whose other side has said a page, maybe that this was all, and has reset it. */
static int open_reset(bool has_ended)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	int ours = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(ours, (struct sockaddr *)&address, size), 0);
	int theirs = accept(listener, NULL, NULL);
	assert_int_equal(send(theirs, PAGE, strlen(PAGE), 0), strlen(PAGE));
	if (has_ended)
		assert_int_equal(shutdown(theirs, SHUT_WR), 0);
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	assert_int_equal(setsockopt(theirs, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	(void)close(theirs);
	(void)close(listener);
	struct pollfd wait = {.fd = ours};
	assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
	return ours;
}

static ssize_t say(int socket)
{
	return send(socket, "words", 5, MSG_NOSIGNAL);
}

static void assert_page(int socket)
{
	char room[64];
	assert_int_equal(recv(socket, room, sizeof(room), 0), strlen(PAGE));
	assert_memory_equal(room, PAGE, strlen(PAGE));
}

static void words_count_as_sent_and_the_end_is_a_reset(void **state)
{
	(void)state;
	char byte;
	int socket = open_reset(false);
	curl_sends_hear_out(&sends, socket, true);
	for (int i = 0; i < 3; i++)
		assert_int_equal(say(socket), 5);
	assert_page(socket);
	assert_int_equal(say(socket), 5);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(recv(socket, &byte, 1, 0), -1);
		assert_int_equal(errno, ECONNRESET);
	}
	(void)close(socket);
}

static void an_end_before_the_reset_is_an_end(void **state)
{
	(void)state;
	char byte;
	int socket = open_reset(true);
	curl_sends_hear_out(&sends, socket, true);
	assert_int_equal(say(socket), 5);
	assert_page(socket);
	assert_int_equal(recv(socket, &byte, 1, 0), 0);
	(void)close(socket);
}

static void an_end_that_recv_was_told_of_is_told_once(void **state)
{
	(void)state;
	char byte;
	int socket = open_reset(false);
	curl_sends_hear_out(&sends, socket, true);
	assert_page(socket);
	assert_int_equal(recv(socket, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(say(socket), 5);
	assert_int_equal(recv(socket, &byte, 1, 0), 0);
	(void)close(socket);
}

static void assert_fails(int socket)
{
	char byte;
	assert_int_equal(say(socket), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(say(socket), -1);
	assert_int_equal(errno, EPIPE);
	assert_page(socket);
	assert_int_equal(recv(socket, &byte, 1, 0), 0);
	(void)close(socket);
}

static void words_to_a_kept_connection_fail(void **state)
{
	(void)state;
	int socket = open_reset(false);
	curl_sends_hear_out(&sends, socket, true);
	curl_sends_hear_out(&sends, socket, false);
	assert_fails(socket);
}

static void a_number_that_is_used_again_is_a_new_socket(void **state)
{
	(void)state;
	char byte;
	int socket = open_reset(false);
	curl_sends_hear_out(&sends, socket, true);
	assert_int_equal(say(socket), 5);
	(void)close(socket);
	assert_int_equal(open_reset(true), socket);
	curl_sends_hear_out(&sends, socket, true);
	assert_page(socket);
	assert_int_equal(recv(socket, &byte, 1, 0), 0);
	(void)close(socket);
}

static void others_fail(void **state)
{
	(void)state;
	int first = open_reset(false);
	int second = open_reset(false);
	curl_sends_hear_out(&sends, first, true); /* there is room for the number of both */
	assert_fails(second);
	curl_sends_unbound();
	assert_fails(first);
	assert_int_equal(send(-1, "words", 5, 0), -1);
	assert_int_equal(errno, EBADF);
	curl_sends_hear_out(&sends, -1, true);
	curl_sends_bound(&sends);
	assert_int_equal(send(-1, "words", 5, 0), -1);
	assert_int_equal(errno, EBADF);
}

static void what_is_under_way_is_no_reset(void **state)
{
	(void)state;
	static const char many[64 * 1024];
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	curl_sends_hear_out(&sends, ends[0], true);
	ssize_t count = 0;
	while (count >= 0)
		count = send(ends[0], many, sizeof(many), MSG_NOSIGNAL);
	assert_int_equal(errno, EAGAIN);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(words_count_as_sent_and_the_end_is_a_reset, enter,
						leave),
		cmocka_unit_test_setup_teardown(an_end_before_the_reset_is_an_end, enter, leave),
		cmocka_unit_test_setup_teardown(an_end_that_recv_was_told_of_is_told_once, enter,
						leave),
		cmocka_unit_test_setup_teardown(words_to_a_kept_connection_fail, enter, leave),
		cmocka_unit_test_setup_teardown(a_number_that_is_used_again_is_a_new_socket, enter,
						leave),
		cmocka_unit_test_setup_teardown(others_fail, enter, leave),
		cmocka_unit_test_setup_teardown(what_is_under_way_is_no_reset, enter, leave),
	};
	return cmocka_run_group_tests_name("curl_sends", tests, NULL, NULL);
}
