#include "outbox/outbox_row.h"

#include <libdeflate.h>

#include "outbox/outbox_file.h"

/* The key's length goes in as well: moving a byte from the key to the message must change the sum. */
enum { HEAD_BYTES = 8 + 1 + 4 };

static void put_int64(unsigned char *bytes, int64_t number)
{
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)((uint64_t)number >> (8 * i));
}

uint32_t outbox_row_crc(const struct outbox_row *row)
{
	unsigned char head[HEAD_BYTES];
	put_int64(head, row->id);
	head[8] = (unsigned char)row->class;
	for (int i = 0; i < 4; i++)
		head[9 + i] = (unsigned char)((uint64_t)row->key_length >> (8 * i));
	uint32_t crc = libdeflate_crc32(0, head, sizeof(head));
	if (row->key_length > 0)
		crc = libdeflate_crc32(crc, row->key, row->key_length);
	if (row->message_length > 0)
		crc = libdeflate_crc32(crc, row->message, row->message_length);
	return crc;
}

uint32_t outbox_row_meta_crc(const struct outbox_file_meta *meta)
{
	unsigned char bytes[4 * 8 + 16];
	struct identity last = meta->has_last ? meta->last : (struct identity){.seq = -1};
	put_int64(bytes, meta->rows);
	put_int64(bytes + 8, meta->bytes);
	put_int64(bytes + 16, meta->last_id);
	put_int64(bytes + 24, last.seq);
	for (int i = 0; i < 16; i++)
		bytes[32 + i] = last.producer_id.bytes[i];
	return libdeflate_crc32(0, bytes, sizeof(bytes));
}
