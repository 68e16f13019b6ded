#include "base/log.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"

/* A reload changes the level while other threads log. */
static _Atomic enum log_level current_level = LOG_INFO;
static _Atomic enum log_format current_format = LOG_TEXT;
static bool may_block = true;

/* One line at a time: the room that one thread saw must not be another's. */
static pthread_mutex_t output_lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t lost_lines;              /* since the last line that said so */
static char status[LOG_STATUS_MAX + 1]; /* the line of a terminal that stays last; "" for none */
static _Atomic int64_t all_lost_lines;
static _Atomic int64_t lines[LOG_TRACE + 1]; /* by level */

void log_configure(enum log_level level, enum log_format format)
{
	atomic_store_explicit(&current_level, level, memory_order_relaxed);
	atomic_store_explicit(&current_format, format, memory_order_relaxed);
}

void log_never_block(void)
{
	may_block = false;
}

bool log_is_enabled(enum log_level level)
{
	return level <= atomic_load_explicit(&current_level, memory_order_relaxed);
}

static bool writes_json(void)
{
	return atomic_load_explicit(&current_format, memory_order_relaxed) == LOG_JSON;
}

int64_t log_count(enum log_level level)
{
	return atomic_load_explicit(&lines[level], memory_order_relaxed);
}

int64_t log_count_lost(void)
{
	return atomic_load_explicit(&all_lost_lines, memory_order_relaxed);
}

const char *log_level_name(enum log_level level)
{
	switch (level) {
	case LOG_ERROR:
		return "error";
	case LOG_WARN:
		return "warn";
	case LOG_INFO:
		return "info";
	case LOG_DEBUG:
		return "debug";
	case LOG_TRACE:
		return "trace";
	}
	return "?";
}

/* A quoted string, JSON's escapes; the text holds no control characters any more. */
static void append_quoted(struct buffer *line, const char *text)
{
	(void)buffer_append_char(line, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			(void)buffer_append_char(line, '\\');
		(void)buffer_append_char(line, *text);
	}
	(void)buffer_append_char(line, '"');
}

static bool needs_quotes(const char *text)
{
	return text[0] == '\0' || strpbrk(text, " =\"\\") != NULL;
}

/* Half a line at most, and less than half with the time and level beside it: quoting may double the bytes. */
enum { TEXT_MAX = LOG_LINE_MAX / 2 - 64, TAIL_MAX = sizeof("}\n") - 1 };

static void append_text(struct buffer *line, const char *text, bool always_quoted)
{
	struct buffer clean;
	buffer_init(&clean, TEXT_MAX);
	(void)text_clean(&clean, text, strlen(text), TEXT_MAX);
	const char *safe = clean.data == NULL ? "" : clean.data;
	if (always_quoted || needs_quotes(safe))
		append_quoted(line, safe);
	else
		(void)buffer_append_text(line, safe);
	buffer_finish(&clean);
}

static void append_value(struct buffer *line, const struct log_field *field)
{
	switch (field->type) {
	case LOG_FIELD_TEXT:
		append_text(line, field->value.text, writes_json());
		break;
	case LOG_FIELD_INT:
		(void)buffer_append_format(line, "%lld", (long long)field->value.number);
		break;
	case LOG_FIELD_BOOL:
		(void)buffer_append_text(line, field->value.is_true ? "true" : "false");
		break;
	}
}

static bool is_present(const struct log_field *field)
{
	return field->type != LOG_FIELD_TEXT || field->value.text != NULL;
}

static void append_key(struct buffer *line, const char *key, bool is_json)
{
	if (is_json)
		(void)buffer_append_format(line, ",\"%s\":", key);
	else
		(void)buffer_append_format(line, " %s=", key);
}

/* The time with three decimals: "2026-11-21T20:33:45.123Z". */
static void format_now(char text[static CLOCK_TEXT_SIZE])
{
	clock_format(clock_wall_us(), text);
	memcpy(text + 23, "Z", 2);
}

/* Whether a line can be written at once. A descriptor that is closed, or no pipe, takes whatever comes. */
static bool has_room(int timeout_ms)
{
	struct pollfd output = {.fd = STDERR_FILENO, .events = POLLOUT};
	return poll(&output, 1, timeout_ms) != 0;
}

/* In one go, the status out of its way and back below it. Under output_lock. stderr gone or full is no reason to stop working. */
static void write_above_status(const char *line, size_t length)
{
	static const char erase[] = "\r\033[K";
	const struct iovec parts[] = {
		{(void *)erase, sizeof(erase) - 1},
		{(void *)line, length},
		{status, strlen(status)},
	};
	if (status[0] == '\0')
		(void)!write(STDERR_FILENO, line, length);
	else
		(void)!writev(STDERR_FILENO, parts, 3);
}

static void write_lost(void)
{
	char now[CLOCK_TEXT_SIZE];
	char line[160];
	format_now(now);
	int length = snprintf(
		line, sizeof(line),
		writes_json() ? "{\"time\":\"%s\",\"level\":\"warn\",\"event\":\"log lines were "
				"lost, nobody read them\",\"count\":%lld}\n"
			      : "%s warn log lines were lost, nobody read them count=%lld\n",
		now, (long long)lost_lines);
	write_above_status(line, (size_t)length);
	lost_lines = 0;
}

static void write_line(const struct buffer *line)
{
	(void)pthread_mutex_lock(&output_lock);
	bool is_open = may_block || has_room(lost_lines > 0 ? 0 : LOG_WAIT_MS);
	if (is_open && lost_lines > 0) {
		write_lost();
		is_open = has_room(0);
	}
	if (is_open) {
		write_above_status(line->data, line->length);
	} else {
		lost_lines++;
		(void)atomic_fetch_add(&all_lost_lines, 1);
	}
	(void)pthread_mutex_unlock(&output_lock);
}

void log_set_status(const char *text)
{
	(void)pthread_mutex_lock(&output_lock);
	if (text == NULL)
		text = "";
	if (strncmp(status, text, LOG_STATUS_MAX) != 0) {
		bool was_shown = status[0] != '\0';
		(void)snprintf(status, sizeof(status), "%s", text);
		if (status[0] == '\0' && was_shown)
			(void)!write(STDERR_FILENO, "\r\033[K", 4);
		else
			write_above_status("", 0);
	}
	(void)pthread_mutex_unlock(&output_lock);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields,
	       size_t count)
{
	(void)atomic_fetch_add_explicit(&lines[level], 1, memory_order_relaxed);
	if (!log_is_enabled(level))
		return;
	char now[CLOCK_TEXT_SIZE];
	format_now(now);
	struct buffer line;
	buffer_init(&line, LOG_LINE_MAX);
	bool is_json = writes_json();
	if (is_json) {
		(void)buffer_append_format(&line,
					   "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", now,
					   log_level_name(level));
		append_text(&line, event, true);
	} else {
		struct buffer clean;
		buffer_init(&clean, TEXT_MAX);
		(void)text_clean(&clean, event, strlen(event), TEXT_MAX);
		(void)buffer_append_format(&line, "%s %s ", now, log_level_name(level));
		(void)buffer_append(&line, clean.data, clean.length);
		buffer_finish(&clean);
	}
	for (size_t i = 0; i < count; i++) {
		if (!is_present(&fields[i]))
			continue;
		size_t before = line.length;
		append_key(&line, fields[i].key, is_json);
		append_value(&line, &fields[i]);
		if (line.is_overflowed ||
		    line.length > LOG_LINE_MAX - TAIL_MAX) { /* drop the field that went over */
			line.length = before;
			line.is_overflowed = false;
			break;
		}
	}
	(void)buffer_append_text(&line, is_json ? "}\n" : "\n");
	write_line(&line);
	buffer_finish(&line);
}
