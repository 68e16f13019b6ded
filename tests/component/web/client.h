/* The least HTTP client that shows every byte: one request, one connection, the whole answer. */
#ifndef WEBSENTRY_TESTS_WEB_CLIENT_H
#define WEBSENTRY_TESTS_WEB_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct answer {
	int status;    /* 0: closed without an answer */
	char *headers; /* with the status line */
	char *body;
	size_t body_length;
};

/* Connect to "127.0.0.1:PORT" or "[::1]:PORT"; fails the test where that can't be done. */
int client_connect(const char *address);
void client_send(int fd, const char *bytes);
/* Read until the server closes. */
struct answer client_read(int fd);

/* The whole exchange; request lines end with \r\n, and "Connection: close" is added. */
struct answer client_ask(const char *address, const char *request);
struct answer client_get(const char *address, const char *path);
void answer_finish(struct answer *answer);

/* Whether a header line is there, name and value as given. */
bool answer_has_header(const struct answer *answer, const char *line);

/* The value of a header, or NULL; to be freed. */
char *answer_header(const struct answer *answer, const char *name);

#endif
