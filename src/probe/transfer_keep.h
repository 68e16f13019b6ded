/* What of a response a transfer keeps: for the site's rules, and as evidence. One thread: the loop's. */
#ifndef WEBSENTRY_PROBE_TRANSFER_KEEP_H
#define WEBSENTRY_PROBE_TRANSFER_KEEP_H

#include <stddef.h>

struct transfer;

/* How much the transfer's site wants; before any of it comes. */
void transfer_keep_choose(struct transfer *transfer);
/* A line of a head, which response_head has seen: nothing is kept of interim responses and of trailers. */
void transfer_keep_line(struct transfer *transfer, const char *line, size_t length);
void transfer_keep_body(struct transfer *transfer, const char *bytes, size_t length);
/* Forget it, and give back memory that an ordinary response does not need. */
void transfer_keep_clear(struct transfer *transfer);

#endif
