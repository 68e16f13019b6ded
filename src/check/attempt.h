/* The attempts of a check that was tried again: the domain's note of each, in their order. Pure; any thread. */
#ifndef WEBSENTRY_CHECK_ATTEMPT_H
#define WEBSENTRY_CHECK_ATTEMPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "check/outcome.h"

struct observation;
struct verdict;

struct attempt {
	wall_us started_at;
	enum outcome outcome;
	enum reason reason;
	char *message;        /* "" when up */
	int http_status_code; /* 0 where none was received */
	int64_t total_us;     /* DURATION_UNKNOWN */
	char *heads; /* of its requests and responses, as they are shown; NULL: nobody wants to see them */
};

struct attempts {
	struct attempt *items;
	size_t count;
};

/* What is noted of one that has ended; its message is the verdict's. */
struct attempt attempt_of(const struct observation *observation, const struct verdict *verdict);

void attempts_add(struct attempts *attempts, const struct observation *observation,
		  const struct verdict *verdict);
/* Copy from into attempts, which is empty. */
void attempts_copy(struct attempts *attempts, const struct attempts *from);
void attempts_finish(struct attempts *attempts);

#endif
