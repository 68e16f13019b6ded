/*
 * `websentry run`: scheduler -> prober -> verdict -> writer -> store, with the page; no broker.
 *
 * The probers' threads post the reports' JSON to the writer, which gives them their identity and stores them.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "app/checks.h"
#include "app/commands.h"
#include "app/data_dir.h"
#include "app/process.h"
#include "app/progress.h"
#include "app/reload.h"
#include "app/site_reload.h"
#include "app/store_settings.h"
#include "app/storing.h"
#include "base/clock.h"
#include "base/figures.h"
#include "base/log.h"
#include "base/message.h"
#include "check/report.h"
#include "check/site.h"
#include "config/settings.h"
#include "web/web.h"

enum {
	RUN_WAITING_MAX =
		10000, /* reports held while the store is away; then no checks are started */
	PROGRESS_MS = 50,
};

struct run {
	const struct settings *settings;
	struct site_list *sites; /* as they were read; then they are the checks' */
	struct waiter *waiter;
	struct web *web;
	struct data_dir *data_dir;
	struct storing *storing;
	struct checks *checks;
	struct figures figures;
	atomic_bool is_checked; /* with --once */
	atomic_bool is_holding; /* no checks are started; said once */
};

/* --- prober's threads --- */

static bool on_may_start(void *context)
{
	struct run *run = context;
	const struct writer *writer = storing_writer(run->storing);
	bool is_holding = atomic_load(&run->is_holding);
	bool has_room = is_holding ? writer_has_room_again(writer) : writer_has_room(writer);
	if (has_room == !is_holding)
		return has_room;
	if (atomic_exchange(&run->is_holding, !has_room) == has_room) {
		readiness_set(&run->figures.readiness, OBSTACLE_REPORTS_HELD, !has_room);
		log_event(has_room ? LOG_INFO : LOG_WARN,
			  has_room ? "the store takes reports again, checks go on"
				   : "too many reports wait for the store, no checks are started",
			  LOG_INT("reports", has_room ? 0 : RUN_WAITING_MAX));
	}
	return has_room;
}

static void on_report(void *context, const struct report *report, const char *body, size_t length)
{
	struct run *run = context;
	struct message *message = message_create(body, length);
	if (writer_post(storing_writer(run->storing), message))
		return;
	message_destroy(message);
	figures_add(&run->figures.checks.unfinished, 1);
	log_event(LOG_DEBUG, "check not finished: no room for its report",
		  LOG_STR("site", report->site->name));
}

static void on_reloaded(void *context)
{
	struct run *run = context;
	waiter_wake(run->waiter);
}

static void on_done(void *context)
{
	struct run *run = context;
	atomic_store(&run->is_checked, true);
	waiter_wake(run->waiter);
}

/* --- main thread --- */

static int open_parts(struct run *run, struct error *err)
{
	if (data_dir_look(run->settings->data_dir, err) != 0 ||
	    store_settings_start_web(run->settings, run->sites, true, &run->figures, &run->web,
				     err) != 0)
		return -1;
	run->data_dir = data_dir_open(run->settings->data_dir, err);
	if (run->data_dir == NULL)
		return -1;
	struct uuid ids[1 + WRITER_PREVIOUS_MAX] = {uuid_random()};
	size_t previous_count = data_dir_read_previous(run->data_dir, ids + 1, WRITER_PREVIOUS_MAX);
	if (data_dir_write_previous(run->data_dir, ids, 1 + previous_count, err) != 0)
		log_event(LOG_WARN, "the next start won't know this one's reports",
			  LOG_STR("error", err->message));
	const struct writer_options options = {
		.producer_id = ids,
		.previous = ids + 1,
		.previous_count = previous_count,
		.max_waiting = RUN_WAITING_MAX,
		.figures = &run->figures,
	};
	const struct writer_events events = {.context = run};
	run->storing = storing_start(run->settings, run->waiter, &options, &events, err);
	return run->storing == NULL ? -1 : 0;
}

static int start_checks(struct run *run, struct error *err)
{
	const struct checks_sink sink = {
		.context = run,
		.figures = &run->figures,
		.may_start = on_may_start,
		.on_report = on_report,
		.on_done = on_done,
		.on_reloaded = on_reloaded,
	};
	run->checks = checks_start(run->settings, run->sites, run->settings->is_once, &sink, err);
	return run->checks == NULL ? -1 : 0;
}

enum store_wait {
	STORE_CAME,
	STORE_REFUSES,
	STORE_STAYS_AWAY,
	STORE_NOT_NEEDED /* a stop signal */
};

/* Wait until the store has shown itself once; err is filled where it refuses. With --once, for --once-wait at most. */
static enum store_wait wait_for_store(struct run *run, struct error *err)
{
	bool is_once = run->settings->is_once;
	mono_us give_up = clock_mono_us() + run->settings->once_wait_us;
	for (;;) {
		switch (storing_state(run->storing, err)) {
		case STORING_READY:
			return STORE_CAME;
		case STORING_FAILED:
			return STORE_REFUSES;
		case STORING_WAITING:
			break;
		}
		if (is_once && clock_mono_us() >= give_up)
			return STORE_STAYS_AWAY;
		if (waiter_wait(run->waiter, is_once ? PROGRESS_MS : -1) == WAKE_STOP)
			return STORE_NOT_NEEDED;
	}
}

static bool take_sites(void *context, struct site_list *sites)
{
	struct run *run = context;
	return site_reload(run->checks, run->web, sites);
}

/* With --once: until all sites are checked. */
static bool wait_a_moment(struct run *run, struct reload *reload)
{
	if (!run->settings->is_once) {
		checks_tidy(run->checks);
		return reload_wait(reload, run->waiter) != WAKE_STOP;
	}
	progress_draw(checks_finished(run->checks), checks_site_count(run->checks), 0);
	return waiter_wait(run->waiter, PROGRESS_MS) != WAKE_STOP && !atomic_load(&run->is_checked);
}

static int wait_for_end(struct run *run)
{
	const struct reload_target target = {.context = run, .take = take_sites};
	struct reload *reload = reload_create(run->settings, &run->figures, &target);
	struct error err;
	int code = EXIT_FINE;
	while (wait_a_moment(run, reload)) {
		if (storing_state(run->storing, &err) == STORING_FAILED) {
			log_event(LOG_ERROR, err.message);
			code = EXIT_FAILED;
			break;
		}
	}
	if (run->settings->is_once)
		progress_clear();
	reload_destroy(reload);
	return code;
}

static int say_failure(const struct error *err)
{
	log_event(LOG_ERROR, err->message);
	return err->kind == ERROR_REJECT ? EXIT_USAGE : EXIT_FAILED;
}

static int work(struct run *run)
{
	struct error err = {0};
	switch (wait_for_store(run, &err)) {
	case STORE_CAME:
		break;
	case STORE_REFUSES:
		return say_failure(&err);
	case STORE_STAYS_AWAY:
		log_event(LOG_ERROR, "the store did not come in time, nothing was checked");
		return EXIT_FAILED;
	case STORE_NOT_NEEDED:
		return EXIT_FINE;
	}
	if (start_checks(run, &err) != 0)
		return say_failure(&err);
	readiness_set(&run->figures.readiness, OBSTACLE_STARTING, false);
	log_event(LOG_INFO, "ready", LOG_STR("command", "run"),
		  LOG_INT("sites", checks_site_count(run->checks)));
	process_notify("READY=1");
	int code = wait_for_end(run);
	readiness_set(&run->figures.readiness, OBSTACLE_STOPPING, true);
	checks_stop(run->checks, STOP_CHECKS_MS);
	return code;
}

static int close_parts(struct run *run, int code)
{
	checks_destroy(run->checks);
	web_stop(
		run->web); /* before the store: SQLite's last connection empties the write-ahead log, a reader's may not */
	int64_t wait_ms = run->settings->is_once && !waiter_is_stopping(run->waiter)
				  ? run->settings->once_wait_us / CLOCK_US_PER_MS
				  : STOP_DEADLINE_MS;
	size_t left = run->storing == NULL ? 0 : storing_stop(run->storing, (int)wait_ms);
	if (left > 0) {
		log_event(LOG_ERROR, "the store did not take every report in time",
			  LOG_INT("lost", left));
		code = EXIT_FAILED;
	}
	storing_destroy(run->storing);
	data_dir_close(run->data_dir);
	return code;
}

int command_run(const struct settings *settings, struct site_list *sites)
{
	struct run run = {.settings = settings, .sites = sites, .waiter = waiter_create()};
	figures_init(&run.figures, FIGURES_CHECKS | FIGURES_STORE | FIGURES_AUDIT);
	struct error err = {0};
	int code = open_parts(&run, &err) != 0 ? say_failure(&err) : work(&run);
	code = close_parts(&run, code);
	if (code == EXIT_FINE)
		log_event(LOG_INFO, "stopped", LOG_STR("command", "run"));
	waiter_destroy(run.waiter);
	return code;
}
