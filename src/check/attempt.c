#include "check/attempt.h"

#include <stdlib.h>

#include "base/memory.h"
#include "check/observation.h"
#include "check/verdict.h"

struct attempt attempt_of(const struct observation *observation, const struct verdict *verdict)
{
	return (struct attempt){
		.started_at = observation->attempt_started_at,
		.outcome = verdict->outcome,
		.reason = verdict->reason,
		.message = verdict->message,
		.http_status_code = observation->final.http_status_code,
		.total_us = observation->total_us,
	};
}

void attempts_add(struct attempts *attempts, const struct observation *observation,
		  const struct verdict *verdict)
{
	struct attempt attempt = attempt_of(observation, verdict);
	attempt.message = xstrdup(attempt.message);
	attempts->items =
		xreallocarray(attempts->items, attempts->count + 1, sizeof(attempts->items[0]));
	attempts->items[attempts->count++] = attempt;
}

void attempts_copy(struct attempts *attempts, const struct attempts *from)
{
	attempts->items = xcalloc(from->count, sizeof(attempts->items[0]));
	for (attempts->count = 0; attempts->count < from->count; attempts->count++) {
		attempts->items[attempts->count] = from->items[attempts->count];
		const struct attempt *attempt = &from->items[attempts->count];
		attempts->items[attempts->count].message = xstrdup(attempt->message);
		if (attempt->heads != NULL)
			attempts->items[attempts->count].heads = xstrdup(attempt->heads);
	}
}

void attempts_finish(struct attempts *attempts)
{
	for (size_t i = 0; i < attempts->count; i++) {
		free(attempts->items[i].message);
		free(attempts->items[i].heads);
	}
	free(attempts->items);
	*attempts = (struct attempts){0};
}
