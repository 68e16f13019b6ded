/*
 * `websentry quarantine retry`: messages go through the decoder and into the store as if they had just come, one transaction each,
 * which also takes them out of quarantine. What is still bad stays. A repaired message must be of the same report as the original, as
 * far as that can be read: its identity and its times are nobody's to change.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/process.h"
#include "app/quarantine.h"
#include "app/store_settings.h"
#include "app/storing.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "codec/report_peek.h"
#include "config/settings.h"

enum {
	PAGE_IDS = 1000,              /* read at once with --all */
	FILE_MAX_BYTES = 1024 * 1024, /* of a repaired message */
	DIFFERENCE_SIZE = 384,
	DETAIL_SIZE = 256,
	READ_CHUNK = 64 * 1024,
};

struct retrying {
	struct store *store;
	const char *repaired; /* NULL: as they are */
	size_t repaired_length;
	size_t stored;
	size_t known;  /* were in the store already */
	size_t left;   /* are still bad */
	size_t absent; /* were asked for by id, and there is no such row */
};

static void say_left(struct retrying *retrying, int64_t id, const char *reason, const char *detail)
{
	retrying->left++;
	log_event(LOG_WARN, "still no report to store, stays in quarantine", LOG_INT("id", id),
		  LOG_STR("reason", reason), LOG_STR("detail", detail));
}

/* The row is of the message's report and goes in, the message goes out. */
static int store_row(struct retrying *retrying, const struct store_quarantined *from,
		     const struct report_row *row, const struct store_message *message,
		     struct error *err)
{
	const struct store_batch batch = {
		.rows = row,
		.origins = &from->origin,
		.messages = message,
		.quarantined = &from->id,
		.row_count = 1,
	};
	struct store_written written;
	if (store_write(retrying->store, &batch, &written, err) != 0)
		return -1;
	if (written.refused > 0)
		say_left(retrying, from->id, "the store refuses it", "");
	else if (written.inserted > 0)
		retrying->stored++;
	else
		retrying->known++;
	return 0;
}

/* Returns 0, or -1 with err: ERROR_REJECT where the repaired message can't stand for this one. */
static int retry_row(struct retrying *retrying, const struct store_quarantined *from,
		     struct error *err)
{
	struct store_message message = {.bytes = from->bytes, .length = from->byte_count};
	if (retrying->repaired != NULL)
		message = (struct store_message){.bytes = retrying->repaired,
						 .length = retrying->repaired_length};
	struct report_row row;
	const char *reason = NULL;
	char detail[DETAIL_SIZE] = "";
	if (storing_decode(message.bytes, message.length, &row, &reason, detail, sizeof(detail)) !=
	    0) {
		if (retrying->repaired == NULL &&
		    (from->bytes == NULL || (int64_t)from->byte_count < from->length))
			say_left(retrying, from->id, from->reason, "not all of it was kept");
		else
			say_left(retrying, from->id, reason, detail);
		return 0;
	}
	char difference[DIFFERENCE_SIZE];
	struct report_peek original;
	int status = 0;
	report_peek(from->bytes, from->byte_count, &original);
	if (!report_peek_matches(&original, &row, difference, sizeof(difference))) {
		error_set(err, ERROR_REJECT,
			  "--file: %s; identity and times of a report can't be changed",
			  difference);
		status = -1;
	} else {
		status = store_row(retrying, from, &row, &message, err);
	}
	report_peek_finish(&original);
	report_row_finish(&row);
	return status;
}

/* With is_named somebody asked for this one; of all of them, one that has gone meanwhile was stored by another process. */
static int retry_id(struct retrying *retrying, int64_t id, bool is_named, struct error *err)
{
	struct quarantined found;
	if (quarantined_read(retrying->store, id, &found, err) != 0)
		return -1;
	if (!found.is_found) {
		retrying->absent += is_named;
		if (is_named)
			log_event(LOG_ERROR, "nothing in quarantine has this id",
				  LOG_INT("id", id));
		return 0;
	}
	int status = retry_row(retrying, &found.row, err);
	quarantined_finish(&found);
	return status;
}

struct page {
	int64_t ids[PAGE_IDS];
	size_t count;
};

static bool on_id(void *context, const struct store_quarantined *row)
{
	struct page *page = context;
	page->ids[page->count++] = row->id;
	return page->count < PAGE_IDS;
}

static int retry_all(struct retrying *retrying, const char *reason, struct error *err)
{
	struct page *page = xcalloc(1, sizeof(*page));
	struct store_quarantine_query query = {
		.id = STORE_QUARANTINE_ANY,
		.reason = reason,
		.is_by_id = true,
		.after = STORE_QUARANTINE_ANY,
		.limit = PAGE_IDS,
	};
	int status = 0;
	do {
		page->count = 0;
		status = store_read_quarantine(retrying->store, &query, on_id, page, err);
		for (size_t i = 0; i < page->count && status == 0; i++) {
			query.after = page->ids[i];
			status = retry_id(retrying, page->ids[i], false, err);
		}
	} while (status == 0 && page->count == PAGE_IDS);
	free(page);
	return status;
}

/* The repaired message, without the newline that editors put at its end. */
static int read_file(const char *path, struct buffer *out, struct error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "rbe");
	int status = -1;
	if (file == NULL) {
		error_set_errno(err, ERROR_REJECT, errno, "--file: can't read %s", path);
		return -1;
	}
	char *chunk = xmalloc(READ_CHUNK);
	size_t got;
	while ((got = fread(chunk, 1, READ_CHUNK, file)) > 0)
		(void)buffer_append(out, chunk, got);
	if (ferror(file))
		error_set_errno(err, ERROR_REJECT, errno, "--file: can't read %s", path);
	else if (out->is_overflowed)
		error_set(err, ERROR_REJECT, "--file: %s is larger than a message, 1 MiB", path);
	else if (out->length == 0)
		error_set(err, ERROR_REJECT, "--file: %s is empty", path);
	else
		status = 0;
	free(chunk);
	if (!is_stdin)
		(void)fclose(file);
	return status;
}

/* A repaired message that is none can be told without the store. */
static int check_repaired(const struct buffer *repaired, const char *path, struct error *err)
{
	struct report_row row;
	const char *reason = NULL;
	char detail[DETAIL_SIZE] = "";
	if (storing_decode(repaired->data, repaired->length, &row, &reason, detail,
			   sizeof(detail)) == 0) {
		report_row_finish(&row);
		return 0;
	}
	error_set(err, ERROR_REJECT, "--file: %s is no report yet (%s%s%s)", path, reason,
		  detail[0] == '\0' ? "" : ": ", detail);
	return -1;
}

static int retry(struct retrying *retrying, const struct settings *settings, struct error *err)
{
	if (settings->is_all)
		return retry_all(retrying, settings->reason, err);
	for (size_t i = 0; i < settings->words.count; i++) {
		int64_t id = 0;
		(void)text_parse_int64(settings->words.items[i], &id);
		if (retry_id(retrying, id, true, err) != 0)
			return -1;
	}
	return 0;
}

int command_quarantine_retry(const struct settings *settings)
{
	struct error err = {0};
	struct retrying retrying = {.store = NULL};
	struct buffer repaired;
	int status = 0;
	buffer_init(&repaired, FILE_MAX_BYTES);
	if (settings->file != NULL) {
		status = read_file(settings->file, &repaired, &err);
		if (status == 0)
			status = check_repaired(&repaired, settings->file, &err);
		retrying.repaired = repaired.data;
		retrying.repaired_length = repaired.length;
	}
	if (status == 0) {
		retrying.store = store_settings_open_existing(settings, STORE_WRITE, &err);
		status = retrying.store == NULL ? -1 : retry(&retrying, settings, &err);
	}
	store_close(retrying.store);
	buffer_finish(&repaired);
	if (retrying.stored + retrying.known + retrying.left > 0)
		(void)printf("%zu stored, %zu were stored already, %zu left in quarantine\n",
			     retrying.stored, retrying.known, retrying.left);
	else if (status == 0 && retrying.absent == 0)
		(void)puts("nothing is in quarantine");
	if (status != 0)
		return quarantine_fail(&err);
	return retrying.left + retrying.absent > 0 ? EXIT_FAILED : EXIT_FINE;
}
