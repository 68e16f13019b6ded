/*
 * `websentry producer`: scheduler -> prober -> verdict -> outbox -> publisher -> Kafka.
 *
 * The probers' threads append to the outbox; the outbox thread commits, and drives the publisher; the main thread waits.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/checks.h"
#include "app/commands.h"
#include "app/data_dir.h"
#include "app/kafka_settings.h"
#include "app/process.h"
#include "app/progress.h"
#include "app/refused.h"
#include "app/reload.h"
#include "app/site_reload.h"
#include "app/store_settings.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/figures.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/priority.h"
#include "check/report.h"
#include "check/report_row.h"
#include "check/site.h"
#include "codec/report_decode.h"
#include "codec/report_encode.h"
#include "config/settings.h"
#include "kafka/publisher.h"
#include "outbox/outbox.h"
#include "web/web.h"

enum { PROGRESS_EVERY_MS = 50 };

struct producer {
	const struct settings *settings;
	struct site_list *sites; /* as they were read; then they are the checks' */
	struct waiter *waiter;
	struct web *web;
	struct data_dir *data_dir;
	struct kafka_settings kafka;
	struct outbox *outbox;
	struct publisher *publisher;
	struct refused *refused;
	struct outbox_drain drain;
	struct checks *checks;
	struct figures figures;
	atomic_bool is_checked; /* with --once: every site has been */
	atomic_bool is_holding; /* checks are not being started; said once */
};

/* --- prober's threads --- */

static bool on_may_start(void *context)
{
	struct producer *producer = context;
	bool has_room = outbox_has_room(producer->outbox);
	if (has_room == !atomic_load(&producer->is_holding))
		return has_room;
	if (atomic_exchange(&producer->is_holding, !has_room) == has_room) {
		struct outbox_counts counts;
		outbox_count(producer->outbox, &counts);
		log_event(has_room ? LOG_INFO : LOG_WARN,
			  has_room             ? "outbox has room again, checks go on"
			  : counts.is_at_bound ? "outbox full, no checks are started"
					       : "outbox can't commit, no checks are started",
			  LOG_INT("rows", counts.waiting_rows));
	}
	return has_room;
}

static void on_report(void *context, const struct report *report, const char *body, size_t length)
{
	struct producer *producer = context;
	enum outbox_class class =
		report_is_success(report) ? OUTBOX_CLASS_SUCCESS : OUTBOX_CLASS_FAILURE;
	const char *name = report->site->name;
	struct error err;
	if (outbox_append(producer->outbox, class, name, strlen(name), body, length, &err) != 0) {
		figures_add(&producer->figures.checks.unfinished, 1);
		log_event(LOG_WARN, "check not finished: outbox refused its report",
			  LOG_STR("site", name), LOG_STR("error", err.message));
	}
}

static void on_reloaded(void *context)
{
	struct producer *producer = context;
	waiter_wake(producer->waiter);
}

static void on_done(void *context)
{
	struct producer *producer = context;
	atomic_store(&producer->is_checked, true);
	waiter_wake(producer->waiter);
}

/* --- outbox thread --- */

/* The prober's threads come first: a backlog that drains must not make checks late. */
static void on_begin(void *context)
{
	(void)context;
	priority_give_way();
}

static int on_send(void *context, const struct outbox_row *row)
{
	struct producer *producer = context;
	return publisher_send(producer->publisher, row->id, (int)row->class, row->key,
			      row->key_length, row->message, row->message_length);
}

static void on_serve(void *context)
{
	struct producer *producer = context;
	publisher_serve(producer->publisher);
	refused_serve(producer->refused);
}

static void on_delivered(void *context, int64_t id)
{
	struct producer *producer = context;
	outbox_acknowledge(producer->outbox, id);
}

static void on_rewind(void *context)
{
	struct producer *producer = context;
	refused_forget(producer->refused);
	outbox_rewind(producer->outbox);
}

static char *on_shrink(void *context, const char *message, size_t length, size_t *ret_length)
{
	(void)context;
	struct buffer smaller;
	buffer_init(&smaller, REPORT_MESSAGE_MAX);
	if (report_shrink(&smaller, message, length) != 0) {
		buffer_finish(&smaller);
		return NULL;
	}
	*ret_length = smaller.length;
	return buffer_take(&smaller);
}

/* The last resort: a file beside the outbox, and only then out of it. */
static void on_refused(void *context, int64_t id, const char *message, size_t length,
		       const char *why)
{
	struct producer *producer = context;
	refused_add(producer->refused, id, message, length, why);
}

static void on_outbox_trouble(void *context, const struct error *err)
{
	(void)context;
	log_event(LOG_WARN, "outbox can't commit, keeps trying", LOG_STR("error", err->message));
}

static void on_outbox_recovered(void *context)
{
	(void)context;
	log_event(LOG_INFO, "outbox commits again");
}

/* --- main thread --- */

static int64_t made_at(const char *message, size_t length)
{
	struct report_row row;
	char detail[256];
	if (report_decode(message, length, &row, detail, sizeof(detail)) != DECODE_NONE)
		return 0;
	wall_us at = row.started_at.is_present ? row.started_at.value : 0;
	report_row_finish(&row);
	return at;
}

static int open_outbox(struct producer *producer, struct error *err)
{
	char *path = data_dir_path(producer->data_dir, "outbox.db");
	const struct outbox_options options = {
		.path = path,
		.durability = producer->settings->is_power_durable ? OUTBOX_DURABILITY_POWER
								   : OUTBOX_DURABILITY_PROCESS,
		.made_at = made_at,
		.max_rows = producer->settings->outbox_max_rows,
		.figures = &producer->figures,
	};
	const struct outbox_events events = {
		.context = producer,
		.on_trouble = on_outbox_trouble,
		.on_recovered = on_outbox_recovered,
	};
	producer->outbox = outbox_open(&options, &events, err);
	free(path);
	return producer->outbox == NULL ? -1 : 0;
}

static int open_publisher(struct producer *producer, struct error *err)
{
	const struct publisher_options options = {
		.config = &producer->kafka.config,
		.topics = {producer->settings->kafka_topic_success,
			   producer->settings->kafka_topic_failure},
		.is_creating_topics = producer->settings->kafka_create_topics,
		.figures = &producer->figures,
	};
	const struct publisher_events events = {
		.context = producer,
		.on_delivered = on_delivered,
		.on_rewind = on_rewind,
		.on_refused = on_refused,
		.shrink = on_shrink,
	};
	producer->refused =
		refused_create(producer->data_dir, producer->outbox, &producer->figures);
	producer->publisher = publisher_create(&options, &events, err);
	if (producer->publisher == NULL)
		return -1;
	producer->drain = (struct outbox_drain){
		.context = producer,
		.begin = on_begin,
		.send = on_send,
		.serve = on_serve,
		.fd = publisher_fd(producer->publisher),
	};
	return 0;
}

/* Everything that may be refused for a local reason comes before the first check. */
static int open_parts(struct producer *producer, struct error *err)
{
	const struct settings *settings = producer->settings;
	kafka_settings_init(&producer->kafka, settings);
	if (kafka_config_check(&producer->kafka.config, true, err) != 0 ||
	    data_dir_look(settings->data_dir, err) != 0 ||
	    store_settings_start_web(settings, producer->sites, false, &producer->figures,
				     &producer->web, err) != 0)
		return -1;
	producer->data_dir = data_dir_open(settings->data_dir, err);
	if (producer->data_dir == NULL || open_outbox(producer, err) != 0 ||
	    open_publisher(producer, err) != 0)
		return -1;
	return outbox_start(producer->outbox, &producer->drain, err);
}

static int start_checks(struct producer *producer, struct error *err)
{
	const struct checks_sink sink = {
		.context = producer,
		.figures = &producer->figures,
		.may_start = on_may_start,
		.on_report = on_report,
		.on_done = on_done,
		.on_reloaded = on_reloaded,
	};
	producer->checks = checks_start(producer->settings, producer->sites,
					producer->settings->is_once, &sink, err);
	return producer->checks == NULL ? -1 : 0;
}

static long long rows_waiting(const struct producer *producer)
{
	struct outbox_counts counts;
	outbox_count(producer->outbox, &counts);
	return counts.waiting_rows;
}

static void draw_progress(const struct producer *producer)
{
	progress_draw(checks_finished(producer->checks), checks_site_count(producer->checks),
		      rows_waiting(producer));
}

/* Wait until the outbox is empty; give up --once-wait after the last acknowledgement, or on a stop signal. */
static bool drain_outbox(struct producer *producer)
{
	long long before = rows_waiting(producer);
	mono_us last_progress = clock_mono_us();
	while (before > 0) {
		draw_progress(producer);
		if (waiter_wait(producer->waiter, PROGRESS_EVERY_MS) == WAKE_STOP)
			return false;
		long long now_waiting = rows_waiting(producer);
		if (now_waiting < before)
			last_progress = clock_mono_us();
		else if (clock_mono_us() - last_progress > producer->settings->once_wait_us)
			return false;
		before = now_waiting;
	}
	return true;
}

static int run_once(struct producer *producer)
{
	while (!atomic_load(&producer->is_checked)) {
		draw_progress(producer);
		if (waiter_wait(producer->waiter, PROGRESS_EVERY_MS) == WAKE_STOP)
			break;
	}
	checks_stop(producer->checks, STOP_CHECKS_MS);
	bool is_empty = drain_outbox(producer);
	progress_clear();
	if (waiter_is_stopping(producer->waiter))
		return EXIT_FINE;
	if (!is_empty)
		log_event(LOG_ERROR,
			  "Kafka did not take everything in time, the rest stays in the outbox",
			  LOG_INT("rows", rows_waiting(producer)));
	return is_empty ? EXIT_FINE : EXIT_FAILED;
}

static bool take_sites(void *context, struct site_list *sites)
{
	struct producer *producer = context;
	return site_reload(producer->checks, NULL, sites);
}

static int run_daemon(struct producer *producer)
{
	const struct reload_target target = {.context = producer, .take = take_sites};
	struct reload *reload = reload_create(producer->settings, &producer->figures, &target);
	while (reload_wait(reload, producer->waiter) != WAKE_STOP)
		checks_tidy(producer->checks);
	reload_destroy(reload);
	readiness_set(&producer->figures.readiness, OBSTACLE_STOPPING, true);
	checks_stop(producer->checks, STOP_CHECKS_MS);
	return EXIT_FINE;
}

/* Accepts every half-built state. */
static void close_parts(struct producer *producer)
{
	if (producer->checks != NULL)
		checks_stop(producer->checks, 0);
	checks_destroy(producer->checks);
	if (producer->outbox != NULL)
		outbox_stop(producer->outbox, STOP_DRAIN_MS);
	publisher_destroy(producer->publisher, STOP_DRAIN_MS);
	refused_destroy(producer->refused);
	if (producer->outbox != NULL && rows_waiting(producer) > 0)
		log_event(LOG_INFO, "reports stay in the outbox",
			  LOG_INT("rows", rows_waiting(producer)));
	outbox_close(producer->outbox);
	web_stop(producer->web);
	data_dir_close(producer->data_dir);
	kafka_settings_finish(&producer->kafka);
}

int command_producer(const struct settings *settings, struct site_list *sites)
{
	struct producer producer = {
		.settings = settings, .sites = sites, .waiter = waiter_create()};
	struct error err = {0};
	int code;
	figures_init(&producer.figures,
		     FIGURES_CHECKS | FIGURES_OUTBOX | FIGURES_KAFKA | FIGURES_PUBLISHER);
	if (open_parts(&producer, &err) != 0 || start_checks(&producer, &err) != 0) {
		log_event(LOG_ERROR, err.message);
		code = err.kind == ERROR_REJECT ? EXIT_USAGE : EXIT_FAILED;
	} else {
		readiness_set(&producer.figures.readiness, OBSTACLE_STARTING, false);
		log_event(LOG_INFO, "ready", LOG_STR("command", "producer"),
			  LOG_INT("sites", checks_site_count(producer.checks)));
		process_notify("READY=1");
		code = settings->is_once ? run_once(&producer) : run_daemon(&producer);
	}
	close_parts(&producer);
	if (code == EXIT_FINE)
		log_event(LOG_INFO, "stopped", LOG_STR("command", "producer"));
	waiter_destroy(producer.waiter);
	return code;
}
