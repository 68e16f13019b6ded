/*
 * C11's threads by the names of POSIX, for ThreadSanitizer, which knows only those: librdkafka makes its threads with
 * thrd_create(), and to ThreadSanitizer such a thread came from nowhere. Linked into the tests of src/kafka/ when they are
 * built with -Db_sanitize=thread, where these functions take the place of the C library's; its types are the same objects
 * underneath.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "mtx_t is a pthread_mutex_t");
static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "cnd_t is a pthread_cond_t");
static_assert(sizeof(thrd_t) == sizeof(pthread_t), "thrd_t is a pthread_t");

struct start {
	thrd_start_t function;
	void *argument;
};

static int result_of(int code)
{
	switch (code) {
	case 0:
		return thrd_success;
	case EBUSY:
		return thrd_busy;
	case ETIMEDOUT:
		return thrd_timedout;
	case ENOMEM:
		return thrd_nomem;
	default:
		return thrd_error;
	}
}

static void *run(void *context)
{
	struct start start = *(struct start *)context;
	free(context);
	return (void *)(intptr_t)start.function(
		start.argument); /* NOLINT: a number, never followed */
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
	struct start *start = malloc(sizeof(*start));
	if (start == NULL)
		return thrd_nomem;
	*start = (struct start){.function = function, .argument = argument};
	int code = pthread_create(thread, NULL, run, start);
	if (code != 0)
		free(start);
	return result_of(code);
}

int thrd_join(thrd_t thread, int *ret_value)
{
	void *value = NULL;
	int code = pthread_join(thread, &value);
	if (ret_value != NULL)
		*ret_value = (int)(intptr_t)value;
	return result_of(code);
}

int thrd_detach(thrd_t thread)
{
	return result_of(pthread_detach(thread));
}

int mtx_init(mtx_t *mutex, int type)
{
	pthread_mutexattr_t attributes;
	(void)pthread_mutexattr_init(&attributes);
	if ((type & mtx_recursive) != 0)
		(void)pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	int code = pthread_mutex_init((pthread_mutex_t *)mutex, &attributes);
	(void)pthread_mutexattr_destroy(&attributes);
	return result_of(code);
}

void mtx_destroy(mtx_t *mutex)
{
	(void)pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int mtx_lock(mtx_t *mutex)
{
	return result_of(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

int mtx_trylock(mtx_t *mutex)
{
	return result_of(pthread_mutex_trylock((pthread_mutex_t *)mutex));
}

int mtx_unlock(mtx_t *mutex)
{
	return result_of(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

int cnd_init(cnd_t *condition)
{
	return result_of(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

void cnd_destroy(cnd_t *condition)
{
	(void)pthread_cond_destroy((pthread_cond_t *)condition);
}

int cnd_signal(cnd_t *condition)
{
	return result_of(pthread_cond_signal((pthread_cond_t *)condition));
}

int cnd_broadcast(cnd_t *condition)
{
	return result_of(pthread_cond_broadcast((pthread_cond_t *)condition));
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
	return result_of(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
		  const struct timespec *restrict until)
{
	return result_of(pthread_cond_timedwait((pthread_cond_t *)condition,
						(pthread_mutex_t *)mutex, until));
}
