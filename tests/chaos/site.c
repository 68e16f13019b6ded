/*
 * The web site that the chaos test watches, and the first of its witnesses.
 *
 *     chaos_site LOG
 *
 * Prints its port, then serves one request a connection from one thread. Every response holds a nonce that no other one has; a
 * response whose last byte was given to the kernel is one line of LOG: `nonce status bytes path monotonic_us`. What the store
 * holds is compared with these lines.
 *
 * The number at the end of the path says how a page behaves: 404, 500, no answer at all, or 200 with 20 to 4,000 bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
	EVENTS_MAX = 256,
	REQUEST_MAX = 4096,
	HEAD_MAX = 512,
	PATH_TEXT_MAX = 200,
	FILLER_MAX = 4000,
};

struct connection {
	int fd;
	size_t request_length;
	size_t head_length; /* 0: the request is not whole yet */
	size_t total;       /* head and filler */
	size_t sent;
	int status;
	size_t body_bytes;
	uint64_t nonce;
	char path[PATH_TEXT_MAX];
	char request[REQUEST_MAX];
	char head[HEAD_MAX];
};

struct site {
	int listen_fd;
	int epoll_fd;
	uint64_t next_nonce;
	FILE *log;
	char filler[FILLER_MAX];
};

static int64_t now_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void drop(struct connection *connection)
{
	(void)close(connection->fd); /* epoll forgets it as well */
	free(connection);
}

/* The path of `GET /p1/17 HTTP/1.1`; false when this is nothing of the kind. */
static bool read_path(struct connection *connection)
{
	const char *start = strchr(connection->request, ' ');
	const char *end = start == NULL ? NULL : strchr(start + 1, ' ');
	if (end == NULL || end - start - 1 >= PATH_TEXT_MAX)
		return false;
	size_t length = (size_t)(end - start - 1);
	memcpy(connection->path, start + 1, length);
	connection->path[length] = '\0';
	return true;
}

/* The number behind the last slash; 0 where there is none. */
static unsigned long page_number(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? 0 : strtoul(slash + 1, NULL, 10);
}

/* False: this page never answers. */
static bool prepare(struct site *site, struct connection *connection)
{
	static const char *const reasons[] = {"OK", "Not Found", "Internal Server Error"};
	unsigned long kind = page_number(connection->path) % 20;
	if (kind == 19)
		return false;
	size_t which = kind == 17 ? 1 : kind == 18 ? 2 : 0;
	connection->status = which == 0 ? 200 : which == 1 ? 404 : 500;
	connection->nonce = site->next_nonce++;
	/* a multiplicative hash: sizes differ from one response to the next */
	size_t filler = (size_t)((connection->nonce * UINT64_C(2654435761) >> 7) % FILLER_MAX);
	char line[64];
	int line_length = snprintf(line, sizeof(line), "nonce=n%llu \n",
				   (unsigned long long)connection->nonce);
	connection->body_bytes = (size_t)line_length + filler;
	int length =
		snprintf(connection->head, sizeof(connection->head),
			 "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
			 "Connection: close\r\n\r\n%s",
			 connection->status, reasons[which], connection->body_bytes, line);
	connection->head_length = (size_t)length;
	connection->total = connection->head_length + filler;
	return true;
}

static void note(struct site *site, const struct connection *connection)
{
	(void)fprintf(site->log, "n%llu %d %zu %s %lld\n", (unsigned long long)connection->nonce,
		      connection->status, connection->body_bytes, connection->path,
		      (long long)now_us());
}

/* False: the connection is gone. */
static bool send_some(struct site *site, struct connection *connection)
{
	while (connection->sent < connection->total) {
		size_t sent = connection->sent;
		size_t head_left =
			sent < connection->head_length ? connection->head_length - sent : 0;
		size_t filler_sent =
			sent > connection->head_length ? sent - connection->head_length : 0;
		struct iovec parts[2] = {
			{.iov_base = connection->head + connection->head_length - head_left,
			 .iov_len = head_left},
			{.iov_base = site->filler + filler_sent,
			 .iov_len = connection->total - connection->head_length - filler_sent},
		};
		struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
		ssize_t count = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
		if (count < 0 && errno == EAGAIN)
			return true;
		if (count < 0)
			return false;
		connection->sent += (size_t)count;
		if (connection->sent == connection->total) {
			note(site, connection);
			(void)shutdown(connection->fd, SHUT_WR);
		}
	}
	return true;
}

/* False: the connection is gone. */
static bool read_some(struct site *site, struct connection *connection)
{
	char *request = connection->request;
	for (;;) {
		/* behind a whole request anything is thrown away until the end */
		size_t start = connection->head_length != 0 ? 0 : connection->request_length;
		ssize_t count = recv(connection->fd, request + start, REQUEST_MAX - 1 - start, 0);
		if (count < 0 && errno == EAGAIN)
			return true;
		if (count <= 0)
			return false;
		if (connection->head_length != 0)
			continue;
		connection->request_length = start + (size_t)count;
		request[connection->request_length] = '\0';
		if (strstr(request, "\r\n\r\n") == NULL)
			continue;
		if (!read_path(connection) || !prepare(site, connection))
			return false;
		if (!send_some(site, connection))
			return false;
	}
}

static void accept_all(struct site *site)
{
	int fd;
	while ((fd = accept4(site->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct connection *connection = calloc(1, sizeof(*connection));
		struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
					    .data.ptr = connection};
		if (connection == NULL)
			abort();
		connection->fd = fd;
		if (epoll_ctl(site->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
			drop(connection);
	}
}

static int open_listener(struct site *site)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	struct epoll_event event = {.events = EPOLLIN};
	site->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	site->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (site->listen_fd < 0 || site->epoll_fd < 0 ||
	    bind(site->listen_fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(site->listen_fd, SOMAXCONN) != 0 ||
	    getsockname(site->listen_fd, (struct sockaddr *)&address, &length) != 0 ||
	    epoll_ctl(site->epoll_fd, EPOLL_CTL_ADD, site->listen_fd, &event) != 0)
		return -1;
	return ntohs(address.sin_port);
}

static void serve(struct site *site)
{
	for (;;) {
		struct epoll_event events[EVENTS_MAX];
		int count = epoll_wait(site->epoll_fd, events, EVENTS_MAX, -1);
		for (int i = 0; i < count; i++) {
			struct connection *connection = events[i].data.ptr;
			if (connection == NULL) {
				accept_all(site);
				continue;
			}
			bool is_alive = (events[i].events & EPOLLERR) == 0;
			if (is_alive && connection->head_length != 0)
				is_alive = send_some(site, connection);
			if (is_alive && (events[i].events & (EPOLLIN | EPOLLHUP)) != 0)
				is_alive = read_some(site, connection);
			if (!is_alive)
				drop(connection);
		}
		(void)fflush(site->log);
	}
}

int main(int argc, char **argv)
{
	static struct site site = {.next_nonce = 1};
	struct rlimit files;
	if (argc != 2) {
		(void)fputs("usage: chaos_site LOG\n", stderr);
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	memset(site.filler, 'x', sizeof(site.filler));
	site.log = fopen(argv[1], "we");
	int port = open_listener(&site);
	if (site.log == NULL || port < 0) {
		perror("chaos_site");
		return 1;
	}
	(void)printf("%d\n", port);
	(void)fflush(stdout);
	serve(&site);
}
