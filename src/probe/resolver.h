/*
 * Names to addresses, by c-ares on the loop: every look-up is fresh, and asks the servers of the system (or those given).
 * The system's hosts file counts. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_RESOLVER_H
#define WEBSENTRY_PROBE_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "check/observation.h"

enum {
	RESOLVER_ADDRESSES_MAX = 16, /* of one name that are used */
	RESOLVER_FAMILY_MAX = 1024,  /* of each family told, from which to choose */
	RESOLVER_FOUND_MAX = 2 * RESOLVER_FAMILY_MAX
};

struct resolver_address {
	char text[ADDRESS_TEXT_MAX];
};

enum resolver_result {
	RESOLVER_FOUND,
	RESOLVER_NO_SUCH_NAME, /* the servers answered, and not with an address */
	RESOLVER_FAILED,       /* the servers answered that they can't tell */
	RESOLVER_NO_ANSWER,    /* no server answered at all: our own trouble */
};

struct resolver;
struct resolve;

/* Addresses of each family. */
struct resolver_rest {
	size_t four;
	size_t six;
};

/* message is a static text where result is not RESOLVER_FOUND. Addresses, at most RESOLVER_FOUND_MAX, are borrowed for the call. */
typedef void (*resolver_on_resolved)(void *context, enum resolver_result result,
				     const struct resolver_address *addresses, size_t count,
				     const char *message);

/*
 * servers: "ip:port,ip:port" with brackets around IPv6, or NULL for the system's, which are read from the file settings
 * (NULL: /etc/resolv.conf), again whenever that changes. NULL with err on failure.
 */
struct resolver *resolver_create(uv_loop_t *loop, const char *servers, const char *settings,
				 struct error *err);

/* Give up the handles that keep the loop running; look-ups that run are dropped without a call. */
void resolver_close(struct resolver *resolver);
void resolver_destroy(struct resolver *resolver); /* once the loop has ended */

/*
 * Look a name up, both families at once. Where there is no answer to one of them after patience_us, the addresses of the other
 * do. on_resolved is called once: from a later turn, or, for what the hosts file says, before this returns; then the result is
 * NULL. Otherwise the result serves to drop the look-up, until on_resolved is called.
 */
struct resolve *resolver_start(struct resolver *resolver, const char *name, int64_t patience_us,
			       resolver_on_resolved on_resolved, void *context);

/* Within on_resolved, of a look-up that was started here: the addresses that the name has beyond those. */
struct resolver_rest resolver_rest(const struct resolver *resolver);

/* The addresses of the servers that are asked now. Returns how many. */
size_t resolver_list_servers(const struct resolver *resolver,
			     struct resolver_address servers[static RESOLVER_ADDRESSES_MAX]);
/* Whether it is the system's, and that is a server on this machine (systemd-resolved, say), which passes on what others know. */
bool resolver_is_stub(const struct resolver *resolver);

/*
 * Forget a look-up: on_resolved is not called any more. Returns RESOLVER_NO_SUCH_NAME where the servers have answered
 * anybody since it was started (so they live, and this name's own servers are slow), else RESOLVER_NO_ANSWER.
 */
enum resolver_result resolver_drop(struct resolve *resolve);

#endif
