#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"

enum { ANSWER_MAX = 32 * 1024 * 1024, PATIENCE_S = 120 };

int client_connect(const char *address)
{
	const char *colon = strrchr(address, ':');
	struct sockaddr_storage peer = {0};
	socklen_t length;
	assert_non_null(colon);
	in_port_t port = htons((in_port_t)strtol(colon + 1, NULL, 10));
	if (address[0] == '[') {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&peer;
		in6->sin6_family = AF_INET6;
		in6->sin6_port = port;
		in6->sin6_addr = in6addr_loopback;
		length = sizeof(*in6);
	} else {
		struct sockaddr_in *in = (struct sockaddr_in *)&peer;
		in->sin_family = AF_INET;
		in->sin_port = port;
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		length = sizeof(*in);
	}
	int fd = socket(peer.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&peer, length), 0);
	return fd;
}

void client_send(int fd, const char *bytes)
{
	size_t length = strlen(bytes);
	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
		if (sent <= 0)
			return; /* refused half-way: the answer tells */
		bytes += sent;
		length -= (size_t)sent;
	}
}

struct answer client_read(int fd)
{
	struct buffer all;
	struct answer answer = {0};
	char chunk[65536];
	buffer_init(&all, ANSWER_MAX);
	for (;;) {
		ssize_t got = recv(fd, chunk, sizeof(chunk), 0);
		if (got <= 0)
			break;
		assert_int_equal(buffer_append(&all, chunk, (size_t)got), 0);
	}
	(void)close(fd);
	size_t total = all.length;
	char *text = buffer_take(&all);
	char *end = total > 0 ? strstr(text, "\r\n\r\n") : NULL;
	if (end != NULL) {
		answer.headers = xstrndup(text, (size_t)(end + 2 - text));
		answer.body_length = total - (size_t)(end + 4 - text);
		answer.body = xmalloc(answer.body_length + 1);
		memcpy(answer.body, end + 4, answer.body_length);
		answer.body[answer.body_length] = '\0';
		answer.status = (int)strtol(answer.headers + strlen("HTTP/1.1 "), NULL, 10);
	}
	free(text);
	return answer;
}

struct answer client_ask(const char *address, const char *request)
{
	int fd = client_connect(address);
	client_send(fd, request);
	client_send(fd, "Connection: close\r\n\r\n");
	return client_read(fd);
}

struct answer client_get(const char *address, const char *path)
{
	char *request = xasprintf("GET %s HTTP/1.1\r\nHost: %s\r\n", path, address);
	struct answer answer = client_ask(address, request);
	free(request);
	return answer;
}

void answer_finish(struct answer *answer)
{
	free(answer->headers);
	free(answer->body);
	*answer = (struct answer){0};
}

bool answer_has_header(const struct answer *answer, const char *line)
{
	char *whole = xasprintf("\r\n%s\r\n", line);
	bool is_there = strstr(answer->headers, whole) != NULL;
	free(whole);
	return is_there;
}

char *answer_header(const struct answer *answer, const char *name)
{
	char *start = xasprintf("\r\n%s: ", name);
	const char *at = strstr(answer->headers, start);
	char *value = NULL;
	if (at != NULL) {
		at += strlen(start);
		value = xstrndup(at, strcspn(at, "\r"));
	}
	free(start);
	return value;
}
