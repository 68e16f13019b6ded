/*
 * What happened, in order: a ring of the last events, and a hash of all of them. An event is a fixed text, in which each
 * # stands for the next number; it is put together only when somebody reads it, so that it costs next to nothing.
 */
#ifndef WEBSENTRY_SIM_TRACE_H
#define WEBSENTRY_SIM_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/* Begin anew. is_loud: print each event as it comes. */
void sim_trace_reset(bool is_loud);

void sim_trace(const char *what, int64_t a, int64_t b, int64_t c);

/* Of everything since the reset; equal for equal runs. */
uint64_t sim_trace_hash(void);

/* The last events, each as a line that begins with "# ". */
void sim_trace_print(void);

#endif
