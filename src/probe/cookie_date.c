#include "probe/cookie_date.h"

#include <stdbool.h>
#include <strings.h>
#include <time.h>

struct parts {
	bool has_time;
	bool has_day;
	bool has_month;
	bool has_year;
	struct tm date;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_delimiter(char c)
{
	return c == '\t' || (c >= ' ' && c <= '/') || (c >= ';' && c <= '@') ||
	       (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

/* So many digits, which *text then begins behind. Returns -1 where there are fewer or more. */
static int take_number(const char **text, const char *end, size_t least, size_t most)
{
	int number = 0;
	size_t count = 0;
	while (*text < end && is_digit((*text)[0]) && count <= most) {
		number = 10 * number + ((*text)[0] - '0');
		(*text)++;
		count++;
	}
	return count >= least && count <= most ? number : -1;
}

static bool take_colon(const char **text, const char *end)
{
	bool is_there = *text < end && (*text)[0] == ':';
	*text += is_there ? 1 : 0;
	return is_there;
}

static bool read_time(struct tm *date, const char *text, const char *end)
{
	int hour = take_number(&text, end, 1, 2);
	if (hour < 0 || !take_colon(&text, end))
		return false;
	int minute = take_number(&text, end, 1, 2);
	if (minute < 0 || !take_colon(&text, end))
		return false;
	int second = take_number(&text, end, 1, 2);
	if (second < 0)
		return false;
	date->tm_hour = hour;
	date->tm_min = minute;
	date->tm_sec = second;
	return true;
}

static bool read_month(struct tm *date, const char *text, const char *end)
{
	static const char *const names[] = {"jan", "feb", "mar", "apr", "may", "jun",
					    "jul", "aug", "sep", "oct", "nov", "dec"};
	for (int i = 0; i < 12 && end - text >= 3; i++) {
		if (strncasecmp(text, names[i], 3) == 0) {
			date->tm_mon = i;
			return true;
		}
	}
	return false;
}

static bool read_year(struct tm *date, const char *text, const char *end)
{
	int year = take_number(&text, end, 2, 4);
	if (year < 0)
		return false;
	if (year < 100)
		year += year >= 70 ? 1900 : 2000;
	date->tm_year = year - 1900;
	return true;
}

/* A word is the first of what it may be that was not there yet. */
static void read_word(struct parts *parts, const char *text, const char *end)
{
	const char *rest = text;
	int day = take_number(&rest, end, 1, 2);
	if (!parts->has_time && read_time(&parts->date, text, end)) {
		parts->has_time = true;
	} else if (!parts->has_day && day >= 0) {
		parts->has_day = true;
		parts->date.tm_mday = day;
	} else if (!parts->has_month && read_month(&parts->date, text, end)) {
		parts->has_month = true;
	} else if (!parts->has_year) {
		parts->has_year = read_year(&parts->date, text, end);
	}
}

int cookie_date_read(const char *text, size_t length, wall_us *ret_time)
{
	struct parts parts = {0};
	const char *end = text + length;
	for (const char *at = text; at < end;) {
		const char *word = at;
		while (at < end && !is_delimiter(at[0]))
			at++;
		if (at > word)
			read_word(&parts, word, at);
		else
			at++;
	}
	const struct tm wanted = parts.date;
	if (!parts.has_time || !parts.has_day || !parts.has_month || !parts.has_year ||
	    wanted.tm_year < 1601 - 1900 || wanted.tm_hour > 23 || wanted.tm_min > 59 ||
	    wanted.tm_sec > 59)
		return -1;
	time_t at = timegm(&parts.date);
	if (parts.date.tm_mday != wanted.tm_mday) /* the month has no such day */
		return -1;
	*ret_time = (wall_us)at * CLOCK_US_PER_S;
	return 0;
}
