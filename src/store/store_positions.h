/*
 * What becomes of a partition's position when a batch is written: the rule that all databases share. Pure. Private to src/store/.
 */
#ifndef WEBSENTRY_STORE_STORE_POSITIONS_H
#define WEBSENTRY_STORE_STORE_POSITIONS_H

#include <stdint.h>

#include "store/store.h"

/*
 * known is what the store holds (-1 or 0: nothing), claim the latest claim there (-1: none, as there is no row). Returns 0 and the
 * position to write, which may be known itself; -1 where the batch follows what is not there any more (ERROR_STALE).
 */
int store_position_follow(const struct store_position *position, int64_t known, int64_t claim,
			  int64_t *ret_next);

#endif
