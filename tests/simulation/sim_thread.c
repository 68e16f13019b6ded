/*
 * The C library's calls that wait, wake or tell the time, for the tasks of sim_task.c. The linker sends the program's calls
 * here (--wrap, see meson.build).
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/uuid.h"
#include "sim_random.h"
#include "sim_task_private.h"

/* 2026-11-21T00:00:00Z */
#define WALL_START (INT64_C(1795219200) * CLOCK_US_PER_S)
enum { FIRST_DESCRIPTOR = 1000, DESCRIPTORS = 128 };

/* --- descriptors: eventfds, all of them --- */

struct descriptor {
	const struct sim_process *process; /* NULL: closed */
	uint64_t value;
};

static struct descriptor descriptors[DESCRIPTORS];

static struct descriptor *descriptor_of(int fd)
{
	assert(fd >= FIRST_DESCRIPTOR && fd < FIRST_DESCRIPTOR + DESCRIPTORS);
	struct descriptor *found = &descriptors[fd - FIRST_DESCRIPTOR];
	assert(found->process != NULL);
	return found;
}

int __wrap_eventfd(unsigned int value, int flags);
int __wrap_eventfd(unsigned int value, int flags)
{
	(void)flags;
	for (int i = 0; i < DESCRIPTORS; i++) {
		if (descriptors[i].process != NULL)
			continue;
		descriptors[i] =
			(struct descriptor){.process = sim_process_current(), .value = value};
		return FIRST_DESCRIPTOR + i;
	}
	errno = EMFILE;
	return -1;
}

ssize_t __wrap_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
	struct descriptor *descriptor = descriptor_of(fd);
	assert(size == sizeof(descriptor->value));
	if (descriptor->value == 0) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(buffer, &descriptor->value, size);
	descriptor->value = 0;
	return (ssize_t)size;
}

ssize_t __wrap_write(int fd, const void *buffer, size_t size);
ssize_t __wrap_write(int fd, const void *buffer, size_t size)
{
	uint64_t value;
	assert(size == sizeof(value));
	memcpy(&value, buffer, size);
	descriptor_of(fd)->value += value;
	return (ssize_t)size;
}

int __wrap_close(int fd);
int __wrap_close(int fd)
{
	descriptor_of(fd)->process = NULL;
	return 0;
}

void sim_task_signal(int fd)
{
	if (fd >= 0)
		descriptor_of(fd)->value++;
}

void sim_descriptors_close(const struct sim_process *process)
{
	for (int i = 0; i < DESCRIPTORS; i++)
		if (descriptors[i].process == process)
			descriptors[i].process = NULL;
}

bool sim_descriptors_ready(const struct sim_task *task)
{
	for (size_t i = 0; i < task->polled_count; i++)
		if (task->polled[i].fd >= 0 && descriptor_of(task->polled[i].fd)->value > 0)
			return true;
	return false;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	struct sim_task *task = sim_task_current();
	assert(count <= SIM_POLLED);
	task->polled_count = count;
	if (count > 0)
		memcpy(task->polled, fds, count * sizeof(*fds));
	task->wait = SIM_WAIT_POLL;
	task->wake_at =
		timeout_ms < 0 ? INT64_MAX : sim_now() + (mono_us)timeout_ms * CLOCK_US_PER_MS;
	sim_task_yield();
	int ready = 0;
	for (nfds_t i = 0; i < count; i++) {
		bool is_ready = fds[i].fd >= 0 && descriptor_of(fds[i].fd)->value > 0;
		fds[i].revents = is_ready ? POLLIN : 0;
		ready += is_ready ? 1 : 0;
	}
	return ready;
}

/* --- mutexes and conditions; both live in the memory that the program has for them --- */

struct mutex {
	const struct sim_task *owner;
};

struct condition {
	uint64_t signals;
};

_Static_assert(sizeof(struct mutex) <= sizeof(pthread_mutex_t), "a mutex has room for ours");
_Static_assert(sizeof(struct condition) <= sizeof(pthread_cond_t), "a condition has room for ours");

bool sim_mutex_is_free(const void *mutex)
{
	return ((const struct mutex *)mutex)->owner == NULL;
}

uint64_t sim_condition_count(const void *condition)
{
	return ((const struct condition *)condition)->signals;
}

int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
	(void)attributes;
	memset(mutex, 0, sizeof(*mutex));
	return 0;
}

int __wrap_pthread_mutex_destroy(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_destroy(pthread_mutex_t *mutex)
{
	assert(sim_mutex_is_free(mutex));
	return 0;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	struct mutex *ours = (struct mutex *)mutex;
	struct sim_task *task = sim_task_current();
	assert(ours->owner == NULL || ours->owner != task);
	while (ours->owner != NULL) {
		task->wait = SIM_WAIT_MUTEX;
		task->object = mutex;
		sim_task_yield();
	}
	ours->owner = task;
	return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	struct mutex *ours = (struct mutex *)mutex;
	assert(ours->owner == sim_task_current());
	ours->owner = NULL;
	return 0;
}

int __wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes);
int __wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes)
{
	(void)attributes;
	memset(condition, 0, sizeof(*condition));
	return 0;
}

int __wrap_pthread_cond_destroy(pthread_cond_t *condition);
int __wrap_pthread_cond_destroy(pthread_cond_t *condition)
{
	(void)condition;
	return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *condition);
int __wrap_pthread_cond_broadcast(pthread_cond_t *condition)
{
	((struct condition *)condition)->signals++;
	return 0;
}

int __wrap_pthread_cond_signal(pthread_cond_t *condition);
int __wrap_pthread_cond_signal(pthread_cond_t *condition)
{
	return __wrap_pthread_cond_broadcast(condition);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
				  const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
				  const struct timespec *until)
{
	struct sim_task *task = sim_task_current();
	const struct condition *ours = (const struct condition *)condition;
	task->wake_at = until->tv_sec * CLOCK_US_PER_S + until->tv_nsec / 1000;
	task->object = condition;
	task->seen = ours->signals;
	uint64_t seen = ours->signals;
	(void)__wrap_pthread_mutex_unlock(mutex);
	task->wait = SIM_WAIT_CONDITION;
	sim_task_yield();
	(void)__wrap_pthread_mutex_lock(mutex);
	return ours->signals != seen ? 0 : ETIMEDOUT;
}

/* --- threads --- */

int __wrap_pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
			  void *(*start)(void *), void *context);
int __wrap_pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
			  void *(*start)(void *), void *context)
{
	(void)attributes;
	*ret_thread = (pthread_t)sim_task_create(sim_process_current(), start, context);
	return 0;
}

int __wrap_pthread_join(pthread_t thread, void **ret_result);
int __wrap_pthread_join(pthread_t thread, void **ret_result)
{
	struct sim_task *joined = (struct sim_task *)thread;
	struct sim_task *task = sim_task_current();
	while (joined->wait != SIM_WAIT_ENDED) {
		task->wait = SIM_WAIT_JOIN;
		task->object = joined;
		sim_task_yield();
	}
	if (ret_result != NULL)
		*ret_result = joined->result;
	joined->process = NULL;
	return 0;
}

int __wrap_pthread_setname_np(pthread_t thread, const char *name);
int __wrap_pthread_setname_np(pthread_t thread, const char *name)
{
	(void)thread;
	(void)name;
	return 0;
}

int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *ret_old);
int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *ret_old)
{
	(void)how;
	(void)set;
	(void)ret_old;
	return 0;
}

/* --- time and chance --- */

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	const struct sim_process *process = sim_process_current();
	int64_t us = sim_now();
	if (clock == CLOCK_REALTIME)
		us += WALL_START + (process == NULL ? 0 : process->wall_error);
	*ret_time = (struct timespec){.tv_sec = us / CLOCK_US_PER_S,
				      .tv_nsec = us % CLOCK_US_PER_S * 1000};
	return 0;
}

struct uuid __wrap_uuid_random(void);
struct uuid __wrap_uuid_random(void)
{
	struct uuid uuid;
	for (size_t i = 0; i < sizeof(uuid.bytes); i++)
		uuid.bytes[i] = (uint8_t)sim_random();
	return uuid;
}
