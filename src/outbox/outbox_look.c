#include "outbox/outbox_look.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "outbox/outbox_file.h"
#include "outbox/outbox_place.h"

struct outbox_look {
	struct outbox_file *file;
	struct outbox_file_meta meta;
};

int outbox_look_open(const char *path, struct outbox_look **ret_look, struct error *err)
{
	struct outbox_look look = {0};
	enum outbox_file_result result = OUTBOX_FILE_DAMAGED;
	if (access(path, F_OK) != 0) {
		*ret_look = NULL;
		return 0;
	}
	if (outbox_place_is_torn(path))
		error_set(err, ERROR_REJECT, "empty beside a write-ahead log");
	else
		result = outbox_file_open(path, OUTBOX_DURABILITY_PROCESS, &look.file, &look.meta,
					  err);
	if (result != OUTBOX_FILE_OK) {
		error_prefix(err, "%s: ", path);
		return -1;
	}
	outbox_file_seek(look.file, 0);
	*ret_look = xmemdup(&look, sizeof(look));
	return 0;
}

void outbox_look_close(struct outbox_look *look)
{
	if (look == NULL)
		return;
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
	switch (outbox_file_next(look->file, ret_row, err)) {
	case OUTBOX_FILE_OK:
		return 1;
	case OUTBOX_FILE_NO_ROW:
		return 0;
	case OUTBOX_FILE_BAD_ROW:
		err->kind = ERROR_RETRY;
		return -1;
	case OUTBOX_FILE_FULL:
	case OUTBOX_FILE_HELD:
	case OUTBOX_FILE_DAMAGED:
	case OUTBOX_FILE_FAILED:
		break;
	}
	err->kind = ERROR_FATAL;
	return -1;
}
