#include "probe/curl_sends.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/memory.h"

enum socket_state {
	SOCKET_ORDINARY,
	SOCKET_HEARD_OUT,
	SOCKET_RESET, /* the same, and send() was told so in recv()'s place */
};

static _Thread_local struct curl_sends *bound; /* NULL: libcurl is not called */

void curl_sends_finish(struct curl_sends *sends)
{
	free(sends->sockets);
	*sends = (struct curl_sends){0};
}

static void make_room(struct curl_sends *sends, size_t least)
{
	size_t count = least < 64 ? 64 : least * 2;
	sends->sockets = xreallocarray(sends->sockets, count, sizeof(sends->sockets[0]));
	memset(&sends->sockets[sends->count], SOCKET_ORDINARY, count - sends->count);
	sends->count = count;
}

void curl_sends_hear_out(struct curl_sends *sends, int socket, bool is_worth_it)
{
	if (socket < 0)
		return;
	if ((size_t)socket >= sends->count)
		make_room(sends, (size_t)socket + 1);
	sends->sockets[socket] = is_worth_it ? SOCKET_HEARD_OUT : SOCKET_ORDINARY;
}

void curl_sends_bound(struct curl_sends *sends)
{
	bound = sends;
}

void curl_sends_unbound(void)
{
	bound = NULL;
}

/* NULL: of a socket that is an ordinary one. */
static unsigned char *find(int socket)
{
	if (bound == NULL || socket < 0 || (size_t)socket >= bound->count ||
	    bound->sockets[socket] == SOCKET_ORDINARY)
		return NULL;
	return &bound->sockets[socket];
}

bool curl_sends_was_reset(int socket)
{
	const unsigned char *state = find(socket);
	return state != NULL && *state == SOCKET_RESET;
}

/* EPIPE: the server had ended what it says before it was reset, and that end is what recv() tells; or it is not the first time. */
static bool is_heard_out(int socket, int error)
{
	unsigned char *state = error == ECONNRESET || error == EPIPE ? find(socket) : NULL;
	if (state != NULL && error == ECONNRESET)
		*state = SOCKET_RESET;
	return state != NULL;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): there they begin with __ */
ssize_t send(int socket, const void *bytes, size_t size, int flags)
{
	ssize_t count = sendto(socket, bytes, size, flags, NULL, 0);
	return count < 0 && is_heard_out(socket, errno) ? (ssize_t)size : count;
}
