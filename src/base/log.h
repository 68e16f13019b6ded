/*
 * Log lines: one line an event on stderr, key=value, or the same keys as one JSON object.
 *
 *     2026-11-21T20:33:45.123Z info ready command=producer sites=5
 *
 * error: needs a person. warn: we carry on, and say how. info: lifecycle. Log changes, not states.
 * base/, check/ and codec/ never log. Any thread; a line is one write(), so lines never mix.
 */
#ifndef WEBSENTRY_BASE_LOG_H
#define WEBSENTRY_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };
enum log_format { LOG_TEXT, LOG_JSON };

struct log_field {
	const char *key;
	enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_BOOL } type;
	union {
		const char *text; /* borrowed for the call; NULL leaves the field out */
		int64_t number;
		bool is_true;
	} value;
};

#define LOG_STR(k, v) ((struct log_field){.key = (k), .type = LOG_FIELD_TEXT, .value.text = (v)})
#define LOG_INT(k, v)                                                                              \
	((struct log_field){.key = (k), .type = LOG_FIELD_INT, .value.number = (int64_t)(v)})
#define LOG_BOOL(k, v)                                                                             \
	((struct log_field){.key = (k), .type = LOG_FIELD_BOOL, .value.is_true = (v)})

/* Any thread, at any time. Defaults: info, text. */
void log_configure(enum log_level level, enum log_format format);

/*
 * From now on a stderr that nobody reads on (a pipe that is full) costs lines, not time: a loop must not stop for its log. A line
 * waits LOG_WAIT_MS at most, those after it not at all; how many were lost is said once there is room again.
 */
enum { LOG_WAIT_MS = 100 };
void log_never_block(void);

bool log_is_enabled(enum log_level level);

/* How many lines of a level were written, and how many of all levels were lost. Any thread. */
int64_t log_count(enum log_level level);
int64_t log_count_lost(void);

/* The words "error", "warn", "info", "debug", "trace". */
const char *log_level_name(enum log_level level);

/*
 * Write one line. event is a fixed word or phrase of ours (or an error's message); text values are cleaned
 * (text_clean) and quoted where they need it, and a line is cut at LOG_LINE_MAX bytes: what a pipe with room surely takes.
 */
enum { LOG_LINE_MAX = 4096 };
void log_write(enum log_level level, const char *event, const struct log_field *fields,
	       size_t count);

/*
 * A line that stays below the log lines of a terminal, such as a progress bar: it is drawn now, taken away before each
 * log line and drawn again after it. Cut at LOG_STATUS_MAX bytes; NULL removes it. Any thread; only where stderr is a terminal.
 */
enum { LOG_STATUS_MAX = 160 };
void log_set_status(const char *text);

/* log_event(LOG_INFO, "ready", LOG_STR("command", name), LOG_INT("sites", n)); */
#define log_event(level, event, ...)                                                               \
	log_write((level), (event), (const struct log_field[]){{0}, ##__VA_ARGS__} + 1,            \
		  sizeof((const struct log_field[]){{0}, ##__VA_ARGS__}) /                         \
				  sizeof(struct log_field) -                                       \
			  1)

#endif
