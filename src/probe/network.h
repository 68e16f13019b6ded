/*
 * This machine's own network, as the kernel tells it (rtnetlink): a check that failed while there was no way out says nothing of
 * its site. One thread: the loop's. Where the kernel may not be asked (a sandbox without AF_NETLINK), nothing is known.
 */
#ifndef WEBSENTRY_PROBE_NETWORK_H
#define WEBSENTRY_PROBE_NETWORK_H

#include <uv.h>

#include "base/clock.h"

struct network;

/* Never NULL. Closed, then destroyed once the loop has ended. */
struct network *network_create(uv_loop_t *loop);
void network_close(struct network *network);
void network_destroy(struct network *network); /* accepts NULL */

/*
 * Why packets to an address (numeric, IPv4 or IPv6) from a source (NULL: any) do not even leave this machine, or did not at some
 * time since a moment of clock_mono_us(): a static text. NULL: as far as is known there was a way all the time.
 */
const char *network_find_trouble(struct network *network, const char *address, const char *source,
				 mono_us since);

#endif
