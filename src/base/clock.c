#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

static const int64_t us_per_day = INT64_C(86400) * CLOCK_US_PER_S;

/* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z. */
static const wall_us earliest = INT64_C(-62167219200) * CLOCK_US_PER_S;
static const wall_us latest = INT64_C(253402300800) * CLOCK_US_PER_S - 1;

static int64_t read_clock(clockid_t id)
{
	struct timespec now;
	(void)clock_gettime(id, &now); /* can't fail for these ids */
	return (int64_t)now.tv_sec * CLOCK_US_PER_S + now.tv_nsec / 1000;
}

mono_us clock_mono_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

mono_us clock_boot_us(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

wall_us clock_wall_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_day(wall_us time)
{
	int64_t day = time / us_per_day;
	return time % us_per_day < 0 ? day - 1 : day;
}

wall_us clock_day_start(int64_t day)
{
	return day * us_per_day;
}

/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": days_from_civil and civil_from_days. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted_month = (5 * day_of_year + 2) / 153;
	*day = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
	*month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
	*year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static void put_digits(char *at, int count, int64_t value)
{
	for (int i = count - 1; i >= 0; i--) {
		at[i] = (char)('0' + value % 10);
		value /= 10;
	}
}

void clock_format(wall_us time, char text[static CLOCK_TEXT_SIZE])
{
	if (time < earliest)
		time = earliest;
	if (time > latest)
		time = latest;
	int64_t days = clock_day(time);
	int64_t us = time - clock_day_start(days);
	int year;
	int month;
	int day;
	civil_from_days(days, &year, &month, &day);
	put_digits(text, 4, year);
	text[4] = '-';
	put_digits(text + 5, 2, month);
	text[7] = '-';
	put_digits(text + 8, 2, day);
	text[10] = 'T';
	put_digits(text + 11, 2, us / (INT64_C(3600) * CLOCK_US_PER_S));
	text[13] = ':';
	put_digits(text + 14, 2, us / (INT64_C(60) * CLOCK_US_PER_S) % 60);
	text[16] = ':';
	put_digits(text + 17, 2, us / CLOCK_US_PER_S % 60);
	text[19] = '.';
	put_digits(text + 20, 6, us % CLOCK_US_PER_S);
	text[26] = 'Z';
	text[27] = '\0';
}

/* Read exactly count digits and move on. */
static bool take_number(const char **at, const char *end, int count, int *ret_value)
{
	int value = 0;
	if (end - *at < count)
		return false;
	for (int i = 0; i < count; i++) {
		char c = (*at)[i];
		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	*at += count;
	*ret_value = value;
	return true;
}

static bool take_char(const char **at, const char *end, char wanted)
{
	if (*at == end || **at != wanted)
		return false;
	(*at)++;
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && is_leap ? 29 : days[month - 1];
}

/* The decimals after a dot, cut to microseconds. */
static bool take_fraction(const char **at, const char *end, int64_t *ret_us)
{
	int64_t us = 0;
	int digits = 0;
	while (*at < end && **at >= '0' && **at <= '9') {
		if (++digits > 9)
			return false;
		if (digits <= 6)
			us = us * 10 + (**at - '0');
		(*at)++;
	}
	for (int i = digits; i < 6; i++)
		us *= 10;
	*ret_us = us;
	return digits > 0;
}

/* "Z" or "+hh:mm", in seconds east of Greenwich. */
static bool take_offset(const char **at, const char *end, int *ret_seconds)
{
	if (take_char(at, end, 'Z') || take_char(at, end, 'z')) {
		*ret_seconds = 0;
		return true;
	}
	int sign = 1;
	if (take_char(at, end, '-'))
		sign = -1;
	else if (!take_char(at, end, '+'))
		return false;
	int hours;
	int minutes;
	if (!take_number(at, end, 2, &hours) || !take_char(at, end, ':') ||
	    !take_number(at, end, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

int clock_parse(const char *text, size_t length, wall_us *ret_time)
{
	const char *at = text;
	const char *end = text + length;
	int year;
	int month;
	int day;
	int hour;
	int minute;
	int second;
	int offset;
	int64_t us = 0;
	if (!take_number(&at, end, 4, &year) || !take_char(&at, end, '-') ||
	    !take_number(&at, end, 2, &month) || !take_char(&at, end, '-') ||
	    !take_number(&at, end, 2, &day))
		return -1;
	if (!take_char(&at, end, 'T') && !take_char(&at, end, 't') && !take_char(&at, end, ' '))
		return -1;
	if (!take_number(&at, end, 2, &hour) || !take_char(&at, end, ':') ||
	    !take_number(&at, end, 2, &minute) || !take_char(&at, end, ':') ||
	    !take_number(&at, end, 2, &second))
		return -1;
	if (take_char(&at, end, '.') && !take_fraction(&at, end, &us))
		return -1;
	if (!take_offset(&at, end, &offset) || at != end)
		return -1;
	if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
	    minute > 59 || second > 60)
		return -1;
	int64_t seconds = days_from_civil(year, month, day) * 86400 + hour * INT64_C(3600) +
			  minute * INT64_C(60) + second - offset;
	wall_us time = seconds * CLOCK_US_PER_S + us;
	if (time < earliest || time > latest)
		return -1;
	*ret_time = time;
	return 0;
}
