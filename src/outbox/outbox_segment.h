/*
 * Segments: files that the outbox only reads any more. After an fsync that failed the kernel takes the pages for clean though
 * the disk may not have them, so asking again would be answered with a lie. The file is renamed to
 * "<path>.segment-20261121T203345Z" and drained first, what is still in memory goes into a new file at path, and a segment
 * that was drained is removed. One that a process leaves behind is drained by the next, from its beginning.
 *
 * The ids of a file are all higher than those of the segments before it, with a gap, so that no range of consecutive ids
 * spans two files. Outbox thread (or its creator, before it starts).
 */
#ifndef WEBSENTRY_OUTBOX_OUTBOX_SEGMENT_H
#define WEBSENTRY_OUTBOX_OUTBOX_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "outbox/outbox_file.h"

struct outbox;

/* A disk that never confirms anything must not leave files without end. */
enum { OUTBOX_SEGMENTS_MAX = 64 };

/* More than a commit has rows: a segment may hold one that nobody knows of, the one whose fsync failed. */
enum { OUTBOX_SEGMENT_GAP = 1 << 20 };

struct outbox_segment {
	struct outbox_segment *next;
	char *path;
	struct outbox_file *file;
	struct outbox_file_meta meta; /* as it was opened, or turned into a segment */
	int64_t rows_left;            /* not acknowledged */
	int64_t bytes_left;
	bool has_bad_row; /* it is kept, set aside, once it is drained */
};

/* The segments that lie beside path, in order of their ids. What can't be read is said in a line, and set aside where it is damaged. */
struct outbox_segment *outbox_segment_find(const char *path, bool is_read_only);

/* Close all, and leave the files. Accepts NULL. */
void outbox_segment_close(struct outbox_segment *first);

/* The highest id of all; 0 without any. */
int64_t outbox_segment_last_id(const struct outbox_segment *first);

/* Take over what earlier processes left; once, when the file is open. */
void outbox_segment_adopt(struct outbox *outbox);

/* The outbox's file becomes a segment; then it has none. -1: it stays as it is. */
int outbox_segment_begin(struct outbox *outbox, const struct error *why, struct error *err);

/* The segment that holds the rows behind sent_id; NULL: the file does. */
struct outbox_segment *outbox_segment_next(const struct outbox *outbox);

/* Its end was read, or a row that does not match its CRC, or it can't be read any more. */
void outbox_segment_end(struct outbox *outbox, struct outbox_segment *segment);
void outbox_segment_bad_row(struct outbox *outbox, struct outbox_segment *segment,
			    const struct outbox_row *row);
void outbox_segment_damaged(struct outbox *outbox, struct outbox_segment *segment,
			    const struct error *why);

/* Take the acknowledged rows of segments off their figures, before the window forgets them; remove those that are drained. */
void outbox_segment_settle(struct outbox *outbox);
void outbox_segment_remove_drained(struct outbox *outbox);

#endif
