/*
 * Runs one prober over sites whose every address is checked, in a test, and keeps what it told of each address. Three peers and a name
 * server stand for the machines: 127.0.0.1, 127.0.0.2 and, where there is IPv6, ::1 answer at one port, and nobody does at other addresses.
 */
#ifndef WEBSENTRY_TESTS_PROBE_ROUND_WATCH_H
#define WEBSENTRY_TESTS_PROBE_ROUND_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "check/observation.h"
#include "check/site.h"
#include "probe/prober.h"

enum { ROUND_WATCH_TOLD_MAX = 1024, ROUND_WATCH_SITES_MAX = 40, ROUND_WATCH_DNS_DELAY_MS = 300 };

/* What was told of one address, or of a check without a round. */
struct round_told {
	const struct site *site;
	size_t round; /* counts the rounds and checks that were told, from 1 */
	size_t of;    /* how many addresses that had; 0: a check without a round */
	size_t unchecked;
	bool has_memo;
	char ip[ADDRESS_TEXT_MAX];
	char last_ip[ADDRESS_TEXT_MAX];
	enum reason trouble;
	int status;
	wall_us started_at;
	wall_us scheduled_at;
	int64_t late_us;
	int64_t lag_us;
	int64_t dns_us;
	int64_t total_us;
	int64_t missed;     /* of the round */
	int64_t own_missed; /* of the address */
	size_t attempts;
};

/* While a prober runs, all but sites and peers belongs to both threads: between round_watch_begin() and _end(). */
struct round_watch {
	struct round_told told[ROUND_WATCH_TOLD_MAX];
	size_t count;
	size_t rounds;
	size_t addresses; /* that have ended */
	size_t asked;     /* for another attempt */
	size_t released;
	size_t refused; /* starts of rounds, while is_full */
	bool is_full;
	bool is_done;
	bool is_reloaded;

	struct site sites[ROUND_WATCH_SITES_MAX];
	size_t site_count;
	struct prober *prober;
	struct name_server *names;
	struct peer *first;  /* 127.0.0.1 */
	struct peer *second; /* 127.0.0.2 */
	struct peer *sixth;  /* ::1; NULL without IPv6 */
};

/* One a process. */
extern struct round_watch round_watch;

/* For a group of tests, and after each of them. */
int round_watch_set_up(void **state);
int round_watch_tear_down(void **state);
int round_watch_forget(void **state);

/* A site for the next start, all of whose addresses are checked; its interval is its timeout. */
struct site *round_watch_add(const char *host, const char *path, int timeout_ms);
void round_watch_start(struct prober_options options);
/* Start, wait for the one check of each, stop. max_in_flight as in struct prober_options. */
void round_watch_once(size_t max_in_flight);

void round_watch_begin(void);
void round_watch_end(void);
/* Wait until a condition holds, which is asked within begin and end; fails the test when it does not come. */
void round_watch_until(bool (*is_met)(void));

/* What was told of an address, once, or the test fails. */
const struct round_told *round_watch_find(const struct site *site, const char *ip);

#endif
