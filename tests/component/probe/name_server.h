/* A name server for the prober's tests: UDP on loopback, one thread, a table of names. */
#ifndef WEBSENTRY_TESTS_PROBE_NAME_SERVER_H
#define WEBSENTRY_TESTS_PROBE_NAME_SERVER_H

#include <stdbool.h>

enum { NAME_SERVER_ADDRESSES_MAX = 24 };

struct name_record {
	const char *name;
	const char *addresses[NAME_SERVER_ADDRESSES_MAX]; /* IPv4 or IPv6; none: no data */
	int rcode; /* 0 no error, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED */
	int delay_ms;
	bool is_silent;  /* no answer at all */
	int silent_type; /* … to questions of this type: 1 A, 28 AAAA */
	const char *later[NAME_SERVER_ADDRESSES_MAX]; /* instead, once the server was turned */
	bool is_turning; /* turned as soon as it was asked for both families of this name */
};

struct name_server;

/* The table ends with a NULL name, is borrowed, and what it lacks is NXDOMAIN. */
struct name_server *name_server_start(const struct name_record *records);
/* The same at an address and port; NULL where they can't be had. */
struct name_server *name_server_start_at(const char *ip, int port,
					 const struct name_record *records);
void name_server_stop(struct name_server *server);
/* Have names that have later addresses lead there. */
void name_server_turn(struct name_server *server);
/* How many questions were answered of names with later addresses. */
unsigned name_server_asked(const struct name_server *server);
/* How many questions there were. */
int name_server_questions(const struct name_server *server);
/* "127.0.0.1:port" */
const char *name_server_address(const struct name_server *server);

#endif
