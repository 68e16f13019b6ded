#include "outbox/outbox_look.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "outbox/outbox_file.h"
#include "outbox/outbox_place.h"
#include "outbox/outbox_segment.h"

struct outbox_look {
	struct outbox_segment *segments;
	struct outbox_segment *segment; /* being read; NULL: the file is */
	struct outbox_file *file;       /* NULL: there is none */
	struct outbox_file_meta meta;
};

int outbox_look_open(const char *path, int64_t after_id, struct outbox_look **ret_look,
		     struct error *err)
{
	int64_t unread_id;
	struct outbox_look look = {
		.segments = outbox_segment_find(path, OUTBOX_SEGMENT_LOOK, &unread_id)};
	enum outbox_file_result result = OUTBOX_FILE_OK;
	if (outbox_place_is_torn(path)) {
		error_set(err, ERROR_REJECT, "empty beside a write-ahead log");
		result = OUTBOX_FILE_DAMAGED;
	} else if (access(path, F_OK) == 0) {
		result = outbox_file_open_to_read(path, &look.file, &look.meta, err);
	}
	if (result != OUTBOX_FILE_OK) {
		outbox_segment_close(look.segments);
		error_prefix(err, "%s: ", path);
		return -1;
	}
	look.segment = look.segments;
	for (const struct outbox_segment *at = look.segments; at != NULL; at = at->next) {
		look.meta.rows += at->meta.rows;
		look.meta.bytes += at->meta.bytes;
		outbox_file_seek(at->file, after_id);
	}
	if (look.file != NULL)
		outbox_file_seek(look.file, after_id);
	*ret_look = xmemdup(&look, sizeof(look));
	return 0;
}

void outbox_look_close(struct outbox_look *look)
{
	if (look == NULL)
		return;
	outbox_segment_close(look->segments);
	outbox_file_close(look->file, true); /* as it lies there: no checkpoint */
	free(look);
}

int64_t outbox_look_rows(const struct outbox_look *look)
{
	return look->meta.rows;
}

int64_t outbox_look_bytes(const struct outbox_look *look)
{
	return look->meta.bytes;
}

int outbox_look_next(struct outbox_look *look, struct outbox_row *ret_row, struct error *err)
{
	struct outbox_file *file = look->segment != NULL ? look->segment->file : look->file;
	if (file == NULL)
		return 0;
	switch (outbox_file_next(file, ret_row, err)) {
	case OUTBOX_FILE_OK:
		return 1;
	case OUTBOX_FILE_NO_ROW:
		if (look->segment == NULL)
			return 0;
		look->segment = look->segment->next;
		return outbox_look_next(look, ret_row, err);
	case OUTBOX_FILE_BAD_ROW:
		err->kind = ERROR_RETRY;
		return -1;
	case OUTBOX_FILE_FULL:
	case OUTBOX_FILE_HELD:
	case OUTBOX_FILE_DAMAGED:
	case OUTBOX_FILE_UNSYNCED:
	case OUTBOX_FILE_FAILED:
		break;
	}
	err->kind = ERROR_FATAL;
	return -1;
}
