#include "kafka/kafka_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/figures.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/priority.h"
#include "kafka/kafka_conf.h"
#include "kafka/kafka_config.h"

/* From any thread of librdkafka's. Its lines describe states, again and again: ours say what changed. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk;
	(void)level;
	log_event(LOG_DEBUG, "librdkafka", LOG_STR("facility", facility), LOG_STR("text", text));
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
	struct kafka_client *client = opaque;
	if (code == RD_KAFKA_RESP_ERR__FATAL) {
		figures_add(&client->figures->kafka.errors, 1);
		(void)rd_kafka_fatal_error(rk, client->reason, sizeof(client->reason));
		client->is_fatal = true;
		return;
	}
	kafka_client_complain(client, (rd_kafka_resp_err_t)code, reason);
}

/* A producer's: compressing and sending a backlog must not make checks late. */
static rd_kafka_resp_err_t on_thread_start(rd_kafka_t *rk, rd_kafka_thread_type_t type,
					   const char *name, void *context)
{
	(void)rk;
	(void)type;
	(void)name;
	(void)context;
	priority_give_way();
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *context,
				  char *reason, size_t reason_size)
{
	(void)conf;
	(void)context;
	(void)reason;
	(void)reason_size;
	return rd_kafka_interceptor_add_on_thread_start(rk, "priority", on_thread_start, NULL);
}

struct kafka_client *kafka_client_create(const struct kafka_client_setup *setup, struct error *err)
{
	char reason[512];
	const uint64_t one = 1;
	rd_kafka_conf_t *conf =
		kafka_conf_create(setup->config, setup->is_producer, setup->group, err);
	if (conf == NULL)
		return NULL;
	struct kafka_client *client = xcalloc(1, sizeof(*client));
	client->owner = setup->owner;
	client->figures = setup->figures;
	client->servers = xstrdup(setup->config->servers);
	client->wake_fd = fcntl(setup->wake_fd, F_DUPFD_CLOEXEC, 0);
	rd_kafka_conf_set_opaque(conf, client);
	rd_kafka_conf_set_log_cb(conf, on_log);
	rd_kafka_conf_set_error_cb(conf, on_error);
	if (setup->is_producer)
		(void)rd_kafka_conf_interceptor_add_on_new(conf, "priority", on_new, NULL);
	if (setup->on_delivery != NULL)
		rd_kafka_conf_set_dr_msg_cb(conf, setup->on_delivery);
	if (setup->on_rebalance != NULL)
		rd_kafka_conf_set_rebalance_cb(conf, setup->on_rebalance);
	if (setup->batch_messages != NULL)
		(void)rd_kafka_conf_set(conf, "batch.num.messages", setup->batch_messages, NULL, 0);
	client->rk = rd_kafka_new(setup->is_producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf,
				  reason, sizeof(reason));
	if (client->rk == NULL || client->wake_fd < 0) {
		error_set(err, ERROR_REJECT, "Kafka settings: %s",
			  client->rk == NULL ? reason : "no file descriptor left");
		if (client->rk == NULL)
			rd_kafka_conf_destroy(conf);
		kafka_client_destroy(client, 0);
		return NULL;
	}
	if (!setup->is_producer)
		(void)rd_kafka_poll_set_consumer(client->rk);
	rd_kafka_queue_t *queue = setup->is_producer ? rd_kafka_queue_get_main(client->rk)
						     : rd_kafka_queue_get_consumer(client->rk);
	rd_kafka_queue_io_event_enable(queue, client->wake_fd, &one, sizeof(one));
	rd_kafka_queue_destroy(queue);
	if (setup->topic_count > 0)
		client->watch = topic_watch_start(client->rk, setup->topics, setup->topic_count,
						  setup->is_creating_topics, client->wake_fd);
	return client;
}

static void *destroy(void *context)
{
	struct kafka_client *client = context;
	int done_fd = client->done_fd;
	topic_watch_stop(client->watch);
	if (client->rk != NULL)
		rd_kafka_destroy_flags(client->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	if (client->wake_fd >= 0)
		(void)close(client->wake_fd);
	free(client->servers);
	free(client);
	if (done_fd >= 0)
		(void)close(done_fd); /* which the other end of the pipe notices */
	return NULL;
}

/* Whether the other end of the pipe is closed by then. */
static bool wait_closed(int fd, mono_us until)
{
	struct pollfd end = {.fd = fd};
	for (;;) {
		mono_us left = until - clock_mono_us();
		int count = poll(&end, 1, left > 0 ? (int)(left / CLOCK_US_PER_MS) + 1 : 0);
		if (count > 0 || left <= 0)
			return count > 0;
	}
}

void kafka_client_destroy(struct kafka_client *client, int timeout_ms)
{
	mono_us until = clock_mono_us() + (mono_us)timeout_ms * CLOCK_US_PER_MS;
	pthread_t thread;
	int ends[2] = {-1, -1};
	if (client == NULL)
		return;
	(void)!pipe2(ends, O_CLOEXEC); /* without one, or without a thread, it may take its time */
	client->done_fd = ends[1];
	if (ends[0] < 0 || pthread_create(&thread, NULL, destroy, client) != 0)
		(void)destroy(client);
	else if (wait_closed(ends[0], until))
		(void)pthread_join(thread, NULL);
	else
		(void)pthread_detach(thread);
	if (ends[0] >= 0)
		(void)close(ends[0]);
}

void kafka_client_up(struct kafka_client *client)
{
	readiness_set(&client->figures->readiness, OBSTACLE_KAFKA_UNREACHABLE, false);
	if (!client->is_down)
		return;
	log_event(LOG_INFO, "kafka reachable", LOG_STR("servers", client->servers),
		  LOG_INT("after_ms", (clock_mono_us() - client->down_since) / CLOCK_US_PER_MS));
	client->is_down = false;
	client->is_refused = false;
	if (!client->is_fatal)
		client->reason[0] = '\0';
}

/*
 * librdkafka before 2.6.1 sends its nonce twice in SCRAM's last message, which Kafka takes up to 3.9 and refuses from 4.0 on,
 * in the words of a wrong password.
 */
static bool is_old_scram(const char *reason)
{
	const int first_right = 0x020601ff;
	return rd_kafka_version() < first_right && strstr(reason, "SCRAM") != NULL;
}

/* What a person can do about it. */
static const char *hint_of(rd_kafka_resp_err_t code, const char *reason)
{
	switch ((int)code) {
	case RD_KAFKA_RESP_ERR__SSL:
		return "check the Kafka CA, certificate and key files, and that the port speaks "
		       "TLS";
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
		return is_old_scram(reason)
			       ? "check sasl.username and sasl.password; Kafka 4 refuses SCRAM of "
				 "librdkafka before 2.6.1: use sasl.mechanism=PLAIN over TLS there"
			       : "check sasl.mechanism, sasl.username and sasl.password";
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
		return "ask for the rights on topic and group";
	default:
		return NULL;
	}
}

static void go_down(struct kafka_client *client)
{
	if (!client->is_down)
		client->down_since = clock_mono_us();
	client->is_down = true;
	readiness_set(&client->figures->readiness, OBSTACLE_KAFKA_UNREACHABLE, true);
	if (client->watch != NULL)
		topic_watch_want(client->watch, true); /* it finds out when they are back */
}

void kafka_client_complain(struct kafka_client *client, rd_kafka_resp_err_t code,
			   const char *reason)
{
	figures_add(&client->figures->kafka.errors, 1);
	log_event(LOG_DEBUG, "kafka error", LOG_STR("code", rd_kafka_err2name(code)),
		  LOG_STR("reason", reason));
	bool is_all_down = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
	if (is_all_down && client->reason[0] != '\0')
		reason = client->reason;
	/* A handshake that fails comes as an error of TLS or as a lost connection, by chance: one line for both. */
	bool is_tls = is_all_down && strstr(reason, "SSL routines") != NULL;
	const char *hint = hint_of(is_tls ? RD_KAFKA_RESP_ERR__SSL : code, reason);
	if (hint != NULL) {
		if (!client->is_refused)
			log_event(LOG_WARN, "kafka refuses us, trying on",
				  LOG_STR("servers", client->servers), LOG_STR("reason", reason),
				  LOG_STR("hint", hint));
		client->is_refused = true;
		go_down(client);
	} else if (is_all_down) {
		if (!client->is_down)
			log_event(LOG_WARN, "kafka unreachable, trying on",
				  LOG_STR("servers", client->servers), LOG_STR("reason", reason));
		go_down(client);
	} else {
		(void)strncpy(client->reason, reason, sizeof(client->reason) - 1);
	}
}

bool kafka_client_look(struct kafka_client *client, struct topic_watch_view *ret_view)
{
	if (client->watch == NULL || !topic_watch_look(client->watch, ret_view))
		return false;
	kafka_client_up(client);
	readiness_set(&client->figures->readiness, OBSTACLE_TOPIC_MISSING, !ret_view->is_complete);
	topic_watch_want(client->watch, !ret_view->is_complete);
	return true;
}
