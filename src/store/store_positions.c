#include "store/store_positions.h"

int store_position_follow(const struct store_position *position, int64_t known, int64_t claim,
			  int64_t *ret_next)
{
	int64_t followed = position->stored > 0 ? position->stored : 0;
	bool is_claimed = position->claim != STORE_NO_CLAIM;
	if (known < 0)
		known = 0;
	if (is_claimed && claim > position->claim) {
		/* Another has the partition now: it may be ahead, or read again from further back. Our rows are stored, no more. */
		*ret_next = known;
		return 0;
	}
	/*
	 * Read again from further back, it lowered the position itself: its COMMIT had happened, and while nobody knew, more
	 * messages may have joined it. Whoever put the store back to there left no hole either: the batch begins before it.
	 */
	bool leaves_hole = known < position->first;
	if (known < followed && leaves_hole)
		return -1;
	bool is_ahead = known > followed && (is_claimed || followed > 0);
	*ret_next = is_ahead && known > position->next ? known : position->next;
	return 0;
}
