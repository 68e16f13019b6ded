/*
 * A site's patterns against the body that came: inline while that is cheap, else on libuv's pool, always with an end.
 * The loop's thread owns it; while the pool works, nobody touches what it was given.
 */
#ifndef WEBSENTRY_PROBE_MATCHING_H
#define WEBSENTRY_PROBE_MATCHING_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/clock.h"

struct match;
struct site;

/* The parts above `next` are the caller's to fill; all pointers are borrowed until the end is told. */
struct matching {
	const struct site *site;
	const char *bytes; /* the part of the body that is searched */
	size_t length;
	bool is_longer; /* the body was */
	mono_us deadline;
	struct match *pattern; /* filled where the site has one */
	struct match *rules;   /* parallel to site->body_rules */
	void (*on_matched)(struct matching *matching);

	size_t next; /* search: 0 is the recorded pattern, then the rules */
	uv_work_t work;
};

/* Search. Returns true when all is done; otherwise on_matched follows from a later turn. */
bool matching_start(struct matching *matching, uv_loop_t *loop);

/* Have it end soon: what is not decided is too costly. on_matched still follows. */
void matching_hurry(struct matching *matching);

#endif
