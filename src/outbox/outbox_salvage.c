#include "outbox/outbox_salvage.h"

#include <stdlib.h>
#include <string.h>

#include "base/identity.h"
#include "base/memory.h"
#include "outbox/outbox_cell.h"
#include "outbox/outbox_file.h"
#include "outbox/outbox_pages.h"
#include "outbox/outbox_place.h"
#include "outbox/outbox_segment.h"

/* How many ways of putting a row together out of its overflow pages' versions are tried. */
enum { TRIES_MAX = 2000, VERSIONS_MAX = 64, CHAIN_MAX = OUTBOX_CELL_MAX / 508 + 1 };
enum { FEED_ROWS = 1024 };

/* Where a row was found. */
struct found {
	struct identity identity;
	int64_t id;
	size_t version;
	uint32_t offset;
};

/* A row with a wrong CRC. Its identity may be readable all the same, and tells better which one it is: its id may be what is wrong. */
struct bad {
	bool has_identity;
	struct identity identity;
	int64_t id;
};

struct outbox_salvage {
	struct outbox_pages *pages;
	struct found *rows;
	size_t row_count;
	size_t row_capacity;
	struct bad *bad;
	size_t bad_count;
	size_t bad_capacity;
	struct outbox_salvage_counts counts;
	unsigned char *page;
	unsigned char *overflow;
	unsigned char *payload;
	/* of the row that is being put together */
	const struct outbox_cell *cell;
	size_t version;
	int tries;
};

/* --- a row, out of its page and its overflow pages --- */

/* The rest of the payload from done on lies in page number and those behind it. */
static bool follow(struct outbox_salvage *salvage, uint32_t number, size_t done, size_t depth,
		   struct outbox_row *ret_row)
{
	const struct outbox_cell *cell = salvage->cell;
	if (done == cell->payload)
		return outbox_cell_row(cell, salvage->payload, ret_row);
	size_t versions[VERSIONS_MAX];
	size_t count = number == 0 || depth > CHAIN_MAX
			       ? 0
			       : outbox_pages_versions(salvage->pages, number, salvage->version,
						       versions, VERSIONS_MAX);
	size_t room = outbox_pages_size(salvage->pages) - 4;
	size_t part = cell->payload - done < room ? cell->payload - done : room;
	for (size_t i = 0; i < count && salvage->tries < TRIES_MAX; i++) {
		salvage->tries++;
		if (outbox_pages_read(salvage->pages, versions[i], salvage->overflow) != 0)
			continue;
		const unsigned char *bytes = salvage->overflow;
		uint32_t next = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
				(uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
		memcpy(salvage->payload + done, bytes + 4, part);
		if (follow(salvage, next, done + part, depth + 1, ret_row))
			return true;
	}
	return false;
}

/* The page lies in salvage->page. The row points into salvage->payload. */
static bool assemble(struct outbox_salvage *salvage, const struct outbox_cell *cell, size_t version,
		     struct outbox_row *ret_row)
{
	salvage->cell = cell;
	salvage->version = version;
	salvage->tries = 0;
	*ret_row = (struct outbox_row){0};
	memcpy(salvage->payload, salvage->page + cell->start, cell->local);
	return follow(salvage, cell->overflow, cell->local, 0, ret_row);
}

/* --- what is found --- */

/* The identity stands in front of every message, in one form: see identity_append_message(). */
static bool read_identity(const struct outbox_row *row, struct identity *ret_identity)
{
	static const char before[] = "\"producer_id\":\"";
	static const char between[] = "\",\"seq\":";
	enum { UUID_LENGTH = UUID_TEXT_SIZE - 1, HEAD_MAX = 96 };
	char head[HEAD_MAX + 1];
	size_t length = row->message_length < HEAD_MAX ? row->message_length : HEAD_MAX;
	memcpy(head, row->message, length);
	head[length] = '\0';
	const char *id = strstr(head, before);
	if (id == NULL)
		return false;
	id += strlen(before);
	if (strlen(id) < UUID_LENGTH + strlen(between) ||
	    uuid_parse(id, UUID_LENGTH, &ret_identity->producer_id) != 0 ||
	    strncmp(id + UUID_LENGTH, between, strlen(between)) != 0)
		return false;
	const char *number = id + UUID_LENGTH + strlen(between);
	char *end;
	ret_identity->seq = strtoll(number, &end, 10);
	return end > number && *end == ',' && ret_identity->seq >= 0;
}

static void add_row(struct outbox_salvage *salvage, const struct found *row)
{
	if (salvage->row_count == salvage->row_capacity) {
		salvage->row_capacity = 2 * salvage->row_capacity + 1024;
		salvage->rows =
			xreallocarray(salvage->rows, salvage->row_capacity, sizeof(*salvage->rows));
	}
	salvage->rows[salvage->row_count++] = *row;
}

static void add_bad(struct outbox_salvage *salvage, int64_t id, const struct outbox_row *row)
{
	struct bad bad = {.id = id};
	bad.has_identity = row->message != NULL && read_identity(row, &bad.identity);
	if (salvage->bad_count == salvage->bad_capacity) {
		salvage->bad_capacity = 2 * salvage->bad_capacity + 64;
		salvage->bad =
			xreallocarray(salvage->bad, salvage->bad_capacity, sizeof(*salvage->bad));
	}
	salvage->bad[salvage->bad_count++] = bad;
}

enum try_result { TRY_ROW, TRY_BAD_ROW, TRY_NOTHING };

/* What begins there: a row of ours with a right CRC, with a wrong one, or none. */
static enum try_result try_cell(struct outbox_salvage *salvage, size_t version, size_t offset)
{
	struct outbox_cell cell;
	struct outbox_row row;
	struct found found = {.version = version, .offset = (uint32_t)offset};
	if (!outbox_cell_parse(salvage->page, outbox_pages_size(salvage->pages), offset, &cell))
		return TRY_NOTHING;
	if (!assemble(salvage, &cell, version, &row) || !read_identity(&row, &found.identity)) {
		add_bad(salvage, cell.id, &row);
		return TRY_BAD_ROW;
	}
	found.id = row.id;
	add_row(salvage, &found);
	return TRY_ROW;
}

/* --- the pages --- */

/* Look at every byte; returns whether there was a row. */
static bool carve(struct outbox_salvage *salvage, size_t version)
{
	bool is_found = false;
	for (size_t offset = 0; offset < outbox_pages_size(salvage->pages); offset++)
		is_found = try_cell(salvage, version, offset) == TRY_ROW || is_found;
	return is_found;
}

/* By the page's own table. Returns whether each of its cells is a row of ours, or one of another table. */
static bool read_cells(struct outbox_salvage *salvage, size_t version, size_t cells,
		       bool *ret_has_bad_row)
{
	size_t size = outbox_pages_size(salvage->pages);
	bool is_sound = true;
	for (size_t i = 0; i < cells; i++) {
		size_t offset = outbox_cell_offset(salvage->page, size, i);
		enum try_result result = try_cell(salvage, version, offset);
		*ret_has_bad_row = *ret_has_bad_row || result == TRY_BAD_ROW;
		is_sound = is_sound && (result != TRY_NOTHING ||
					outbox_cell_is_foreign(salvage->page, size, offset));
	}
	return is_sound;
}

/* Of the schema, in page 1. */
static bool names_tables(const struct outbox_salvage *salvage, size_t version)
{
	static const char words[] = "CREATE TABLE outbox_row";
	return outbox_pages_number(salvage->pages, version) == 1 &&
	       memmem(salvage->page, outbox_pages_size(salvage->pages), words, strlen(words)) !=
		       NULL;
}

static void scan_page(struct outbox_salvage *salvage, size_t version)
{
	size_t cells = 0;
	bool has_bad_row = false;
	bool is_damaged = false;
	if (outbox_pages_read(salvage->pages, version, salvage->page) != 0) {
		salvage->counts.lost_pages++;
		return;
	}
	if (names_tables(salvage, version))
		salvage->counts.has_tables = true;
	switch (outbox_cell_look(salvage->page, outbox_pages_size(salvage->pages),
				 outbox_pages_number(salvage->pages, version),
				 (uint32_t)outbox_pages_count(salvage->pages), &cells)) {
	case OUTBOX_CELL_PAGE_LEAF:
		is_damaged = !read_cells(salvage, version, cells, &has_bad_row);
		if (is_damaged || has_bad_row)
			(void)carve(salvage, version);
		break;
	case OUTBOX_CELL_PAGE_DAMAGED:
		is_damaged = true;
		(void)carve(salvage, version);
		break;
	case OUTBOX_CELL_PAGE_OTHER:
		break;
	}
	salvage->counts.bad_pages += is_damaged ? 1 : 0;
}

static int compare_identities(const struct identity *a, const struct identity *b)
{
	int order =
		memcmp(a->producer_id.bytes, b->producer_id.bytes, sizeof(a->producer_id.bytes));
	return order != 0 ? order : (a->seq > b->seq) - (a->seq < b->seq);
}

static int compare_found(const void *a, const void *b)
{
	const struct found *x = a;
	const struct found *y = b;
	int order = compare_identities(&x->identity, &y->identity);
	return order != 0 ? order : (x->version > y->version) - (x->version < y->version);
}

static int compare_to_identity(const void *key, const void *row)
{
	return compare_identities(key, &((const struct found *)row)->identity);
}

static int compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static int compare_bad(const void *a, const void *b)
{
	const struct bad *x = a;
	const struct bad *y = b;
	int order = compare_ids(&x->id, &y->id);
	return order != 0 ? order : compare_identities(&x->identity, &y->identity);
}

/* The same row more than once counts once. */
static void drop_doubles(struct outbox_salvage *salvage)
{
	size_t kept = 0;
	if (salvage->row_count > 0)
		qsort(salvage->rows, salvage->row_count, sizeof(*salvage->rows), compare_found);
	for (size_t i = 0; i < salvage->row_count; i++)
		if (kept == 0 || compare_identities(&salvage->rows[kept - 1].identity,
						    &salvage->rows[i].identity) != 0)
			salvage->rows[kept++] = salvage->rows[i];
	salvage->row_count = kept;
	kept = 0;
	if (salvage->bad_count > 0)
		qsort(salvage->bad, salvage->bad_count, sizeof(*salvage->bad), compare_bad);
	for (size_t i = 0; i < salvage->bad_count; i++)
		if (kept == 0 || compare_bad(&salvage->bad[kept - 1], &salvage->bad[i]) != 0)
			salvage->bad[kept++] = salvage->bad[i];
	salvage->bad_count = kept;
}

/*
 * Whether a bad row was found whole elsewhere. Both its identity and its id must say so: one changed digit of a seq makes it look like
 * the row beside it.
 */
static bool is_whole_elsewhere(const struct outbox_salvage *salvage, const struct bad *bad,
			       const int64_t *ids)
{
	const struct found *whole;
	size_t count = salvage->row_count;
	if (count == 0)
		return false;
	if (!bad->has_identity)
		return bsearch(&bad->id, ids, count, sizeof(*ids), compare_ids) != NULL;
	whole = bsearch(&bad->identity, salvage->rows, count, sizeof(*salvage->rows),
			compare_to_identity);
	return whole != NULL && whole->id == bad->id;
}

/* A row is not bad that was found whole elsewhere. */
static void settle(struct outbox_salvage *salvage)
{
	drop_doubles(salvage);
	size_t count = salvage->row_count;
	int64_t *ids = xcalloc(count + 1, sizeof(*ids));
	for (size_t i = 0; i < count; i++)
		ids[i] = salvage->rows[i].id;
	qsort(ids, count, sizeof(*ids), compare_ids);
	size_t kept = 0;
	for (size_t i = 0; i < salvage->bad_count; i++)
		if (!is_whole_elsewhere(salvage, &salvage->bad[i], ids))
			salvage->bad[kept++] = salvage->bad[i];
	salvage->bad_count = kept;
	free(ids);
	salvage->counts.rows = count;
	salvage->counts.bad_rows = kept;
}

/* Returns how much is damaged with pages of that size. */
static size_t scan_in_size(struct outbox_salvage *salvage, size_t which)
{
	outbox_pages_use_size(salvage->pages, which);
	salvage->bad_count = 0;
	salvage->counts = (struct outbox_salvage_counts){.has_tables = salvage->counts.has_tables};
	for (size_t version = 0; version < outbox_pages_count(salvage->pages); version++)
		scan_page(salvage, version);
	return salvage->bad_count + salvage->counts.bad_pages;
}

/*
 * Another size is tried only where the one before found nothing: the right one, mostly the first, finds all. Where there is nothing to
 * find, it is the one with which the least looks damaged.
 */
static void scan_in_its_size(struct outbox_salvage *salvage)
{
	size_t count = outbox_pages_size_count(salvage->pages);
	size_t least = SIZE_MAX;
	size_t best = 0;
	size_t which = 0;
	for (; which < count && salvage->row_count == 0; which++) {
		size_t damage = scan_in_size(salvage, which);
		if (damage < least) {
			least = damage;
			best = which;
		}
	}
	if (salvage->row_count == 0 && best != which - 1)
		(void)scan_in_size(salvage, best);
}

struct outbox_salvage *outbox_salvage_open(const char *path, struct error *err)
{
	struct outbox_pages *pages = outbox_pages_open(path, err);
	if (pages == NULL)
		return NULL;
	struct outbox_salvage *salvage = xcalloc(1, sizeof(*salvage));
	salvage->pages = pages;
	salvage->page = xmalloc(OUTBOX_PAGES_SIZE_MAX);
	salvage->overflow = xmalloc(OUTBOX_PAGES_SIZE_MAX);
	salvage->payload = xmalloc(OUTBOX_CELL_MAX);
	scan_in_its_size(salvage);
	settle(salvage);
	return salvage;
}

void outbox_salvage_close(struct outbox_salvage *salvage)
{
	if (salvage == NULL)
		return;
	outbox_pages_close(salvage->pages);
	free(salvage->rows);
	free(salvage->bad);
	free(salvage->page);
	free(salvage->overflow);
	free(salvage->payload);
	free(salvage);
}

void outbox_salvage_count(const struct outbox_salvage *salvage,
			  struct outbox_salvage_counts *ret_counts)
{
	*ret_counts = salvage->counts;
}

bool outbox_salvage_is_of_outbox(const struct outbox_salvage_counts *counts)
{
	return counts->has_tables || counts->rows + counts->bad_rows + counts->lost_pages > 0;
}

int64_t outbox_salvage_bad_id(const struct outbox_salvage *salvage, size_t i)
{
	return salvage->bad[i].id;
}

/* --- feeding back --- */

/* One transaction with the rows from first on. Their order in the outbox is the one in which they stand here. */
static enum outbox_file_result feed_some(struct outbox_salvage *salvage, struct outbox_file *file,
					 struct outbox_file_meta *meta, size_t first, size_t count,
					 struct error *err)
{
	enum outbox_file_result result = outbox_file_begin(file, err);
	for (size_t i = first; result == OUTBOX_FILE_OK && i < first + count; i++) {
		const struct found *found = &salvage->rows[i];
		struct outbox_cell cell;
		struct outbox_row row;
		size_t size = outbox_pages_size(salvage->pages);
		if (outbox_pages_read(salvage->pages, found->version, salvage->page) != 0 ||
		    !outbox_cell_parse(salvage->page, size, found->offset, &cell) ||
		    !assemble(salvage, &cell, found->version, &row)) {
			error_set(err, ERROR_RETRY, "a row is not what it was a moment ago");
			return OUTBOX_FILE_FAILED;
		}
		row.id = ++meta->last_id;
		result = outbox_file_insert(file, &row, err);
		meta->rows++;
		meta->bytes += (int64_t)row.message_length;
	}
	return result == OUTBOX_FILE_OK ? outbox_file_commit(file, meta, err) : result;
}

/* As it is, and looked through: a producer finds damage when it comes to it, and sends what lies before. */
static enum outbox_file_result open_sound(const char *path, struct outbox_file **ret_file,
					  struct outbox_file_meta *ret_meta, struct error *err)
{
	if (outbox_place_is_torn(path)) {
		error_set(err, ERROR_REJECT, "empty beside a write-ahead log");
		return OUTBOX_FILE_DAMAGED;
	}
	struct outbox_file *file;
	enum outbox_file_result result =
		outbox_file_open(path, OUTBOX_DURABILITY_POWER, &file, ret_meta, err);
	if (result == OUTBOX_FILE_FAILED && outbox_place_is_folder(path))
		return OUTBOX_FILE_DAMAGED;
	if (result == OUTBOX_FILE_OK)
		result = outbox_file_check(file, err);
	else
		return result;
	if (result == OUTBOX_FILE_OK)
		*ret_file = file;
	else
		outbox_file_close(file, true);
	return result;
}

/* What a producer would do at its start: nothing that lies there may be lost for being opened here. */
static enum outbox_file_result open_outbox(const char *path, struct outbox_file **ret_file,
					   struct outbox_file_meta *ret_meta,
					   struct outbox_salvage_fed *fed, struct error *err)
{
	struct outbox_file_meta before = {0};
	free(outbox_place_finish_rename(path));
	enum outbox_file_result result = open_sound(path, ret_file, &before, err);
	*ret_meta = before;
	if (result != OUTBOX_FILE_DAMAGED)
		return result;
	fed->why = *err;
	if (outbox_place_set_aside(path, &fed->set_aside, err) != 0)
		return OUTBOX_FILE_FAILED;
	result = outbox_file_open(path, OUTBOX_DURABILITY_POWER, ret_file, ret_meta, err);
	if (result == OUTBOX_FILE_OK && !ret_meta->has_last) { /* the next producer's prev */
		ret_meta->has_last = before.has_last;
		ret_meta->last = before.last;
	}
	return result;
}

static enum outbox_file_result feed_all(struct outbox_salvage *salvage, struct outbox_file *file,
					struct outbox_file_meta *meta, size_t *fed,
					struct error *err)
{
	enum outbox_file_result result = OUTBOX_FILE_OK;
	while (result == OUTBOX_FILE_OK && *fed < salvage->row_count) {
		size_t left = salvage->row_count - *fed;
		size_t count = left < FEED_ROWS ? left : FEED_ROWS;
		result = feed_some(salvage, file, meta, *fed, count, err);
		if (result == OUTBOX_FILE_OK)
			*fed += count;
		else
			outbox_file_rollback(file);
	}
	return result;
}

int outbox_salvage_feed(struct outbox_salvage *salvage, const char *outbox_path,
			struct outbox_salvage_fed *ret_fed, struct error *err)
{
	struct outbox_file *file;
	struct outbox_file_meta meta;
	*ret_fed = (struct outbox_salvage_fed){.rows = 0};
	enum outbox_file_result result = open_outbox(outbox_path, &file, &meta, ret_fed, err);
	if (result != OUTBOX_FILE_OK) {
		error_prefix(err, "%s: ", outbox_path);
		return -1;
	}
	int64_t unread_id;
	struct outbox_segment *segments =
		outbox_segment_find(outbox_path, OUTBOX_SEGMENT_LOOK, &unread_id);
	int64_t last_id = outbox_segment_last_id(segments);
	outbox_segment_close(segments);
	if (last_id < unread_id)
		last_id = unread_id;
	if (meta.last_id <= last_id) /* ids of a file are higher than those of its segments */
		meta.last_id = last_id + OUTBOX_SEGMENT_GAP;
	result = feed_all(salvage, file, &meta, &ret_fed->rows, err);
	outbox_file_close(file, false);
	if (result != OUTBOX_FILE_OK)
		error_prefix(err, "%s: ", outbox_path);
	return result == OUTBOX_FILE_OK ? 0 : -1;
}

void outbox_salvage_fed_finish(struct outbox_salvage_fed *fed)
{
	free(fed->set_aside);
	fed->set_aside = NULL;
}
