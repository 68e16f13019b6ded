/*
 * When a cookie ends, in whatever way its server writes a date (RFC 6265, 5.1.1): the parts in any order, years of two digits and all. Not
 * curl_getdate(), to which "01-Jan-70", by which many take a cookie back, is in 2070. Pure.
 */
#ifndef WEBSENTRY_PROBE_COOKIE_DATE_H
#define WEBSENTRY_PROBE_COOKIE_DATE_H

#include <stddef.h>

#include "base/clock.h"

/* Returns 0, or -1 where the text is no date. *ret_time is written only on success. */
int cookie_date_read(const char *text, size_t length, wall_us *ret_time);

#endif
