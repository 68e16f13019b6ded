/* What sim_task.c (who runs when) and sim_thread.c (the C library's calls) share. */
#ifndef WEBSENTRY_SIM_TASK_PRIVATE_H
#define WEBSENTRY_SIM_TASK_PRIVATE_H

#include <poll.h>

#include "sim_fiber.h"
#include "sim_task.h"

enum { SIM_PROCESSES = 16, SIM_TASKS = 48, SIM_LATERS = 1024, SIM_POLLED = 2 };

enum sim_wait {
	SIM_WAIT_NOTHING,
	SIM_WAIT_TIME,
	SIM_WAIT_POLL,
	SIM_WAIT_MUTEX,
	SIM_WAIT_CONDITION,
	SIM_WAIT_JOIN,
	SIM_WAIT_ENDED,
};

struct sim_task {
	struct sim_process *process; /* NULL: free */
	struct sim_fiber *fiber;
	void *(*start)(void *);
	void *context;
	void *result;
	bool is_main;
	enum sim_wait wait;
	mono_us wake_at; /* INT64_MAX: never */
	const void *object;
	uint64_t seen; /* of a condition */
	struct pollfd polled[SIM_POLLED];
	size_t polled_count;
};

struct sim_task *sim_task_current(void);
struct sim_task *sim_task_create(struct sim_process *process, void *(*start)(void *),
				 void *context);
void sim_task_yield(void);

bool sim_descriptors_ready(const struct sim_task *task);
void sim_descriptors_close(const struct sim_process *process);
bool sim_mutex_is_free(const void *mutex);
uint64_t sim_condition_count(const void *condition);

#endif
