/* Characters as pages write them: escaped by JSON, HTML or a URL. Pure; any thread. */
#ifndef WEBSENTRY_CHECK_ESCAPES_H
#define WEBSENTRY_CHECK_ESCAPES_H

#include <stddef.h>

enum { ESCAPES_CHARACTER_MAX = 4 };

/*
 * The character that is escaped at the beginning of bytes, in UTF-8: &amp; \u0026 \ud83d\ude00 \x26 %26. Returns how many bytes the
 * escape has; 0 where none, or none that is whole, stands there. Half a character of JSON's is none.
 */
size_t escapes_read(const char *bytes, size_t length, char character[static ESCAPES_CHARACTER_MAX],
		    size_t *ret_character_length);

#endif
