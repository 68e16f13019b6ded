#include "web/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

enum { BACKLOG = 512, HOST_SIZE = 256, PORT_SIZE = 6 };

struct host_port {
	char host[HOST_SIZE]; /* "" for every address */
	char port[PORT_SIZE];
};

/* Returns 0, or -1 where the text is not HOST:PORT. */
static int split(const char *address, struct host_port *ret_split)
{
	struct host_port result = {0};
	const char *colon = strrchr(address, ':');
	int64_t port = 0;
	if (colon == NULL || text_parse_int64(colon + 1, &port) < 0 || port < 0 ||
	    port > UINT16_MAX)
		return -1;
	const char *host = address;
	size_t length = (size_t)(colon - address);
	bool is_bracketed = length >= 2 && host[0] == '[' && host[length - 1] == ']';
	if (is_bracketed) {
		host++;
		length -= 2;
	} else if (memchr(host, ':', length) != NULL) {
		return -1; /* an IPv6 address needs its brackets */
	}
	if (length >= HOST_SIZE)
		return -1;
	memcpy(result.host, host, length);
	(void)snprintf(result.port, sizeof(result.port), "%u", (unsigned)port);
	*ret_split = result;
	return 0;
}

static bool is_loopback(const struct sockaddr_storage *address)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	if (address->ss_family == AF_INET) {
		memcpy(&in, address, sizeof(in));
		return (ntohl(in.sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
	}
	memcpy(&in6, address, sizeof(in6));
	return memcmp(&in6.sin6_addr, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
}

static int describe(struct listener *listener)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);
	char host[INET6_ADDRSTRLEN];
	char port[PORT_SIZE];
	if (getsockname(listener->fd, (struct sockaddr *)&address, &length) < 0 ||
	    getnameinfo((const struct sockaddr *)&address, length, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return -1;
	listener->is_ipv6 = address.ss_family == AF_INET6;
	listener->is_loopback = is_loopback(&address);
	(void)snprintf(listener->address, sizeof(listener->address),
		       listener->is_ipv6 ? "[%s]:%s" : "%s:%s", host, port);
	return 0;
}

/* Returns the socket, or minus an errno. */
static int bind_one(const struct addrinfo *info, bool is_every_address)
{
	int one = 1;
	int v6_only = is_every_address ? 0 : 1;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (info->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only));
	if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int failure = errno;
	(void)close(fd);
	return -failure;
}

/* The first address that can be had. For every address, IPv6 comes first: its socket takes IPv4 as well. */
static int bind_any(const struct addrinfo *list, bool is_every_address)
{
	int result = -EADDRNOTAVAIL;
	for (int pass = is_every_address ? 0 : 1; pass < 2; pass++) {
		for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
			if (pass == 0 && at->ai_family != AF_INET6)
				continue;
			result = bind_one(at, is_every_address);
			if (result >= 0 || result == -EADDRINUSE)
				return result;
		}
	}
	return result;
}

int listener_open(const char *address, struct listener *ret_listener, struct error *err)
{
	struct host_port wanted;
	if (split(address, &wanted) < 0) {
		error_set(err, ERROR_REJECT,
			  "listen on \"%s\": expected HOST:PORT, such as 127.0.0.1:8080, "
			  "[::1]:8080 or "
			  ":8080",
			  address);
		return -1;
	}
	bool is_every_address = wanted.host[0] == '\0';
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	struct addrinfo *list = NULL;
	int status = getaddrinfo(is_every_address ? NULL : wanted.host, wanted.port, &hints, &list);
	if (status != 0) {
		error_set(err, ERROR_REJECT, "listen on %s: %s", address, gai_strerror(status));
		return -1;
	}
	struct listener listener = {.fd = bind_any(list, is_every_address)};
	freeaddrinfo(list);
	if (listener.fd < 0) {
		error_set_errno(err, ERROR_REJECT, -listener.fd, "listen on %s", address);
		return -1;
	}
	if (describe(&listener) < 0) {
		error_set(err, ERROR_FATAL, "listen on %s: its address can't be read", address);
		(void)close(listener.fd);
		return -1;
	}
	*ret_listener = listener;
	return 0;
}
