/* Where in a text, of any kind, the values stand that look like secrets. It errs on the side of more. Pure; any thread. */
#ifndef WEBSENTRY_CHECK_SECRET_VALUES_H
#define WEBSENTRY_CHECK_SECRET_VALUES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The next one from *at on, without its quotes: bytes[*ret_begin] to before bytes[*ret_end]; it may be empty. *at is moved behind it.
 * False where there is no more; then *at stays.
 */
bool secret_values_next(const char *bytes, size_t length, size_t *at, size_t *ret_begin,
			size_t *ret_end);

#endif
