/*
 * A set of seq as ranges: what audit counts with. Pure; one thread. Private to src/store/.
 *
 * Ranges are added in any order; seq_ranges_settle() sorts and joins them. The other functions take settled sets.
 */
#ifndef WEBSENTRY_STORE_SEQ_RANGES_H
#define WEBSENTRY_STORE_SEQ_RANGES_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct seq_ranges {
	struct store_seq_range *items;
	size_t count;
	size_t capacity;
};

void seq_ranges_finish(struct seq_ranges *ranges); /* the set is empty afterwards */

/* Both ends belong to the range; first > last adds nothing. */
void seq_ranges_add(struct seq_ranges *ranges, int64_t first, int64_t last);
void seq_ranges_settle(struct seq_ranges *ranges);

/* ret becomes a without b; it may be neither of the two. What it held before is replaced. */
void seq_ranges_subtract(struct seq_ranges *ret, const struct seq_ranges *a,
			 const struct seq_ranges *b);

/* Cut the set at a seq: those below it stay, the others go to ret_rest (replaced). */
void seq_ranges_split(struct seq_ranges *ranges, int64_t at, struct seq_ranges *ret_rest);

int64_t seq_ranges_sum(const struct seq_ranges *ranges); /* how many seq */
int64_t seq_ranges_last(const struct seq_ranges *ranges, int64_t none);

#endif
