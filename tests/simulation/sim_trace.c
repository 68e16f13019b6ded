#include "sim_trace.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sim_task.h"

enum { EVENTS = 256, TEXT_SIZE = 72 };

struct event {
	mono_us at;
	const char *process;
	const char *what;
	int64_t numbers[3];
	char text[TEXT_SIZE]; /* of a log line: its words are nobody's to keep */
};

static struct event events[EVENTS];
static uint64_t count;
static uint64_t hash;
static bool is_loud;

void sim_trace_reset(bool loud)
{
	count = 0;
	hash = UINT64_C(14695981039346656037);
	is_loud = loud;
}

static void mix(uint64_t number)
{
	hash = (hash ^ number) * UINT64_C(0x9e3779b97f4a7c15);
	hash ^= hash >> 29;
}

static void print(const struct event *event)
{
	size_t next = 0;
	printf("# %11.6f %-10s ", (double)event->at / (double)CLOCK_US_PER_S, event->process);
	for (const char *at = event->what; *at != '\0'; at++) {
		if (*at == '#' && next < 3)
			printf("%lld", (long long)event->numbers[next++]);
		else
			(void)putchar(*at);
	}
	printf("%s%s\n", event->text[0] == '\0' ? "" : " ", event->text);
}

static struct event *add(const char *what)
{
	struct event *event = &events[count++ % EVENTS];
	event->at = sim_now();
	event->process = sim_task_name();
	event->what = what;
	event->text[0] = '\0';
	memset(event->numbers, 0, sizeof(event->numbers));
	mix((uint64_t)event->at);
	mix((uint64_t)(unsigned char)what[0] << 8 | (unsigned char)event->process[0]);
	return event;
}

void sim_trace(const char *what, int64_t a, int64_t b, int64_t c)
{
	struct event *event = add(what);
	event->numbers[0] = a;
	event->numbers[1] = b;
	event->numbers[2] = c;
	mix((uint64_t)a);
	mix((uint64_t)b);
	mix((uint64_t)c);
	if (is_loud)
		print(event);
}

uint64_t sim_trace_hash(void)
{
	return hash;
}

void sim_trace_print(void)
{
	for (uint64_t i = count > EVENTS ? count - EVENTS : 0; i < count; i++)
		print(&events[i % EVENTS]);
}

/* The program's own log lines are events as well. */
void __wrap_log_write(enum log_level level, const char *event, const struct log_field *fields,
		      size_t field_count);
void __wrap_log_write(enum log_level level, const char *event, const struct log_field *fields,
		      size_t field_count)
{
	(void)fields;
	(void)field_count;
	if (level > LOG_INFO)
		return;
	struct event *line = add(level == LOG_INFO ? "log:" : "warns:");
	(void)strncpy(line->text, event, TEXT_SIZE - 1);
	line->text[TEXT_SIZE - 1] = '\0';
	if (is_loud)
		print(line);
}
