/*
 * The phases of a hop as a bar in proportion, with a legend. Pure; any thread.
 */
#ifndef WEBSENTRY_APP_PHASE_BAR_H
#define WEBSENTRY_APP_PHASE_BAR_H

#include <stdint.h>

struct buffer;
struct check_print_style;
struct hop;

enum { PHASE_COUNT = 5, PHASE_BAR_CELLS_MAX = 240 };

/*
 * Share out cells in proportion to the durations: every phase that took any time gets at least one, the sum is cells
 * (0 where nothing took time). cells is at least PHASE_COUNT.
 */
void phase_bar_share(const int64_t durations[static PHASE_COUNT], int cells,
		     int ret_shares[static PHASE_COUNT]);

/* The bar, cells wide, without a line's end. */
void phase_bar_write(struct buffer *out, const struct hop *hop, int cells,
		     const struct check_print_style *style);

/* "dns 1.20 ms  connect 0.30 ms  wait 12.0 ms", each with its mark; lines of at most width columns, each after indent spaces. */
void phase_bar_write_legend(struct buffer *out, const struct hop *hop, int indent,
			    const struct check_print_style *style);

/* "12.3 ms", "0.42 ms"; "?" where negative. */
void phase_bar_write_ms(struct buffer *out, int64_t us);

#endif
