/*
 * In which order name servers are asked. c-ares 1.18 begins each look-up with the first, and one that is silent costs a second each time, or
 * the check, where it has no more. So the one that answered in its place is asked first, and the silent one behind the others:
 *
 *   as given --silent to two look-ups in a row, another answered--> that one first
 *      ^------- the first answers, asked beside a look-up a minute -------'
 *
 * One lost packet changes nothing. New settings of the system are as given again. The loop's thread. Private to src/probe/.
 */
#ifndef WEBSENTRY_PROBE_RESOLVER_ORDER_H
#define WEBSENTRY_PROBE_RESOLVER_ORDER_H

#include <ares.h>
#include <stdbool.h>

#include "base/clock.h"

struct resolver;
struct resolver_channel;

/* The resolver's; zeroed at first. */
struct resolver_order {
	unsigned
		late; /* look-ups that the first server did not answer, and another did, since it answered any */
	bool is_changed; /* chosen comes first */
	bool is_trying;  /* to ask the first: an answer now comes from the hosts file */
	struct ares_addr_port_node chosen;
	mono_us tried_at; /* when it was chosen, or the first was last asked beside a look-up */
};

/* Of a new channel: put the chosen one first. */
void resolver_order_apply(struct resolver *resolver, struct resolver_channel *channel);

/* Whether a connected socket leads to the server that the channel asks first. */
bool resolver_order_is_first(const struct resolver_channel *channel, ares_socket_t socket);

/* The first server of the channel has said something. */
void resolver_order_note_heard(struct resolver_channel *channel);

/* A question has ended, after so many time-outs; maybe because of what was read from channel->reading. */
void resolver_order_note_end(struct resolver_channel *channel, int status, int timeouts);

/* A look-up of a name has begun: where it is time, ask the server for it that would be the first. */
void resolver_order_try_first(struct resolver *resolver, const char *name, mono_us now);

#endif
