/*
 * The least that a check over plain HTTP can be: a socket, the request in one write, the response until its Content-Length is
 * there, and the end. No schedule, no DNS, no pattern, no report, and nothing of HTTP that this one server does not say.
 *
 *     epoll_client HOST PORT COUNT IN_FLIGHT [RATE]        (HOST is an IPv4 address)
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pace.h"

enum { EVENTS = 256, HEAD_MAX = 2048 };

struct fetch {
	int fd;
	bool is_sent;
	long left; /* of the body; -1: the head is not complete */
	size_t head_length;
	char head[HEAD_MAX];
	struct fetch *next_idle;
};

struct client {
	struct pace pace;
	struct sockaddr_in address;
	char request[256];
	size_t request_length;
	int epoll_fd;
	struct fetch *idle;
};

static void end(struct client *client, struct fetch *fetch, bool is_fine)
{
	(void)close(fetch->fd);
	pace_end_one(&client->pace, is_fine);
	fetch->next_idle = client->idle;
	client->idle = fetch;
}

/* One registration for both ways, told of once each time that something becomes possible. */
static void start(struct client *client)
{
	struct fetch *fetch = client->idle;
	if (fetch != NULL)
		client->idle = fetch->next_idle;
	else
		fetch = malloc(sizeof(*fetch));
	if (fetch == NULL)
		abort();
	fetch->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	fetch->is_sent = false;
	fetch->left = -1;
	fetch->head_length = 0;
	(void)connect(fetch->fd, (const struct sockaddr *)&client->address,
		      sizeof(client->address));
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = fetch};
	(void)epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, fetch->fd, &event);
}

/* What has come of the body with the rest of the head; false where it is no response that we know. */
static bool read_head(struct fetch *fetch, const char *bytes, size_t length)
{
	if (fetch->head_length + length >= HEAD_MAX)
		length = HEAD_MAX - 1 - fetch->head_length;
	memcpy(fetch->head + fetch->head_length, bytes, length);
	fetch->head_length += length;
	fetch->head[fetch->head_length] = '\0';
	const char *body = strstr(fetch->head, "\r\n\r\n");
	if (body == NULL)
		return fetch->head_length < HEAD_MAX - 1;
	const char *announced = strcasestr(fetch->head, "\r\ncontent-length:");
	if (strncmp(fetch->head, "HTTP/1.1 200 ", 13) != 0 || announced == NULL || announced > body)
		return false;
	fetch->left = strtol(announced + 17, NULL, 10);
	fetch->left += (body + 4) - fetch->head;
	return true;
}

static void on_readable(struct client *client, struct fetch *fetch)
{
	char bytes[16 * 1024];
	ssize_t got = read(fetch->fd, bytes, sizeof(bytes));
	if (got < 0)
		return; /* later */
	size_t before = fetch->head_length;
	bool is_fine = got > 0 && (fetch->left >= 0 || read_head(fetch, bytes, (size_t)got));
	if (is_fine && fetch->left >= 0)
		fetch->left -= got + (fetch->head_length > before ? (long)before : 0);
	if (!is_fine || fetch->left == 0)
		end(client, fetch, is_fine);
}

static void on_event(struct client *client, const struct epoll_event *event)
{
	struct fetch *fetch = event->data.ptr;
	if ((event->events & (EPOLLERR | EPOLLHUP)) != 0) {
		end(client, fetch, false);
		return;
	}
	if (!fetch->is_sent && (event->events & EPOLLOUT) != 0) {
		fetch->is_sent = true;
		if (write(fetch->fd, client->request, client->request_length) !=
		    (ssize_t)client->request_length) {
			end(client, fetch, false);
			return;
		}
	}
	if ((event->events & EPOLLIN) != 0)
		on_readable(client, fetch);
}

int main(int argc, char **argv)
{
	if (argc < 5 || argc > 6) {
		(void)fprintf(stderr, "usage: epoll_client HOST PORT COUNT IN_FLIGHT [RATE]\n");
		return 2;
	}
	static struct client client;
	pace_init(&client.pace, argc - 3, argv + 3);
	client.address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)strtol(argv[2], NULL, 10))};
	(void)inet_pton(AF_INET, argv[1], &client.address.sin_addr);
	client.request_length = (size_t)snprintf(
		client.request, sizeof(client.request),
		"GET / HTTP/1.1\r\nHost: %s:%s\r\nUser-Agent: epoll_client\r\nAccept: */*\r\n\r\n",
		argv[1], argv[2]);
	client.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	while (!pace_is_over(&client.pace)) {
		struct epoll_event events[EVENTS];
		while (pace_start_one(&client.pace))
			start(&client);
		int count =
			epoll_wait(client.epoll_fd, events, EVENTS, pace_timeout_ms(&client.pace));
		for (int i = 0; i < count; i++)
			on_event(&client, &events[i]);
	}
	return pace_report(&client.pace);
}
