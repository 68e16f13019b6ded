/*
 * The socket that the web server listens on. Blocking (a host name is resolved); at start only.
 */
#ifndef WEBSENTRY_WEB_LISTENER_H
#define WEBSENTRY_WEB_LISTENER_H

#include <stdbool.h>

#include "base/error.h"

enum { LISTENER_ADDRESS_SIZE = 80 };

struct listener {
	int fd; /* the caller's to close */
	bool is_ipv6;
	bool is_loopback;                    /* reached from this machine alone */
	char address[LISTENER_ADDRESS_SIZE]; /* the real one: "127.0.0.1:34567", "[::1]:8080" */
};

/*
 * Bind and listen on "127.0.0.1:8080", "[::1]:0", ":8080" (every address, both families), "localhost:8080". Port 0 picks one.
 * Returns 0, or -1 with ERROR_REJECT naming the address and what is wrong with it.
 */
int listener_open(const char *address, struct listener *ret_listener, struct error *err);

#endif
