/* One check in one line, as `websentry check` prints several of them. Pure; the buffer's owner's thread. */
#ifndef WEBSENTRY_APP_CHECK_LINE_H
#define WEBSENTRY_APP_CHECK_LINE_H

#include <stdint.h>

struct buffer;
struct check_print_style;
struct report;

/* "✔ UP         12.3 ms  200  name" and its end. With rounds above 1, round in front: as wide as rounds. */
void check_line_write(struct buffer *out, const struct report *report, int64_t round,
		      int64_t rounds, const struct check_print_style *style);

#endif
