/*
 * A site's patterns and rules against what came: inline while that is cheap, else on libuv's pool, always with an end.
 * The loop's thread owns it; while the pool works, nobody touches what it was given.
 */
#ifndef WEBSENTRY_PROBE_MATCHING_H
#define WEBSENTRY_PROBE_MATCHING_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/clock.h"
#include "probe/rule_search.h"

struct match;
struct observation;
struct site;

/* matching_aim() fills in what stands above `next`, the caller deadline and on_matched after it; all pointers are borrowed until the end is told. */
struct matching {
	const struct site *site;
	struct rule_subjects subjects;
	mono_us deadline;
	struct match *pattern; /* filled where the site has one */
	struct match *rules;   /* parallel to site->rules */
	void (*on_matched)(struct matching *matching);

	size_t next; /* search: 0 is the recorded pattern, then the rules */
	uv_work_t work;
};

/* Point it at a complete response and at where what is found goes; the observation's raw response is there. */
void matching_aim(struct matching *matching, const struct site *site,
		  struct observation *observation, int64_t decoded_bytes);

/* Search. Returns true when all is done; otherwise on_matched follows from a later turn. */
bool matching_start(struct matching *matching, uv_loop_t *loop);

/* Have it end soon: what is not decided is too costly. on_matched still follows. */
void matching_hurry(struct matching *matching);

#endif
