#include "everywhere.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check/address.h"

enum { REQUEST_MAX = 8192 };

static int listener;
static pthread_t server_thread;
static bool is_serving;
static const char *const *redirects;
static void (*turn)(void);
static atomic_size_t asked_inside; /* at an address that is not public, but for the proxy's */

static void note_address(int fd, bool *ret_is_proxy)
{
	struct sockaddr_storage local;
	socklen_t size = sizeof(local);
	struct address address;
	char text[ADDRESS_TEXT_SIZE];
	if (getsockname(fd, (struct sockaddr *)&local, &size) != 0 ||
	    address_of_socket((const struct sockaddr *)&local, &address) != 0)
		abort();
	address_format(&address, text);
	*ret_is_proxy = strcmp(text, "::ffff:" EVERYWHERE_PROXY) == 0;
	if (!*ret_is_proxy && address_scope(&address) != ADDRESS_PUBLIC)
		(void)atomic_fetch_add(&asked_inside, 1);
}

/* The target's path; a proxy is asked for whole URLs, and by CONNECT for hosts. */
static char *take_path(char *request, bool is_proxy)
{
	char *target = strchr(request, ' ');
	char *end = target == NULL ? NULL : strchr(target + 1, ' ');
	if (end == NULL)
		return NULL;
	*end = '\0';
	target++;
	if (!is_proxy)
		return target;
	static const char site[] = "http://" EVERYWHERE_PUBLIC "/";
	if (strncmp(target, site, strlen(site)) == 0)
		return target + strlen(site) - 1;
	(void)atomic_fetch_add(&asked_inside, 1); /* would go there in our place */
	return NULL;
}

static void answer(int fd)
{
	char request[REQUEST_MAX];
	char reply[REQUEST_MAX];
	bool is_proxy;
	note_address(fd, &is_proxy);
	ssize_t got = recv(fd, request, sizeof(request) - 1, 0);
	request[got < 0 ? 0 : got] = '\0';
	const char *path = take_path(request, is_proxy);
	const char *location = NULL;
	if (path != NULL && strncmp(path, "/turn/", 6) == 0) {
		turn();
		location = path + 6;
	} else if (path != NULL && strncmp(path, "/at/", 4) == 0) {
		location = path + 4;
	} else if (path != NULL && strncmp(path, "/to/", 4) == 0) {
		location = redirects[strtoul(path + 4, NULL, 10)];
	}
	int length = location != NULL ? snprintf(reply, sizeof(reply),
						 "HTTP/1.1 302 Found\r\nLocation: %s\r\n"
						 "Content-Length: 0\r\nConnection: close\r\n\r\n",
						 location)
				      : snprintf(reply, sizeof(reply),
						 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
						 "Connection: close\r\n\r\nok");
	(void)send(fd, reply, (size_t)length, MSG_NOSIGNAL);
	(void)close(fd);
}

static void *serve(void *context)
{
	(void)context;
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			return NULL;
		answer(fd);
	}
}

static void start_server(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(EVERYWHERE_PORT)};
	int no = 0;
	listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) != 0 ||
	    bind(listener, (struct sockaddr *)&any, sizeof(any)) != 0 ||
	    listen(listener, 512) != 0 || pthread_create(&server_thread, NULL, serve, NULL) != 0)
		abort();
}

static bool make_network(void)
{
	static const char commands[] =
		"exec 2>/dev/null; ip link set lo up && ip -4 route add local 0.0.0.0/0 dev lo && "
		"ip -6 route add local ::/0 dev lo";
	return geteuid() == 0 && unshare(CLONE_NEWNET) == 0 && system(commands) == 0;
}

bool everywhere_start(const char *const *targets, void (*on_turn)(void))
{
	if (!make_network())
		return false;
	redirects = targets;
	turn = on_turn;
	start_server();
	is_serving = true;
	return true;
}

void everywhere_stop(void)
{
	if (!is_serving)
		return;
	(void)shutdown(listener, SHUT_RDWR);
	(void)pthread_join(server_thread, NULL);
	(void)close(listener);
	is_serving = false;
}

size_t everywhere_asked_inside(void)
{
	return atomic_load(&asked_inside);
}

void everywhere_forget(void)
{
	atomic_store(&asked_inside, 0);
}
