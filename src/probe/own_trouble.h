/*
 * Whether a check failed because of the prober and not of its site: it was held up, or its machine had no network. What only the site
 * can have said (a refused connection, a certificate, a status) stays the site's.
 */
#ifndef WEBSENTRY_PROBE_OWN_TROUBLE_H
#define WEBSENTRY_PROBE_OWN_TROUBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "check/outcome.h"

struct network;
struct resolver_address;
struct trouble;

/* A check is suspect when the prober was late with it by more than this. */
enum { OWN_TROUBLE_SUSPECT_US = 100 * CLOCK_US_PER_MS };

struct own_facts {
	int64_t lost_us;    /* how long the loop was held up during the check */
	int64_t timeout_us; /* the check's */
	mono_us since;      /* its start */
	struct network *network;
	/* Whom the check could not do without, any one of them: the site's or the proxy's address, or the name servers'. */
	const struct resolver_address *peers;
	size_t peer_count;
	const char *source; /* the address to connect from; NULL: any */
};

/* Whether a reason may come of a prober that slept, or of a machine without a network. */
bool own_trouble_is_possible(enum reason reason);

/* Put prober_overloaded or prober_offline in the place of a trouble that is the prober's own, with what it looked like in the message. */
void own_trouble_judge(const struct own_facts *facts, struct trouble *trouble);

#endif
