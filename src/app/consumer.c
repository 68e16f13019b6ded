/*
 * `websentry consumer`: Kafka -> subscriber -> writer -> store, with the page where --listen asks for it.
 *
 * The subscriber's thread posts messages to the writer's; the writer's thread says what is committed, and the subscriber
 * commits it in Kafka after that. Where to begin is the store's word (see kafka/subscriber.h).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "app/commands.h"
#include "app/kafka_settings.h"
#include "app/process.h"
#include "app/reload.h"
#include "app/site_reload.h"
#include "app/store_settings.h"
#include "app/storing.h"
#include "base/clock.h"
#include "base/figures.h"
#include "base/log.h"
#include "base/message.h"
#include "check/site.h"
#include "config/settings.h"
#include "kafka/subscriber.h"
#include "web/web.h"

enum {
	/* Messages between subscriber and writer. With what librdkafka has fetched they are more than a second's work: that is how long
	 * it may sleep before it fetches more (kafka_config.c). */
	CONSUMER_WAITING_MAX = 100000,
	ONCE_LOOK_MS = 100
};

struct consumer {
	const struct settings *settings;
	const struct site_list *sites;
	struct waiter *waiter;
	struct web *web;
	struct kafka_settings kafka;
	struct figures figures;
	const char *topics[2];
	size_t topic_count;
	struct storing *storing;
	pthread_mutex_t
		lock; /* over subscriber: the writer may answer before subscriber_start() returns */
	struct subscriber *subscriber;
	atomic_size_t
		progress;    /* messages taken, batches committed, steps of the group, for --once */
	atomic_bool is_done; /* with --once */
	atomic_bool is_assigned;
};

/* --- the subscriber's thread --- */

static bool on_message(void *context, struct message *taken)
{
	struct consumer *consumer = context;
	(void)atomic_fetch_add(&consumer->progress, 1);
	return writer_post(storing_writer(consumer->storing), taken);
}

static void on_assigned(void *context, uint64_t generation, const char *cluster_id,
			const struct position *positions, size_t count)
{
	struct consumer *consumer = context;
	if (count > 0)
		writer_ask_positions(storing_writer(consumer->storing), generation, cluster_id,
				     positions, count);
	if (!atomic_exchange(&consumer->is_assigned, true))
		waiter_wake(consumer->waiter);
}

static void on_revoked(void *context, uint64_t generation)
{
	struct consumer *consumer = context;
	writer_revoke(storing_writer(consumer->storing), generation);
}

static void on_progress(void *context)
{
	struct consumer *consumer = context;
	(void)atomic_fetch_add(&consumer->progress, 1);
}

static void on_done(void *context)
{
	struct consumer *consumer = context;
	atomic_store(&consumer->is_done, true);
	waiter_wake(consumer->waiter);
}

/* --- the writer's thread --- */

static struct subscriber *get_subscriber(struct consumer *consumer)
{
	(void)pthread_mutex_lock(&consumer->lock);
	struct subscriber *subscriber = consumer->subscriber;
	(void)pthread_mutex_unlock(&consumer->lock);
	return subscriber;
}

static void on_committed(void *context, uint64_t generation, const struct position *positions,
			 size_t count, size_t inserted)
{
	struct consumer *consumer = context;
	(void)atomic_fetch_add(&consumer->progress, 1);
	log_event(LOG_DEBUG, "batch stored", LOG_INT("inserted", inserted),
		  LOG_INT("partitions", count));
	subscriber_commit(get_subscriber(consumer), generation, positions, count);
}

static void on_positions(void *context, uint64_t generation, const struct position *positions,
			 size_t count)
{
	struct consumer *consumer = context;
	subscriber_begin(get_subscriber(consumer), generation, positions, count);
}

static void on_put_back(void *context, uint64_t generation)
{
	struct consumer *consumer = context;
	subscriber_begin_again(get_subscriber(consumer), generation);
}

static void on_outclaimed(void *context, uint64_t generation)
{
	struct consumer *consumer = context;
	subscriber_claim_again(get_subscriber(consumer), generation);
}

static void on_room(void *context)
{
	struct consumer *consumer = context;
	subscriber_resume(get_subscriber(consumer));
}

/* --- main thread --- */

static int open_parts(struct consumer *consumer, struct error *err)
{
	const struct settings *settings = consumer->settings;
	kafka_settings_init(&consumer->kafka, settings);
	consumer->topic_count = kafka_settings_topics(settings, consumer->topics);
	if (kafka_config_check(&consumer->kafka.config, false, err) != 0 ||
	    store_settings_start_web(settings, consumer->sites, true, &consumer->figures,
				     &consumer->web, err) != 0)
		return -1;
	const struct writer_options options = {
		.topics = consumer->topics,
		.topic_count = consumer->topic_count,
		.max_waiting = CONSUMER_WAITING_MAX,
		.figures = &consumer->figures,
	};
	const struct writer_events events = {
		.context = consumer,
		.on_committed = on_committed,
		.on_positions = on_positions,
		.on_put_back = on_put_back,
		.on_outclaimed = on_outclaimed,
		.on_room = on_room,
	};
	consumer->storing = storing_start(settings, consumer->waiter, &options, &events, err);
	return consumer->storing == NULL ? -1 : 0;
}

/* Once the store is there: join the group. */
static int start_subscriber(struct consumer *consumer, struct error *err)
{
	const struct subscriber_options options = {
		.config = &consumer->kafka.config,
		.group = consumer->settings->kafka_group,
		.topics = {consumer->topics[0], consumer->topics[1]},
		.topic_count = consumer->topic_count,
		.is_once = consumer->settings->is_once,
		.figures = &consumer->figures,
	};
	const struct subscriber_events events = {
		.context = consumer,
		.on_message = on_message,
		.on_assigned = on_assigned,
		.on_revoked = on_revoked,
		.on_progress = on_progress,
		.on_done = on_done,
	};
	(void)pthread_mutex_lock(&consumer->lock);
	consumer->subscriber = subscriber_start(&options, &events, err);
	(void)pthread_mutex_unlock(&consumer->lock);
	return consumer->subscriber == NULL ? -1 : 0;
}

/* How far the work has come: a step forward restarts --once-wait. */
struct patience {
	size_t progress;
	mono_us since;
};

static bool is_patience_over(const struct consumer *consumer, struct patience *patience)
{
	size_t progress = atomic_load(&consumer->progress);
	mono_us now = clock_mono_us();
	if (progress != patience->progress || patience->since == 0)
		*patience = (struct patience){.progress = progress, .since = now};
	return consumer->settings->is_once &&
	       now - patience->since > consumer->settings->once_wait_us;
}

static int say_failure(const struct error *err)
{
	log_event(LOG_ERROR, err->message);
	return err->kind == ERROR_REJECT ? EXIT_USAGE : EXIT_FAILED;
}

/* One turn of the main thread; returns whether to go on, else with the exit code. */
static bool take_turn(struct consumer *consumer, bool *is_ready, int *ret_code)
{
	struct error err = {0};
	enum storing_state state = storing_state(consumer->storing, &err);
	if (state == STORING_FAILED || (state == STORING_READY && consumer->subscriber == NULL &&
					start_subscriber(consumer, &err) != 0)) {
		*ret_code = say_failure(&err);
		return false;
	}
	if (!*is_ready && atomic_load(&consumer->is_assigned)) {
		*is_ready = true;
		readiness_set(&consumer->figures.readiness, OBSTACLE_STARTING, false);
		log_event(LOG_INFO, "ready", LOG_STR("command", "consumer"),
			  LOG_INT("topics", consumer->topic_count));
		process_notify("READY=1");
	}
	*ret_code = EXIT_FINE;
	return !atomic_load(&consumer->is_done);
}

static bool take_sites(void *context, struct site_list *sites)
{
	struct consumer *consumer = context;
	return site_reload(NULL, consumer->web, sites);
}

static int work(struct consumer *consumer, struct reload *reload)
{
	bool is_ready = false;
	int code = EXIT_FINE;
	struct patience patience = {0};
	while (take_turn(consumer, &is_ready, &code)) {
		if (is_patience_over(consumer, &patience)) {
			log_event(LOG_ERROR, "no progress in time, what is left stays in Kafka");
			return EXIT_FAILED;
		}
		enum wake wake = consumer->settings->is_once
					 ? waiter_wait(consumer->waiter, ONCE_LOOK_MS)
					 : reload_wait(reload, consumer->waiter);
		if (wake == WAKE_STOP)
			break;
	}
	return code;
}

/* Accepts every half-built state. What was taken is written, committed in Kafka, and then the group is left. */
static void close_parts(struct consumer *consumer)
{
	readiness_set(&consumer->figures.readiness, OBSTACLE_STOPPING, true);
	if (consumer->subscriber != NULL)
		subscriber_pause(consumer->subscriber);
	if (consumer->storing != NULL)
		(void)storing_stop(consumer->storing, STOP_DEADLINE_MS);
	if (consumer->subscriber != NULL)
		subscriber_stop(consumer->subscriber, STOP_DEADLINE_MS);
	storing_destroy(consumer->storing);
	subscriber_destroy(consumer->subscriber);
	web_stop(consumer->web);
	kafka_settings_finish(&consumer->kafka);
}

int command_consumer(const struct settings *settings, const struct site_list *sites)
{
	struct consumer consumer = {
		.settings = settings, .sites = sites, .waiter = waiter_create()};
	(void)pthread_mutex_init(&consumer.lock, NULL);
	figures_init(&consumer.figures,
		     FIGURES_KAFKA | FIGURES_SUBSCRIBER | FIGURES_STORE | FIGURES_AUDIT);
	struct error err = {0};
	const struct reload_target target = {.context = &consumer, .take = take_sites};
	struct reload *reload = reload_create(settings, &consumer.figures, &target);
	int code = open_parts(&consumer, &err) != 0 ? say_failure(&err) : work(&consumer, reload);
	reload_destroy(reload);
	close_parts(&consumer);
	if (code == EXIT_FINE)
		log_event(LOG_INFO, "stopped", LOG_STR("command", "consumer"));
	(void)pthread_mutex_destroy(&consumer.lock);
	waiter_destroy(consumer.waiter);
	return code;
}
