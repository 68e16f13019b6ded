/* A proxy's part of a peer, for the prober's tests. */
#ifndef WEBSENTRY_TESTS_PROBE_TUNNEL_H
#define WEBSENTRY_TESTS_PROBE_TUNNEL_H

#include "peer.h"

/*
 * Serve "CONNECT host:port": to that port here, whatever the host; but "locked.test" wants credentials (407), "forbidden.test" may
 * not (403), and "gone.test" can't be reached (502). The request is kept as "CONNECT host".
 */
void tunnel_serve(struct peer_connection *connection);

#endif
