/*
 * Segments: files that the outbox only reads any more. After an fsync that failed the kernel takes the pages for clean though
 * the disk may not have them, so asking again would be answered with a lie. The file is renamed to
 * "<path>.segment-LASTID-20261121T203345Z" and drained first, what is still in memory goes into a new file at path, and a segment
 * that was drained is removed. One that a process leaves behind is drained by the next, from its beginning. The id in the name is
 * for a start that can't read the segment: no new row may have an id that one in there has.
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

/* How segments are looked for. */
enum outbox_segment_manner {
	OUTBOX_SEGMENT_TAKE, /* what is damaged is set aside, and what can't be read said in a line */
	OUTBOX_SEGMENT_RETRY, /* the same, saying nothing of what can't be read */
	OUTBOX_SEGMENT_LOOK,  /* nothing is changed */
};

/*
 * The segments that lie beside path, in order of their ids. *ret_unread_id is the highest id of those that can't be read now (out of
 * descriptors, no permission, an I/O error), as their names tell it; 0 where one's name does not; -1: there are none such.
 */
struct outbox_segment *outbox_segment_find(const char *path, enum outbox_segment_manner manner,
					   int64_t *ret_unread_id);

/* Close all, and leave the files. Accepts NULL. */
void outbox_segment_close(struct outbox_segment *first);

/* The highest id of all; 0 without any. */
int64_t outbox_segment_last_id(const struct outbox_segment *first);

/* Take over what earlier processes left, when the file is open. */
void outbox_segment_adopt(struct outbox *outbox);

/*
 * Segments that could not be read are tried again now and then. Rows are sent in order of their ids, so a segment is taken over only
 * when nothing is on its way: for that nothing new is sent for a while (is_waiting_for_segments). Every turn.
 */
void outbox_segment_retry(struct outbox *outbox, mono_us now);

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
