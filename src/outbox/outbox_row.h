/*
 * The CRC of a row: over id, class, key and message, so that neither a flipped bit nor a row in another's place passes. And
 * that of the figures. Pure.
 */
#ifndef WEBSENTRY_OUTBOX_OUTBOX_ROW_H
#define WEBSENTRY_OUTBOX_OUTBOX_ROW_H

#include <stdint.h>

struct outbox_row;
struct outbox_file_meta;

uint32_t outbox_row_crc(const struct outbox_row *row);
uint32_t outbox_row_meta_crc(const struct outbox_file_meta *meta);

#endif
