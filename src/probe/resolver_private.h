/*
 * The resolver's own state, shared by resolver.c (channels, sockets, time) and resolver_lookup.c (look-ups). The loop's thread.
 * Private to src/probe/.
 */
#ifndef WEBSENTRY_PROBE_RESOLVER_PRIVATE_H
#define WEBSENTRY_PROBE_RESOLVER_PRIVATE_H

#include <ares.h>
#include <sys/types.h>
#include <time.h>

#include "base/clock.h"
#include "probe/resolver.h"
#include "probe/resolver_order.h"

/*
 * c-ares with the settings of one time. When they change, new look-ups go to a new one, and the old one is released when its
 * last look-up has ended.
 */
struct resolver_channel {
	ares_channel ares;
	struct resolver *resolver;
	size_t running;
	struct resolver_watch *watches;
	ares_socket_t reading; /* whose bytes c-ares looks at just now; ARES_SOCKET_BAD: none */
	struct resolver_channel *next; /* older */
};

/* What tells one version of a file from another; zeroes where there is none. */
struct resolver_file_version {
	struct timespec changed_at;
	ino_t inode;
	off_t size;
};

struct resolver {
	uv_loop_t *loop;
	char *servers;  /* NULL: the system's */
	char *settings; /* NULL: c-ares' own choice */
	struct resolver_file_version settings_version;
	mono_us settings_looked_at;
	struct resolver_channel *channels; /* the one in use, then those that are being used up */
	struct resolver_order order;
	uv_timer_t tick;
	mono_us ticked_at;
	size_t running; /* over all channels */
	bool is_closed;
	/* look-ups that have asked for both families at once only, the oldest first */
	struct resolve *waiting;
	struct resolve *last_waiting;
	int depth;           /* calls of c-ares that we are within: no channel may go then */
	mono_us answered_at; /* when a server last answered anything; 0 never */
	mono_us silent_at;   /* when a look-up last ended with no server having answered anybody */
	bool has_ipv6;
	mono_us route_known_at; /* 0 never */
	struct resolver_rest rest;
};

/* resolver.c */

/* Release old channels that have nothing left to do; make a new one where the system's settings have changed. */
void resolver_refresh(struct resolver *resolver, mono_us now);
/* Have new look-ups go to a new channel, with servers in the order of now. Where none can be had, the old one goes on: false. */
bool resolver_renew(struct resolver *resolver);
/* A channel behind the one in use, whose servers are in the order that they were given in; NULL where none can be had. */
struct resolver_channel *resolver_add_channel(struct resolver *resolver);
/* A question is put to c-ares; it has ended. */
void resolver_begin_question(struct resolver_channel *channel);
void resolver_end_question(struct resolver_channel *channel);
/* Until the last look-up has ended c-ares is given its time-outs, and who has waited long asks apart. */
void resolver_start_tick(struct resolver *resolver, mono_us now);

/* resolver_lookup.c */

/*
 * c-ares tells nothing before both families are answered, and there are servers that never answer for AAAA. Who has waited long
 * asks for each of them as well, and the first that has addresses counts.
 */
void resolver_ask_apart(struct resolver *resolver, mono_us now);

#endif
