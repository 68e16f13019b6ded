/*
 * Figures in words, as the page says them. The script of the page (assets/page.js) has words_ago() once more, for the
 * seconds between two looks at the server; keep them alike. Pure; any thread.
 */
#ifndef WEBSENTRY_WEB_WORDS_H
#define WEBSENTRY_WEB_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum { WORDS_SIZE = 48 };

/* "0.8 ms", "142 ms", "1.24 s"; "" where us is negative (not known). */
void words_duration(int64_t us, char text[static WORDS_SIZE]);

/* "just now", "12 s ago", "5 min ago", "3 h ago", "2 d ago". A time ahead of now (clocks differ) is "just now". */
void words_ago(wall_us time, wall_us now, char text[static WORDS_SIZE]);

/* "every 5 s", "every 1 min", "every 1 min 30 s"; "" where us is not positive. */
void words_interval(int64_t us, char text[static WORDS_SIZE]);

/* "2026-11-21 20:33:45 UTC" */
void words_time(wall_us time, char text[static WORDS_SIZE]);

#endif
