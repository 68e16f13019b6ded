/*
 * Bugs that are built in on purpose, to show that the chaos test's oracle finds each of them (`make chaos-selftest`).
 *
 * -Dplanted_bug=NAME builds one; without it, as in every release, IS_PLANTED() is the constant false, and neither a bug nor
 * the mark below gets into the program (tests/unit/test_planted.py). A bug that is looked for in the binary is found by
 * the mark.
 */
#ifndef WEBSENTRY_BASE_PLANTED_H
#define WEBSENTRY_BASE_PLANTED_H

#include "base/planted_choice.h" /* made by meson: PLANTED_BUG, one of the numbers below */

#define PLANTED_NONE 0
#define PLANTED_ACKNOWLEDGE_BEFORE_COMMIT 1 /* outbox: a row is durable whatever its commit says */
#define PLANTED_REUSE_SEQ 2                 /* outbox: after a failed commit new rows get its seq */
#define PLANTED_SKIP_SEQ 3             /* outbox: after a failed commit its rows get a new seq */
#define PLANTED_REUSE_PRODUCER_ID 4    /* outbox: the next process counts on as the one before */
#define PLANTED_FORGET_WAITING 5       /* outbox: what an earlier process left is not sent */
#define PLANTED_DELETE_BEFORE_REPORT 6 /* outbox: a row that was sent is deleted */
#define PLANTED_DELETE_RANGE 7         /* outbox: acknowledged rows take those between along */
#define PLANTED_DROP_ON_FULL_QUEUE 8   /* outbox: a row that the queue does not take is gone */
#define PLANTED_CONDEMN_BATCH 9        /* publisher: too large together, put aside each */
#define PLANTED_FAILURE_IS_DELIVERY 10 /* publisher: any delivery report is a good one */
#define PLANTED_OFFSET_BEFORE_TRANSACTION 11 /* writer: positions go ahead of their rows */
#define PLANTED_POISON_NEIGHBOUR 12          /* writer: the message behind a bad one is skipped */
#define PLANTED_POSITION_TOO_FAR 13          /* writer: the next message is the one after it */
#define PLANTED_LOSE_UNKNOWN_COMMIT 14       /* store: a lost connection in COMMIT counts as done */
#define PLANTED_NO_CONFLICT_PATH 15   /* store: a batch with one duplicate is all duplicates */
#define PLANTED_DOUBLE_ON_CONFLICT 16 /* store: what comes again gets a key of its own */
#define PLANTED_POISON_VANISHES 17    /* store: bad messages are not kept */
#define PLANTED_WRONG_SIZE 18         /* encoder: large bodies lose their last byte */

#define IS_PLANTED(bug) (PLANTED_BUG == PLANTED_##bug)

#if PLANTED_BUG != PLANTED_NONE
__attribute__((used)) static const char planted_mark[] = "websentry-planted-bug";
#endif

#endif
