/* What sites ask for, one row a site: what is set in it, and which words of its request arrive, and which do not. */
#ifndef WEBSENTRY_TESTS_PROBE_REQUEST_CASES_H
#define WEBSENTRY_TESTS_PROBE_REQUEST_CASES_H

#include <stddef.h>

#include "authority.h"
#include "check/observation.h"
#include "check/outcome.h"
#include "check/site.h"

struct name_server;
struct peer;

enum { REQUEST_WORDS_MAX = 12, REQUEST_CASES_MAX = 128 };

/* Where a case's site lives. */
enum request_place {
	PLAIN,
	TLS,       /* asks for a certificate */
	TLS_NAMED, /* is named.test, and nothing else */
	TLS_1_2,   /* speaks that at most */
	TLS_OLD,   /* speaks 1.1 at most */
	TLS_H2,    /* prefers HTTP/2 */
	PLACE_COUNT,
};

struct request_case {
	const char *name;
	const char *way; /* NULL, or redirects that the path begins with, such as "away/307/" */
	void (*configure)(struct site *site);
	const char *words[REQUEST_WORDS_MAX];  /* of the request that arrived, in this order */
	const char *absent[REQUEST_WORDS_MAX]; /* not in it, in any case of letters */
	enum request_place place;
	const char *host;          /* NULL: 127.0.0.1 */
	enum reason reason;        /* that it did not arrive */
	enum http_version version; /* of the answer; HTTP_VERSION_UNKNOWN: 1.1 */
};

extern const struct request_case request_cases[];
extern const size_t request_case_count; /* at most REQUEST_CASES_MAX */

/* What the rows' configure() takes from; set before any of them. */
extern struct request_world {
	struct peer *peers[PLACE_COUNT];
	struct peer *other_origin;
	struct name_server *other_server;
	char cert_file[AUTHORITY_PATH_MAX];
	char key_file[AUTHORITY_PATH_MAX];
	char other_cert_file[AUTHORITY_PATH_MAX];
	char other_key_file[AUTHORITY_PATH_MAX];
	char pipe_file[AUTHORITY_PATH_MAX + sizeof(".pipe")];
} request_cases_world;

#endif
