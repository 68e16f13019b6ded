/* What sites do to a prober, one row a site: where it lives, what is asked of it, and what the check of it must come to. */
#ifndef WEBSENTRY_TESTS_RESPONSE_CASES_H
#define WEBSENTRY_TESTS_RESPONSE_CASES_H

#include <stddef.h>

#include "check/observation.h"
#include "check/outcome.h"
#include "check/site.h"

struct authority;

/* Where a case's site lives. */
enum response_place {
	PLAIN,
	TLS_GOOD,  /* signed by the tests' authority, named localhost and 127.0.0.1 */
	TLS_OTHER, /* signed, but for another name */
	TLS_EXPIRED,
	TLS_NOT_YET,
	TLS_SELF,
	TLS_OLD,      /* speaks TLS 1.1 at most */
	TLS_1_2,      /* … 1.2 at most */
	TLS_FIELDS,   /* agrees on keys over a finite field only */
	TLS_ON_PLAIN, /* https to the plain server */
	PLAIN_ON_TLS, /* http to the TLS server */
	REFUSED,
	FULL,
	PLACE_COUNT,
};

struct response_case {
	const char *name; /* of the test, and for most the path */
	enum response_place place;
	const char *path; /* NULL: the name */
	const char *host; /* NULL: 127.0.0.1 */
	int timeout_ms;   /* 0: the usual 5 s */
	enum reason reason;
	int status;
	void (*configure)(struct site *site);
	void (*look)(const struct site *site, const struct observation *observation);
};

enum { RESPONSE_CASES_MAX = 256 };

extern const struct response_case response_cases[];
extern const size_t response_case_count; /* at most RESPONSE_CASES_MAX */

/* Whom the sites that are to trust somebody trust; set before any row's configure(). */
extern struct authority *response_cases_authority;

#endif
