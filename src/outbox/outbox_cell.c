#include "outbox/outbox_cell.h"

#include "outbox/outbox.h"
#include "outbox/outbox_row.h"

/* SQLite's file format, sections 1.6 (pages and cells) and 2.1 (records). */
enum {
	PAGE_LEAF = 0x0d,
	PAGE_INTERIOR = 0x05,
	LEAF_HEADER = 8,
	INTERIOR_HEADER = 12,
	ROW_MIN = 10, /* bytes of a payload: a record header of six bytes and some message */
	COLUMNS = 5,
};

static size_t get_u16(const unsigned char *bytes)
{
	return (size_t)bytes[0] << 8 | bytes[1];
}

/* Bytes used, at most 9; 0 where limit cuts it. */
static size_t get_varint(const unsigned char *bytes, size_t limit, uint64_t *ret_value)
{
	uint64_t value = 0;
	for (size_t i = 0; i < 9 && i < limit; i++) {
		if (i == 8) {
			*ret_value = value << 8 | bytes[i];
			return 9;
		}
		value = value << 7 | (bytes[i] & 0x7fU);
		if ((bytes[i] & 0x80U) == 0) {
			*ret_value = value;
			return i + 1;
		}
	}
	return 0;
}

/* Bytes of a column's value by its type in the record. */
static uint64_t size_of_type(uint64_t type)
{
	static const unsigned char sizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
	if (type < sizeof(sizes))
		return sizes[type];
	return type < 12 ? UINT64_MAX : (type - 12) / 2;
}

static bool is_integer(uint64_t type)
{
	return (type >= 1 && type <= 6) || type == 8 || type == 9;
}

/* The types of the columns: id is NULL (the key says it), class, key, message, CRC. False: not ours. */
static bool get_types(const unsigned char *payload, size_t length, size_t whole, uint64_t *types,
		      size_t *ret_header)
{
	uint64_t header = 0;
	size_t used = get_varint(payload, length, &header);
	uint64_t sum = header;
	if (used == 0 || header > length || header < used + COLUMNS)
		return false;
	for (int i = 0; i < COLUMNS; i++) {
		types[i] = 0;
		size_t step = get_varint(payload + used, (size_t)header - used, &types[i]);
		uint64_t size = size_of_type(types[i]);
		if (step == 0 || size > OUTBOX_CELL_MAX)
			return false;
		used += step;
		sum += size;
	}
	*ret_header = (size_t)header;
	bool is_blob = types[2] == 0 || (types[2] >= 12 && types[2] % 2 == 0);
	bool is_text = types[3] >= 13 && types[3] % 2 == 1;
	return used == header && sum == whole && types[0] == 0 &&
	       (types[1] == 8 || types[1] == 9) && is_blob && is_text && is_integer(types[4]);
}

/* How much of a payload stays in the page (section 1.6). */
static size_t local_size(size_t payload, size_t page_size)
{
	size_t most = page_size - 35;
	if (payload <= most)
		return payload;
	size_t least = (page_size - 12) * 32 / 255 - 23;
	size_t local = least + (payload - least) % (page_size - 4);
	return local <= most ? local : least;
}

bool outbox_cell_parse(const unsigned char *page, size_t page_size, size_t offset,
		       struct outbox_cell *ret_cell)
{
	uint64_t payload = 0;
	uint64_t id = 0;
	uint64_t types[COLUMNS];
	size_t header;
	size_t at = offset;
	size_t used = offset < page_size ? get_varint(page + at, page_size - at, &payload) : 0;
	if (used == 0 || payload < ROW_MIN || payload > OUTBOX_CELL_MAX)
		return false;
	at += used;
	used = get_varint(page + at, page_size - at, &id);
	if (used == 0 || id == 0 || id > INT64_MAX)
		return false;
	at += used;
	struct outbox_cell cell = {
		.id = (int64_t)id,
		.payload = (size_t)payload,
		.start = at,
		.local = local_size((size_t)payload, page_size),
	};
	bool is_whole = cell.local == cell.payload;
	if (at + cell.local + (is_whole ? 0 : 4) > page_size ||
	    !get_types(page + at, cell.local, cell.payload, types, &header))
		return false;
	if (!is_whole) {
		const unsigned char *next = page + at + cell.local;
		cell.overflow = (uint32_t)(get_u16(next) << 16 | get_u16(next + 2));
	}
	*ret_cell = cell;
	return true;
}

bool outbox_cell_is_foreign(const unsigned char *page, size_t page_size, size_t offset)
{
	uint64_t payload = 0;
	uint64_t number = 0;
	size_t at = offset;
	size_t used = offset < page_size ? get_varint(page + at, page_size - at, &payload) : 0;
	at += used;
	if (used == 0 || (used = get_varint(page + at, page_size - at, &number)) == 0)
		return false;
	at += used;
	size_t start = at;
	used = get_varint(page + at, page_size - at, &number); /* of the record's header */
	if (used == 0 || number > page_size - start)
		return false;
	size_t end = start + (size_t)number;
	uint64_t sum = number;
	uint64_t type = 0;
	size_t columns = 0;
	for (at += used; at < end && used > 0; at += used, columns++) {
		used = get_varint(page + at, end - at, &type);
		sum += size_of_type(type);
	}
	return at == end && sum == payload && columns != COLUMNS;
}

static int64_t get_integer(uint64_t type, const unsigned char *bytes)
{
	if (type >= 8)
		return (int64_t)type - 8;
	uint64_t value = (bytes[0] & 0x80U) != 0 ? UINT64_MAX : 0;
	for (uint64_t i = 0; i < size_of_type(type); i++)
		value = value << 8 | bytes[i];
	return (int64_t)value;
}

bool outbox_cell_row(const struct outbox_cell *cell, const unsigned char *payload,
		     struct outbox_row *ret_row)
{
	uint64_t types[COLUMNS];
	size_t header;
	if (!get_types(payload, cell->payload, cell->payload, types, &header))
		return false;
	const unsigned char *key = payload + header; /* class takes no byte */
	size_t key_length = (size_t)size_of_type(types[2]);
	size_t message_length = (size_t)size_of_type(types[3]);
	*ret_row = (struct outbox_row){
		.id = cell->id,
		.class = types[1] == 9 ? OUTBOX_CLASS_FAILURE : OUTBOX_CLASS_SUCCESS,
		.key = (const char *)key,
		.key_length = key_length,
		.message = (const char *)key + key_length,
		.message_length = message_length,
	};
	return get_integer(types[4], key + key_length + message_length) ==
	       (int64_t)outbox_row_crc(ret_row);
}

/* A leaf that one flipped bit makes an interior page has no page numbers where those belong. */
static bool is_sound_interior(const unsigned char *page, size_t page_size, uint32_t last_number)
{
	size_t cells = get_u16(page + 3);
	for (size_t i = 0; i <= cells; i++) {
		size_t place = INTERIOR_HEADER + 2 * i;
		size_t offset = 8; /* the last child stands in the header */
		if (i < cells)
			offset = place + 2 <= page_size ? get_u16(page + place) : page_size;
		if (offset + 4 > page_size)
			return false;
		uint32_t child =
			(uint32_t)(get_u16(page + offset) << 16 | get_u16(page + offset + 2));
		if (child == 0 || child > last_number)
			return false;
	}
	return cells > 0;
}

enum outbox_cell_page outbox_cell_look(const unsigned char *page, size_t page_size, uint32_t number,
				       uint32_t last_number, size_t *ret_cells)
{
	*ret_cells = 0;
	/* page 1 is the schema; overflow and free pages begin with the number of another page */
	if (number == 1 || page[0] == 0)
		return OUTBOX_CELL_PAGE_OTHER;
	if (page[0] == PAGE_INTERIOR && is_sound_interior(page, page_size, last_number))
		return OUTBOX_CELL_PAGE_OTHER;
	if (page[0] != PAGE_LEAF)
		return OUTBOX_CELL_PAGE_DAMAGED;
	size_t cells = get_u16(page + 3);
	size_t content = get_u16(page + 5);
	if (content == 0)
		content = 65536;
	if (LEAF_HEADER + 2 * cells > content || content > page_size)
		return OUTBOX_CELL_PAGE_DAMAGED;
	*ret_cells = cells;
	return OUTBOX_CELL_PAGE_LEAF;
}

size_t outbox_cell_offset(const unsigned char *page, size_t page_size, size_t cell)
{
	size_t place = LEAF_HEADER + 2 * cell;
	return place + 2 <= page_size ? get_u16(page + place) : page_size;
}
