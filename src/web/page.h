/*
 * The status page as HTML. The board is the part that changes: the page holds it, and the page's script fetches it
 * alone and puts changed rows in place. No inline script or style anywhere: the Content-Security-Policy forbids both. Pure.
 */
#ifndef WEBSENTRY_WEB_PAGE_H
#define WEBSENTRY_WEB_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct buffer;
struct snapshot;

enum {
	PAGE_ROWS_MAX = 2000, /* rows on the page, the worst first; the API has all */
	PAGE_ROWS_BYTES_MAX = 8 * 1024 * 1024, /* no more rows beyond this either */
	PAGE_MAX = 16 * 1024 * 1024,           /* bytes of the whole page */
	PAGE_REFRESH_S = 5,                    /* for browsers without scripts */
};

/* What the page is made from. */
struct page_facts {
	const struct snapshot *snapshot; /* NULL: the store has not answered yet */
	bool is_stale; /* the store can't be read any more: the snapshot is an old one */
	const char *title;
	int64_t missing; /* reports that the audit misses, for the footer */
	wall_us now;
};

void page_write_board(struct buffer *out, const struct page_facts *facts);

/* The whole document around a board that was written already. */
void page_write(struct buffer *out, const struct page_facts *facts, const struct buffer *board);

/* Changes whenever the board says something new; the mere passing of time does not change it. */
uint64_t page_hash(const struct page_facts *facts);

#endif
