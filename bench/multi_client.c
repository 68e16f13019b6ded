/*
 * The bare libcurl-multi client that the producer is measured beside: the same requests, fresh connections, at most so many in
 * flight, and nothing else — no schedule, no DNS, no pattern, no report. With a rate it starts so many a second, as a monitor
 * does, instead of going as fast as it can: it is then woken for each event alone, and finds its caches cold.
 *
 *     multi_client URL CA_FILE COUNT IN_FLIGHT [RATE]
 *
 * CA_FILE ("-": none, over plain HTTP) is read once: libcurl keeps it for the whole multi handle as long as no folder is named.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "pace.h"

enum { IDLE_MAX = 1024 };

struct client {
	struct pace pace;
	CURLM *multi;
	const char *url;
	const char *ca_file;
	int epoll_fd;
	long timeout_ms;
	size_t idle_count;
	CURL *idle[IDLE_MAX];
};

static size_t discard(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
	(void)easy;
	struct client *client = context;
	struct epoll_event event = {.data.fd = fd};
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(client->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		event.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		event.events |= EPOLLOUT;
	if (epoll_ctl(client->epoll_fd, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd,
		      &event) != 0)
		(void)epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	(void)curl_multi_assign(client->multi, fd, client);
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
	(void)multi;
	struct client *client = context;
	client->timeout_ms = timeout_ms;
	return 0;
}

static void start_one(struct client *client, CURL *easy)
{
	curl_easy_reset(easy);
	(void)curl_easy_setopt(easy, CURLOPT_URL, client->url);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
	(void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
	if (client->ca_file != NULL) {
		(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, client->ca_file);
		(void)curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	}
	(void)curl_multi_add_handle(client->multi, easy);
}

/* Handles are used again, as a monitor would. */
static void keep_idle(struct client *client, CURL *easy)
{
	if (client->idle_count < IDLE_MAX)
		client->idle[client->idle_count++] = easy;
	else
		curl_easy_cleanup(easy);
}

static void reap(struct client *client)
{
	int left;
	CURLMsg *message;
	while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		CURL *easy = message->easy_handle;
		bool is_fine = message->data.result == CURLE_OK;
		if (!is_fine)
			(void)fprintf(stderr, "%s\n", curl_easy_strerror(message->data.result));
		(void)curl_multi_remove_handle(client->multi, easy);
		pace_end_one(&client->pace, is_fine);
		keep_idle(client, easy);
	}
}

static void start_due(struct client *client)
{
	while (pace_start_one(&client->pace)) {
		CURL *easy = client->idle_count > 0 ? client->idle[--client->idle_count]
						    : curl_easy_init();
		start_one(client, easy);
	}
}

static int next_timeout_ms(const struct client *client)
{
	int paced_ms = pace_timeout_ms(&client->pace);
	if (paced_ms >= 0 && (client->timeout_ms < 0 || client->timeout_ms > paced_ms))
		return paced_ms;
	return (int)client->timeout_ms;
}

static void run(struct client *client)
{
	int still_running;
	while (!pace_is_over(&client->pace)) {
		struct epoll_event events[256];
		start_due(client);
		int count = epoll_wait(client->epoll_fd, events, 256, next_timeout_ms(client));
		if (count <= 0)
			(void)curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0,
						       &still_running);
		for (int i = 0; i < count; i++) {
			int flags =
				(events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
				(events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
				(events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
			(void)curl_multi_socket_action(client->multi, events[i].data.fd, flags,
						       &still_running);
		}
		reap(client);
	}
}

int main(int argc, char **argv)
{
	if (argc < 5 || argc > 6) {
		(void)fprintf(stderr, "usage: multi_client URL CA_FILE COUNT IN_FLIGHT [RATE]\n");
		return 2;
	}
	static struct client client;
	client.url = argv[1];
	client.ca_file = strcmp(argv[2], "-") == 0 ? NULL : argv[2];
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	client.multi = curl_multi_init();
	client.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	(void)curl_multi_setopt(client.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(client.multi, CURLMOPT_SOCKETDATA, &client);
	(void)curl_multi_setopt(client.multi, CURLMOPT_TIMERFUNCTION, on_timer);
	(void)curl_multi_setopt(client.multi, CURLMOPT_TIMERDATA, &client);
	pace_init(&client.pace, argc - 3, argv + 3);
	run(&client);
	int code = pace_report(&client.pace);
	while (client.idle_count > 0)
		curl_easy_cleanup(client.idle[--client.idle_count]);
	(void)curl_multi_cleanup(client.multi);
	curl_global_cleanup();
	return code;
}
