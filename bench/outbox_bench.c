/*
 * What the outbox costs, alone: outbox_bench rate FOLDER process|power ROWS_PER_S SECONDS, or backlog FOLDER ROWS. And what a
 * producer finds when Kafka was away for long: outbox_bench fill FOLDER ROWS MESSAGES.
 *
 * rate appends reports of 430 bytes from one thread, as probers do, to a drain that acknowledges all with the next serve, and
 * counts the CPU of the whole process, appending included. backlog fills an outbox, opens it again, and drains it. fill leaves it
 * there, with reports of SITES sites as a producer writes them, and writes the same messages to a file for kcat: key, tab, message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "outbox/outbox.h"
#include "outbox/outbox_look.h"

enum { BODY_BYTES = 430, HELD_MAX = 8192, FILL_AT_ONCE = 4096, SITES = 1000 };

struct drain {
	struct outbox *outbox;
	bool is_refusing;
	int fd;
	size_t count;
	int64_t ids[HELD_MAX];
};

static int on_send(void *context, const struct outbox_row *row)
{
	struct drain *drain = context;
	if (drain->is_refusing || drain->count == HELD_MAX)
		return -1;
	if (drain->count == 0)
		(void)!write(drain->fd, &(uint64_t){1}, sizeof(uint64_t));
	drain->ids[drain->count++] = row->id;
	return 0;
}

static void on_serve(void *context)
{
	struct drain *drain = context;
	uint64_t ignored;
	(void)!read(drain->fd, &ignored, sizeof(ignored));
	for (size_t i = 0; i < drain->count; i++)
		outbox_acknowledge(drain->outbox, drain->ids[i]);
	drain->count = 0;
}

static double cpu_s(int who)
{
	struct rusage usage;
	(void)getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void fail(const char *what, const struct error *err)
{
	(void)fprintf(stderr, "%s: %s\n", what, err->message);
	exit(1);
}

static struct outbox *start(struct drain *drain, const char *folder, bool is_power)
{
	struct error err = {0};
	char *path = xasprintf("%s/outbox.db", folder);
	const struct outbox_options options = {
		.path = path,
		.durability = is_power ? OUTBOX_DURABILITY_POWER : OUTBOX_DURABILITY_PROCESS,
		.max_rows = INT64_C(1000000000),
	};
	static struct outbox_drain calls;
	*drain = (struct drain){.is_refusing = drain->is_refusing,
				.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
	calls = (struct outbox_drain){
		.context = drain, .send = on_send, .serve = on_serve, .fd = drain->fd};
	drain->outbox = outbox_open(&options, NULL, &err);
	free(path);
	if (drain->outbox == NULL || outbox_start(drain->outbox, &calls, &err) != 0)
		fail("outbox", &err);
	return drain->outbox;
}

static void append(struct outbox *outbox, int64_t number)
{
	struct error err = {0};
	char body[BODY_BYTES];
	int head = snprintf(body, sizeof(body), "{\"n\":%lld,\"pad\":\"", (long long)number);
	memset(body + head, 'x', sizeof(body) - (size_t)head - 2);
	memcpy(body + sizeof(body) - 2, "\"}", 2);
	if (outbox_append(outbox, OUTBOX_CLASS_SUCCESS, "https://example.com/", 20, body,
			  sizeof(body), &err) != 0)
		fail("append", &err);
}

static void rest_until(mono_us at)
{
	mono_us now = clock_mono_us();
	if (now < at)
		(void)nanosleep(&(struct timespec){.tv_sec = (at - now) / CLOCK_US_PER_S,
						   .tv_nsec = (at - now) % CLOCK_US_PER_S * 1000},
				NULL);
}

/* Looked at so seldom that looking costs nothing. */
static void wait_empty(const struct outbox *outbox)
{
	struct outbox_counts counts;
	for (outbox_count(outbox, &counts); counts.waiting_rows > 0; outbox_count(outbox, &counts))
		(void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

static void measure_rate(const char *folder, bool is_power, int64_t per_second, int64_t seconds)
{
	struct drain drain = {0};
	struct outbox *outbox = start(&drain, folder, is_power);
	double cpu = cpu_s(RUSAGE_SELF);
	mono_us began = clock_mono_us();
	int64_t rows = per_second * seconds;
	for (int64_t i = 0; i < rows; i++) {
		append(outbox, i);
		if (i % 150 == 149)
			rest_until(began + (i + 1) * CLOCK_US_PER_S / per_second);
	}
	wait_empty(outbox);
	mono_us took = clock_mono_us() - began;
	cpu = cpu_s(RUSAGE_SELF) - cpu;
	(void)printf("%s: %lld rows in %.1f s, %.2f us of CPU a row, %.1f %% of a core\n",
		     is_power ? "power" : "process", (long long)rows, (double)took / 1e6,
		     cpu / (double)rows * 1e6, cpu / ((double)took / 1e6) * 100);
	outbox_stop(outbox, 1000);
	outbox_close(outbox);
}

/* Different in every row where a report is: a compressor must not have it easier than with real ones. */
static void append_report(struct outbox *outbox, int64_t number)
{
	struct error err = {0};
	char key[32];
	char body[1024];
	uint64_t mixed = (uint64_t)number * UINT64_C(0x9e3779b97f4a7c15);
	int site = (int)(number % SITES);
	int us = (int)(number * 997 % 1000000);
	int key_length = snprintf(key, sizeof(key), "site %d", site);
	int length = snprintf(
		body, sizeof(body),
		"{\"kind\":\"http\",\"site\":\"site %d\",\"url\":\"http://shop-%d.example/\","
		"\"host\":\"bench\",\"location\":\"default\",\"labels\":{},\"interval_us\":1000000,"
		"\"timeout_us\":10000000,\"scheduled_at\":\"2026-11-01T00:%02d:%02d.%06dZ\","
		"\"started_at\":\"2026-11-01T00:%02d:%02d.%06dZ\",\"late_us\":%d,\"suspect\":false,"
		"\"missed\":0,\"outcome\":\"up\",\"reason\":\"ok\",\"http_status_code\":200,"
		"\"http_version\":\"1.1\",\"ip\":\"192.0.2.7\",\"dns_us\":%d,\"connect_us\":%d,"
		"\"wait_us\":%d,\"transfer_us\":%d,\"total_us\":%d,\"body_bytes\":2048,"
		"\"decoded_bytes\":2048,\"pattern\":\"id=\\\"([^\\\"]+)\\\"\",\"pattern_matched\":"
		"true,"
		"\"pattern_capture\":\"price-%d\"}",
		site, site, (int)(number / SITES / 60 % 60), (int)(number / SITES % 60), us,
		(int)(number / SITES / 60 % 60), (int)(number / SITES % 60), us,
		(int)(mixed >> 8 & 0xff), (int)(mixed >> 16 & 0x3ff), (int)(mixed >> 26 & 0x3fff),
		(int)(mixed >> 32 & 0xffff), (int)(mixed >> 40 & 0x3ff),
		(int)(mixed >> 32 & 0xfffff), (int)(mixed % 97));
	/* as failures: what is checked meanwhile goes to another topic */
	if (outbox_append(outbox, OUTBOX_CLASS_FAILURE, key, (size_t)key_length, body,
			  (size_t)length, &err) != 0)
		fail("append", &err);
}

/* An outbox with so many rows that nobody takes. */
static void fill(const char *folder, int64_t rows,
		 void (*append_row)(struct outbox *outbox, int64_t number))
{
	struct drain drain = {.is_refusing = true};
	struct outbox *outbox = start(&drain, folder, false);
	struct outbox_counts counts = {0};
	for (int64_t i = 0; i < rows; i++) {
		append_row(outbox, i);
		while (i % FILL_AT_ONCE == 0 && counts.committed + FILL_AT_ONCE < i) {
			rest_until(clock_mono_us() + 200);
			outbox_count(outbox, &counts);
		}
	}
	outbox_stop(outbox, 0);
	outbox_close(outbox);
}

static void write_messages(const char *folder, const char *file_name)
{
	struct error err = {0};
	struct outbox_row row;
	struct outbox_look *look = NULL;
	char *path = xasprintf("%s/outbox.db", folder);
	FILE *file = fopen(file_name, "we");
	if (file == NULL || outbox_look_open(path, 0, &look, &err) != 0)
		fail("messages", &err);
	while (outbox_look_next(look, &row, &err) == 1)
		(void)fprintf(file, "%.*s\t%.*s\n", (int)row.key_length, row.key,
			      (int)row.message_length, row.message);
	bool is_written = ferror(file) == 0;
	if (fclose(file) != 0 || !is_written)
		fail("messages", &err);
	outbox_look_close(look);
	free(path);
}

static void measure_backlog(const char *folder, int64_t rows)
{
	struct drain drain = {0};
	mono_us began = clock_mono_us();
	fill(folder, rows, append);
	mono_us filled = clock_mono_us();
	struct outbox *outbox = start(&drain, folder, false);
	mono_us opened = clock_mono_us();
	double cpu = cpu_s(RUSAGE_SELF);
	wait_empty(outbox);
	mono_us drained = clock_mono_us();
	cpu = cpu_s(RUSAGE_SELF) - cpu;
	struct rusage usage;
	(void)getrusage(RUSAGE_SELF, &usage);
	(void)printf(
		"backlog of %lld: filled at %.0f rows/s, opened in %.3f s, drained at %.0f rows/s "
		"(%.2f us of CPU a row), %.1f MiB resident at most\n",
		(long long)rows, (double)rows / ((double)(filled - began) / 1e6),
		(double)(opened - filled) / 1e6, (double)rows / ((double)(drained - opened) / 1e6),
		cpu / (double)rows * 1e6, (double)usage.ru_maxrss / 1024);
	outbox_stop(outbox, 1000);
	outbox_close(outbox);
}

int main(int argc, char **argv)
{
	int64_t numbers[2] = {0, 0};
	bool is_rate = argc == 6 && strcmp(argv[1], "rate") == 0;
	bool is_backlog = argc == 4 && strcmp(argv[1], "backlog") == 0;
	if (is_rate && text_parse_int64(argv[4], &numbers[0]) == 0 &&
	    text_parse_int64(argv[5], &numbers[1]) == 0) {
		measure_rate(argv[2], strcmp(argv[3], "power") == 0, numbers[0], numbers[1]);
		return 0;
	}
	if (is_backlog && text_parse_int64(argv[3], &numbers[0]) == 0) {
		measure_backlog(argv[2], numbers[0]);
		return 0;
	}
	if (argc == 5 && strcmp(argv[1], "fill") == 0 &&
	    text_parse_int64(argv[3], &numbers[0]) == 0) {
		fill(argv[2], numbers[0], append_report);
		write_messages(argv[2], argv[4]);
		return 0;
	}
	(void)fprintf(stderr, "usage: outbox_bench rate FOLDER process|power ROWS_PER_S SECONDS\n"
			      "       outbox_bench backlog FOLDER ROWS\n"
			      "       outbox_bench fill FOLDER ROWS MESSAGES\n");
	return 2;
}
