/*
 * Finds the escapes in JSON that no database can hold: NUL and surrogates without their other half. A parser hands out something
 * else in their place (yajl a '?', or a character that nobody wrote), so they are looked for in the bytes themselves. Pure.
 */
#ifndef WEBSENTRY_CODEC_ESCAPE_SCAN_H
#define WEBSENTRY_CODEC_ESCAPE_SCAN_H

#include <stddef.h>

/*
 * Where the first such escape begins, at or after from; length where there is none. from must not lie within an escape. What is
 * no JSON is looked at in the same way: whether it is JSON is the parser's question.
 */
size_t escape_scan(const char *bytes, size_t length, size_t from);

#endif
