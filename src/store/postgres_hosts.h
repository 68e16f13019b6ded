/*
 * The servers that a DSN stands for: each of its hosts, each address of a host's name, as they are now. Names are looked up afresh at each
 * call, so a database that moved is found where it went. May block as long as the resolver does. Private to src/store/.
 */
#ifndef WEBSENTRY_STORE_POSTGRES_HOSTS_H
#define WEBSENTRY_STORE_POSTGRES_HOSTS_H

#include <stddef.h>

#include "base/error.h"

enum { POSTGRES_HOSTS_MAX = 16 };

struct postgres_host {
	char *name;    /* or the folder of a socket; "" where only the address is known */
	char *address; /* "" for a socket, and for a name that does not resolve */
	char *port;    /* "": libpq's */
};

/* Returns how many were found, 0 where libpq must look itself. Released with postgres_hosts_finish(). */
size_t postgres_hosts_find(const char *dsn, struct postgres_host hosts[static POSTGRES_HOSTS_MAX]);
/* Put what one of them said behind what the others did; causes is empty at first. What is said already is not said again. */
void postgres_hosts_note(struct error *causes, const struct postgres_host *host,
			 const struct error *err);
void postgres_hosts_finish(struct postgres_host *hosts, size_t count);

#endif
