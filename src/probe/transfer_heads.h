/* The heads that a transfer sends and receives, as they go over the wire, where somebody wants to see them. One thread: the loop's. */
#ifndef WEBSENTRY_PROBE_TRANSFER_HEADS_H
#define WEBSENTRY_PROBE_TRANSFER_HEADS_H

struct heads;
struct raw_heads;
struct transfer;

/* Let the handle tell; what it tells is kept where there are heads. */
void transfer_heads_watch(struct transfer *transfer);
/* What was seen since it was last forgotten, without secrets; the caller's, NULL for none. Forgets it. */
struct heads *transfer_heads_take(struct transfer *transfer);
void transfer_heads_forget(struct transfer *transfer);
struct raw_heads *raw_heads_create(void);
void raw_heads_destroy(struct raw_heads *heads); /* accepts NULL */

#endif
