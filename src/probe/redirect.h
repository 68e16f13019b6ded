/*
 * What to ask for next: the request of a hop, and how a redirect changes it (RFC 9110 15.4, and as browsers do it). Pure.
 */
#ifndef WEBSENTRY_PROBE_REDIRECT_H
#define WEBSENTRY_PROBE_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/error.h"
#include "probe/cookies.h"

struct site;
struct transfer_request;

struct redirect {
	char *url;
	const char *method; /* the site's, or "GET" */
	const char *body;   /* the site's; NULL for none */
	size_t body_length;
	/* Once a redirect has left the site's origin, what is secret stays behind, also should another lead back. */
	bool is_trusted_origin;
	char *username; /* of the site's URL, for redirects within its origin that name none; NULL for none */
	char *password;
	struct cookies cookies; /* that redirects have set … */
	char *cookies_set;      /* the same as "a=1; b=2", for those who hide secrets; NULL: none */
	char *cookie_field; /* … and with the site's own what is sent; NULL: the site's own alone */
};

/* The site's own request. Released with redirect_finish(). */
void redirect_init(struct redirect *redirect, const struct site *site);
void redirect_finish(struct redirect *redirect);

/* Whether a status is one that we follow: 301, 302, 303, 307, 308. */
bool redirect_is(int status);

/* A redirect's Set-Cookie fields, a line each (NULL: none), for where it leads; before redirect_follow(). */
void redirect_take_cookies(struct redirect *redirect, const char *fields, wall_us now);

/* Change to where location leads. Returns 0, or -1 with ERROR_REJECT where that is no URL for us; nothing is changed then. */
int redirect_follow(struct redirect *redirect, const struct site *site, int status,
		    const char *location, struct error *err);

/* What a hop of it asks for: URL, method, body, cookies, whose origin and who asks. All is borrowed. */
void redirect_fill(const struct redirect *redirect, struct transfer_request *request);

#endif
