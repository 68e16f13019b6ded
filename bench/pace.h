/*
 * What the bare clients share: how many requests are started when, and what the process has spent at the end. With a rate so many
 * are started a second, as a monitor does; without one, as fast as the client can.
 */
#pragma once

#include <stdbool.h>

struct pace {
	long to_start;
	long in_flight_max;
	double rate;  /* a second; 0: as fast as it can */
	double began; /* seconds */
	long warm;    /* the first so many do not count: they fill caches */
	double cpu_us_before;
	long started;
	long running;
	long finished;
	long failed;
};

/* From the words COUNT IN_FLIGHT [RATE]. */
void pace_init(struct pace *pace, int argc, char **argv);

/* Whether one more may start now; counts it as started. */
bool pace_start_one(struct pace *pace);

/* One has ended. */
void pace_end_one(struct pace *pace, bool is_fine);

bool pace_is_over(const struct pace *pace);

/* How long a client with nothing else to wait for may sleep; -1: for ever. */
int pace_timeout_ms(const struct pace *pace);

/* "COUNT checks, N failed, CPU_US us of CPU each, RATE a second", the first hundredth left out; returns the exit code. */
int pace_report(const struct pace *pace);
