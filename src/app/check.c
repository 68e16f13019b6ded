/*
 * `websentry check URL…`: checks of all sites at once, now, and with --repeat again and again: a round begins --interval after the one before, or when
 * that one has ended. app/check_results.c prints them.
 */
#include <stdatomic.h>
#include <stdio.h>

#include "app/check_results.h"
#include "app/checks.h"
#include "app/commands.h"
#include "app/nagios.h"
#include "app/process.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "check/outcome.h"
#include "check/site.h"
#include "config/settings.h"

struct check {
	const struct settings *settings;
	struct waiter *waiter;
	struct check_results *results; /* the prober's thread's, while a round goes on */
	atomic_bool is_round_over;
	atomic_bool is_unread; /* nobody reads what we print */
};

/* On the prober's thread; there is one, and the main thread waits. */
static void on_report(void *context, const struct report *report, const char *body, size_t length)
{
	struct check *check = context;
	check_results_add(check->results, report, body, length);
	if (!check_results_is_unread(check->results))
		return;
	atomic_store(&check->is_unread, true);
	waiter_wake(check->waiter);
}

static void on_done(void *context)
{
	struct check *check = context;
	atomic_store(&check->is_round_over, true);
	waiter_wake(check->waiter);
}

static bool is_over(struct check *check)
{
	return waiter_is_stopping(check->waiter) || atomic_load(&check->is_unread);
}

/* Whether the round came to its end. */
static bool wait_for_round(struct check *check)
{
	while (!atomic_load(&check->is_round_over) && !is_over(check))
		(void)waiter_wait(check->waiter, -1);
	return atomic_load(&check->is_round_over) && !is_over(check);
}

/* Whether the moment came. */
static bool wait_until(struct check *check, mono_us moment)
{
	for (;;) {
		int64_t left_us = moment - clock_mono_us();
		if (is_over(check))
			return false;
		if (left_us <= 0)
			return true;
		int64_t left_ms = (left_us + CLOCK_US_PER_MS - 1) / CLOCK_US_PER_MS;
		(void)waiter_wait(check->waiter, left_ms < INT32_MAX ? (int)left_ms : INT32_MAX);
	}
}

/* Rounds that should have begun while another went on are left out, not caught up with. */
static void run_rounds(struct check *check, struct checks *checks)
{
	const struct settings *settings = check->settings;
	mono_us started = clock_mono_us();
	for (int64_t round = 1; wait_for_round(check) && round < settings->repeat; round++) {
		check_results_end_round(check->results);
		started += settings->repeat_every_us;
		if (started < clock_mono_us())
			started = clock_mono_us();
		else if (!wait_until(check, started))
			break;
		check_results_begin_round(check->results, round + 1);
		atomic_store(&check->is_round_over, false);
		checks_again(checks);
	}
	checks_stop(checks, 0);
	check_results_end_round(check->results);
	check_results_sum_up(check->results);
}

static int exit_code(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_UP:
		return CHECK_UP;
	case OUTCOME_DEGRADED:
		return CHECK_DEGRADED;
	case OUTCOME_DOWN:
		return CHECK_DOWN;
	case OUTCOME_UNKNOWN:
	case OUTCOME_COUNT:
		break;
	}
	return CHECK_UNKNOWN;
}

int command_check_refused(const struct settings *settings, const char *why)
{
	struct buffer line;
	if (!settings->is_nagios)
		return EXIT_USAGE;
	buffer_init(&line, NAGIOS_LINE_MAX);
	nagios_write_unknown(&line, why);
	(void)fputs(line.data, stdout);
	buffer_finish(&line);
	return CHECK_UNKNOWN;
}

int command_check(const struct settings *settings, struct site_list *sites)
{
	struct check check = {
		.settings = settings,
		.waiter = waiter_create(),
		.results = check_results_create(settings, sites->sites, sites->count),
	};
	const struct checks_sink sink = {
		.context = &check, .on_report = on_report, .on_done = on_done};
	struct error err = {0};
	int code = CHECK_UNKNOWN;
	check_results_begin_round(check.results, 1);
	struct checks *checks = checks_start(settings, sites, true, &sink, &err);
	if (checks == NULL) {
		log_event(LOG_ERROR, err.message);
		(void)command_check_refused(settings, err.message);
	} else {
		run_rounds(&check, checks);
		code = exit_code(check_results_worst(check.results));
	}
	check_results_destroy(check.results);
	checks_destroy(checks);
	waiter_destroy(check.waiter);
	return code;
}
