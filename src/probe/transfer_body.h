/*
 * The body of a response as it comes to a transfer: unpacked, bounded, and in parts that keep the loop no longer than others can wait. What
 * is too much for one turn of the loop is put off: curl hands it over again in the next. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_TRANSFER_BODY_H
#define WEBSENTRY_PROBE_TRANSFER_BODY_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct transfer;

/* A site that was told not to unpack anything gets its body as it is. */
bool transfer_is_unpacked(const struct transfer *transfer);

/* curl's CURLOPT_WRITEFUNCTION; context is the transfer. */
size_t transfer_on_body(char *bytes, size_t size, size_t count, void *context);

/* Where a response is complete, to curl: whether what is packed in it is, too. */
void transfer_note_end(struct transfer *transfer, CURLcode code);

#endif
