#include "outbox/outbox_segment.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "outbox/outbox_place.h"
#include "outbox/outbox_private.h"

static const char infix[] = ".segment-";

/* Segments that can't be read are tried again so often, and sending waits so long for what is on its way. */
static const mono_us retry_pause = INT64_C(5) * CLOCK_US_PER_S;
static const mono_us retry_wait = INT64_C(1) * CLOCK_US_PER_S;

static void segment_free(struct outbox_segment *segment)
{
	outbox_file_close(segment->file, true);
	free(segment->path);
	free(segment);
}

void outbox_segment_close(struct outbox_segment *first)
{
	while (first != NULL) {
		struct outbox_segment *segment = first;
		first = segment->next;
		segment_free(segment);
	}
}

int64_t outbox_segment_last_id(const struct outbox_segment *first)
{
	int64_t last_id = 0;
	for (; first != NULL; first = first->next)
		last_id = first->meta.last_id;
	return last_id;
}

/* --- what earlier processes left --- */

/* "outbox.db.segment-17-20261121T203345Z" and "…-2", without what belongs to it or was set aside. */
static bool is_segment_name(const char *name, const char *base)
{
	static const char characters[] = "0123456789TZ-";
	size_t length = strlen(base);
	if (strncmp(name, base, length) != 0 || strncmp(name + length, infix, strlen(infix)) != 0)
		return false;
	const char *stamp = name + length + strlen(infix);
	return *stamp != '\0' && stamp[strspn(stamp, characters)] == '\0';
}

static void set_aside(const char *path, const char *why)
{
	char *name = NULL;
	struct error err = {0};
	bool is_done = outbox_place_set_aside(path, &name, &err) == 0;
	log_event(LOG_WARN, "outbox damaged, set aside", LOG_STR("file", path),
		  LOG_STR("now", is_done ? name : NULL), LOG_STR("reason", why),
		  LOG_STR("error", is_done ? NULL : err.message));
	free(name);
}

/* The highest id in it, as its name tells; 0 where it does not. */
static int64_t id_of_name(const char *name, const char *base)
{
	char *end = NULL;
	long long id = strtoll(name + strlen(base) + strlen(infix), &end, 10);
	return *end == '-' && id > 0 && id < INT64_MAX / 2 ? (int64_t)id : 0;
}

/* NULL: it was set aside, or (*ret_is_unread) can't be read now. */
static struct outbox_segment *open_one(const char *path, enum outbox_segment_manner manner,
				       bool *ret_is_unread)
{
	struct error err = {0};
	struct outbox_segment *segment = xcalloc(1, sizeof(*segment));
	enum outbox_file_result result = OUTBOX_FILE_DAMAGED;
	segment->path = xstrdup(path);
	if (outbox_place_is_torn(path))
		error_set(&err, ERROR_REJECT, "empty beside a write-ahead log");
	else if (manner == OUTBOX_SEGMENT_LOOK)
		result = outbox_file_open_to_read(path, &segment->file, &segment->meta, &err);
	else
		result = outbox_file_open(path, OUTBOX_DURABILITY_PROCESS, &segment->file,
					  &segment->meta, &err);
	*ret_is_unread = result != OUTBOX_FILE_OK && result != OUTBOX_FILE_DAMAGED;
	if (result == OUTBOX_FILE_OK) {
		segment->rows_left = segment->meta.rows;
		segment->bytes_left = segment->meta.bytes;
		segment->has_bad_row = outbox_file_has_bad_rows(segment->file);
		return segment;
	}
	if (result == OUTBOX_FILE_DAMAGED && manner != OUTBOX_SEGMENT_LOOK)
		set_aside(path, err.message);
	else if (manner != OUTBOX_SEGMENT_RETRY)
		log_event(LOG_WARN, "outbox segment can't be read", LOG_STR("file", path),
			  LOG_STR("error", err.message));
	segment_free(segment);
	return NULL;
}

static void insert_in_order(struct outbox_segment **first, struct outbox_segment *segment)
{
	struct outbox_segment **place = first;
	while (*place != NULL && (*place)->meta.last_id < segment->meta.last_id)
		place = &(*place)->next;
	segment->next = *place;
	*place = segment;
}

struct outbox_segment *outbox_segment_find(const char *path, enum outbox_segment_manner manner,
					   int64_t *ret_unread_id)
{
	char *folder = xstrdup(path);
	char *base = strrchr(folder, '/');
	struct outbox_segment *first = NULL;
	DIR *listing = NULL;
	const struct dirent *entry;
	*ret_unread_id = -1;
	if (base != NULL) {
		*base++ = '\0';
		listing = opendir(folder);
	}
	while (listing != NULL && (entry = readdir(listing)) != NULL) {
		bool is_unread = false;
		if (!is_segment_name(entry->d_name, base))
			continue;
		char *name = xasprintf("%s/%s", folder, entry->d_name);
		struct outbox_segment *segment = open_one(name, manner, &is_unread);
		int64_t id = id_of_name(entry->d_name, base);
		if (segment != NULL)
			insert_in_order(&first, segment);
		if (is_unread && *ret_unread_id < id)
			*ret_unread_id = id;
		free(name);
	}
	if (listing != NULL)
		(void)closedir(listing);
	free(folder);
	return first;
}

static void count(struct outbox *outbox, int64_t rows, int64_t bytes)
{
	atomic_fetch_add(&outbox->waiting_rows, rows);
	atomic_fetch_add(&outbox->waiting_bytes, bytes);
}

/* Out of the list; its files are closed, and gone where they are not kept. */
static void take_out(struct outbox *outbox, struct outbox_segment *segment, bool is_kept)
{
	struct outbox_segment **place = &outbox->segments;
	while (*place != segment)
		place = &(*place)->next;
	*place = segment->next;
	outbox_file_close(segment->file, true);
	segment->file = NULL;
	if (!is_kept)
		outbox_place_remove(segment->path);
	segment_free(segment);
}

/* No new row gets an id up to this one. */
static void keep_ids_above(struct outbox *outbox, int64_t id)
{
	if (outbox->next_id > id)
		return;
	outbox->next_id = id + OUTBOX_SEGMENT_GAP;
	outbox->committed_id = outbox->next_id - 1;
}

/*
 * Rows are offered in order of their ids alone, so each segment must lie behind the one before it, and the file behind all. It does
 * unless somebody moved files about.
 */
void outbox_segment_adopt(struct outbox *outbox)
{
	int64_t last_id = 0;
	int64_t unread_id = -1;
	int64_t first_id_of_file = outbox_file_first_id(outbox->file);
	bool is_again = outbox->segments_retry_at != 0;
	struct outbox_segment *next;
	outbox->segments = outbox_segment_find(
		outbox->path, is_again ? OUTBOX_SEGMENT_RETRY : OUTBOX_SEGMENT_TAKE, &unread_id);
	for (struct outbox_segment *segment = outbox->segments; segment != NULL; segment = next) {
		next = segment->next;
		bool is_in_order = outbox_file_first_id(segment->file) > last_id &&
				   segment->meta.last_id < first_id_of_file;
		if (!is_in_order)
			set_aside(segment->path, "ids that another file has too");
		/* a drained one too knows what was committed before us, where the file is new */
		if (segment->meta.has_last && !outbox->meta.has_last)
			outbox->prev = segment->meta.last;
		outbox->has_prev = outbox->has_prev || segment->meta.has_last;
		if (!is_in_order || segment->meta.rows == 0) {
			take_out(outbox, segment, !is_in_order);
			continue;
		}
		last_id = segment->meta.last_id;
		log_event(LOG_INFO, "outbox segment is drained first",
			  LOG_STR("file", segment->path), LOG_INT("rows", segment->meta.rows));
		count(outbox, segment->rows_left, segment->bytes_left);
	}
	keep_ids_above(outbox, last_id > unread_id ? last_id : unread_id);
	outbox->has_unread_segments = unread_id >= 0;
}

void outbox_segment_retry(struct outbox *outbox, mono_us now)
{
	if (!outbox->has_unread_segments)
		return;
	if (outbox->segments_retry_at == 0)
		outbox->segments_retry_at = now + retry_pause;
	outbox->is_waiting_for_segments =
		outbox->segments == NULL && now >= outbox->segments_retry_at;
	if (!outbox->is_waiting_for_segments)
		return;
	/* While no report comes nobody else opens one. */
	if (!outbox_commit_has_file(outbox, now)) {
		outbox->segments_retry_at = now + retry_pause;
		outbox->is_waiting_for_segments = false;
		return;
	}
	if (outbox->window.count == 0 && outbox->pending == NULL) {
		outbox_segment_adopt(outbox);
		if (outbox->segments != NULL) {
			outbox->sent_id = 0;
			outbox_window_begin_after(&outbox->window, 0);
		}
	} else if (now < outbox->segments_retry_at + retry_wait) {
		return;
	}
	outbox->segments_retry_at = now + retry_pause;
	outbox->is_waiting_for_segments = false;
}

/* --- rows that have arrived --- */

static void settle_one(struct outbox *outbox, struct outbox_segment *segment)
{
	size_t cursor = 0;
	struct outbox_window_range range;
	int64_t before_id = 0;
	for (const struct outbox_segment *at = outbox->segments; at != segment; at = at->next)
		before_id = at->meta.last_id;
	while (outbox_window_next_range(&outbox->window, &cursor, &range)) {
		if (range.first_id <= before_id || range.first_id > segment->meta.last_id)
			continue;
		segment->rows_left -= range.rows;
		segment->bytes_left -= range.bytes;
	}
}

void outbox_segment_settle(struct outbox *outbox)
{
	for (struct outbox_segment *segment = outbox->segments; segment != NULL;
	     segment = segment->next)
		settle_one(outbox, segment);
}

void outbox_segment_remove_drained(struct outbox *outbox)
{
	struct outbox_segment *next;
	for (struct outbox_segment *segment = outbox->segments; segment != NULL; segment = next) {
		next = segment->next;
		if (segment->rows_left > 0)
			continue;
		if (segment->has_bad_row)
			set_aside(segment->path, "rows do not match their checksum");
		/* what is behind its last row is never looked for */
		if (outbox->sent_id < segment->meta.last_id && segment == outbox->segments)
			outbox->sent_id = segment->meta.last_id;
		take_out(outbox, segment, segment->has_bad_row);
	}
}

/* --- a file becomes one --- */

/* Rows that have an id, but were not committed, get one of the new file. Their identity stays. */
static void renumber_pending(struct outbox *outbox)
{
	outbox->next_id = outbox->committed_id + OUTBOX_SEGMENT_GAP;
	for (struct outbox_pending *row = outbox->pending; row != NULL && row->id != 0;
	     row = row->next)
		row->id = outbox->next_id++;
}

int outbox_segment_begin(struct outbox *outbox, const struct error *why, struct error *err)
{
	size_t segments = 0;
	char *name = NULL;
	for (const struct outbox_segment *at = outbox->segments; at != NULL; at = at->next)
		segments++;
	if (segments >= OUTBOX_SEGMENTS_MAX) {
		error_set(err, ERROR_RETRY, "the disk did not confirm what was written, %zu times",
			  segments);
		return -1;
	}
	outbox_file_reset(outbox->file);
	char *infix_with_id = xasprintf("%s%lld-", infix, (long long)outbox->committed_id);
	int result = outbox_place_rename(outbox->path, infix_with_id, &name, err);
	free(infix_with_id);
	if (result != 0)
		return -1;
	outbox_segment_settle(outbox); /* of the older ones, before the window forgets */
	struct outbox_segment *segment = xcalloc(1, sizeof(*segment));
	segment->path = name;
	segment->file = outbox->file;
	segment->has_bad_row = outbox_file_has_bad_rows(outbox->file);
	segment->meta = outbox->meta;
	segment->meta.last_id = outbox->committed_id;
	segment->rows_left = outbox->meta.rows;
	segment->bytes_left = outbox->meta.bytes;
	insert_in_order(&outbox->segments, segment);
	settle_one(outbox, segment);
	outbox_window_forget_acknowledged(&outbox->window);
	outbox->file = NULL;
	outbox->meta.rows = 0;
	outbox->meta.bytes = 0;
	renumber_pending(outbox);
	if (segment->rows_left > 0)
		log_event(LOG_WARN, "outbox not confirmed by the disk, going on in a new file",
			  LOG_STR("old", name), LOG_INT("rows", segment->rows_left),
			  LOG_STR("reason", why->message));
	outbox_segment_remove_drained(outbox);
	return 0;
}

/* --- reading --- */

struct outbox_segment *outbox_segment_next(const struct outbox *outbox)
{
	struct outbox_segment *segment = outbox->segments;
	while (segment != NULL && outbox->sent_id >= segment->meta.last_id)
		segment = segment->next;
	return segment;
}

/* Figures that count rows which are not there are set right: all that is left is in the window. */
void outbox_segment_end(struct outbox *outbox, struct outbox_segment *segment)
{
	int64_t before_id = 0;
	for (const struct outbox_segment *at = outbox->segments; at != segment; at = at->next)
		before_id = at->meta.last_id;
	int64_t rows = (int64_t)(outbox_window_rows_until(&outbox->window, segment->meta.last_id) -
				 outbox_window_rows_until(&outbox->window, before_id));
	if (segment->rows_left != rows)
		count(outbox, rows - segment->rows_left, 0);
	segment->rows_left = rows;
	outbox->sent_id = segment->meta.last_id;
	outbox_segment_remove_drained(outbox);
}

/*
 * A segment is never written to, so a row of it that is bad stays where it is, and is met again whenever what is behind it is sent again.
 * Its entry in the window says that it was taken off the figures.
 */
void outbox_segment_bad_row(struct outbox *outbox, struct outbox_segment *segment,
			    const struct outbox_row *row)
{
	const struct outbox_window_entry *entry = outbox_window_find(&outbox->window, row->id);
	bool is_past = outbox_window_is_past(&outbox->window, row->id);
	if (entry == NULL && !is_past && outbox_window_is_full(&outbox->window))
		return; /* again when there is room */
	outbox->sent_id = row->id;
	if (is_past || (entry != NULL && (entry->state == OUTBOX_WINDOW_GONE ||
					  entry->state == OUTBOX_WINDOW_ACKNOWLEDGED)))
		return; /* or it has arrived */
	if (entry == NULL)
		outbox_window_add(&outbox->window, row->id, (uint32_t)row->message_length);
	log_event(LOG_WARN, "outbox row damaged, put aside", LOG_STR("file", segment->path),
		  LOG_INT("row", row->id));
	figures_add(&outbox->figures->set_aside, 1);
	segment->has_bad_row = true;
	segment->rows_left--;
	segment->bytes_left -= (int64_t)row->message_length;
	count(outbox, -1, -(int64_t)row->message_length);
	outbox_window_drop(&outbox->window, row->id);
	outbox_segment_remove_drained(outbox);
}

/* Rows of it that are on their way may still arrive. */
void outbox_segment_damaged(struct outbox *outbox, struct outbox_segment *segment,
			    const struct error *why)
{
	int64_t first_id = 1;
	int64_t last_id = segment->meta.last_id;
	for (const struct outbox_segment *at = outbox->segments; at != segment; at = at->next)
		first_id = at->meta.last_id + 1;
	settle_one(outbox, segment);
	figures_add(&outbox->figures->set_aside, 1);
	set_aside(segment->path, why->message);
	count(outbox, -segment->rows_left, -segment->bytes_left);
	outbox_window_drop_range(&outbox->window, first_id, last_id);
	if (outbox->sent_id < last_id)
		outbox->sent_id = last_id;
	take_out(outbox, segment, true);
}
