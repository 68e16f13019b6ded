/*
 * The least that a check over TLS 1.3 with full verification can be: OpenSSL on a socket of its own, one context for all with the
 * authorities read once, a fresh session each time, the request, the response until its Content-Length is there, and the end.
 *
 *     tls_client HOST PORT CA_FILE COUNT IN_FLIGHT [RATE]        (HOST is an IPv4 address; the certificate is for it)
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pace.h"

enum { EVENTS = 256, RESPONSE_MAX = 8192 };

struct fetch {
	int fd;
	SSL *ssl;
	bool is_sent;
	size_t length;
	char response[RESPONSE_MAX];
	struct fetch *next_idle;
};

struct client {
	struct pace pace;
	struct sockaddr_in address;
	const char *host;
	SSL_CTX *context;
	char request[256];
	size_t request_length;
	int epoll_fd;
	struct fetch *idle;
};

static void end(struct client *client, struct fetch *fetch, bool is_fine)
{
	if (is_fine)
		(void)SSL_shutdown(fetch->ssl);
	SSL_free(fetch->ssl);
	(void)close(fetch->fd);
	pace_end_one(&client->pace, is_fine);
	fetch->next_idle = client->idle;
	client->idle = fetch;
}

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
	fetch->length = 0;
	fetch->ssl = SSL_new(client->context);
	(void)SSL_set_fd(fetch->ssl, fetch->fd);
	(void)X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(fetch->ssl), client->host);
	SSL_set_connect_state(fetch->ssl);
	(void)connect(fetch->fd, (const struct sockaddr *)&client->address,
		      sizeof(client->address));
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = fetch};
	(void)epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, fetch->fd, &event);
}

static bool is_complete(const struct fetch *fetch)
{
	const char *body = memmem(fetch->response, fetch->length, "\r\n\r\n", 4);
	if (body == NULL)
		return false;
	const char *announced = strcasestr(fetch->response, "\r\ncontent-length:");
	if (announced == NULL || announced > body)
		return false;
	return fetch->response + fetch->length - (body + 4) >= strtol(announced + 17, NULL, 10);
}

static bool is_later(const struct fetch *fetch, int result)
{
	int why = SSL_get_error(fetch->ssl, result);
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

/* As far as it goes now; returns false where it has failed. */
static bool go_on(struct client *client, struct fetch *fetch)
{
	if (!fetch->is_sent) {
		int result = SSL_do_handshake(fetch->ssl);
		if (result != 1)
			return is_later(fetch, result);
		result = SSL_write(fetch->ssl, client->request, (int)client->request_length);
		if (result != (int)client->request_length)
			return false;
		fetch->is_sent = true;
	}
	while (!is_complete(fetch)) {
		int left = RESPONSE_MAX - 1 - (int)fetch->length;
		int got = SSL_read(fetch->ssl, fetch->response + fetch->length, left);
		if (got <= 0)
			return left > 0 && is_later(fetch, got);
		fetch->length += (size_t)got;
		fetch->response[fetch->length] = '\0';
	}
	return true;
}

static void on_event(struct client *client, struct fetch *fetch)
{
	if (!go_on(client, fetch)) {
		ERR_print_errors_fp(stderr);
		end(client, fetch, false);
	} else if (fetch->is_sent && is_complete(fetch)) {
		end(client, fetch, strncmp(fetch->response, "HTTP/1.1 200 ", 13) == 0);
	}
}

static int prepare(struct client *client, const char *ca_file)
{
	client->context = SSL_CTX_new(TLS_client_method());
	if (client->context == NULL ||
	    SSL_CTX_set_min_proto_version(client->context, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_load_verify_file(client->context, ca_file) != 1) {
		ERR_print_errors_fp(stderr);
		return -1;
	}
	SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, NULL);
	(void)SSL_CTX_set_session_cache_mode(client->context, SSL_SESS_CACHE_OFF);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 6 || argc > 7) {
		(void)fprintf(stderr,
			      "usage: tls_client HOST PORT CA_FILE COUNT IN_FLIGHT [RATE]\n");
		return 2;
	}
	static struct client client;
	client.address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)strtol(argv[2], NULL, 10))};
	(void)inet_pton(AF_INET, argv[1], &client.address.sin_addr);
	client.host = argv[1];
	client.request_length = (size_t)snprintf(
		client.request, sizeof(client.request),
		"GET / HTTP/1.1\r\nHost: %s:%s\r\nUser-Agent: tls_client\r\nAccept: */*\r\n\r\n",
		argv[1], argv[2]);
	if (prepare(&client, argv[3]) != 0)
		return 1;
	pace_init(&client.pace, argc - 4, argv + 4);
	client.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	while (!pace_is_over(&client.pace)) {
		struct epoll_event events[EVENTS];
		while (pace_start_one(&client.pace))
			start(&client);
		int count =
			epoll_wait(client.epoll_fd, events, EVENTS, pace_timeout_ms(&client.pace));
		for (int i = 0; i < count; i++)
			on_event(&client, events[i].data.ptr);
	}
	int code = pace_report(&client.pace);
	SSL_CTX_free(client.context);
	return code;
}
