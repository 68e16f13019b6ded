/*
 * The hops of an attempt, one after the other, up to the response that is not followed: each looks a host up, tries its addresses, and
 * asks. The attempt's end is check_run_state.h's. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_CHECK_HOPS_H
#define WEBSENTRY_PROBE_CHECK_HOPS_H

#include <curl/curl.h>

#include "base/clock.h"

struct check_run;

/*
 * Go to the URL of the run's request. Each hop begins at the moment at which the one before it, or nothing, ended: together they are the
 * whole check. The attempt may have ended on return.
 */
void check_hops_start(struct check_run *run, mono_us now);

/* The run's timer went off during a hop or the search behind the last: an address's share of the time is over, or the attempt's time. */
void check_hops_on_due(struct check_run *run, mono_us now);

/* The present hop's transfer has ended. */
void check_hops_on_ended(struct check_run *run, CURLcode code);

/* Let go of the name or the transfer that the run waits for. */
void check_hops_stop(struct check_run *run);

#endif
