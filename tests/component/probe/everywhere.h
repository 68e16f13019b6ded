/*
 * A network of the test's own where every address of the world is this machine, and a server on port 80 that answers at all of them and
 * notes where it was asked. One a process.
 */
#ifndef WEBSENTRY_TESTS_PROBE_EVERYWHERE_H
#define WEBSENTRY_TESTS_PROBE_EVERYWHERE_H

#include <stdbool.h>
#include <stddef.h>

#define EVERYWHERE_PROXY "127.0.0.9"      /* here it is a proxy */
#define EVERYWHERE_PUBLIC "93.184.216.34" /* the one site that the proxy goes to */

enum { EVERYWHERE_PORT = 80 };

/*
 * Leave the network for one of our own, and serve: "/to/N" leads to targets[N] (borrowed), "/at/URL" to a URL, "/turn/URL" too, once
 * on_turn has returned, which the server's thread calls. False where no network can be made, which needs root; nothing is served then.
 */
bool everywhere_start(const char *const *targets, void (*on_turn)(void));
void everywhere_stop(void); /* also where nothing was started */

/* How often it was asked since the last everywhere_forget() at an address that is not public, the proxy's aside, or to go to one. */
size_t everywhere_asked_inside(void);
void everywhere_forget(void);

#endif
