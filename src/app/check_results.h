/*
 * What `websentry check` found, printed in the order in which the sites were given, whatever the order in which their checks end. Only the
 * thread on which reports come uses it while checks run, and the main thread before and after.
 */
#ifndef WEBSENTRY_APP_CHECK_RESULTS_H
#define WEBSENTRY_APP_CHECK_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/outcome.h"

struct check_results;
struct report;
struct settings;
struct site;

/* Settings and sites are borrowed until check_results_destroy(). */
struct check_results *check_results_create(const struct settings *settings,
					   const struct site *sites, size_t count);
void check_results_destroy(struct check_results *results);

/* Before the checks of a round: the first is 1. */
void check_results_begin_round(struct check_results *results, int64_t round);
/* One of its reports; body is its JSON without an identity. It is printed as soon as all before it are. */
void check_results_add(struct check_results *results, const struct report *report, const char *body,
		       size_t length);
/* Print what is still waiting for others, which will not come. */
void check_results_end_round(struct check_results *results);

/* After the last round: the figures of repeated checks, or the status line of --nagios. */
void check_results_sum_up(struct check_results *results);

/* Of all checks; a site that was never checked is unknown. */
enum outcome check_results_worst(const struct check_results *results);
/* Nobody reads what is printed. */
bool check_results_is_unread(const struct check_results *results);

#endif
