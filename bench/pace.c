#include "pace.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static double now_seconds(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_us(void)
{
	struct rusage usage;
	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

void pace_init(struct pace *pace, int argc, char **argv)
{
	*pace = (struct pace){
		.to_start = strtol(argv[0], NULL, 10),
		.in_flight_max = strtol(argv[1], NULL, 10),
		.rate = argc > 2 ? strtod(argv[2], NULL) : 0,
		.began = now_seconds(),
	};
	pace->warm = pace->to_start / 100;
	pace->cpu_us_before = cpu_us();
}

bool pace_start_one(struct pace *pace)
{
	if (pace->to_start == 0 || pace->running >= pace->in_flight_max)
		return false;
	if (pace->rate > 0 && pace->started >= (long)((now_seconds() - pace->began) * pace->rate))
		return false;
	pace->to_start--;
	pace->started++;
	pace->running++;
	return true;
}

void pace_end_one(struct pace *pace, bool is_fine)
{
	pace->running--;
	pace->failed += !is_fine;
	if (++pace->finished == pace->warm)
		pace->cpu_us_before = cpu_us();
}

bool pace_is_over(const struct pace *pace)
{
	return pace->to_start == 0 && pace->running == 0;
}

int pace_timeout_ms(const struct pace *pace)
{
	return pace->rate > 0 && pace->to_start > 0 ? 1 : -1;
}

int pace_report(const struct pace *pace)
{
	double spent_us = cpu_us() - pace->cpu_us_before;
	(void)printf("%ld checks, %ld failed, %.1f us of CPU each, %.0f a second\n", pace->finished,
		     pace->failed, spent_us / (double)(pace->finished - pace->warm),
		     (double)pace->finished / (now_seconds() - pace->began));
	return pace->failed > 0;
}
