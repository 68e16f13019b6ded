#include "outbox/outbox_row.h"

#include <zlib.h>

#include "outbox/outbox.h"

/* The key's length goes in as well: moving a byte from the key to the message must change the sum. */
enum { HEAD_BYTES = 8 + 1 + 4 };

uint32_t outbox_row_crc(const struct outbox_row *row)
{
	unsigned char head[HEAD_BYTES];
	uint64_t id = (uint64_t)row->id;
	for (int i = 0; i < 8; i++)
		head[i] = (unsigned char)(id >> (8 * i));
	head[8] = (unsigned char)row->class;
	for (int i = 0; i < 4; i++)
		head[9 + i] = (unsigned char)((uint64_t)row->key_length >> (8 * i));
	uLong crc = crc32_z(0, head, sizeof(head));
	if (row->key_length > 0)
		crc = crc32_z(crc, (const Bytef *)row->key, row->key_length);
	if (row->message_length > 0)
		crc = crc32_z(crc, (const Bytef *)row->message, row->message_length);
	return (uint32_t)crc;
}
