/* Numbers as JSON writes them, compared as they are written: a double tells neither 2^53 + 1 from 2^53 nor 1e-400 from 0. Pure; any thread. */
#ifndef WEBSENTRY_CHECK_DECIMAL_H
#define WEBSENTRY_CHECK_DECIMAL_H

/*
 * Below 0, 0 or above 0 where a is less than, the same as or greater than b. Both are valid JSON; -0 is 0. Exponents beyond 10^17 count
 * as that.
 */
int decimal_compare(const char *a, const char *b);

#endif
