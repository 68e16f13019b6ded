#include "probe/poller.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/memory.h"
#include "probe/curl_contexts.h"
#include "probe/curl_reads.h"
#include "probe/curl_sends.h"

enum {
	EVENTS_A_TURN = 256,
	/* A flood over TLS has curl ask to be called at once again and again: others must get their turns. */
	ROUNDS_A_PUMP = 4,
	/*
	 * A server that gives an upload no window over HTTP/2 leaves curl with something to send and a socket that is ready for
	 * it, for ever: after so many turns that only said so, the socket is asked now and then.
	 */
	WRITES_MAX = 256,
	WRITES_A_READ = 4, /* more, each time that the server has said something */
	/*
	 * A server that sends byte by byte has the loop turn for each of them, 10,000 times a second: after so many turns, a socket with
	 * few bytes to read is asked now and then, and one with less than curl reads at a time (CURL_MAX_READ_SIZE) after a moment.
	 */
	READS_MAX = 300,
	FEW_BYTES = 1024,
	FULL_BYTES = 16 * 1024,
	REST_MS = 20,
	SHORT_REST_MS = 4,
	/*
	 * Each rest is longer than the one before by this part of the first one, so that turns grow with the root of the time: one of n
	 * is some 2 / n of what they took together, which is how late a response's end may be seen. 135 long ones are 10 s, 1000 seven minutes.
	 */
	RESTS_TO_DOUBLE = 25,
	RESTS_MAX = 1000,
};

/* What is known of a socket that curl has us watch; by its number. */
struct watched {
	uint32_t events;  /* that curl wants */
	uint32_t resting; /* those of them that are not looked at just now */
	uint16_t writes;  /* turns in which it could only be written to */
	uint16_t reads;   /* turns in which there was something to read */
	uint16_t rests;   /* that it has had */
	uint64_t wake_at; /* by the loop's clock, ms: of one that rests */
};

/* A transfer that goes on in the next turn, or ends in it. */
struct put_off {
	CURL *easy;    /* NULL: gone meanwhile */
	CURLcode code; /* CURLE_OK: it goes on */
};

struct poller {
	CURLM *multi;
	struct curl_contexts *contexts;
	uv_poll_t watcher; /* of epoll_fd */
	uv_timer_t timer;  /* curl's */
	int epoll_fd;
	struct watched *watched;
	size_t watched_count;
	size_t resting; /* sockets */
	struct curl_sends sends;
	uv_timer_t rest_timer;
	uint64_t wake_at;        /* when that is due */
	struct put_off *put_off; /* to the next turn */
	size_t put_off_count;
	size_t put_off_max;
	uv_idle_t
		put_off_turn; /* a timer that is due at once would come back within the same turn */
	bool is_due;          /* curl asked to be called at once */
	bool is_pumping; /* on_ended may add and remove transfers: the pump that runs sees to them */
	poller_on_ended on_ended;
};

static struct watched *find_watched(struct poller *poller, int fd)
{
	size_t index = (size_t)fd;
	if (index >= poller->watched_count) {
		size_t count = index < 64 ? 64 : index * 2;
		poller->watched = xreallocarray(poller->watched, count, sizeof(poller->watched[0]));
		memset(&poller->watched[poller->watched_count], 0,
		       (count - poller->watched_count) * sizeof(poller->watched[0]));
		poller->watched_count = count;
	}
	return &poller->watched[index];
}

/* Where the system does not let us, it is tried again. */
static void wake(struct poller *poller, int fd, struct watched *watched)
{
	struct epoll_event event = {.data.fd = fd, .events = watched->events};
	if (epoll_ctl(poller->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0)
		return;
	watched->resting = 0;
	poller->resting--;
}

static void on_rested(uv_timer_t *timer);

static void rest_until(struct poller *poller, uint64_t wake_at)
{
	uint64_t now = uv_now(poller->timer.loop);
	(void)uv_timer_start(&poller->rest_timer, on_rested, wake_at > now ? wake_at - now : 0, 0);
	poller->wake_at = wake_at;
}

/* Few rest at a time: whoever is to be woken is looked for among all. */
static void on_rested(uv_timer_t *timer)
{
	struct poller *poller = timer->data;
	uint64_t now = uv_now(timer->loop);
	uint64_t next = UINT64_MAX;
	size_t left = poller->resting;
	for (size_t i = 0; i < poller->watched_count && left > 0; i++) {
		struct watched *watched = &poller->watched[i];
		if (watched->resting == 0)
			continue;
		left--;
		if (watched->wake_at <= now)
			wake(poller, (int)i, watched);
		if (watched->resting != 0 && watched->wake_at < next)
			next = watched->wake_at;
	}
	if (next != UINT64_MAX)
		rest_until(poller, next > now ? next : now + REST_MS);
}

/* So much for the first rest, as it has grown by now. */
static unsigned grown(const struct watched *watched, unsigned first)
{
	return first + first * watched->rests / RESTS_TO_DOUBLE;
}

/* For a while, do not look whether that can be done with the socket. */
static void rest(struct poller *poller, int fd, uint32_t what, unsigned first_ms)
{
	struct watched *watched = &poller->watched[fd];
	uint32_t resting = watched->resting | (watched->events & what);
	struct epoll_event event = {.data.fd = fd, .events = watched->events & ~resting};
	if (resting == watched->resting ||
	    epoll_ctl(poller->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0)
		return;
	uint64_t wake_at = uv_now(poller->timer.loop) + grown(watched, first_ms);
	if (watched->resting == 0)
		poller->resting++;
	if (watched->resting == 0 || wake_at < watched->wake_at)
		watched->wake_at = wake_at;
	watched->resting = resting;
	if (watched->rests < RESTS_MAX)
		watched->rests++;
	if (!uv_is_active((const uv_handle_t *)&poller->rest_timer) || wake_at < poller->wake_at)
		rest_until(poller, wake_at);
}

/*
 * A socket is ready: whether it was often enough, and for nothing but being written to. What it says is a reason to look again, if not a good
 * one: it may be a window of one byte.
 */
static void count_writes(struct poller *poller, int fd, uint32_t events)
{
	struct watched *watched = find_watched(poller, fd);
	if (events != EPOLLOUT) {
		unsigned again = watched->reads < READS_MAX ? WRITES_A_READ : 0;
		watched->writes = watched->writes > again ? (uint16_t)(watched->writes - again) : 0;
		if (again > 0 && (watched->resting & EPOLLOUT) != 0)
			wake(poller, fd, watched);
	} else if (watched->writes < WRITES_MAX) {
		watched->writes++;
	} else {
		rest(poller, fd, EPOLLOUT, REST_MS);
	}
}

/* The same, where there is something to read: it is read now, and what follows may wait. */
static void count_reads(struct poller *poller, int fd, uint32_t events)
{
	struct watched *watched = find_watched(poller, fd);
	int bytes = 0;
	if ((events & EPOLLIN) == 0)
		return;
	if (watched->reads < READS_MAX)
		watched->reads++;
	else if (ioctl(fd, FIONREAD, &bytes) == 0 && bytes < FULL_BYTES)
		rest(poller, fd, EPOLLIN,
		     bytes < (int)grown(watched, FEW_BYTES) ? REST_MS : SHORT_REST_MS);
}

/* curl's wishes are new: nothing holds any more of what was noted. */
static void forget(struct poller *poller, struct watched *watched, uint32_t events)
{
	if (watched->resting != 0)
		poller->resting--;
	watched->resting = 0;
	watched->events = events;
}

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
	struct watched *watched = find_watched(poller, socket);
	if (what == CURL_POLL_REMOVE) {
		forget(poller, watched, 0);
		if (!is_put_off(poller, easy)) { /* it goes on with the same socket */
			watched->writes = 0;
			watched->reads = 0;
			watched->rests = 0;
		}
		/* Fails where curl has closed the socket already, and then it is gone anyway. What could not be watched may be another's by now. */
		if (known != NULL)
			(void)epoll_ctl(poller->epoll_fd, EPOLL_CTL_DEL, socket, NULL);
		return 0;
	}
	struct epoll_event event = {.data.fd = socket};
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		event.events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		event.events |= EPOLLOUT;
	forget(poller, watched, event.events);
	if (epoll_ctl(poller->epoll_fd, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket,
		      &event) != 0)
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
	int count = epoll_wait(poller->epoll_fd, ready, EVENTS_A_TURN, 0);
	for (int i = 0; i < count; i++) {
		int what = 0;
		if ((ready[i].events & (EPOLLIN | EPOLLRDHUP)) != 0)
			what |= CURL_CSELECT_IN;
		if ((ready[i].events & EPOLLOUT) != 0)
			what |= CURL_CSELECT_OUT;
		if ((ready[i].events & (EPOLLERR | EPOLLHUP)) != 0)
			what |= CURL_CSELECT_IN | CURL_CSELECT_OUT | CURL_CSELECT_ERR;
		count_writes(poller, ready[i].data.fd, ready[i].events);
		count_reads(poller, ready[i].data.fd, ready[i].events);
		act(poller, ready[i].data.fd, what);
		/* Ends are told at once, so that a transfer's times do not wait for those behind it. A descriptor that is
		 * closed and opened again by that may get an event of its past: curl looks, and finds nothing to do. */
		pump(poller);
	}
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

bool poller_wake(struct poller *poller, curl_socket_t socket)
{
	if (socket < 0 || (size_t)socket >= poller->watched_count)
		return false;
	struct watched *watched = &poller->watched[socket];
	if ((watched->resting & EPOLLIN) == 0)
		return false;
	wake(poller, socket, watched);
	return true;
}

struct poller *poller_create(uv_loop_t *loop, poller_on_ended on_ended, struct error *err)
{
	struct poller *poller = xcalloc(1, sizeof(*poller));
	poller->on_ended = on_ended;
	poller->contexts = curl_contexts_create();
	poller->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (poller->epoll_fd < 0) {
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

	int status = uv_poll_init(loop, &poller->watcher, poller->epoll_fd);
	if (status != 0) {
		error_set(err, ERROR_FATAL, "watch transfers: %s", uv_strerror(status));
		goto fail;
	}
	(void)uv_timer_init(loop, &poller->timer);
	(void)uv_timer_init(loop, &poller->rest_timer);
	(void)uv_idle_init(loop, &poller->put_off_turn);
	poller->rest_timer.data = poller;
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
	uv_close((uv_handle_t *)&poller->rest_timer, NULL);
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
	if (poller->epoll_fd >= 0)
		(void)close(poller->epoll_fd);
	curl_contexts_destroy(poller->contexts);
	curl_sends_finish(&poller->sends);
	free(poller->watched);
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
}
