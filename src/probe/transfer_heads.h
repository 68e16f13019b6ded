/* The heads that a transfer sends and receives, as they go over the wire, where somebody wants to see them. One thread: the loop's. */
#ifndef WEBSENTRY_PROBE_TRANSFER_HEADS_H
#define WEBSENTRY_PROBE_TRANSFER_HEADS_H

#include <stdbool.h>

struct heads;
struct raw_heads;
struct transfer;

/* Hear what libcurl tells; without keeps_heads nothing of it is kept. */
void transfer_heads_watch(struct transfer *transfer, bool keeps_heads);
/* What was seen since it was last forgotten, without secrets; the caller's, NULL for none. Forgets it. */
struct heads *transfer_heads_take(struct transfer *transfer);
void transfer_heads_forget(struct transfer *transfer);
void raw_heads_destroy(struct raw_heads *heads); /* accepts NULL */

#endif
