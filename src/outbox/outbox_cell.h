/*
 * A row of the outbox as it lies in a page of the file: SQLite's record format, for outbox_row's five columns alone.
 *
 * A row that does not fit goes on in a chain of overflow pages, which the caller finds. Pure; any thread.
 */
#ifndef WEBSENTRY_OUTBOX_OUTBOX_CELL_H
#define WEBSENTRY_OUTBOX_OUTBOX_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outbox_row;

/* Bytes of a row at most: key, message, and what stands in front of them. */
enum { OUTBOX_CELL_MAX = 160 * 1024 };

struct outbox_cell {
	int64_t id;
	size_t payload;    /* bytes of the whole row */
	size_t start;      /* of the payload, in the page */
	size_t local;      /* bytes of it in the page */
	uint32_t overflow; /* the first overflow page; 0: none */
};

/* Whether the bytes at offset can be a row of ours, as far as the page tells. Fills the cell. */
bool outbox_cell_parse(const unsigned char *page, size_t page_size, size_t offset,
		       struct outbox_cell *ret_cell);

/* Whether there is a sound record of another table. */
bool outbox_cell_is_foreign(const unsigned char *page, size_t page_size, size_t offset);

/*
 * Split a whole payload into a row, which points into it. False: not one of ours (the row is as it was), or its CRC is wrong (the row
 * tells what stands there).
 */
bool outbox_cell_row(const struct outbox_cell *cell, const unsigned char *payload,
		     struct outbox_row *ret_row);

/*
 * What kind of page the bytes are, and how many cells it says it has (from outbox_cell_offset() on). A page that does not keep
 * the format's rules is damaged. last_number: no page has a higher one.
 */
enum outbox_cell_page {
	OUTBOX_CELL_PAGE_LEAF,
	OUTBOX_CELL_PAGE_OTHER, /* holds no rows: interior, overflow, free, the schema */
	OUTBOX_CELL_PAGE_DAMAGED,
};
enum outbox_cell_page outbox_cell_look(const unsigned char *page, size_t page_size, uint32_t number,
				       uint32_t last_number, size_t *ret_cells);
size_t outbox_cell_offset(const unsigned char *page, size_t page_size, size_t cell);

#endif
