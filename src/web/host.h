/*
 * Whether a Host header is one that a page on the loopback address is asked for by. A foreign page whose name is made to
 * resolve to 127.0.0.1 (DNS rebinding) sends its own name, and must not be answered. Pure; any thread.
 */
#ifndef WEBSENTRY_WEB_HOST_H
#define WEBSENTRY_WEB_HOST_H

#include <stdbool.h>

/* An IP address, localhost, a name below it, or this machine's own name; with or without a port. NULL (HTTP/1.0): yes. */
bool host_is_local(const char *host);

#endif
