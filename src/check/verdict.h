/*
 * Judges what was measured: site + observation -> outcome, reason, message and every failed expectation. Pure; any thread.
 *
 * Rules, in this order: no complete response -> the trouble's own outcome. Otherwise every expectation is evaluated; the worst outcome
 * wins, and of equal ones the first in the order status, HTTP version, TLS, rules (in the order of the file), size, age, time,
 * certificate. An expectation that could not be decided (match_truncated, pattern_too_costly) makes the check `unknown` unless
 * another one makes it `down`. The recorded pattern never changes anything.
 *
 * A site that is inverted is up where this gives down, and down (`inverted`) where it gives up or degraded; what could not be told
 * stays unknown.
 */
#ifndef WEBSENTRY_CHECK_VERDICT_H
#define WEBSENTRY_CHECK_VERDICT_H

#include <stddef.h>

#include "check/outcome.h"

struct observation;
struct site;

enum {
	VERDICT_FAILURE_MAX = 512,  /* bytes of one failure's message */
	VERDICT_MESSAGE_MAX = 2048, /* … and of all of them together */
	VERDICT_FAILURES_MAX = 100,
};

struct failure {
	enum reason reason;
	char *message;
};

struct verdict {
	enum outcome outcome;
	enum reason reason;
	char *message; /* for people: all failures, "and 3 more" where they are too many; "" when up */
	struct failure *failures; /* all of them, the deciding one first */
	size_t failure_count;
};

/* Fill ret_verdict (released with verdict_finish()). Can't fail. */
void verdict_decide(const struct site *site, const struct observation *observation,
		    struct verdict *ret_verdict);
void verdict_finish(struct verdict *verdict);

/* One expectation of a site and what was found. */
struct point {
	const char *key;    /* of the sites file; static */
	enum reason reason; /* REASON_OK: it is met */
	char *text;         /* "status 200, expected 200-299" */
};

struct explanation {
	struct point *points;
	size_t count; /* 0 where there was no complete response: then nothing was looked at */
};

/* Every expectation, met or not, in the order in which they are judged; released with explanation_finish(). */
void verdict_explain(const struct site *site, const struct observation *observation,
		     struct explanation *ret_explanation);
void explanation_finish(struct explanation *explanation);

#endif
