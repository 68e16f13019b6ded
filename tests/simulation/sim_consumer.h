/*
 * A consumer: the process `websentry consumer`, again and again. The subscriber and the writer are the real ones, joined as
 * app/consumer.c and app/storing.c join them; the decoder knows the simulation's own messages.
 */
#ifndef WEBSENTRY_SIM_CONSUMER_H
#define WEBSENTRY_SIM_CONSUMER_H

#include <pthread.h>

#include "kafka/kafka_config.h"
#include "sim_task.h"

struct subscriber;
struct writer;

struct sim_consumer {
	const char *name;
	struct sim_process *process; /* NULL: none runs */
	size_t max_waiting;
	bool is_asked_to_stop;

	/* the process's own */
	pthread_mutex_t lock; /* over subscriber */
	struct kafka_config config;
	struct writer *writer;
	struct subscriber *subscriber;
	bool is_ready;
};

void sim_consumer_start(struct sim_consumer *consumer);

#endif
