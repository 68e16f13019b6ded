/*
 * The heads of a hop's requests and responses, for somebody who wants to see them: safe text, without secrets (check/secrets.h). A proxy's
 * and interim responses are heads, too. Pure; any thread.
 */
#ifndef WEBSENTRY_CHECK_HEADS_H
#define WEBSENTRY_CHECK_HEADS_H

#include <stdbool.h>
#include <stddef.h>

struct site;

enum { HEAD_TEXT_MAX = 64 * 1024 }; /* bytes of one head that are kept */

struct head {
	bool is_request;
	char *text; /* a line each for the first one and the fields */
};

struct heads {
	struct head *items; /* in the order in which they were sent and received */
	size_t count;
};

/* Add what was sent to, or came from, the site. cookies as for secrets_create_with(). */
void heads_add(struct heads *heads, const struct site *site, const char *cookies, bool is_request,
	       const char *bytes, size_t length);
/* One behind the other, as where a hop asks twice. Takes both, either of which may be NULL; the caller's. */
struct heads *heads_join(struct heads *first, struct heads *second);
void heads_destroy(struct heads *heads); /* made with xcalloc(); accepts NULL */

#endif
