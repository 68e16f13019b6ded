/* The C library's header would have its own recv() checked, and bring a body for it. */
#undef _FORTIFY_SOURCE

#include "probe/curl_reads.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "probe/curl_sends.h"

enum {
	BYTES_A_CALL = 256 * 1024, /* of libcurl's: some milliseconds of frames that hold nothing */
	BYTES_A_READ = 64,         /* at least: what a read costs */
};

static _Thread_local struct {
	bool is_bound;
	int socket; /* that was read last; -1: none yet */
	size_t left;
} reads;

void curl_reads_bound(void)
{
	reads.is_bound = true;
	reads.socket = -1;
}

void curl_reads_unbound(void)
{
	reads.is_bound = false;
}

static ssize_t read_bounded(int socket, void *bytes, size_t size, int flags)
{
	if (socket != reads.socket) {
		reads.socket = socket;
		reads.left = BYTES_A_CALL;
	}
	if (reads.left == 0) {
		errno = EAGAIN;
		return -1;
	}
	ssize_t count = recvfrom(socket, bytes, size, flags, NULL, NULL);
	size_t used = count > BYTES_A_READ ? (size_t)count : BYTES_A_READ;
	reads.left -= used < reads.left ? used : reads.left;
	if (count == 0 && size > 0 && curl_sends_was_reset(socket)) {
		errno = ECONNRESET;
		return -1;
	}
	return count;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): there they begin with __ */
ssize_t recv(int socket, void *bytes, size_t size, int flags)
{
	if (reads.is_bound)
		return read_bounded(socket, bytes, size, flags);
	return recvfrom(socket, bytes, size, flags, NULL, NULL);
}
