/*
 * The bare libcurl-multi client that the producer is measured beside: the same requests, fresh connections, a fixed number in
 * flight, and nothing else — no schedule, no DNS, no pattern, no report. With a rate it starts so many a second, as a monitor
 * does, instead of going as fast as it can: it is then woken for each event alone, and finds its caches cold.
 *
 *     multi_client URL COUNT IN_FLIGHT [RATE]
 *
 * Prints "COUNT checks, N failed, CPU_US us of CPU each" on stdout.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

enum { IDLE_MAX = 1024 };

struct client {
	CURLM *multi;
	const char *url;
	long to_start;
	long running;
	long failed;
	long finished;
	int epoll_fd;
	long timeout_ms;
	double rate;  /* starts a second; 0: as fast as it can */
	double began; /* seconds */
	long started;
	size_t idle_count;
	CURL *idle[IDLE_MAX];
};

static double now_seconds(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

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
	(void)curl_multi_add_handle(client->multi, easy);
	client->to_start--;
	client->started++;
	client->running++;
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
		if (message->data.result != CURLE_OK)
			client->failed++;
		(void)curl_multi_remove_handle(client->multi, easy);
		client->running--;
		client->finished++;
		if (client->to_start > 0 && client->rate <= 0)
			start_one(client, easy);
		else
			keep_idle(client, easy);
	}
}

/* With a rate: start what is due by now, at most in_flight at a time. */
static void start_due(struct client *client, long in_flight)
{
	long due = (long)((now_seconds() - client->began) * client->rate);
	while (client->to_start > 0 && client->running < in_flight &&
	       (client->rate <= 0 || client->started < due)) {
		CURL *easy = client->idle_count > 0 ? client->idle[--client->idle_count]
						    : curl_easy_init();
		start_one(client, easy);
	}
}

static int next_timeout_ms(const struct client *client)
{
	bool is_paced = client->rate > 0 && client->to_start > 0;
	if (is_paced && (client->timeout_ms < 0 || client->timeout_ms > 1))
		return 1;
	return (int)client->timeout_ms;
}

static void run(struct client *client, long in_flight)
{
	int still_running;
	client->began = now_seconds();
	if (client->rate <= 0)
		start_due(client, in_flight);
	(void)curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &still_running);
	while (client->running > 0 || client->to_start > 0) {
		struct epoll_event events[256];
		if (client->rate > 0)
			start_due(client, in_flight);
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
	if (argc < 4 || argc > 5) {
		(void)fprintf(stderr, "usage: multi_client URL COUNT IN_FLIGHT [RATE]\n");
		return 2;
	}
	static struct client client;
	client = (struct client){
		.url = argv[1], .to_start = strtol(argv[2], NULL, 10), .timeout_ms = 0};
	long count = client.to_start;
	client.rate = argc > 4 ? strtod(argv[4], NULL) : 0;
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	client.multi = curl_multi_init();
	client.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	(void)curl_multi_setopt(client.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(client.multi, CURLMOPT_SOCKETDATA, &client);
	(void)curl_multi_setopt(client.multi, CURLMOPT_TIMERFUNCTION, on_timer);
	(void)curl_multi_setopt(client.multi, CURLMOPT_TIMERDATA, &client);
	run(&client, strtol(argv[3], NULL, 10));
	struct rusage usage;
	(void)getrusage(RUSAGE_SELF, &usage);
	double cpu_us = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
			(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	(void)printf("%ld checks, %ld failed, %.1f us of CPU each\n", client.finished,
		     client.failed, cpu_us / (double)count);
	while (client.idle_count > 0)
		curl_easy_cleanup(client.idle[--client.idle_count]);
	(void)curl_multi_cleanup(client.multi);
	curl_global_cleanup();
	return client.failed > 0;
}
