/*
 * Two clocks that must not be mixed: mono_us schedules and measures, wall_us dates.
 * Pure code takes them as parameters; only loops and adapters read them. Any thread.
 */
#ifndef WEBSENTRY_BASE_CLOCK_H
#define WEBSENTRY_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

typedef int64_t mono_us; /* microseconds of CLOCK_MONOTONIC; only differences mean anything */
typedef int64_t wall_us; /* microseconds since 1970-01-01T00:00:00Z, may jump */

/* Wide, so that 3600 * CLOCK_US_PER_S does not overflow. */
#define CLOCK_US_PER_S INT64_C(1000000)
#define CLOCK_US_PER_MS INT64_C(1000)

/* "2026-11-21T20:33:45.123456Z" and its NUL; years 0000 to 9999. */
enum { CLOCK_TEXT_SIZE = 28 };

mono_us clock_mono_us(void);
/* The same, but it goes on while the machine is suspended: for what was due meanwhile. Not to be mixed with the other. */
mono_us clock_boot_us(void);
wall_us clock_wall_us(void);

/* RFC 3339, UTC, six decimals. A time outside the years 0000 to 9999 is clamped to them. */
void clock_format(wall_us time, char text[static CLOCK_TEXT_SIZE]);

/*
 * Read an RFC 3339 time: any offset, 0 to 9 decimals (cut to microseconds), T or t or a space, Z or z.
 * Returns 0, or -1 where the text is not one, has a day that does not exist, or a year outside 0000 to 9999;
 * a leap second (:60) is read as the second after it. *ret_time is written only on success.
 */
int clock_parse(const char *text, size_t length, wall_us *ret_time);

/* Days since 1970-01-01 of a time, rounded down; and a day's first moment. */
int64_t clock_day(wall_us time);
wall_us clock_day_start(int64_t day);

#endif
