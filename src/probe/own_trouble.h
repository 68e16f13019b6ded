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
struct observation;
struct resolver;
struct trouble;

struct own_facts {
	int64_t lost_us;    /* how long the loop was held up during the check */
	int64_t timeout_us; /* the check's */
	mono_us since;      /* its start */
	struct network *network;
	const char *peer;   /* the site's address, or the proxy's; "" where none is known */
	const char *source; /* the address to connect from; NULL: any */
	const struct resolver *resolver; /* that was asked for the name; NULL: none */
	/* It is a server on this machine, and could not tell: then the ways to anywhere count, for itself it can always be reached. */
	bool is_stub_failing;
};

/* At the end of a check: the loop was held up for so long while it ran. Makes the observation late and, where it has to be, suspect. */
void own_trouble_note(struct observation *observation, int64_t lost_us);

/* Put prober_overloaded or prober_offline in the place of a trouble that is the prober's own, with what it looked like in the message. */
void own_trouble_judge(const struct own_facts *facts, struct trouble *trouble);

#endif
