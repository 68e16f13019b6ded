/* What the prober's tests have a server do, by name. */
#ifndef WEBSENTRY_TESTS_PROBE_BEHAVIOURS_H
#define WEBSENTRY_TESTS_PROBE_BEHAVIOURS_H

#include "peer.h"

extern const struct peer_behaviour behaviours[];

/* Set before the servers start: where redirects across origins lead. */
extern int behaviours_other_port;
extern int behaviours_other_tls_port;

#endif
