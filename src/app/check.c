/* `websentry check URL…`: one check of each, now, printed for people or (--json) as the report of the wire. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/check_print.h"
#include "app/checks.h"
#include "app/commands.h"
#include "app/process.h"
#include "base/buffer.h"
#include "base/identity.h"
#include "base/log.h"
#include "check/outcome.h"
#include "check/report.h"
#include "check/site.h"
#include "check/verdict.h"
#include "config/settings.h"

struct check {
	const struct settings *settings;
	struct waiter *waiter;
	struct identity identity; /* of the next report; prober's thread */
	enum outcome worst;
	atomic_bool is_done;
};

static void print_json(struct check *check, const char *body, size_t length)
{
	struct buffer message;
	buffer_init(&message, REPORT_MESSAGE_MAX + IDENTITY_PREFIX_MAX);
	if (identity_append_message(&message, &check->identity, NULL, body, length) == 0)
		(void)printf("%s\n", message.data);
	buffer_finish(&message);
	check->identity.seq++;
}

/* On the prober's thread; there is one, and the main thread waits. */
static void on_report(void *context, const struct report *report, const char *body, size_t length)
{
	struct check *check = context;
	if (check->settings->is_json)
		print_json(check, body, length);
	else
		check_print(stdout, report, check->settings->is_explained);
	(void)fflush(stdout);
	if (report->verdict->outcome > check->worst)
		check->worst = report->verdict->outcome;
}

static void on_done(void *context)
{
	struct check *check = context;
	atomic_store(&check->is_done, true);
	waiter_wake(check->waiter);
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

int command_check(const struct settings *settings, struct site_list *sites)
{
	struct check check = {
		.settings = settings,
		.waiter = waiter_create(),
		.identity = {.producer_id = uuid_random()},
		.worst = OUTCOME_UP,
	};
	const struct checks_sink sink = {
		.context = &check, .on_report = on_report, .on_done = on_done};
	struct error err = {0};
	struct checks *checks = checks_start(settings, sites, true, &sink, &err);
	int code = CHECK_UNKNOWN;
	if (checks == NULL) {
		log_event(LOG_ERROR, err.message);
	} else {
		while (!atomic_load(&check.is_done) && waiter_wait(check.waiter, -1) != WAKE_STOP)
			;
		checks_stop(checks, 0);
		code = waiter_is_stopping(check.waiter) ? CHECK_UNKNOWN : exit_code(check.worst);
	}
	checks_destroy(checks);
	waiter_destroy(check.waiter);
	return code;
}
