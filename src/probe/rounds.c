#include "probe/rounds.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "probe/hop_run.h"
#include "probe/run_pool.h"

static void add_address(struct round_run *round, const char *address, const struct hop_run *hop,
			const struct observation *seen)
{
	struct round_address *added = &round->addresses[round->count++];
	memcpy(added->text, address, sizeof(added->text));
	added->pin = (struct check_pin){
		.address = added->text,
		.host = round->host,
		.started_at = seen->started_at,
		.dns_us = hop->resolved_at - hop->started,
		.lost_us = seen->lag_us,
		.round = round,
	};
}

struct round_run *rounds_begin(struct rounds *rounds, struct check_run *run)
{
	const struct check_start *start = check_run_origin(run);
	const struct hop_run *hop = check_run_looked_up(run);
	struct round_run *round = xcalloc(1, sizeof(*round));
	round->site = start->site;
	round->list = start->list;
	round->index = start->index;
	round->late_us = start->late_us;
	round->was_public = check_run_is_public(run);
	round->round.missed = start->missed;
	round->round.unchecked = hop->address_rest;
	round->host = xstrdup(hop->route.host);
	round->looked_up_at = hop->resolved_at;
	for (size_t i = 0; i < hop->address_count; i++)
		add_address(round, hop->addresses[i].text, hop, check_run_observation(run));
	rounds->waiting += round->count;
	round->older = rounds->newest;
	if (round->older != NULL)
		round->older->newer = round;
	rounds->newest = round;
	if (rounds->starting == NULL)
		rounds->starting = round;
	return round;
}

/* The check to start next, of those that wait. */
static struct check_start take_start(struct rounds *rounds, mono_us now)
{
	struct round_run *round = rounds->starting;
	while (round->started == round->count)
		round = round->newer;
	rounds->starting = round;
	rounds->waiting--;
	struct check_pin *pin = &round->addresses[round->started++].pin;
	pin->waited_us = now - round->looked_up_at;
	return (struct check_start){
		.site = round->site,
		.list = round->list,
		.index = round->index,
		.late_us = round->late_us,
		.was_public = round->was_public,
		.pin = pin,
	};
}

void rounds_start(struct rounds *rounds, struct run_pool *pool, size_t *starts_left)
{
	while (rounds->waiting > 0 && *starts_left > 0) {
		struct check_run *run = run_pool_take(pool);
		if (run == NULL)
			return;
		mono_us now = clock_mono_us();
		const struct check_start start = take_start(rounds, now);
		(*starts_left)--;
		check_run_start(run, &start, now);
	}
}

bool round_run_end_one(struct round_run *round)
{
	return ++round->ended == round->count;
}

static void destroy(struct round_run *round)
{
	round_finish(&round->round);
	free(round->host);
	free(round);
}

void rounds_remove(struct rounds *rounds, struct round_run *round)
{
	if (round->older != NULL)
		round->older->newer = round->newer;
	if (round->newer != NULL)
		round->newer->older = round->older;
	if (rounds->newest == round)
		rounds->newest = round->older;
	if (rounds->starting == round)
		rounds->starting = round->newer;
	destroy(round);
}

void rounds_move(struct rounds *rounds, const size_t *moved, size_t none)
{
	for (struct round_run *round = rounds->newest; round != NULL; round = round->older)
		if (round->index != none)
			round->index = moved[round->index];
}

void rounds_drop_waiting(struct rounds *rounds)
{
	rounds->starting = NULL;
	rounds->waiting = 0;
}

void rounds_finish(struct rounds *rounds)
{
	while (rounds->newest != NULL)
		rounds_remove(rounds, rounds->newest);
	*rounds = (struct rounds){0};
}
