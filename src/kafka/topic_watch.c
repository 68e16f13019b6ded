#include "kafka/topic_watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"

enum { ASK_TIMEOUT_MS = 1000, CREATE_TIMEOUT_MS = 10000, PAUSE_S_MIN = 1, PAUSE_S_MAX = 5 };

struct topic_watch {
	rd_kafka_t *rk;
	char *topics[TOPIC_WATCH_MAX];
	size_t topic_count;
	bool is_creating;
	int wake_fd;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	bool is_wanted;
	bool is_stopping;
	bool is_news;
	struct topic_watch_view view;
	/* the owner's thread alone */
	bool is_missing_said[TOPIC_WATCH_MAX];
	/* the watch's thread alone */
	bool is_create_failure_said;
};

static void read_metadata(const struct topic_watch *watch, const struct rd_kafka_metadata *metadata,
			  struct topic_watch_view *view)
{
	*view = (struct topic_watch_view){.is_complete = true};
	for (size_t i = 0; i < watch->topic_count; i++) {
		for (int j = 0; j < metadata->topic_cnt; j++) {
			const struct rd_kafka_metadata_topic *topic = &metadata->topics[j];
			if (strcmp(topic->topic, watch->topics[i]) == 0 &&
			    (topic->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
			     topic->err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE))
				view->partitions[i] = topic->partition_cnt;
		}
		view->is_complete = view->is_complete && view->partitions[i] > 0;
	}
}

/* The event holds one result a topic. */
static void log_created(struct topic_watch *watch, rd_kafka_event_t *event)
{
	size_t count = 0;
	const rd_kafka_CreateTopics_result_t *result =
		event == NULL ? NULL : rd_kafka_event_CreateTopics_result(event);
	const rd_kafka_topic_result_t **topics =
		result == NULL ? NULL : rd_kafka_CreateTopics_result_topics(result, &count);
	for (size_t i = 0; i < count; i++) {
		rd_kafka_resp_err_t code = rd_kafka_topic_result_error(topics[i]);
		const char *name = rd_kafka_topic_result_name(topics[i]);
		if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
			log_event(LOG_INFO, "topic created", LOG_STR("topic", name));
		else if (code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS &&
			 !watch->is_create_failure_said) {
			const char *reason = rd_kafka_topic_result_error_string(topics[i]);
			watch->is_create_failure_said = true;
			log_event(LOG_WARN, "topic can't be created, trying on",
				  LOG_STR("topic", name),
				  LOG_STR("reason",
					  reason != NULL ? reason : rd_kafka_err2str(code)));
		}
	}
}

/* With the broker's own number of partitions and replicas. */
static void create_missing(struct topic_watch *watch, const struct topic_watch_view *view)
{
	rd_kafka_NewTopic_t *topics[TOPIC_WATCH_MAX];
	size_t count = 0;
	for (size_t i = 0; i < watch->topic_count; i++) {
		bool is_same = i > 0 && strcmp(watch->topics[0], watch->topics[i]) == 0;
		if (view->partitions[i] == 0 && !is_same)
			topics[count++] = rd_kafka_NewTopic_new(watch->topics[i], -1, -1, NULL, 0);
	}
	rd_kafka_queue_t *queue = rd_kafka_queue_new(watch->rk);
	rd_kafka_AdminOptions_t *options =
		rd_kafka_AdminOptions_new(watch->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	(void)rd_kafka_AdminOptions_set_request_timeout(options, CREATE_TIMEOUT_MS, NULL, 0);
	rd_kafka_CreateTopics(watch->rk, topics, count, options, queue);
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CREATE_TIMEOUT_MS);
	log_created(watch, event);
	if (event != NULL)
		rd_kafka_event_destroy(event);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_queue_destroy(queue);
	rd_kafka_NewTopic_destroy_array(topics, count);
}

/* Without the lock: this blocks. Returns whether there was an answer. */
static bool ask(struct topic_watch *watch, struct topic_watch_view *view)
{
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_resp_err_t code = rd_kafka_metadata(watch->rk, 1, NULL, &metadata, ASK_TIMEOUT_MS);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return false;
	read_metadata(watch, metadata, view);
	rd_kafka_metadata_destroy(metadata);
	if (!view->is_complete && watch->is_creating)
		create_missing(watch, view);
	return true;
}

static void rest(struct topic_watch *watch, int pause_s)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += pause_s;
	int result = 0;
	while (!watch->is_stopping && result == 0)
		result = pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
}

static void *run(void *context)
{
	struct topic_watch *watch = context;
	const uint64_t one = 1;
	int pause_s = PAUSE_S_MIN;
	(void)pthread_mutex_lock(&watch->lock);
	while (!watch->is_stopping) {
		if (!watch->is_wanted) {
			pause_s = PAUSE_S_MIN;
			(void)pthread_cond_wait(&watch->changed, &watch->lock);
			continue;
		}
		struct topic_watch_view view;
		(void)pthread_mutex_unlock(&watch->lock);
		bool is_answer = ask(watch, &view);
		(void)pthread_mutex_lock(&watch->lock);
		if (is_answer) {
			watch->view = view;
			watch->is_news = true;
			watch->is_wanted = !view.is_complete;
			(void)!write(watch->wake_fd, &one, sizeof(one));
		}
		if (watch->is_wanted)
			rest(watch, pause_s);
		if (pause_s < PAUSE_S_MAX)
			pause_s++;
	}
	(void)pthread_mutex_unlock(&watch->lock);
	return NULL;
}

static void watch_free(struct topic_watch *watch)
{
	for (size_t i = 0; i < watch->topic_count; i++)
		free(watch->topics[i]);
	(void)pthread_cond_destroy(&watch->changed);
	(void)pthread_mutex_destroy(&watch->lock);
	free(watch);
}

struct topic_watch *topic_watch_start(rd_kafka_t *rk, const char *const *topics, size_t topic_count,
				      bool is_creating, int wake_fd)
{
	struct topic_watch *watch = xcalloc(1, sizeof(*watch));
	pthread_condattr_t clock;
	watch->rk = rk;
	watch->topic_count = topic_count < TOPIC_WATCH_MAX ? topic_count : TOPIC_WATCH_MAX;
	for (size_t i = 0; i < watch->topic_count; i++)
		watch->topics[i] = xstrdup(topics[i]);
	watch->is_creating = is_creating;
	watch->wake_fd = wake_fd;
	watch->is_wanted = true;
	(void)pthread_mutex_init(&watch->lock, NULL);
	(void)pthread_condattr_init(&clock);
	(void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&watch->changed, &clock);
	(void)pthread_condattr_destroy(&clock);
	if (pthread_create(&watch->thread, NULL, run, watch) != 0) {
		watch_free(watch); /* nothing is sent without an answer, and the log says why */
		log_event(LOG_ERROR, "no thread to watch the Kafka topics");
		return NULL;
	}
	return watch;
}

void topic_watch_stop(struct topic_watch *watch)
{
	if (watch == NULL)
		return;
	(void)pthread_mutex_lock(&watch->lock);
	watch->is_stopping = true;
	(void)pthread_cond_signal(&watch->changed);
	(void)pthread_mutex_unlock(&watch->lock);
	(void)pthread_join(watch->thread, NULL);
	watch_free(watch);
}

void topic_watch_want(struct topic_watch *watch, bool is_wanted)
{
	(void)pthread_mutex_lock(&watch->lock);
	if (watch->is_wanted != is_wanted) {
		watch->is_wanted = is_wanted;
		(void)pthread_cond_signal(&watch->changed);
	}
	(void)pthread_mutex_unlock(&watch->lock);
}

bool topic_watch_look(struct topic_watch *watch, struct topic_watch_view *ret_view)
{
	(void)pthread_mutex_lock(&watch->lock);
	bool is_news = watch->is_news;
	struct topic_watch_view view = watch->view;
	watch->is_news = false;
	(void)pthread_mutex_unlock(&watch->lock);
	if (!is_news)
		return false;
	for (size_t i = 0; i < watch->topic_count; i++) {
		if (i > 0 && strcmp(watch->topics[i], watch->topics[0]) == 0)
			continue;
		if (view.partitions[i] == 0)
			topic_watch_lost(watch, i);
		else if (watch->is_missing_said[i])
			log_event(LOG_INFO, "topic found", LOG_STR("topic", watch->topics[i]),
				  LOG_INT("partitions", view.partitions[i]));
		watch->is_missing_said[i] = view.partitions[i] == 0;
	}
	*ret_view = view;
	return true;
}

void topic_watch_lost(struct topic_watch *watch, size_t topic_index)
{
	if (watch == NULL)
		return;
	/* one that we make ourselves is no news, and a failure to make it is said there */
	if (!watch->is_missing_said[topic_index] && !watch->is_creating)
		log_event(LOG_WARN, "topic missing", LOG_STR("topic", watch->topics[topic_index]));
	watch->is_missing_said[topic_index] = true;
	topic_watch_want(watch, true);
}
