/* Sites with their schedule, as `websentry sites` prints them. Pure; the buffer's owner's thread. */
#ifndef WEBSENTRY_APP_SITES_PRINT_H
#define WEBSENTRY_APP_SITES_PRINT_H

#include "base/clock.h"

struct buffer;
struct site;

enum { SITES_PRINT_LINE_MAX = 16 * 1024 }; /* bytes of one site */

/* One moment on both clocks. */
struct sites_now {
	mono_us boot; /* clock_boot_us(): the schedule's */
	wall_us wall;
};

void sites_print_head(struct buffer *out);
/* A line of the table, for people. */
void sites_print_line(struct buffer *out, const struct site *site, const struct sites_now *now);
/* One line of JSON. */
void sites_print_json(struct buffer *out, const struct site *site, const struct sites_now *now);

#endif
