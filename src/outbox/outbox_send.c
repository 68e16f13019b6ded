#include "outbox/outbox_private.h"

#include <assert.h>

#include "base/log.h"
#include "base/planted.h"

/* Rows read back in one turn of the thread, so that commits stay on time. */
enum { SEND_ROWS_MAX = 1024 };

bool outbox_send_row(struct outbox *outbox, const struct outbox_row *row)
{
	if (outbox->is_drain_blocked || outbox->is_waiting_for_segments)
		return false;
	if (outbox_window_is_past(&outbox->window, row->id)) {
		outbox->sent_id = row->id;
		return true;
	}
	struct outbox_window_entry *entry = outbox_window_find(&outbox->window, row->id);
	if (entry == NULL && outbox_window_is_full(&outbox->window))
		return false;
	/* first the entry: the drain may acknowledge at once */
	if (entry == NULL)
		outbox_window_add(&outbox->window, row->id, (uint32_t)row->message_length);
	else if (entry->state == OUTBOX_WINDOW_WAITING)
		entry->state = OUTBOX_WINDOW_SENT;
	else
		goto sent; /* sent or acknowledged already */
	bool is_taken = outbox->drain->send(outbox->drain->context, row) == 0;
	if (IS_PLANTED(DROP_ON_FULL_QUEUE) && !is_taken)
		is_taken = outbox_window_acknowledge(&outbox->window, row->id);
	if (!is_taken) {
		outbox->is_drain_blocked = true;
		outbox_window_take_back(&outbox->window, row->id, entry != NULL);
		return false;
	}
	if (IS_PLANTED(DELETE_BEFORE_REPORT))
		(void)outbox_window_acknowledge(&outbox->window, row->id);
sent:
	outbox->sent_id = row->id;
	return true;
}

bool outbox_send_is_due(const struct outbox *outbox)
{
	bool has_source = outbox->file != NULL || outbox_segment_next(outbox) != NULL;
	return has_source && !outbox->is_drain_blocked && !outbox->is_waiting_for_segments &&
	       outbox->sent_id < outbox->committed_id && !outbox_window_is_full(&outbox->window);
}

/* The end of the file was read. Figures that still count rows then are wrong: set them right. */
static void reach_end(struct outbox *outbox)
{
	int64_t segments_last_id = outbox_segment_last_id(outbox->segments);
	size_t in_segments = outbox_window_rows_until(&outbox->window, segments_last_id);
	outbox->sent_id = outbox->committed_id;
	int64_t excess =
		outbox->meta.rows - (int64_t)(outbox_window_rows(&outbox->window) - in_segments);
	if (excess == 0)
		return;
	log_event(LOG_WARN, "outbox counted wrong, corrected", LOG_STR("file", outbox->path),
		  LOG_INT("rows", excess));
	outbox->meta.rows -= excess;
	atomic_fetch_sub(&outbox->waiting_rows, excess);
}

static void end_reading(struct outbox *outbox, struct outbox_segment *segment,
			enum outbox_file_result result, const struct outbox_row *row,
			const struct error *err, mono_us now)
{
	switch (result) {
	case OUTBOX_FILE_OK:
		break;
	case OUTBOX_FILE_NO_ROW:
		if (segment != NULL)
			outbox_segment_end(outbox, segment);
		else
			reach_end(outbox);
		break;
	case OUTBOX_FILE_BAD_ROW:
		if (segment != NULL)
			outbox_segment_bad_row(outbox, segment, row);
		else
			outbox_commit_bad_row(outbox, row, now);
		break;
	case OUTBOX_FILE_DAMAGED:
		if (segment != NULL)
			outbox_segment_damaged(outbox, segment, err);
		else
			outbox_commit_replace_file(outbox, err, now);
		break;
	case OUTBOX_FILE_FULL:
	case OUTBOX_FILE_HELD:
	case OUTBOX_FILE_UNSYNCED:
	case OUTBOX_FILE_FAILED:
		/* an I/O error: look again with the next serve */
		outbox->is_drain_blocked = true;
		break;
	}
}

/* Whether outbox_file_next() has filled its row. */
static bool has_row(enum outbox_file_result result)
{
	return result == OUTBOX_FILE_OK || result == OUTBOX_FILE_BAD_ROW;
}

void outbox_send_stored(struct outbox *outbox, mono_us now)
{
	struct error err = {0};
	struct outbox_row row;
	enum outbox_file_result result = OUTBOX_FILE_OK;
	struct outbox_segment *segment = outbox_segment_next(outbox);
	struct outbox_file *file = segment != NULL ? segment->file : outbox->file;
	int64_t last_id = segment != NULL ? segment->meta.last_id : outbox->committed_id;
	outbox_file_seek(file, outbox->sent_id);
	for (int i = 0; i < SEND_ROWS_MAX; i++) {
		result = outbox_file_next(file, &row, &err);
		bool is_behind = has_row(result) && row.id > last_id;
		if (segment != NULL && is_behind)
			result = OUTBOX_FILE_NO_ROW; /* of the commit that was not confirmed */
		else if (result == OUTBOX_FILE_BAD_ROW && is_behind)
			result = OUTBOX_FILE_DAMAGED; /* an id that was never given */
		if (result != OUTBOX_FILE_OK || !outbox_send_row(outbox, &row))
			break;
	}
	outbox_file_reset(file);
	end_reading(outbox, segment, result, &row, &err, now);
}
