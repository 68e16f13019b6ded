#include "app/storing.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/process.h"
#include "app/store_settings.h"
#include "base/log.h"
#include "base/memory.h"
#include "codec/report_decode.h"
#include "config/settings.h"

struct storing {
	struct waiter *waiter;
	struct writer *writer;
	struct writer_events events; /* the caller's */
	pthread_mutex_t lock;        /* over the two below */
	enum storing_state state;
	struct error failure;
	bool is_stopped; /* main thread */
};

int storing_decode(const char *bytes, size_t length, struct report_row *ret_row,
		   const char **ret_reason, char *ret_detail, size_t detail_size)
{
	enum decode_problem problem =
		report_decode(bytes, length, ret_row, ret_detail, detail_size);
	if (problem == DECODE_NONE)
		return 0;
	*ret_reason = decode_problem_name(problem);
	return -1;
}

/* --- the writer's thread --- */

static void set_state(struct storing *storing, enum storing_state state, const struct error *err)
{
	(void)pthread_mutex_lock(&storing->lock);
	storing->state = state;
	if (err != NULL)
		storing->failure = *err;
	(void)pthread_mutex_unlock(&storing->lock);
	waiter_wake(storing->waiter);
}

static void on_ready(void *context)
{
	struct storing *storing = context;
	set_state(storing, STORING_READY, NULL);
	if (storing->events.on_ready != NULL)
		storing->events.on_ready(storing->events.context);
}

static void on_failed(void *context, const struct error *err)
{
	struct storing *storing = context;
	set_state(storing, STORING_FAILED, err);
	if (storing->events.on_failed != NULL)
		storing->events.on_failed(storing->events.context, err);
}

static void on_committed(void *context, uint64_t generation, const struct position *positions,
			 size_t count, size_t inserted)
{
	struct storing *storing = context;
	if (storing->events.on_committed != NULL)
		storing->events.on_committed(storing->events.context, generation, positions, count,
					     inserted);
}

static void on_positions(void *context, uint64_t generation, const struct position *positions,
			 size_t count)
{
	struct storing *storing = context;
	if (storing->events.on_positions != NULL)
		storing->events.on_positions(storing->events.context, generation, positions, count);
}

static void on_put_back(void *context, uint64_t generation)
{
	struct storing *storing = context;
	if (storing->events.on_put_back != NULL)
		storing->events.on_put_back(storing->events.context, generation);
}

static void on_outclaimed(void *context, uint64_t generation)
{
	struct storing *storing = context;
	if (storing->events.on_outclaimed != NULL)
		storing->events.on_outclaimed(storing->events.context, generation);
}

static void on_room(void *context)
{
	struct storing *storing = context;
	if (storing->events.on_room != NULL)
		storing->events.on_room(storing->events.context);
}

/* --- main thread --- */

struct storing *storing_start(const struct settings *settings, struct waiter *waiter,
			      const struct writer_options *options,
			      const struct writer_events *events, struct error *err)
{
	struct store *store = store_settings_open(settings, STORE_WRITE, err);
	if (store == NULL)
		return NULL;
	struct storing *storing = xcalloc(1, sizeof(*storing));
	storing->waiter = waiter;
	storing->events = *events;
	(void)pthread_mutex_init(&storing->lock, NULL);
	struct writer_options complete = *options;
	complete.store = store;
	complete.may_migrate = !settings->no_migrate;
	complete.decode = storing_decode;
	const struct writer_events ours = {
		.context = storing,
		.on_committed = on_committed,
		.on_positions = on_positions,
		.on_put_back = on_put_back,
		.on_outclaimed = on_outclaimed,
		.on_room = on_room,
		.on_failed = on_failed,
		.on_ready = on_ready,
	};
	storing->writer = writer_start(&complete, &ours, err);
	if (storing->writer == NULL) {
		storing_destroy(storing);
		return NULL;
	}
	return storing;
}

enum storing_state storing_state(struct storing *storing, struct error *err)
{
	(void)pthread_mutex_lock(&storing->lock);
	enum storing_state state = storing->state;
	if (state == STORING_FAILED && err != NULL)
		*err = storing->failure;
	(void)pthread_mutex_unlock(&storing->lock);
	return state;
}

struct writer *storing_writer(const struct storing *storing)
{
	return storing->writer;
}

size_t storing_stop(struct storing *storing, int deadline_ms)
{
	if (storing->writer == NULL || storing->is_stopped)
		return 0;
	storing->is_stopped = true;
	return writer_stop(storing->writer, deadline_ms);
}

void storing_destroy(struct storing *storing)
{
	if (storing == NULL)
		return;
	(void)storing_stop(storing, 0);
	if (storing->writer != NULL && !writer_has_ended(storing->writer)) {
		/* its thread may still call back into all that would be released now; what it had is sent again */
		log_event(LOG_ERROR, "the store hangs, ending without it");
		_exit(EXIT_FAILED);
	}
	writer_destroy(storing->writer);
	(void)pthread_mutex_destroy(&storing->lock);
	free(storing);
}
