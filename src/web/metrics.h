/*
 * From figures to what monitoring systems read: /metrics (Prometheus' text format 0.0.4), /readyz (JSON), docs/metrics.md.
 * Any thread; reads atomics, and for a few metrics /proc.
 */
#ifndef WEBSENTRY_WEB_METRICS_H
#define WEBSENTRY_WEB_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct buffer;
struct figures;

enum { METRICS_BYTES_MAX = 256 * 1024 };

/* Every metric of the sections that figures has. */
void metrics_write(struct buffer *out, const struct figures *figures);

/* `{"ready":false,"reasons":[{"reason":"store_away","message":"…","seconds":12}]}`. Returns whether it says ready. */
bool metrics_write_readiness(struct buffer *out, const struct figures *figures);
bool metrics_is_ready(const struct figures *figures);

/* "name 1.500000": microseconds as seconds. */
void metrics_write_seconds(struct buffer *out, const char *name, int64_t us);

/* The tables of docs/metrics.md. */
void metrics_print_markdown(FILE *out);

#endif
