/*
 * The sockets that curl has us watch, in an epoll of their own. One that wakes the loop again and again for next to nothing, because its
 * server says one byte at a time or leaves an upload no window, is looked at now and then instead: each time that another
 * part of the time since the response began has gone by, so that turns grow with the logarithm of that time, and the end of a response is seen
 * late by no more than that part of it. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_SOCKET_WATCH_H
#define WEBSENTRY_PROBE_SOCKET_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct watched;

struct socket_watch {
	int epoll_fd;
	struct watched *sockets; /* by their number */
	size_t count;
	int *tardy; /* those that are looked at now and then, in any order */
	size_t tardy_count;
	size_t tardy_max;
	size_t held;      /* that are taken out for a while */
	uv_timer_t timer; /* of the looks */
	uint64_t look_at; /* when it is due, by the loop's clock, ms */
	void (*on_look)(void *context, int fd);
	void *context;
};

/* Returns 0, or -1 with errno where the system has no epoll for us. Finished in any case. */
int socket_watch_open(struct socket_watch *watch);
void socket_watch_finish(struct socket_watch *watch);

/*
 * The looks begin, from the loop until socket_watch_close(). on_look: there is something to read, though epoll_fd does not say so; it may
 * add, change and remove sockets.
 */
void socket_watch_start(struct socket_watch *watch, uv_loop_t *loop,
			void (*on_look)(void *context, int fd), void *context);
void socket_watch_close(struct socket_watch *watch);

/*
 * From now on, for EPOLLIN, EPOLLOUT or both of them. False where the system does not let us. What was known of a socket that was held for this
 * user (any address but NULL) is still known.
 */
bool socket_watch_add(struct socket_watch *watch, int fd, uint32_t events, const void *user);
bool socket_watch_change(struct socket_watch *watch, int fd, uint32_t events);
/* No more; for a user that it is held for, for a while (else: NULL). One that was never added, or is closed already, may be removed. */
void socket_watch_remove(struct socket_watch *watch, int fd, bool is_added, const void *held_for);
/* The user adds nothing any more that was held for it; its socket is closed, not kept for another request. */
void socket_watch_let_go(struct socket_watch *watch, const void *user);

/* epoll_fd has said so, and what there is is going to be read, or written to; and it has been. */
void socket_watch_begin_read(struct socket_watch *watch, int fd, uint32_t events);
void socket_watch_end_read(struct socket_watch *watch, int fd);
/* The response to what is asked now begins: the time since then counts, not that since the connection's first byte. */
void socket_watch_begin_response(struct socket_watch *watch, int fd);
/* Have epoll_fd say at once what there is of one that is looked at now and then only. Returns whether it was such. */
bool socket_watch_wake(struct socket_watch *watch, int fd);

#endif
