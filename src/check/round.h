/*
 * A round: all addresses of one name, checked at the same time, each with a report of its own; the site is judged by all of them
 * together. One report of the round speaks for it: whoever counts checks, or shows the site, looks at that one. Pure; any thread.
 *
 * With `needed` addresses that must work (up or degraded; what could not be told is neither):
 *
 *   too few work, even if all that could not be told do   down
 *   too few are known to work                             unknown
 *   enough work, and another one is down, or one degraded degraded
 *   else                                                  up
 */
#ifndef WEBSENTRY_CHECK_ROUND_H
#define WEBSENTRY_CHECK_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/attempt.h"
#include "check/evidence.h"
#include "check/observation.h"
#include "check/outcome.h"
#include "check/verdict.h"

enum { ROUND_ADDRESSES_MAX = 16 };

/* What is known of one address. */
struct round_result {
	const char *address;
	enum outcome outcome;
	enum reason reason;
};

struct round_verdict {
	size_t addresses; /* 1 or more */
	size_t unchecked; /* the name has so many more */
	size_t needed;
	size_t up; /* or degraded */
	size_t failed;
	size_t speaker; /* whose report speaks for the round: it has the reason, where one of them has it */
	enum outcome outcome;
	enum reason reason;
	char *message; /* "2 of 4 addresses fail: 192.0.2.1 connect_refused, …"; "" when up */
};

/* Of 1 or more results; needed 0: all of them. Released with round_verdict_finish(). */
void round_decide(const struct round_result *results, size_t count, size_t needed,
		  struct round_verdict *ret_verdict);
void round_verdict_finish(struct round_verdict *verdict);

/* One address that was checked and judged. */
struct round_part {
	struct observation observation; /* its raw bytes are gone */
	struct attempts attempts;       /* the observation's earlier ones */
	struct verdict verdict;
	struct evidence evidence;
};

/* The addresses whose checks have ended. Zeros are an empty one. */
struct round {
	struct round_part *parts;
	size_t count;
	size_t unchecked; /* addresses that the name has beyond those that are checked */
	int64_t missed;   /* checks of the site that were left out before this round */
};

/* Takes the contents of the three; the observation's earlier attempts are copied. */
void round_add(struct round *round, struct observation *observation, struct verdict *verdict,
	       struct evidence *evidence);
/* Of a round that is not empty: as round_decide(), with its parts put in the order of their addresses. */
void round_judge(struct round *round, size_t needed, struct round_verdict *ret_verdict);
void round_finish(struct round *round);

/* What a report says of its round. */
struct round_note {
	const struct round_verdict *verdict;
	const char *address; /* that was checked; after redirects the report's ip may be another */
	bool is_speaker;
	bool is_last; /* of those that are told */
};

#endif
