/*
 * Cuts the time of a hop into its phases. Pure.
 *
 * All are cut out of one stretch of one clock, so they add up to it: what the loop itself took between two steps counts to the
 * phase that it delayed.
 */
#ifndef WEBSENTRY_PROBE_PHASES_H
#define WEBSENTRY_PROBE_PHASES_H

#include <stdbool.h>

#include "base/clock.h"

struct hop;

/* How far a hop has come. */
enum phase { PHASE_DNS, PHASE_CONNECT, PHASE_TLS, PHASE_WAIT, PHASE_TRANSFER };

/* Moments of a hop; 0 where one was not reached. */
struct phase_marks {
	mono_us started;
	mono_us resolved;
	mono_us connected; /* to the last address tried: those that failed before belong to connecting */
	mono_us tls_done;
	mono_us sent; /* the last byte of the request's body; 0 for a request without one, too */
	mono_us first_byte;
	bool is_https;
	bool is_reused; /* over a connection that was there: there was nothing to connect, and no handshake */
};

/* Fill hop's durations as of now. Returns the phase that now lies in. */
enum phase phases_measure(struct hop *hop, const struct phase_marks *marks, mono_us now);

#endif
