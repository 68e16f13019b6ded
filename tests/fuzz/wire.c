#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"

enum {
	CONNECTIONS_MAX = 64,
	DESCRIPTORS_MAX = 200, /* nothing may be left open from input to input */
};

struct connection {
	int ours;
	int theirs; /* the prober's, which closes it */
	const char *at;
	size_t left;
	size_t fed;
	bool is_waiting; /* for a request, before the next part */
	bool is_ended;
};

static struct connection connections[CONNECTIONS_MAX];
static size_t count;
static bool is_open;
static const char *next_part;
static size_t parts_left; /* bytes */
static size_t piece_size;
static bool is_reset;

static const char separator[] = "\n~~\n";

/* Take the next part of the input; once there are no more, nothing comes. */
static void take_part(struct connection *connection)
{
	const char *end = parts_left == 0
				  ? NULL
				  : memmem(next_part, parts_left, separator, strlen(separator));
	connection->at = next_part;
	connection->left = end == NULL ? parts_left : (size_t)(end - next_part);
	size_t used = connection->left + (end == NULL ? 0 : strlen(separator));
	next_part += used;
	parts_left -= used;
}

static struct connection *find(int descriptor)
{
	for (size_t i = count; i-- > 0;)
		if (connections[i].theirs == descriptor && !connections[i].is_ended)
			return &connections[i];
	return NULL;
}

void wire_open(const char *bytes, size_t length, size_t piece, bool ends_with_reset)
{
	next_part = bytes;
	parts_left = length;
	piece_size = piece;
	is_reset = ends_with_reset;
	count = 0;
	is_open = true;
}

static bool read_request(const struct connection *connection)
{
	char bytes[4096];
	bool has_any = false;
	while (recv(connection->ours, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		has_any = true;
	return has_any;
}

bool wire_feed(void)
{
	bool has_fed = false;
	for (size_t i = 0; i < count; i++) {
		struct connection *connection = &connections[i];
		if (!connection->is_ended && connection->is_waiting && read_request(connection)) {
			connection->is_waiting = false;
			take_part(connection);
		}
		if (connection->is_ended || connection->left == 0)
			continue;
		size_t length = connection->left;
		if (piece_size > 0 && piece_size < length)
			length = piece_size;
		ssize_t sent =
			send(connection->ours, connection->at, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EAGAIN)
			continue;
		if (sent < 0) { /* they have gone */
			connection->left = 0;
			continue;
		}
		connection->at += sent;
		connection->left -= (size_t)sent;
		connection->fed += (size_t)sent;
		has_fed = true;
	}
	return has_fed;
}

static size_t unread_of(const struct connection *connection)
{
	int sent = 0;
	(void)ioctl(connection->ours, SIOCOUTQ, &sent);
	return (size_t)sent + connection->left;
}

size_t wire_unread(void)
{
	size_t unread = 0;
	for (size_t i = 0; i < count; i++)
		unread += connections[i].is_ended ? 0 : unread_of(&connections[i]);
	return unread;
}

void wire_go_on(void)
{
	for (size_t i = 0; i < count; i++) {
		if (connections[i].is_ended || connections[i].left > 0)
			continue;
		(void)read_request(&connections[i]);
		connections[i].is_waiting = true;
	}
}

static void end(struct connection *connection)
{
	/* Whoever closes a socket with unread bytes in it resets it: the request is among them. */
	if (!is_reset)
		(void)read_request(connection);
	(void)close(connection->ours);
	connection->is_ended = true;
}

bool wire_end_read(void)
{
	bool has_ended = false;
	for (size_t i = 0; i < count; i++) {
		if (connections[i].is_ended || unread_of(&connections[i]) > 0)
			continue;
		end(&connections[i]);
		has_ended = true;
	}
	return has_ended;
}

static void end_all(void)
{
	for (size_t i = 0; i < count; i++)
		if (!connections[i].is_ended)
			end(&connections[i]);
}

void wire_close(void)
{
	end_all();
	is_open = false;
}

int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
int __real_getsockopt(int descriptor, int level, int name, void *value, socklen_t *size);
int __wrap_getsockopt(int descriptor, int level, int name, void *value, socklen_t *size);

int __wrap_socket(int domain, int type, int protocol)
{
	int pair[2];
	if (!is_open || (domain != AF_INET && domain != AF_INET6) || (type & SOCK_STREAM) == 0)
		return __real_socket(domain, type, protocol);
	if (count == CONNECTIONS_MAX) {
		errno = EMFILE;
		return -1;
	}
	FUZZ_PROMISE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	FUZZ_PROMISE(pair[1] < DESCRIPTORS_MAX);
	struct connection *connection = &connections[count++];
	*connection = (struct connection){.ours = pair[0], .theirs = pair[1]};
	take_part(connection);
	return pair[1];
}

/* The prober asks how many bytes have come. */
int __wrap_getsockopt(int descriptor, int level, int name, void *value, socklen_t *size)
{
	const struct connection *connection = find(descriptor);
	if (connection == NULL || level != IPPROTO_TCP || name != TCP_INFO)
		return __real_getsockopt(descriptor, level, name, value, size);
	struct tcp_info info = {.tcpi_bytes_received = connection->fed};
	memcpy(value, &info, *size < sizeof(info) ? *size : sizeof(info));
	return 0;
}

/* A pair is connected from the beginning. */
int connect(int descriptor, const struct sockaddr *address, socklen_t size)
{
	if (is_open && find(descriptor) != NULL)
		return 0;
	return (int)syscall(SYS_connect, descriptor, address, size);
}
