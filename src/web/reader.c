/*
 * reader_current()          the reader's thread
 *   figures are old? ask --> read the store, render, publish
 *   wait a little       <--- signal
 *   take the newest
 *
 * The mutex guards the fields below it; the store, and the making of a snapshot and a rendering, belong to the thread
 * alone. The snapshot is const once published, so that a hanging read can be announced from the web thread: with the
 * snapshot before it.
 */
#include "web/reader.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/figures.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/store.h"
#include "web/api.h"
#include "web/page.h"
#include "web/snapshot.h"

struct reader {
	struct store *store;
	struct snapshot_names names;
	char *title;
	int64_t hole_after_us;
	mono_us holes_at;        /* the reader's thread only: count what is missing not before */
	struct figures *figures; /* not after is_stopping: they are the caller's */
	pthread_t thread;
	mono_us started_at;
	bool is_failing; /* the reader's thread only: log changes, not states */

	pthread_mutex_t mutex;
	pthread_cond_t asked;     /* to the reader's thread */
	pthread_cond_t published; /* to whoever waits */
	bool is_asked;
	bool is_reading;
	bool is_stopping;
	bool is_ended;     /* the thread's last word, before it is joined */
	bool is_abandoned; /* nobody joins it: it cleans up after itself */
	bool has_snapshot;
	bool is_hang_announced;
	mono_us asked_at;
	struct snapshot_names next_names; /* for the next read, where has_next_names */
	bool has_next_names;
	int64_t missing;     /* reports, as last counted */
	mono_us finished_at; /* 0 before the first read */
	struct snapshot snapshot;
	struct rendering *rendering;
};

void rendering_release(struct rendering *rendering)
{
	if (rendering == NULL ||
	    __atomic_sub_fetch(&rendering->references, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	buffer_finish(&rendering->page);
	buffer_finish(&rendering->board);
	buffer_finish(&rendering->sites_json);
	free(rendering);
}

/* missing: reports that the audit misses. */
static struct rendering *render(const struct snapshot *snapshot, bool is_stale, const char *title,
				int64_t missing)
{
	struct rendering *rendering = xcalloc(1, sizeof(*rendering));
	const struct page_facts facts = {
		.snapshot = snapshot,
		.is_stale = is_stale,
		.title = title,
		.missing = missing,
		.now = clock_wall_us(),
	};
	buffer_init(&rendering->board, PAGE_MAX);
	buffer_init(&rendering->page, PAGE_MAX);
	buffer_init(&rendering->sites_json, API_MAX);
	page_write_board(&rendering->board, &facts);
	page_write(&rendering->page, &facts, &rendering->board);
	if (snapshot != NULL) {
		api_write_sites(&rendering->sites_json, snapshot);
		rendering->read_at = snapshot->read_at;
	}
	rendering->is_ready = snapshot != NULL;
	rendering->is_stale = is_stale;
	rendering->hash = page_hash(&facts);
	rendering->references = 1;
	return rendering;
}

/* With the mutex held. */
static void publish(struct reader *reader, struct rendering *rendering)
{
	rendering_release(reader->rendering);
	reader->rendering = rendering;
	(void)pthread_cond_broadcast(&reader->published);
}

/* With the mutex held. In `web` nobody else knows the store. */
static void note_store(struct reader *reader, bool is_there)
{
	if (!reader->is_stopping && (reader->figures->sections & FIGURES_PAGE) != 0)
		readiness_set(&reader->figures->readiness, OBSTACLE_STORE_AWAY, !is_there);
}

static bool is_starting(const struct reader *reader)
{
	mono_us grace_us = (mono_us)READER_GRACE_MS * CLOCK_US_PER_MS;
	return !reader->has_snapshot && clock_mono_us() - reader->started_at < grace_us;
}

/* Where this process has a writer as well, that one makes the tables first: until then there is nothing to ask for. */
static bool is_store_awaited(const struct reader *reader)
{
	return !reader->has_snapshot && (reader->figures->sections & FIGURES_STORE) != 0 &&
	       readiness_is_there(&reader->figures->readiness, OBSTACLE_STORE_AWAY, NULL);
}

static int read_sites(struct reader *reader, struct snapshot *snapshot, struct error *err)
{
	if (is_store_awaited(reader)) {
		error_set(err, ERROR_RETRY, "the writer has not found it yet");
		return -1;
	}
	return store_read_sites(reader->store, snapshot_add, snapshot, err);
}

/* The names are the reader's thread's alone. */
static void take_names(struct reader *reader)
{
	(void)pthread_mutex_lock(&reader->mutex);
	if (reader->has_next_names) {
		snapshot_names_finish(&reader->names);
		reader->names = reader->next_names;
		reader->next_names = (struct snapshot_names){0};
		reader->has_next_names = false;
	}
	(void)pthread_mutex_unlock(&reader->mutex);
}

/* Returns whether the store answered; a change is logged. */
static bool read_store(struct reader *reader, struct snapshot *snapshot)
{
	struct error err = {0};
	snapshot_init(snapshot);
	take_names(reader);
	bool is_read = read_sites(reader, snapshot, &err) == 0;
	if (is_read)
		snapshot_complete(snapshot, &reader->names, clock_wall_us());
	else
		snapshot_finish(snapshot);
	if (!is_read && is_starting(reader))
		return false;
	if (!is_read && !reader->is_failing)
		log_event(LOG_WARN, "page can't read the store, shows old figures",
			  LOG_STR("error", err.message));
	if (is_read && reader->is_failing)
		log_event(LOG_INFO, "page reads the store again");
	reader->is_failing = !is_read;
	return is_read;
}

/* Returns whether the store answered. */
static bool refresh(struct reader *reader)
{
	struct snapshot fresh;
	bool is_read = read_store(reader, &fresh);
	/* Only this thread replaces the snapshot, so it may be read here without the mutex. */
	const struct snapshot *shown = is_read                ? &fresh
				       : reader->has_snapshot ? &reader->snapshot
							      : NULL;
	struct rendering *rendering =
		render(shown, !is_read && !is_starting(reader), reader->title, reader->missing);

	(void)pthread_mutex_lock(&reader->mutex);
	if (is_read) {
		snapshot_finish(&reader->snapshot);
		reader->snapshot = fresh;
		reader->has_snapshot = true;
	}
	reader->finished_at = clock_mono_us();
	reader->is_reading = false;
	reader->is_hang_announced = false;
	note_store(reader, is_read);
	publish(reader, rendering);
	(void)pthread_mutex_unlock(&reader->mutex);
	return is_read;
}

/* After the sites, which somebody may wait for: this may take a second. The store remembers the answer for a while. */
static void count_missing(struct reader *reader)
{
	struct store_audit_holes holes;
	struct error err;
	if (clock_mono_us() < reader->holes_at)
		return;
	if (store_audit_holes(reader->store, reader->hole_after_us, &holes, &err) != 0) {
		/* the age of the figure tells; a lack of rights is no news each second */
		log_event(LOG_DEBUG, "missing reports can't be counted",
			  LOG_STR("error", err.message));
		reader->holes_at =
			clock_mono_us() + (mono_us)READER_HOLES_RETRY_MS * CLOCK_US_PER_MS;
		return;
	}
	struct rendering *rendering = NULL;
	if (holes.reports != reader->missing)
		rendering = render(&reader->snapshot, false, reader->title, holes.reports);
	(void)pthread_mutex_lock(&reader->mutex);
	reader->missing = holes.reports;
	if (rendering != NULL)
		publish(reader, rendering);
	if (!reader->is_stopping) {
		figures_set(&reader->figures->audit.missing_reports, holes.reports);
		figures_set(&reader->figures->audit.missing_producers, holes.producers);
		figures_set(&reader->figures->audit.looked_at, clock_wall_us());
	}
	(void)pthread_mutex_unlock(&reader->mutex);
}

static void reader_destroy(struct reader *reader)
{
	(void)pthread_cond_destroy(&reader->published);
	(void)pthread_cond_destroy(&reader->asked);
	(void)pthread_mutex_destroy(&reader->mutex);
	rendering_release(reader->rendering);
	snapshot_finish(&reader->snapshot);
	snapshot_names_finish(&reader->names);
	snapshot_names_finish(&reader->next_names);
	free(reader->title);
	store_close(reader->store);
	free(reader);
}

static void *reader_main(void *context)
{
	struct reader *reader = context;
	(void)pthread_mutex_lock(&reader->mutex);
	while (!reader->is_stopping) {
		if (!reader->is_asked) {
			(void)pthread_cond_wait(&reader->asked, &reader->mutex);
			continue;
		}
		reader->is_asked = false;
		reader->is_reading = true;
		(void)pthread_mutex_unlock(&reader->mutex);
		if (refresh(reader))
			count_missing(reader);
		(void)pthread_mutex_lock(&reader->mutex);
	}
	bool is_abandoned = reader->is_abandoned;
	reader->is_ended = true;
	(void)pthread_cond_broadcast(&reader->published);
	(void)pthread_mutex_unlock(&reader->mutex);
	if (is_abandoned)
		reader_destroy(reader);
	return NULL;
}

static void ask(struct reader *reader)
{
	reader->is_asked = true;
	reader->asked_at = clock_mono_us();
	(void)pthread_cond_signal(&reader->asked);
}

static bool is_busy(const struct reader *reader)
{
	return reader->is_asked || reader->is_reading;
}

static struct timespec timespec_of(mono_us time)
{
	return (struct timespec){
		.tv_sec = (time_t)(time / CLOCK_US_PER_S),
		.tv_nsec = (long)(time % CLOCK_US_PER_S) * 1000,
	};
}

/* With the mutex held. */
static void ask_if_old(struct reader *reader)
{
	mono_us fresh_us = (mono_us)(reader->has_snapshot ? READER_FRESH_MS : READER_RETRY_MS) *
			   CLOCK_US_PER_MS;
	if (!is_busy(reader) && clock_mono_us() - reader->finished_at >= fresh_us)
		ask(reader);
}

void reader_set_names(struct reader *reader, struct snapshot_names *names)
{
	(void)pthread_mutex_lock(&reader->mutex);
	snapshot_names_finish(&reader->next_names);
	reader->next_names = *names;
	reader->has_next_names = true;
	(void)pthread_mutex_unlock(&reader->mutex);
	*names = (struct snapshot_names){0};
}

void reader_ask(struct reader *reader)
{
	(void)pthread_mutex_lock(&reader->mutex);
	ask_if_old(reader);
	(void)pthread_mutex_unlock(&reader->mutex);
}

struct rendering *reader_current(struct reader *reader)
{
	(void)pthread_mutex_lock(&reader->mutex);
	ask_if_old(reader);
	/* The deadline counts from the question: a store that hangs costs its first viewer half a second, and no other one. */
	struct timespec deadline =
		timespec_of(reader->asked_at + (mono_us)READER_WAIT_MS * CLOCK_US_PER_MS);
	int status = 0;
	while (is_busy(reader) && status == 0)
		status = pthread_cond_timedwait(&reader->published, &reader->mutex, &deadline);
	mono_us hang_us = (mono_us)READER_HANG_MS * CLOCK_US_PER_MS;
	if (is_busy(reader) && !reader->is_hang_announced &&
	    clock_mono_us() - reader->asked_at >= hang_us) {
		reader->is_hang_announced = true;
		note_store(reader, false);
		publish(reader, render(reader->has_snapshot ? &reader->snapshot : NULL, true,
				       reader->title, reader->missing));
	}
	struct rendering *rendering = reader->rendering;
	(void)__atomic_add_fetch(&rendering->references, 1, __ATOMIC_RELAXED);
	(void)pthread_mutex_unlock(&reader->mutex);
	return rendering;
}

struct reader *reader_start(struct store *store, struct snapshot_names *names, const char *title,
			    struct figures *figures, int64_t hole_after_us, struct error *err)
{
	struct reader *reader = xcalloc(1, sizeof(*reader));
	pthread_condattr_t monotonic;
	reader->store = store;
	reader->names = *names;
	*names = (struct snapshot_names){0};
	reader->title = xstrdup(title);
	reader->figures = figures;
	reader->hole_after_us = hole_after_us;
	reader->rendering = render(NULL, false, title, 0);
	reader->started_at = clock_mono_us();
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&reader->mutex, NULL);
	(void)pthread_cond_init(&reader->asked, NULL);
	(void)pthread_cond_init(&reader->published, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	ask(reader);

	int status = pthread_create(&reader->thread, NULL, reader_main, reader);
	if (status != 0) {
		error_set_errno(err, ERROR_FATAL, status, "start the page's reader thread");
		reader_destroy(reader);
		return NULL;
	}
	(void)pthread_setname_np(reader->thread, "page-reader");
	return reader;
}

void reader_stop(struct reader *reader)
{
	if (reader == NULL)
		return;
	(void)pthread_mutex_lock(&reader->mutex);
	reader->is_stopping = true;
	(void)pthread_cond_signal(&reader->asked);
	struct timespec deadline =
		timespec_of(clock_mono_us() + (mono_us)READER_STOP_MS * CLOCK_US_PER_MS);
	int status = 0;
	while (!reader->is_ended && status == 0)
		status = pthread_cond_timedwait(&reader->published, &reader->mutex, &deadline);
	bool is_ended = reader->is_ended;
	reader->is_abandoned = !is_ended;
	pthread_t thread = reader->thread;
	(void)pthread_mutex_unlock(&reader->mutex);
	if (!is_ended) {
		(void)pthread_detach(thread);
		return;
	}
	(void)pthread_join(thread, NULL);
	reader_destroy(reader);
}
