/*
 * Cookies that redirects set, for the hops that follow: pages that lead to themselves until their cookie comes back are as common as
 * logins that do. They live as long as an attempt; which of them go to a URL says RFC 6265 (5.1 to 5.4), as far as that matters
 * within one. Pure.
 *
 * What a stranger may have us keep is bounded; a cookie beyond that is not taken.
 */
#ifndef WEBSENTRY_PROBE_COOKIES_H
#define WEBSENTRY_PROBE_COOKIES_H

#include <stddef.h>

#include "base/clock.h"

enum {
	COOKIES_MAX = 64,
	COOKIE_MAX = 4096, /* bytes of a name with its value */
	COOKIES_BYTES_MAX =
		16 * 1024, /* of all of them, and of the Set-Cookie fields of a response */
};

struct cookie;

/* All zero: none. Released with cookies_finish(). */
struct cookies {
	struct cookie *items;
	size_t count;
	size_t bytes;
};

void cookies_finish(struct cookies *cookies);

/* Take what the response to url says in its Set-Cookie fields, a line each. */
void cookies_take(struct cookies *cookies, const char *url, const char *fields, wall_us now);

/* All of them with their values: "a=1; b=2". Fresh text; NULL where there is none. */
char *cookies_list(const struct cookies *cookies);

/*
 * The Cookie field for a request to url: those of the site's own that these have not replaced (own, NULL for none), and these. Fresh text, to be
 * freed; NULL where none of these has anything to say there.
 */
char *cookies_field(const struct cookies *cookies, const char *url, const char *own);

#endif
