#include "probe/socket_watch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

enum {
	/*
	 * A server that sends byte by byte has the loop turn for each of them, 10,000 times a second: after so many turns in which there was
	 * something to read, a socket wakes us for as much as curl reads at a time (CURL_MAX_READ_SIZE) and for its end only.
	 */
	READS_MAX = 150,
	/* The same while an upload goes on: each may be a window for the next piece of it. 1 MiB through windows of 4 KiB is 256 of them. */
	READS_SENDING_MAX = 400,
	FULL_BYTES = 16 * 1024,
	/* Where much has come already, more is expected: not more than a window holds that nothing has widened. */
	EXPECTED_MAX = 64 * 1024,
	/*
	 * A server that gives an upload no window over HTTP/2 leaves curl with something to send and a socket that is ready for
	 * it, for ever.
	 */
	WRITES_MAX = 256,
	WRITES_A_READ = 4, /* more, each time that the server has said something */
	/* So many turns are over before much of the time has gone. */
	WRITE_LOOK_MS = 20,
	READ_LOOK_MS = 1,
	LOOK_PART = 33, /* of the time so far, and of the bytes since it is slow */
};

struct watched {
	size_t place;    /* of one that is slow or stuck: among the tardy */
	uint32_t events; /* that curl wants */
	bool is_slow;    /* to read from: it says so of many bytes and of its end only */
	bool is_stuck;   /* to write to: it is not asked whether it can be */
	uint16_t writes; /* turns in which it could only be written to */
	uint16_t reads;  /* turns in which there was something to read */
	uint64_t
		since; /* the first of these, or the response's first byte, by the loop's clock, ms, as the next one */
	uint64_t look_at; /* of one that is slow or stuck */
	int expected;     /* bytes, of one that is slow, as the next one */
	int64_t bytes;    /* that were there to be read */
	const void *held_for;
};

static struct watched *find(struct socket_watch *watch, int fd)
{
	size_t index = (size_t)fd;
	if (index >= watch->count) {
		size_t count = index < 64 ? 64 : index * 2;
		watch->sockets = xreallocarray(watch->sockets, count, sizeof(watch->sockets[0]));
		memset(&watch->sockets[watch->count], 0,
		       (count - watch->count) * sizeof(watch->sockets[0]));
		watch->count = count;
	}
	return &watch->sockets[index];
}

static bool is_tardy(const struct watched *watched)
{
	return watched->is_slow || watched->is_stuck;
}

static void list_tardy(struct socket_watch *watch, struct watched *watched)
{
	if (watch->tardy_count == watch->tardy_max) {
		watch->tardy_max = watch->tardy_max == 0 ? 16 : watch->tardy_max * 2;
		watch->tardy =
			xreallocarray(watch->tardy, watch->tardy_max, sizeof(watch->tardy[0]));
	}
	watched->place = watch->tardy_count;
	watch->tardy[watch->tardy_count++] = (int)(watched - watch->sockets);
}

/* The last one takes its place. */
static void unlist_tardy(struct socket_watch *watch, const struct watched *watched)
{
	int last = watch->tardy[--watch->tardy_count];
	watch->tardy[watched->place] = last;
	watch->sockets[last].place = watched->place;
}

static void set_tardy(struct socket_watch *watch, struct watched *watched, bool is_slow,
		      bool is_stuck)
{
	bool was_tardy = is_tardy(watched);
	watched->is_slow = is_slow;
	watched->is_stuck = is_stuck;
	if (!was_tardy && is_tardy(watched))
		list_tardy(watch, watched);
	else if (was_tardy && !is_tardy(watched))
		unlist_tardy(watch, watched);
}

/* Told anew what is watched of a socket, the kernel looks whether that is so already. */
static bool watch_anew(const struct socket_watch *watch, int fd, uint32_t events)
{
	struct epoll_event event = {.data.fd = fd, .events = events};
	return epoll_ctl(watch->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0;
}

/*
 * How many bytes make a socket readable (socket(7)). Its end does as well, and a window without room for as many (Linux's
 * tcp_epollin_ready()).
 */
static bool expect_bytes(int fd, int count)
{
	return setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &count, sizeof(count)) == 0;
}

static void on_due(uv_timer_t *timer);

static void arm(struct socket_watch *watch, uint64_t look_at)
{
	uint64_t now = uv_now(watch->timer.loop);
	if (uv_is_active((const uv_handle_t *)&watch->timer) && watch->look_at <= look_at)
		return;
	(void)uv_timer_start(&watch->timer, on_due, look_at > now ? look_at - now : 1, 0);
	watch->look_at = look_at;
}

/* Not later than it is to be looked at already. */
static void look_later(struct socket_watch *watch, struct watched *watched, uint64_t least_ms)
{
	uint64_t now = uv_now(watch->timer.loop);
	uint64_t ms = (now - watched->since) / LOOK_PART;
	uint64_t look_at = now + (ms > least_ms ? ms : least_ms);
	if (is_tardy(watched) && watched->look_at > now && watched->look_at <= look_at)
		return;
	watched->look_at = look_at;
	arm(watch, watched->look_at);
}

/* One that is slow is read: all of it, curl asks whether there is more. Returns whether there is anything. */
static bool open_up(int fd, struct watched *watched)
{
	int bytes = 0;
	if (ioctl(fd, FIONREAD, &bytes) != 0 || bytes <= 0)
		return false;
	watched->bytes += bytes;
	int64_t part = watched->bytes / LOOK_PART;
	if (part > watched->expected)
		watched->expected = part < EXPECTED_MAX ? (int)part : EXPECTED_MAX;
	return expect_bytes(fd, 1);
}

void socket_watch_end_read(struct socket_watch *watch, int fd)
{
	if (watch->sockets[fd].is_slow)
		(void)expect_bytes(fd, watch->sockets[fd].expected);
}

static void look(struct socket_watch *watch, int fd)
{
	struct watched *watched = &watch->sockets[fd];
	/* Where the system does not let us, it is tried again. */
	if (watched->is_stuck && watch_anew(watch, fd, watched->events))
		set_tardy(watch, watched, watched->is_slow, false);
	if (is_tardy(watched))
		look_later(watch, watched, READ_LOOK_MS);
	if (watched->is_slow && (watched->events & EPOLLIN) != 0 && open_up(fd, watched)) {
		watch->on_look(watch->context, fd);
		socket_watch_end_read(watch, fd);
	}
}

/* A look may make others tardy, behind us, and prompt, so that one of those that were looked at takes the place of one that wasn't. */
static void on_due(uv_timer_t *timer)
{
	struct socket_watch *watch = timer->data;
	uint64_t now = uv_now(timer->loop);
	for (size_t i = watch->tardy_count; i-- > 0;) {
		if (i < watch->tardy_count && watch->sockets[watch->tardy[i]].look_at <= now)
			look(watch, watch->tardy[i]);
	}
	for (size_t i = 0; i < watch->tardy_count; i++)
		arm(watch, watch->sockets[watch->tardy[i]].look_at);
}

static void set_slow(struct socket_watch *watch, struct watched *watched)
{
	look_later(watch, watched, READ_LOOK_MS);
	set_tardy(watch, watched, true, watched->is_stuck);
	watched->expected = FULL_BYTES;
	watched->bytes = 0;
}

static void set_stuck(struct socket_watch *watch, int fd, struct watched *watched)
{
	uint32_t others = watched->events & ~(uint32_t)EPOLLOUT;
	if (watched->is_stuck || others == watched->events || !watch_anew(watch, fd, others))
		return;
	look_later(watch, watched, WRITE_LOOK_MS);
	set_tardy(watch, watched, watched->is_slow, true);
}

static unsigned reads_max(const struct watched *watched)
{
	return (watched->events & EPOLLOUT) != 0 ? READS_SENDING_MAX : READS_MAX;
}

/*
 * It is ready: whether it was often enough, and for nothing but being written to. What it says is a reason to look again, if not a good
 * one: it may be a window of one byte.
 */
static void count_writes(struct socket_watch *watch, int fd, uint32_t events)
{
	struct watched *watched = &watch->sockets[fd];
	if (events != EPOLLOUT) {
		unsigned again = watched->reads < reads_max(watched) ? WRITES_A_READ : 0;
		watched->writes = watched->writes > again ? (uint16_t)(watched->writes - again) : 0;
		if (again > 0 && watched->is_stuck && watch_anew(watch, fd, watched->events))
			set_tardy(watch, watched, watched->is_slow, false);
	} else if (watched->writes < WRITES_MAX) {
		if (watched->writes++ == 0 && watched->reads == 0)
			watched->since = uv_now(watch->timer.loop);
	} else {
		set_stuck(watch, fd, watched);
	}
}

/* The same, where there is something to read: it is read now, and what follows may wait. */
static void count_reads(struct socket_watch *watch, int fd, uint32_t events)
{
	struct watched *watched = &watch->sockets[fd];
	int bytes = 0;
	if ((events & EPOLLIN) == 0)
		return;
	if (watched->reads == 0)
		watched->since = uv_now(watch->timer.loop);
	if (watched->reads < reads_max(watched))
		watched->reads++;
	else if (watched->is_slow)
		(void)open_up(fd, watched);
	else if (ioctl(fd, FIONREAD, &bytes) == 0 && bytes < FULL_BYTES)
		set_slow(watch, watched);
}

void socket_watch_begin_read(struct socket_watch *watch, int fd, uint32_t events)
{
	(void)find(watch, fd);
	count_writes(watch, fd, events);
	count_reads(watch, fd, events);
}

void socket_watch_begin_response(struct socket_watch *watch, int fd)
{
	if (fd >= 0 && (size_t)fd < watch->count)
		watch->sockets[fd].since = uv_now(watch->timer.loop);
}

bool socket_watch_wake(struct socket_watch *watch, int fd)
{
	if (fd < 0 || (size_t)fd >= watch->count || !watch->sockets[fd].is_slow)
		return false;
	struct watched *watched = &watch->sockets[fd];
	(void)expect_bytes(fd, 1);
	set_tardy(watch, watched, false, false);
	(void)watch_anew(watch, fd, watched->events);
	return true;
}

/* curl's wishes are new: it wants to write, or not any more. */
static struct watched *wish(struct socket_watch *watch, int fd, uint32_t events)
{
	struct watched *watched = find(watch, fd);
	set_tardy(watch, watched, watched->is_slow, false);
	watched->events = events;
	return watched;
}

static void forget(struct socket_watch *watch, struct watched *watched)
{
	set_tardy(watch, watched, false, false);
	watch->held -= watched->held_for != NULL;
	*watched = (struct watched){0};
}

bool socket_watch_add(struct socket_watch *watch, int fd, uint32_t events, const void *user)
{
	struct epoll_event event = {.data.fd = fd, .events = events};
	struct watched *watched = find(watch, fd);
	if (watched->held_for != user)
		forget(watch, watched);
	watch->held -= watched->held_for != NULL;
	watched->held_for = NULL;
	(void)wish(watch, fd, events);
	return epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool socket_watch_change(struct socket_watch *watch, int fd, uint32_t events)
{
	(void)wish(watch, fd, events);
	return watch_anew(watch, fd, events);
}

void socket_watch_remove(struct socket_watch *watch, int fd, bool is_added, const void *held_for)
{
	struct watched *watched = wish(watch, fd, 0);
	if (held_for != NULL) {
		watch->held += watched->held_for == NULL;
		watched->held_for = held_for;
	} else {
		if (watched->is_slow) /* it may be kept for another request */
			(void)expect_bytes(fd, 1);
		forget(watch, watched);
	}
	/* Fails where the socket is closed already, and then it is gone anyway. What could not be watched may be another's by now. */
	if (is_added)
		(void)epoll_ctl(watch->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

void socket_watch_let_go(struct socket_watch *watch, const void *user)
{
	for (size_t i = 0; i < watch->count && watch->held > 0; i++) {
		if (watch->sockets[i].held_for == user)
			forget(watch, &watch->sockets[i]);
	}
}

int socket_watch_open(struct socket_watch *watch)
{
	*watch = (struct socket_watch){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
	return watch->epoll_fd < 0 ? -1 : 0;
}

void socket_watch_start(struct socket_watch *watch, uv_loop_t *loop,
			void (*on_look)(void *context, int fd), void *context)
{
	watch->on_look = on_look;
	watch->context = context;
	(void)uv_timer_init(loop, &watch->timer);
	watch->timer.data = watch;
}

void socket_watch_close(struct socket_watch *watch)
{
	uv_close((uv_handle_t *)&watch->timer, NULL);
}

void socket_watch_finish(struct socket_watch *watch)
{
	if (watch->epoll_fd >= 0)
		(void)close(watch->epoll_fd);
	free(watch->sockets);
	free(watch->tardy);
}
