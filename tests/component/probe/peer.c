#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

enum { CONNECTIONS_MAX = 4096, TICK_MS = 20 };

struct peer {
	SSL_CTX *context;
	const struct peer_behaviour *behaviours;
	int listener;
	int port;
	atomic_int tls_delay_ms;
	atomic_bool is_stopping;
	pthread_t acceptor;
	pthread_t threads[CONNECTIONS_MAX];
	size_t thread_count;
};

static int listen_on_loopback(int backlog, int *ret_port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
	    (backlog >= 0 && listen(fd, backlog) != 0) ||
	    getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
		perror("peer");
		abort();
	}
	*ret_port = ntohs(address.sin_port);
	return fd;
}

int peer_refused_port(void)
{
	static int port;
	if (port == 0)
		(void)listen_on_loopback(
			-1, &port); /* bound for the process's life, never listened on */
	return port;
}

int peer_full_port(void)
{
	static int port;
	if (port != 0)
		return port;
	(void)listen_on_loopback(0, &port);
	for (int i = 0; i < 4; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		struct sockaddr_in address = {.sin_family = AF_INET,
					      .sin_port = htons((uint16_t)port),
					      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		(void)connect(fd, (struct sockaddr *)&address, sizeof(address));
	}
	return port;
}

bool peer_send(struct peer_connection *connection, const void *bytes, size_t length)
{
	const char *at = bytes;
	while (length > 0) {
		if (atomic_load(&connection->peer->is_stopping))
			return false;
		ssize_t sent;
		if (connection->ssl != NULL) {
			sent = SSL_write(connection->ssl, at,
					 (int)(length > 16384 ? 16384 : length));
		} else {
			struct pollfd wait = {.fd = connection->fd, .events = POLLOUT};
			if (poll(&wait, 1, TICK_MS) == 0)
				continue;
			sent = send(connection->fd, at, length, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (sent < 0 && errno == EAGAIN)
				continue;
		}
		if (sent <= 0)
			return false;
		at += sent;
		length -= (size_t)sent;
	}
	return true;
}

bool peer_say(struct peer_connection *connection, const char *text)
{
	return peer_send(connection, text, strlen(text));
}

bool peer_say_format(struct peer_connection *connection, const char *format, ...)
{
	char text[8192];
	va_list args;
	va_start(args, format);
	int length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return peer_send(connection, text, (size_t)length);
}

void peer_pause(struct peer_connection *connection, int ms)
{
	for (; ms > 0 && !atomic_load(&connection->peer->is_stopping); ms -= TICK_MS)
		(void)usleep((useconds_t)(ms < TICK_MS ? ms : TICK_MS) * 1000);
}

void peer_reset(struct peer_connection *connection)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	(void)setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	(void)close(connection->fd);
	connection->fd = -1;
}

void peer_hang(struct peer_connection *connection)
{
	struct pollfd wait = {.fd = connection->fd, .events = POLLRDHUP};
	while (!atomic_load(&connection->peer->is_stopping)) {
		if (poll(&wait, 1, TICK_MS) > 0)
			break;
	}
}

/* Bytes from the client, or -1; waits in ticks so that a stop is seen. */
static ssize_t receive(struct peer_connection *connection, char *bytes, size_t size)
{
	for (;;) {
		if (atomic_load(&connection->peer->is_stopping))
			return -1;
		if (connection->ssl != NULL && SSL_pending(connection->ssl) > 0)
			return SSL_read(connection->ssl, bytes, (int)size);
		struct pollfd wait = {.fd = connection->fd, .events = POLLIN};
		if (poll(&wait, 1, TICK_MS) <= 0)
			continue;
		return connection->ssl != NULL ? SSL_read(connection->ssl, bytes, (int)size)
					       : recv(connection->fd, bytes, size, 0);
	}
}

/* Head and announced body; of one that is too long, a part. */
static bool read_request(struct peer_connection *connection)
{
	for (;;) {
		ssize_t got = receive(connection, connection->request + connection->request_length,
				      PEER_REQUEST_MAX - connection->request_length);
		if (got <= 0)
			return false;
		connection->request_length += (size_t)got;
		connection->request[connection->request_length] = '\0';
		const char *end = strstr(connection->request, "\r\n\r\n");
		if (end == NULL)
			continue;
		const char *announced = strcasestr(connection->request, "\r\nContent-Length:");
		size_t wanted = (size_t)(end + 4 - connection->request);
		if (announced != NULL && announced < end)
			wanted += strtoul(announced + 17, NULL, 10);
		/* what follows the preface of HTTP/2 is no body */
		connection->body_left = wanted > connection->request_length
						? wanted - connection->request_length
						: 0;
		if (connection->body_left == 0 || wanted > PEER_REQUEST_MAX)
			return true;
	}
}

bool peer_read_rest(struct peer_connection *connection)
{
	char bytes[16 * 1024];
	while (connection->body_left > 0) {
		ssize_t got = receive(connection, bytes, sizeof(bytes));
		if (got <= 0)
			return false;
		connection->body_left -= (size_t)got;
	}
	return true;
}

static void act(struct peer_connection *connection)
{
	char path[256];
	if (sscanf(connection->request, "%*s /%255[^ ?/]", path) != 1)
		path[0] = '\0';
	for (const struct peer_behaviour *behaviour = connection->peer->behaviours;
	     behaviour->name != NULL; behaviour++) {
		if (strcmp(behaviour->name, path) == 0) {
			if ((behaviour->text == NULL || peer_say(connection, behaviour->text)) &&
			    behaviour->act != NULL)
				behaviour->act(connection);
			return;
		}
	}
	(void)peer_say(connection, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

/* Let the client read what was sent before the socket goes: unread input would turn the close into a reset. */
static void end_gently(struct peer_connection *connection)
{
	if (connection->ssl != NULL)
		(void)SSL_shutdown(connection->ssl);
	(void)shutdown(connection->fd, SHUT_WR);
	char rest[4096];
	for (int i = 0; i < 50; i++) {
		struct pollfd wait = {.fd = connection->fd, .events = POLLIN};
		if (poll(&wait, 1, TICK_MS) > 0 && recv(connection->fd, rest, sizeof(rest), 0) <= 0)
			break;
		if (atomic_load(&connection->peer->is_stopping))
			break;
	}
}

static void *serve(void *context)
{
	struct peer_connection *connection = context;
	struct peer *peer = connection->peer;
	bool is_ready = true;
	if (peer->context != NULL) {
		peer_pause(connection, atomic_load(&peer->tls_delay_ms));
		struct timeval patience = {.tv_sec = 60}; /* the prober gives up before */
		(void)setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
				 sizeof(patience));
		connection->ssl = SSL_new(peer->context);
		(void)SSL_set_fd(connection->ssl, connection->fd);
		is_ready = SSL_accept(connection->ssl) == 1;
	}
	if (is_ready && read_request(connection))
		act(connection);
	if (connection->fd >= 0) {
		if (is_ready)
			end_gently(connection);
		(void)close(connection->fd);
	}
	SSL_free(connection->ssl);
	free(connection);
	return NULL;
}

static void *accept_all(void *context)
{
	struct peer *peer = context;
	while (!atomic_load(&peer->is_stopping)) {
		struct pollfd wait = {.fd = peer->listener, .events = POLLIN};
		if (poll(&wait, 1, TICK_MS) <= 0)
			continue;
		int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		if (peer->thread_count == CONNECTIONS_MAX) {
			(void)fputs("peer: too many connections\n", stderr);
			abort();
		}
		struct peer_connection *connection = xcalloc(1, sizeof(*connection));
		connection->peer = peer;
		connection->fd = fd;
		if (pthread_create(&peer->threads[peer->thread_count], NULL, serve, connection) !=
		    0)
			abort();
		peer->thread_count++;
	}
	return NULL;
}

struct peer *peer_start(SSL_CTX *context, const struct peer_behaviour *behaviours)
{
	struct peer *peer = xcalloc(1, sizeof(*peer));
	peer->context = context;
	peer->behaviours = behaviours;
	peer->listener = listen_on_loopback(1024, &peer->port);
	if (pthread_create(&peer->acceptor, NULL, accept_all, peer) != 0)
		abort();
	return peer;
}

struct peer *peer_start_at(const char *ip, int port, const struct peer_behaviour *behaviours)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	bool is_six = inet_pton(AF_INET, ip, &four.sin_addr) != 1;
	int yes = 1;
	if (is_six && inet_pton(AF_INET6, ip, &six.sin6_addr) != 1)
		abort();
	int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	const void *address = is_six ? (const void *)&six : (const void *)&four;
	if (fd < 0 || bind(fd, address, is_six ? sizeof(six) : sizeof(four)) != 0 ||
	    listen(fd, 1024) != 0) {
		(void)close(fd);
		return NULL;
	}
	struct peer *peer = xcalloc(1, sizeof(*peer));
	peer->behaviours = behaviours;
	peer->port = port;
	peer->listener = fd;
	if (pthread_create(&peer->acceptor, NULL, accept_all, peer) != 0)
		abort();
	return peer;
}

void peer_stop(struct peer *peer)
{
	if (peer == NULL)
		return;
	atomic_store(&peer->is_stopping, true);
	(void)pthread_join(peer->acceptor, NULL);
	for (size_t i = 0; i < peer->thread_count; i++)
		(void)pthread_join(peer->threads[i], NULL);
	(void)close(peer->listener);
	free(peer);
}

int peer_port(const struct peer *peer)
{
	return peer->port;
}

void peer_set_tls_delay(struct peer *peer, int ms)
{
	atomic_store(&peer->tls_delay_ms, ms);
}
