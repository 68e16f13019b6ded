/* What `websentry check` prints where all addresses of a name are checked: a line for each, then the verdict. Pure; any thread. */
#ifndef WEBSENTRY_APP_CHECK_ROUND_H
#define WEBSENTRY_APP_CHECK_ROUND_H

struct buffer;
struct check_print_style;
struct report;

/* Of a report that belongs to a round: its address; behind the last one the verdict of all. */
void check_round_write(struct buffer *out, const struct report *report,
		       const struct check_print_style *style);

#endif
