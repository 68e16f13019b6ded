#include "probe/poller.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/memory.h"
#include "probe/curl_contexts.h"
#include "probe/curl_reads.h"
#include "probe/curl_sends.h"
#include "probe/socket_watch.h"

enum {
	EVENTS_A_TURN = 256,
	/* A flood over TLS has curl ask to be called at once again and again: others must get their turns. */
	ROUNDS_A_PUMP = 4,
};

/* A transfer that goes on in the next turn, or ends in it. */
struct put_off {
	CURL *easy;    /* NULL: gone meanwhile */
	CURLcode code; /* CURLE_OK: it goes on */
};

struct poller {
	CURLM *multi;
	struct curl_contexts *contexts;
	uv_poll_t watcher;           /* of their epoll_fd */
	uv_timer_t timer;            /* curl's */
	struct socket_watch sockets; /* curl's */
	struct curl_sends sends;
	struct put_off *put_off; /* to the next turn */
	size_t put_off_count;
	size_t put_off_max;
	uv_idle_t
		put_off_turn; /* a timer that is due at once would come back within the same turn */
	bool is_due;          /* curl asked to be called at once */
	bool is_pumping; /* on_ended may add and remove transfers: the pump that runs sees to them */
	poller_on_ended on_ended;
};

static void on_put_off(uv_idle_t *turn);

static void put_off(struct poller *poller, CURL *easy, CURLcode code)
{
	if (poller->put_off_count == poller->put_off_max) {
		poller->put_off_max = poller->put_off_max == 0 ? 16 : poller->put_off_max * 2;
		poller->put_off = xreallocarray(poller->put_off, poller->put_off_max,
						sizeof(poller->put_off[0]));
	}
	poller->put_off[poller->put_off_count++] = (struct put_off){.easy = easy, .code = code};
	(void)uv_idle_start(&poller->put_off_turn, on_put_off);
}

static bool is_put_off(const struct poller *poller, const CURL *easy)
{
	for (size_t i = 0; i < poller->put_off_count; i++)
		if (poller->put_off[i].easy == easy)
			return true;
	return false;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *known)
{
	struct poller *poller = context;
	if (what == CURL_POLL_REMOVE) {
		bool goes_on = is_put_off(poller, easy); /* with the same socket */
		socket_watch_remove(&poller->sockets, socket, known != NULL, goes_on ? easy : NULL);
		return 0;
	}
	uint32_t events = 0;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= EPOLLOUT;
	if (!(known == NULL ? socket_watch_add(&poller->sockets, socket, events, easy)
			    : socket_watch_change(&poller->sockets, socket, events)))
		/* Told so, curl would end this transfer, and every other one from now on. */
		put_off(poller, easy, CURLE_ABORTED_BY_CALLBACK);
	else if (known == NULL)
		(void)curl_multi_assign(poller->multi, socket, poller);
	return 0;
}

static void tell_end(const struct poller *poller, CURL *easy, CURLcode code)
{
	void *context = NULL;
	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &context);
	poller->on_ended(context, code);
}

static void enter_curl(struct poller *poller)
{
	curl_reads_bound();
	curl_contexts_bind(poller->contexts);
	curl_sends_bound(&poller->sends);
}

static void leave_curl(void)
{
	curl_contexts_unbind();
	curl_sends_unbound();
	curl_reads_unbound();
}

static void act(struct poller *poller, curl_socket_t socket, int what)
{
	int running;
	enter_curl(poller);
	(void)curl_multi_socket_action(poller->multi, socket, what, &running);
	leave_curl();
}

/*
 * Tell about every transfer that has ended, and start what that added. What is still to be done at once after some rounds is
 * left to the timer, which curl has armed for it.
 */
static void pump(struct poller *poller)
{
	if (poller->is_pumping)
		return;
	poller->is_pumping = true;
	int rounds = 0;
	for (;;) {
		if (poller->is_due && rounds < ROUNDS_A_PUMP) {
			rounds++;
			poller->is_due = false;
			act(poller, CURL_SOCKET_TIMEOUT, 0);
		}
		int left;
		CURLMsg *message = curl_multi_info_read(poller->multi, &left);
		if (message != NULL && message->msg == CURLMSG_DONE) {
			tell_end(poller, message->easy_handle, message->data.result);
		} else if (message == NULL && (!poller->is_due || rounds == ROUNDS_A_PUMP)) {
			break;
		}
	}
	poller->is_pumping = false;
}

static void on_timer(uv_timer_t *timer);

static void arm(struct poller *poller, long timeout_ms)
{
	if (timeout_ms > 0)
		uv_update_time(poller->timer.loop);
	(void)uv_timer_start(&poller->timer, on_timer, (uint64_t)timeout_ms, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct poller *poller = timer->data;
	poller->is_due = true;
	pump(poller);
	/* Should curl think that it is a millisecond too early, it does not ask a second time. */
	long timeout_ms = -1;
	if (!uv_is_active((const uv_handle_t *)timer) &&
	    curl_multi_timeout(poller->multi, &timeout_ms) == CURLM_OK && timeout_ms >= 0)
		arm(poller, timeout_ms);
}

static int on_timeout_wanted(CURLM *multi, long timeout_ms, void *context)
{
	(void)multi;
	struct poller *poller = context;
	if (timeout_ms < 0) {
		poller->is_due = false;
		(void)uv_timer_stop(&poller->timer);
	} else {
		/* "At once" is done by the pump that runs; the timer is there for calls from outside of it. */
		poller->is_due = timeout_ms == 0;
		arm(poller, timeout_ms);
	}
	return 0;
}

static void on_readable(uv_poll_t *watcher, int status, int events)
{
	(void)status;
	(void)events;
	struct poller *poller = watcher->data;
	struct epoll_event ready[EVENTS_A_TURN];
	int count = epoll_wait(poller->sockets.epoll_fd, ready, EVENTS_A_TURN, 0);
	for (int i = 0; i < count; i++) {
		int what = 0;
		if ((ready[i].events & (EPOLLIN | EPOLLRDHUP)) != 0)
			what |= CURL_CSELECT_IN;
		if ((ready[i].events & EPOLLOUT) != 0)
			what |= CURL_CSELECT_OUT;
		if ((ready[i].events & (EPOLLERR | EPOLLHUP)) != 0)
			what |= CURL_CSELECT_IN | CURL_CSELECT_OUT | CURL_CSELECT_ERR;
		socket_watch_begin_read(&poller->sockets, ready[i].data.fd, ready[i].events);
		act(poller, ready[i].data.fd, what);
		socket_watch_end_read(&poller->sockets, ready[i].data.fd);
		/* Ends are told at once, so that a transfer's times do not wait for those behind it. A descriptor that is
		 * closed and opened again by that may get an event of its past: curl looks, and finds nothing to do. */
		pump(poller);
	}
}

static void on_look(void *context, int fd)
{
	struct poller *poller = context;
	act(poller, fd, CURL_CSELECT_IN);
	pump(poller);
}

static CURLcode go_on(struct poller *poller, CURL *easy)
{
	enter_curl(poller);
	CURLcode code = curl_easy_pause(easy, CURLPAUSE_CONT);
	leave_curl();
	return code;
}

/* Not more than was put off before this turn. An end that curl finds while it goes on is told by nobody but us. */
static void on_put_off(uv_idle_t *turn)
{
	struct poller *poller = turn->data;
	size_t count = poller->put_off_count;
	poller->is_pumping = true;
	for (size_t i = 0; i < count; i++) {
		CURL *easy = poller->put_off[i].easy;
		CURLcode code = poller->put_off[i].code;
		poller->put_off[i].easy = NULL;
		if (easy != NULL && code == CURLE_OK)
			code = go_on(poller, easy);
		if (easy != NULL && code != CURLE_OK)
			tell_end(poller, easy, code);
	}
	poller->is_pumping = false;
	poller->put_off_count -= count;
	memmove(poller->put_off, &poller->put_off[count],
		poller->put_off_count * sizeof(poller->put_off[0]));
	if (poller->put_off_count == 0)
		(void)uv_idle_stop(turn);
	pump(poller);
}

void poller_put_off(struct poller *poller, CURL *easy)
{
	put_off(poller, easy, CURLE_OK);
}

void poller_end(struct poller *poller, CURL *easy, CURLcode code)
{
	put_off(poller, easy, code);
}

void poller_go_on(struct poller *poller, const CURL *easy)
{
	for (size_t i = 0; i < poller->put_off_count; i++) {
		if (poller->put_off[i].easy == easy && poller->put_off[i].code != CURLE_OK)
			poller->put_off[i].easy = NULL;
	}
}

void poller_hear_out(struct poller *poller, curl_socket_t socket, bool is_worth_it)
{
	curl_sends_hear_out(&poller->sends, socket, is_worth_it);
}

void poller_begin_response(struct poller *poller, curl_socket_t socket)
{
	socket_watch_begin_response(&poller->sockets, socket);
}

bool poller_wake(struct poller *poller, curl_socket_t socket)
{
	return socket_watch_wake(&poller->sockets, socket);
}

struct poller *poller_create(uv_loop_t *loop, poller_on_ended on_ended, struct error *err)
{
	struct poller *poller = xcalloc(1, sizeof(*poller));
	poller->on_ended = on_ended;
	poller->contexts = curl_contexts_create();
	if (socket_watch_open(&poller->sockets) != 0) {
		error_set_errno(err, ERROR_FATAL, errno, "prepare transfers");
		goto fail;
	}
	poller->multi = curl_multi_init();
	if (poller->multi == NULL) { /* which leaves no errno */
		error_set(err, ERROR_FATAL, "prepare transfers: libcurl is out of memory");
		goto fail;
	}
	CURLM *multi = poller->multi;
	(void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, poller);
	(void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
	(void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, poller);
	/* Every check has a connection of its own; HTTP/2 must not wait for somebody else's. */
	(void)curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);

	int status = uv_poll_init(loop, &poller->watcher, poller->sockets.epoll_fd);
	if (status != 0) {
		error_set(err, ERROR_FATAL, "watch transfers: %s", uv_strerror(status));
		goto fail;
	}
	(void)uv_timer_init(loop, &poller->timer);
	socket_watch_start(&poller->sockets, loop, on_look, poller);
	(void)uv_idle_init(loop, &poller->put_off_turn);
	poller->put_off_turn.data = poller;
	poller->watcher.data = poller;
	poller->timer.data = poller;
	(void)uv_poll_start(&poller->watcher, UV_READABLE, on_readable);
	return poller;
fail:
	poller_destroy(poller);
	return NULL;
}

void poller_close(struct poller *poller)
{
	uv_close((uv_handle_t *)&poller->watcher, NULL);
	uv_close((uv_handle_t *)&poller->timer, NULL);
	socket_watch_close(&poller->sockets);
	uv_close((uv_handle_t *)&poller->put_off_turn, NULL);
}

void poller_destroy(struct poller *poller)
{
	if (poller == NULL)
		return;
	if (poller->multi != NULL) {
		/* The loop's timer is gone by now. */
		(void)curl_multi_setopt(poller->multi, CURLMOPT_TIMERFUNCTION, NULL);
		(void)curl_multi_cleanup(poller->multi);
	}
	curl_contexts_destroy(poller->contexts);
	curl_sends_finish(&poller->sends);
	socket_watch_finish(&poller->sockets);
	free(poller->put_off);
	free(poller);
}

int poller_add(struct poller *poller, CURL *easy)
{
	if (curl_multi_add_handle(poller->multi, easy) != CURLM_OK)
		return -1;
	poller->is_due = true;
	pump(poller);
	return 0;
}

void poller_remove(struct poller *poller, CURL *easy)
{
	for (size_t i = 0; i < poller->put_off_count; i++) {
		if (poller->put_off[i].easy == easy)
			poller->put_off[i].easy = NULL;
	}
	enter_curl(poller);
	(void)curl_multi_remove_handle(poller->multi, easy);
	leave_curl();
	socket_watch_let_go(&poller->sockets, easy);
}
