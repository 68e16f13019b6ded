/*
 * Judges what was measured: site + observation -> outcome, reason, message and every failed expectation. Pure; any thread.
 *
 * Rules, in this order: no complete response -> the trouble's own outcome. Otherwise every expectation is evaluated;
 * the worst outcome wins, and of equal ones the first in the order status, body, time, certificate. An expectation that
 * could not be decided (match_truncated, pattern_too_costly) makes the check `unknown` unless another one makes it `down`.
 * The recorded pattern never changes anything.
 */
#ifndef WEBSENTRY_CHECK_VERDICT_H
#define WEBSENTRY_CHECK_VERDICT_H

#include <stddef.h>

#include "check/outcome.h"

struct observation;
struct site;

enum { VERDICT_MESSAGE_MAX = 512, VERDICT_FAILURES_MAX = 100 };

struct failure {
	enum reason reason;
	char *message;
};

struct verdict {
	enum outcome outcome;
	enum reason reason;
	char *message;            /* for people; "" when up */
	struct failure *failures; /* all of them, the deciding one first */
	size_t failure_count;
};

/* Fill ret_verdict (released with verdict_finish()). Can't fail. */
void verdict_decide(const struct site *site, const struct observation *observation,
		    struct verdict *ret_verdict);
void verdict_finish(struct verdict *verdict);

#endif
