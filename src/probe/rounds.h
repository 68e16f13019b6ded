/*
 * The rounds of a prober: the checks of all addresses of a name, which begin when it has been looked up, and end together. A round's
 * checks start as runs are free for them; those that find none wait in the order in which the names were looked up. One thread: the
 * loop's.
 */
#ifndef WEBSENTRY_PROBE_ROUNDS_H
#define WEBSENTRY_PROBE_ROUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "check/round.h"
#include "probe/check_run.h"
#include "probe/resolver.h"

struct run_pool;

struct round_address {
	struct check_pin pin;
	char text[ADDRESS_TEXT_MAX];
};

struct round_run {
	const struct site *site;
	void *list;   /* the caller's, of its check_start */
	size_t index; /* likewise */
	int64_t late_us;
	bool was_public; /* of its check_starts */
	char *host;
	mono_us looked_up_at;
	struct round_address addresses[RESOLVER_ADDRESSES_MAX];
	size_t count;
	size_t started;
	size_t ended;
	struct round round; /* the sink's notes of those that have ended */
	struct round_run *older;
	struct round_run *newer;
};

/* Zeros are none. */
struct rounds {
	struct round_run *newest;
	struct round_run *starting; /* none older has checks to start; NULL: none has */
	size_t waiting;             /* checks that have not started */
};

/* Begin the round of a run that has looked up: each address once. */
struct round_run *rounds_begin(struct rounds *rounds, struct check_run *run);

/* Start what waits, at most *starts_left of it, which goes down, as long as there are runs. */
void rounds_start(struct rounds *rounds, struct run_pool *pool, size_t *starts_left);

/* The check of one address has ended. Returns whether it was the round's last. */
bool round_run_end_one(struct round_run *round);
void rounds_remove(struct rounds *rounds, struct round_run *round);

/* The list of sites was exchanged: indexes become moved[index], those that are none stay. */
void rounds_move(struct rounds *rounds, const size_t *moved, size_t none);

/* Nothing starts any more. */
void rounds_drop_waiting(struct rounds *rounds);
void rounds_finish(struct rounds *rounds);

#endif
