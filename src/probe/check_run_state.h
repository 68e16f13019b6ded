/* A check run's inside, for check_run.c (its attempts) and check_hops.c (their hops) alone. One thread: the loop's. */
#ifndef WEBSENTRY_PROBE_CHECK_RUN_STATE_H
#define WEBSENTRY_PROBE_CHECK_RUN_STATE_H

#include "check/attempt.h"
#include "check/observation.h"
#include "probe/check_run.h"
#include "probe/due_timer.h"
#include "probe/hop_run.h"
#include "probe/matching.h"
#include "probe/redirect.h"
#include "probe/transfer.h"
#include "probe/trouble.h"

struct resolve;

enum run_state {
	RUN_IDLE,
	RUN_RESOLVING,
	RUN_TRANSFERRING,
	RUN_MATCHING,
	RUN_FINISHED,
	RUN_WAITING, /* for the next attempt */
};

struct check_run {
	const struct check_env *env;
	enum run_state state;
	bool is_abandoned; /* while a search still runs */
	struct check_start start;
	struct observation observation;
	struct attempts attempts; /* the sink's notes of those before this one */
	wall_us checked_at;       /* when the first attempt started */
	int retried;              /* attempts before this one */
	bool is_looked_up;        /* that was all that was asked for, and it is done */
	mono_us started;          /* this attempt */
	mono_us deadline;
	bool has_looked;        /* whether what trickles is there, at the deadline */
	int64_t lost_at_start;  /* the loop's hold-ups before this check */
	struct due_timer timer; /* the deadline, or an address's share of the time before it */
	struct transfer transfer;
	struct matching matching;
	struct redirect request; /* URL and method of the present hop */

	struct hop_run hop;      /* the present one */
	struct resolve *resolve; /* of its host; NULL: none goes on */
};

/* What ends an attempt: once each. */

/* The response is complete: search it. */
void check_run_finish_complete(struct check_run *run, mono_us now);
/* Without a complete response (or with one redirect too many). */
void check_run_finish_with(struct check_run *run, enum reason reason, const char *message);
/* As the observation has it. */
void check_run_finish(struct check_run *run);

/* Whether the trouble was our own: then it says so. */
void check_run_judge_own(const struct check_run *run, struct trouble *trouble);

#endif
