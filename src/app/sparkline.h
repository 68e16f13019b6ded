/* Values in the order in which they came, as a row of blocks. Pure; the buffer's owner's thread. */
#ifndef WEBSENTRY_APP_SPARKLINE_H
#define WEBSENTRY_APP_SPARKLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

enum { SPARKLINE_LEVELS = 8 };

/*
 * One cell a value, the lowest block for the least of them and the highest for the greatest; a negative value, which is none, has a mark of
 * its own. Of more values than cells (at least 1) several share one: the greatest shows, or the mark where any has none.
 */
void sparkline_write(struct buffer *out, const int64_t *values, size_t count, size_t cells,
		     bool is_utf8);

#endif
