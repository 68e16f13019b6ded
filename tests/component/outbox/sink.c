#include "sink.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

static int on_send(void *context, const struct outbox_row *row)
{
	struct sink *sink = context;
	(void)pthread_mutex_lock(&sink->lock);
	bool is_taken =
		sink->mode != SINK_REFUSE && (sink->max_held == 0 || sink->held < sink->max_held);
	if (is_taken) {
		sink->rows = xreallocarray(sink->rows, sink->count + 1, sizeof(*sink->rows));
		sink->rows[sink->count++] =
			(struct sink_row){.id = row->id,
					  .class = row->class,
					  .key = xstrndup(row->key, row->key_length),
					  .message = xstrndup(row->message, row->message_length)};
		sink->held++;
		if (sink->mode == SINK_ACKNOWLEDGE)
			(void)!write(sink->fd, &(uint64_t){1}, sizeof(uint64_t));
	}
	(void)pthread_mutex_unlock(&sink->lock);
	return is_taken ? 0 : -1;
}

static void on_serve(void *context)
{
	struct sink *sink = context;
	uint64_t ignored;
	(void)!read(sink->fd, &ignored, sizeof(ignored));
	(void)pthread_mutex_lock(&sink->lock);
	if (sink->is_rewinding) {
		sink->is_rewinding = false;
		sink->acknowledged = sink->count;
		sink->held = 0;
		outbox_rewind(sink->outbox);
	}
	while ((sink->mode == SINK_ACKNOWLEDGE || sink->steps > 0) &&
	       sink->acknowledged < sink->count) {
		sink->steps -= sink->steps > 0 ? 1 : 0;
		outbox_acknowledge(sink->outbox, sink->rows[sink->acknowledged++].id);
		sink->held--;
	}
	(void)pthread_mutex_unlock(&sink->lock);
}

static void wake(struct sink *sink)
{
	(void)!write(sink->fd, &(uint64_t){1}, sizeof(uint64_t));
}

void sink_init(struct sink *sink, enum sink_mode mode)
{
	*sink = (struct sink){.mode = mode, .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
	(void)pthread_mutex_init(&sink->lock, NULL);
	sink->drain = (struct outbox_drain){
		.context = sink, .send = on_send, .serve = on_serve, .fd = sink->fd};
}

void sink_finish(struct sink *sink)
{
	for (size_t i = 0; i < sink->count; i++) {
		free(sink->rows[i].key);
		free(sink->rows[i].message);
	}
	free(sink->rows);
	(void)close(sink->fd);
	(void)pthread_mutex_destroy(&sink->lock);
}

void sink_set_mode(struct sink *sink, enum sink_mode mode)
{
	(void)pthread_mutex_lock(&sink->lock);
	sink->mode = mode;
	(void)pthread_mutex_unlock(&sink->lock);
	wake(sink);
}

void sink_rewind(struct sink *sink)
{
	(void)pthread_mutex_lock(&sink->lock);
	sink->is_rewinding = true;
	(void)pthread_mutex_unlock(&sink->lock);
	wake(sink);
}

void sink_step(struct sink *sink)
{
	(void)pthread_mutex_lock(&sink->lock);
	sink->steps++;
	(void)pthread_mutex_unlock(&sink->lock);
	wake(sink);
}

size_t sink_count(struct sink *sink)
{
	(void)pthread_mutex_lock(&sink->lock);
	size_t count = sink->count;
	(void)pthread_mutex_unlock(&sink->lock);
	return count;
}

static void on_durable(void *context, size_t rows)
{
	struct sink *sink = context;
	sink->durable += rows;
}

static void on_trouble(void *context, const struct error *err)
{
	(void)err;
	struct sink *sink = context;
	sink->troubles++;
}

static void on_recovered(void *context)
{
	struct sink *sink = context;
	sink->recoveries++;
}

struct outbox_events sink_events(struct sink *sink)
{
	return (struct outbox_events){.context = sink,
				      .on_durable = on_durable,
				      .on_trouble = on_trouble,
				      .on_recovered = on_recovered};
}

static void die(const char *what, const char *why)
{
	(void)fprintf(stderr, "%s: %s\n", what, why);
	abort();
}

/* With OUTBOX_PAGE_BYTES in the environment a new file gets pages of that size, as older versions of ours made them. */
static void make_pages(const char *path)
{
	const char *bytes = getenv("OUTBOX_PAGE_BYTES");
	sqlite3 *db;
	if (bytes == NULL || access(path, F_OK) == 0)
		return;
	char *text = xasprintf("PRAGMA page_size = %s; VACUUM", bytes);
	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		die(text, sqlite3_errmsg(db));
	(void)sqlite3_close(db);
	free(text);
}

struct outbox *sink_open(struct sink *sink, const char *dir, enum outbox_durability durability,
			 int64_t max_rows)
{
	struct error err = {0};
	char *path = xasprintf("%s/outbox.db", dir);
	struct outbox_options options = {
		.path = path, .durability = durability, .max_rows = max_rows};
	struct outbox_events events = sink_events(sink);
	make_pages(path);
	struct outbox *outbox = outbox_open(&options, &events, &err);
	free(path);
	if (outbox == NULL)
		die("outbox_open", err.message);
	sink->outbox = outbox;
	if (outbox_start(outbox, &sink->drain, &err) != 0)
		die("outbox_start", err.message);
	return outbox;
}

void sink_append(struct outbox *outbox, int64_t number)
{
	char body[64];
	struct error err = {0};
	int length = snprintf(body, sizeof(body), "{\"n\":%lld}", (long long)number);
	if (outbox_append(outbox, number % 2 == 0 ? OUTBOX_CLASS_SUCCESS : OUTBOX_CLASS_FAILURE,
			  "site", 4, body, (size_t)length, &err) != 0)
		die("outbox_append", err.message);
}

static int64_t number_after(const char *message, const char *name)
{
	const char *place = strstr(message, name);
	if (place == NULL)
		die("message without a member", message);
	return strtoll(place + strlen(name), NULL, 10);
}

int64_t sink_number(const char *message)
{
	return number_after(message, "\"n\":");
}

int64_t sink_seq(const char *message)
{
	return number_after(message, "\"seq\":");
}

void sink_pause(void)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

bool sink_wait_empty(const struct outbox *outbox, int64_t timeout_ms)
{
	mono_us until = clock_mono_us() + timeout_ms * CLOCK_US_PER_MS;
	struct outbox_counts counts;
	for (;;) {
		outbox_count(outbox, &counts);
		if (counts.waiting_rows == 0 || clock_mono_us() >= until)
			return counts.waiting_rows == 0;
		sink_pause();
	}
}

char *sink_make_dir(void)
{
	const char *base = getenv("TMPDIR");
	char *dir = xasprintf("%s/websentry-outbox-XXXXXX", base == NULL ? "/tmp" : base);
	if (mkdtemp(dir) == NULL)
		die("mkdtemp", dir);
	return dir;
}

void sink_remove_dir(char *dir)
{
	DIR *listing = opendir(dir);
	struct dirent *entry;
	while (listing != NULL && (entry = readdir(listing)) != NULL) {
		char *name = xasprintf("%s/%s", dir, entry->d_name);
		if (unlink(name) != 0)
			(void)rmdir(name);
		free(name);
	}
	if (listing != NULL)
		(void)closedir(listing);
	(void)rmdir(dir);
	free(dir);
}

struct sink_copy sink_read_copy(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct stat status = {0};
	FILE *file = fopen(path, "rbe");
	free(path);
	if (file == NULL || fstat(fileno(file), &status) != 0)
		return (struct sink_copy){0};
	struct sink_copy copy = {.bytes = xmalloc((size_t)status.st_size + 1)};
	copy.size = fread(copy.bytes, 1, (size_t)status.st_size, file);
	(void)fclose(file);
	return copy;
}

void sink_write_copy(const char *dir, const char *name, const char *bytes, size_t size)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *file = fopen(path, "wbe");
	free(path);
	if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
		die(name, "can't be written");
}
