/*
 * A number other than 0 is ±0.d1d2d3… x 10^scale with d1 not 0: of two with the same sign the scales decide, and then the first digits that
 * differ.
 */
#include "check/decimal.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const int64_t exponent_max = INT64_C(100000000000000000);

struct decimal {
	int sign;           /* -1, 0, 1 */
	int64_t scale;      /* 0 means nothing to these two */
	const char *digits; /* from the first that is not 0 on, with a point among them */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int64_t read_exponent(const char *text)
{
	bool is_negative = text[0] == '-';
	int64_t exponent = 0;
	text += is_negative || text[0] == '+';
	for (; is_digit(*text) && exponent < exponent_max; text++)
		exponent = exponent * 10 + (*text - '0');
	if (exponent > exponent_max)
		exponent = exponent_max;
	return is_negative ? -exponent : exponent;
}

static struct decimal read_decimal(const char *text)
{
	struct decimal number = {0};
	bool is_negative = text[0] == '-';
	bool is_fraction = false;
	const char *at = text + is_negative;
	for (; is_digit(*at) || *at == '.'; at++) {
		if (*at == '.') {
			is_fraction = true;
			continue;
		}
		if (number.digits == NULL && *at != '0')
			number.digits = at;
		if (!is_fraction && number.digits != NULL)
			number.scale++;
		if (is_fraction && number.digits == NULL)
			number.scale--;
	}
	if (number.digits == NULL)
		return (struct decimal){0};
	number.sign = is_negative ? -1 : 1;
	if (*at == 'e' || *at == 'E')
		number.scale += read_exponent(at + 1);
	return number;
}

/* The digit at *at, which is moved to the next one; zeros behind the last. */
static char take_digit(const char **at)
{
	if (**at == '.')
		(*at)++;
	if (!is_digit(**at))
		return '0';
	char digit = **at;
	(*at)++;
	return digit;
}

static int compare_digits(const char *a, const char *b)
{
	while (is_digit(*a) || is_digit(*b) || *a == '.' || *b == '.') {
		char digit = take_digit(&a);
		char other = take_digit(&b);
		if (digit != other)
			return digit < other ? -1 : 1;
	}
	return 0;
}

int decimal_compare(const char *a, const char *b)
{
	const struct decimal number = read_decimal(a);
	const struct decimal other = read_decimal(b);
	if (number.sign != other.sign)
		return number.sign < other.sign ? -1 : 1;
	if (number.sign == 0)
		return 0;
	if (number.scale != other.scale)
		return number.scale < other.scale ? -number.sign : number.sign;
	return number.sign * compare_digits(number.digits, other.digits);
}
