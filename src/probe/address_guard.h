/*
 * Which addresses the hops of an attempt may be at: the site's address policy, and where its redirects came from. The addresses of a
 * name are judged when it has been resolved, so that the message is right, and the one that is really connected to when its socket is made.
 *
 * A hop may reach its own kind of network and those further outside (enum address_scope):
 *   allow_private: true   anything
 *   allow_private: false  public addresses
 *   otherwise             the first hop anything, but public addresses alone once its name has led to nothing else; a redirect
 *                         what the first hop was at, and no further inside
 * `deny_cidrs` holds in any case. What a proxy connects to shows in addresses of the URL and of `resolve` alone. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_ADDRESS_GUARD_H
#define WEBSENTRY_PROBE_ADDRESS_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "check/address.h"

struct address_policy;
struct request_host;
struct resolver_address;
struct sockaddr;

enum { ADDRESS_GUARD_TEXT_MAX = 320 };

struct address_guard {
	const struct address_policy *policy;
	enum address_scope reach; /* of the present hop */
	enum address_scope home;  /* where the first hop was at */
	bool is_redirected;       /* the present hop is not the first */
	bool is_public; /* the name of the site has led to public addresses alone, now or before */
	char text[ADDRESS_GUARD_TEXT_MAX]; /* why an address was forbidden last; "": none was */
};

/* An attempt begins. policy may be NULL for the usual one; borrowed. was_public: is_public at the end of an earlier one. */
void address_guard_start(struct address_guard *guard, const struct address_policy *policy,
			 bool was_public);
/* Its first hop begins, or a redirect's. */
void address_guard_start_hop(struct address_guard *guard, bool is_redirected);

/* All addresses that the hop's host has. */
void address_guard_see(struct address_guard *guard, const struct resolver_address *addresses,
		       size_t count);
/* Whether the hop may connect to it; guard->text stays. */
bool address_guard_would_allow(const struct address_guard *guard, const struct address *address);
/* Leave only those that the hop may connect to, in their order. Returns how many; guard->text says why one is not. */
size_t address_guard_filter(struct address_guard *guard, struct resolver_address *addresses,
			    size_t count);
/* Through a proxy: false where the host is an address that is forbidden. known: what `resolve` says of it, may be NULL. */
bool address_guard_may_ask_for(struct address_guard *guard, const char *host,
			       const struct request_host *known);
/* This one is connected to now. */
void address_guard_note(struct address_guard *guard, const char *address);

/* Whether a socket may be connected to it. */
bool address_guard_allows(struct address_guard *guard, const struct sockaddr *socket_address);

#endif
