/*
 * Where the database is, as libpq reads it (no connection is made; a service is looked up in libpq's files). A DSN is a URI
 * or key=value; parts given apart from it fill what it leaves out. Passwords never get into a message. Main thread.
 */
#ifndef WEBSENTRY_CONFIG_DSN_H
#define WEBSENTRY_CONFIG_DSN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct dsn_part {
	const char *keyword; /* libpq's: host, port, dbname, user, password, service */
	const char *value;   /* NULL: not given */
	bool wins;           /* over what the DSN says; others fill what it leaves out */
};

/* Whether libpq would take it: 0, or -1 with ERROR_REJECT and what was found and expected. */
int dsn_check(const char *dsn, struct error *err);

/* Whether a text is a whole DSN: what may stand where a part of one belongs, by mistake, with its password. */
bool dsn_is_whole(const char *text);

/* The value of a keyword in a valid DSN, to be freed by the caller; NULL where it is not in it. */
char *dsn_get(const char *dsn, const char *keyword);

/* dsn (NULL: none; valid) with the parts, as key=value; the caller's. */
char *dsn_compose(const char *dsn, const struct dsn_part *parts, size_t count);

/* A valid DSN for people: as key=value, secrets as "***". The caller's. */
char *dsn_mask(const char *dsn);

#endif
