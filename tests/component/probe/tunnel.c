#include "tunnel.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kept.h"

static int connect_here(int port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static bool move_bytes(int from, int to)
{
	char bytes[16 * 1024];
	ssize_t got = recv(from, bytes, sizeof(bytes), 0);
	return got > 0 && send(to, bytes, (size_t)got, MSG_NOSIGNAL) == got;
}

/* Until either side ends; both ends are watched by the prober's own deadline. */
static void relay(int a, int b)
{
	enum { PATIENCE_MS = 60000 };
	struct pollfd ends[] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};
	while (poll(ends, 2, PATIENCE_MS) > 0) {
		if (ends[0].revents != 0 && !move_bytes(a, b))
			return;
		if (ends[1].revents != 0 && !move_bytes(b, a))
			return;
	}
}

static const char *refusal_of(const char *host)
{
	if (strcmp(host, "locked.test") == 0)
		return "HTTP/1.1 407 Proxy Authentication Required\r\n"
		       "Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
	if (strcmp(host, "forbidden.test") == 0)
		return "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
	if (strcmp(host, "gone.test") == 0)
		return "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\ngone";
	return NULL;
}

/* What no proxy does: answers that do not end, and none. */
static bool is_hostile(struct peer_connection *connection, const char *host)
{
	if (strcmp(host, "endless.test") == 0) {
		bool is_there =
			peer_say(connection, "HTTP/1.1 407 Proxy Authentication Required\r\n"
					     "Content-Length: 999999999999\r\n\r\n");
		while (is_there)
			is_there = peer_say(connection, "0123456789abcdef0123456789abcdef");
		return true;
	}
	if (strcmp(host, "headers.test") == 0) {
		bool is_there = peer_say(connection, "HTTP/1.1 200 OK\r\n");
		while (is_there)
			is_there = peer_say(connection, "X-Header: 0123456789abcdef\r\n");
		return true;
	}
	return strcmp(host, "silent.test") == 0;
}

void tunnel_serve(struct peer_connection *connection)
{
	char name[64];
	char host[48] = "";
	int port = 0;
	(void)sscanf(connection->request, "CONNECT %47[^:]:%d", host, &port);
	(void)snprintf(name, sizeof(name), "CONNECT %s", host);
	kept_add(connection, name);
	if (is_hostile(connection, host))
		return;
	const char *refusal = refusal_of(host);
	if (refusal != NULL) {
		(void)peer_say(connection, refusal);
		return;
	}
	int other = connect_here(port);
	if (other >= 0 && peer_say(connection, "HTTP/1.1 200 Connected\r\nX-Proxy: 1\r\n\r\n"))
		relay(connection->fd, other);
	if (other >= 0)
		(void)close(other);
}
