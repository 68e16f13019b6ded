#include "mock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void die(const char *what)
{
	(void)fprintf(stderr, "mock: %s failed\n", what);
	abort();
}

static void ignore_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk;
	(void)level;
	(void)facility;
	(void)text;
}

static rd_kafka_t *handle_create(rd_kafka_type_t type, const char *servers, const char *group)
{
	char reason[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_conf_set_log_cb(conf, ignore_log);
	if (servers != NULL)
		(void)rd_kafka_conf_set(conf, "bootstrap.servers", servers, NULL, 0);
	if (group != NULL)
		(void)rd_kafka_conf_set(conf, "group.id", group, NULL, 0);
	rd_kafka_t *rk = rd_kafka_new(type, conf, reason, sizeof(reason));
	if (rk == NULL)
		die(reason);
	return rk;
}

void mock_start(struct mock *mock)
{
	*mock = (struct mock){.rk = handle_create(RD_KAFKA_PRODUCER, NULL, NULL)};
	mock->cluster = rd_kafka_mock_cluster_new(mock->rk, 1);
	if (mock->cluster == NULL)
		die("rd_kafka_mock_cluster_new");
	mock->config = (struct kafka_config){
		.servers = rd_kafka_mock_cluster_bootstraps(mock->cluster), .client_id = "test"};
}

void mock_stop(struct mock *mock)
{
	rd_kafka_mock_cluster_destroy(mock->cluster);
	rd_kafka_destroy(mock->rk);
}

void mock_create_topic(struct mock *mock, const char *topic, int partitions)
{
	if (rd_kafka_mock_topic_create(mock->cluster, topic, partitions, 1) !=
	    RD_KAFKA_RESP_ERR_NO_ERROR)
		die("rd_kafka_mock_topic_create");
}

void mock_produce(struct mock *mock, const char *topic, int32_t partition, const char *prefix,
		  int count)
{
	rd_kafka_t *rk = handle_create(RD_KAFKA_PRODUCER, mock->config.servers, NULL);
	for (int i = 0; i < count; i++) {
		char value[64];
		(void)snprintf(value, sizeof(value), "%s%d", prefix, i);
		if (rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
				      RD_KAFKA_V_VALUE(value, strlen(value)),
				      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
				      RD_KAFKA_V_END) != 0)
			die("rd_kafka_producev");
	}
	if (rd_kafka_flush(rk, 20000) != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("rd_kafka_flush");
	rd_kafka_destroy(rk);
}

int64_t mock_count(struct mock *mock, const char *topic, int partitions)
{
	int64_t count = 0;
	rd_kafka_t *rk = handle_create(RD_KAFKA_CONSUMER, mock->config.servers, "mock");
	for (int32_t i = 0; i < partitions; i++) {
		int64_t low = 0;
		int64_t high = 0;
		if (rd_kafka_query_watermark_offsets(rk, topic, i, &low, &high, 20000) != 0)
			die("rd_kafka_query_watermark_offsets");
		count += high - low;
	}
	rd_kafka_destroy(rk);
	return count;
}

int64_t mock_committed(struct mock *mock, const char *group, const char *topic, int32_t partition)
{
	rd_kafka_t *rk = handle_create(RD_KAFKA_CONSUMER, mock->config.servers, group);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	(void)rd_kafka_topic_partition_list_add(list, topic, partition);
	if (rd_kafka_committed(rk, list, 20000) != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("rd_kafka_committed");
	int64_t offset = list->elems[0].offset;
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(rk);
	return offset;
}

void mock_commit(struct mock *mock, const char *group, const char *topic, int32_t partition,
		 int64_t offset)
{
	rd_kafka_t *rk = handle_create(RD_KAFKA_CONSUMER, mock->config.servers, group);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
	if (rd_kafka_commit(rk, list, 0) != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("rd_kafka_commit");
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(rk);
}

void mock_pause(void)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}
