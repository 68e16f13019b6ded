/*
 * A drain that a test looks into and steers from outside: it records what it was given, and acknowledges at once, later
 * or never. Also a folder of the test's own and small helpers that every outbox test needs.
 */
#ifndef WEBSENTRY_TESTS_COMPONENT_OUTBOX_SINK_H
#define WEBSENTRY_TESTS_COMPONENT_OUTBOX_SINK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outbox/outbox.h"

enum sink_mode {
	SINK_ACKNOWLEDGE, /* each row with the next serve */
	SINK_HOLD,        /* takes rows, acknowledges none */
	SINK_REFUSE,      /* takes none */
	SINK_STEP,        /* takes rows, acknowledges one for each sink_step() */
};

struct sink_row {
	int64_t id;
	enum outbox_class class;
	char *key;
	char *message;
};

struct sink {
	struct outbox_drain drain;
	pthread_mutex_t lock;
	struct outbox *outbox;
	enum sink_mode mode;
	bool is_rewinding; /* with the next serve */
	size_t max_held;   /* takes no more than this many unacknowledged ones; 0: any number */
	size_t held;
	struct sink_row *rows; /* everything taken, in order */
	size_t count;
	size_t steps;        /* that were not taken yet */
	size_t acknowledged; /* rows before this one are */
	_Atomic size_t durable;
	_Atomic size_t troubles;
	_Atomic size_t recoveries;
	int fd;
};

void sink_init(struct sink *sink, enum sink_mode mode);
void sink_finish(struct sink *sink);
void sink_set_mode(struct sink *sink, enum sink_mode mode);
void sink_rewind(struct sink *sink);
void sink_step(struct sink *sink);
size_t sink_count(struct sink *sink);

/* Events that count into the sink. */
struct outbox_events sink_events(struct sink *sink);

/* Open dir/outbox.db and start it with the sink; fails the test where that does not work. */
struct outbox *sink_open(struct sink *sink, const char *dir, enum outbox_durability durability,
			 int64_t max_rows);

/* Append {"n":number} with key "site" and let the test fail where it is refused. */
void sink_append(struct outbox *outbox, int64_t number);

/* The n and the seq of a message that sink_append() made. */
int64_t sink_number(const char *message);
int64_t sink_seq(const char *message);

/* Wait until the condition holds; fails the test after two minutes (valgrind is slow). */
#define SINK_WAIT_FOR(condition)                                                                   \
	do {                                                                                       \
		for (int tries_ = 0; !(condition); tries_++) {                                     \
			if (tries_ > 120000)                                                       \
				fail_msg("waited in vain for %s", #condition);                     \
			sink_pause();                                                              \
		}                                                                                  \
	} while (0)
void sink_pause(void); /* 1 ms */

/* Wait until nothing waits in the outbox any more, at most timeout_ms. Returns whether it is empty. */
bool sink_wait_empty(const struct outbox *outbox, int64_t timeout_ms);

/* A fresh folder, and its removal with all files in it. */
char *sink_make_dir(void);
void sink_remove_dir(char *dir); /* frees the name too */

/* A file's bytes, to be freed by the caller; none where it is not there. */
struct sink_copy {
	char *bytes;
	size_t size;
};
struct sink_copy sink_read_copy(const char *dir, const char *name);

/* Fails the test where that does not work. */
void sink_write_copy(const char *dir, const char *name, const char *bytes, size_t size);

#endif
