#include "web/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 }; /* seconds */

void words_duration(int64_t us, char text[static WORDS_SIZE])
{
	double ms = (double)us / CLOCK_US_PER_MS;
	if (us < 0)
		text[0] = '\0';
	else if (us < 10 * CLOCK_US_PER_MS)
		(void)snprintf(text, WORDS_SIZE, "%.1f ms", ms);
	else if (us < CLOCK_US_PER_S)
		(void)snprintf(text, WORDS_SIZE, "%.0f ms", ms);
	else
		(void)snprintf(text, WORDS_SIZE, "%.2f s", ms / 1000);
}

void words_ago(wall_us time, wall_us now, char text[static WORDS_SIZE])
{
	int64_t seconds = (now - time) / CLOCK_US_PER_S;
	if (seconds < 2)
		(void)snprintf(text, WORDS_SIZE, "just now");
	else if (seconds < 2 * (int64_t)MINUTE)
		(void)snprintf(text, WORDS_SIZE, "%" PRId64 " s ago", seconds);
	else if (seconds < 2 * (int64_t)HOUR)
		(void)snprintf(text, WORDS_SIZE, "%" PRId64 " min ago", seconds / MINUTE);
	else if (seconds < 2 * (int64_t)DAY)
		(void)snprintf(text, WORDS_SIZE, "%" PRId64 " h ago", seconds / HOUR);
	else
		(void)snprintf(text, WORDS_SIZE, "%" PRId64 " d ago", seconds / DAY);
}

void words_interval(int64_t us, char text[static WORDS_SIZE])
{
	static const struct {
		int64_t seconds;
		const char *unit;
	} units[] = {{DAY, "d"}, {HOUR, "h"}, {MINUTE, "min"}, {1, "s"}};

	text[0] = '\0';
	if (us <= 0)
		return;
	if (us < CLOCK_US_PER_S) {
		(void)snprintf(text, WORDS_SIZE, "every %" PRId64 " ms", us / CLOCK_US_PER_MS);
		return;
	}
	int64_t left = us / CLOCK_US_PER_S;
	size_t used = (size_t)snprintf(text, WORDS_SIZE, "every");
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && used < WORDS_SIZE; i++) {
		int64_t count = left / units[i].seconds;
		left %= units[i].seconds;
		if (count > 0)
			used += (size_t)snprintf(text + used, WORDS_SIZE - used, " %" PRId64 " %s",
						 count, units[i].unit);
	}
}

void words_time(wall_us time, char text[static WORDS_SIZE])
{
	char full[CLOCK_TEXT_SIZE];
	clock_format(time, full);
	full[10] = ' ';
	(void)snprintf(text, WORDS_SIZE, "%.19s UTC", full);
}
