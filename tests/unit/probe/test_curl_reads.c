/* What libcurl may read at a time: so much of each socket, and nobody else is bounded. */
#undef _FORTIFY_SOURCE /* it would have a recv() of its own */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "probe/curl_reads.h"

enum { PIECE = 4096, BOUND = 256 * 1024, BYTES_MAX = 4096 };

struct pair {
	int ours;
	int theirs;
};

static struct pair open_pair(void)
{
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	return (struct pair){.ours = ends[0], .theirs = ends[1]};
}

static void close_pair(struct pair pair)
{
	(void)close(pair.ours);
	(void)close(pair.theirs);
}

/* Read in such pieces, of a socket that always has more, until there is nothing: how many bytes came. */
static size_t read_all(struct pair pair, size_t piece, size_t most)
{
	static const char bytes[PIECE];
	char room[PIECE];
	size_t sum = 0;
	while (sum < most) {
		assert_int_equal(send(pair.theirs, bytes, piece, 0), (ssize_t)piece);
		ssize_t count = recv(pair.ours, room, piece, 0);
		if (count < 0) {
			assert_int_equal(errno, EAGAIN);
			break;
		}
		sum += (size_t)count;
	}
	return sum;
}

static void a_call_ends_though_there_is_more(void **state)
{
	(void)state;
	struct pair pair = open_pair();
	curl_reads_bound();
	size_t count = read_all(pair, PIECE, 2 * (size_t)BOUND);
	curl_reads_unbound();
	assert_int_equal(count, BOUND);
	close_pair(pair);
}

static void the_next_call_goes_on(void **state)
{
	(void)state;
	struct pair pair = open_pair();
	for (int i = 0; i < 2; i++) {
		curl_reads_bound();
		assert_int_equal(read_all(pair, PIECE, 2 * (size_t)BOUND), BOUND);
		curl_reads_unbound();
		char rest[PIECE];
		assert_int_equal(recv(pair.ours, rest, sizeof(rest), 0), PIECE);
	}
	close_pair(pair);
}

static void single_bytes_are_bounded_too(void **state)
{
	(void)state;
	struct pair pair = open_pair();
	curl_reads_bound();
	assert_int_equal(read_all(pair, 1, BOUND), BYTES_MAX);
	curl_reads_unbound();
	close_pair(pair);
}

static void each_socket_has_its_own_bound(void **state)
{
	(void)state;
	struct pair pairs[2] = {open_pair(), open_pair()};
	curl_reads_bound();
	for (int i = 0; i < 2; i++)
		assert_int_equal(read_all(pairs[i], PIECE, 2 * (size_t)BOUND), BOUND);
	curl_reads_unbound();
	close_pair(pairs[0]);
	close_pair(pairs[1]);
}

static void others_are_not_bounded(void **state)
{
	(void)state;
	struct pair pair = open_pair();
	assert_int_equal(read_all(pair, PIECE, 2 * (size_t)BOUND), 2 * BOUND);
	char byte;
	assert_int_equal(recv(pair.ours, &byte, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(recv(-1, &byte, 1, 0), -1);
	assert_int_equal(errno, EBADF);
	close_pair(pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_ends_though_there_is_more),
		cmocka_unit_test(the_next_call_goes_on),
		cmocka_unit_test(single_bytes_are_bounded_too),
		cmocka_unit_test(each_socket_has_its_own_bound),
		cmocka_unit_test(others_are_not_bounded),
	};
	return cmocka_run_group_tests_name("curl_reads", tests, NULL, NULL);
}
