/*
 * What a site answered when it was not as it should be: the beginning of head and body, safe to keep and to show. Pure; any thread.
 */
#ifndef WEBSENTRY_CHECK_EVIDENCE_H
#define WEBSENTRY_CHECK_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "check/outcome.h"

struct raw_response;
struct secrets;
struct site;

/* So much more than is kept has to be looked at, so that no secret is cut in two and missed. */
enum { EVIDENCE_SLACK = 1024 };

struct evidence {
	char *headers; /* status line and fields, one a line; NULL: none came, or none is wanted */
	char *body;    /* NULL likewise. Line ends are the only control characters of both */
};

/* Whether a check with this outcome leaves any. */
static inline bool evidence_is_wanted(enum outcome outcome)
{
	return outcome == OUTCOME_DOWN || outcome == OUTCOME_UNKNOWN;
}

/* At most site->evidence_bytes of each; secrets are hidden (check/secrets.h). Released with evidence_finish(). */
void evidence_make(const struct site *site, const struct raw_response *raw,
		   struct evidence *ret_evidence);
void evidence_finish(struct evidence *evidence);

/*
 * The beginning of a head as safe text, a field a line, without the secrets that are known (NULL: none) and the values of fields that
 * hold some. The caller's; NULL where nothing is left.
 */
char *evidence_make_head(const struct secrets *secrets, const char *head, size_t length,
			 size_t max);

#endif
