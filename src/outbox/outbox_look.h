/*
 * What waits in the outbox of a folder that nobody holds, read without changing anything. The caller has the folder's lock.
 * Any one thread; the caller logs.
 */
#ifndef WEBSENTRY_OUTBOX_OUTBOX_LOOK_H
#define WEBSENTRY_OUTBOX_OUTBOX_LOOK_H

#include <stdint.h>

#include "base/error.h"
#include "outbox/outbox.h"

struct outbox_look;

/*
 * Rows behind after_id (0: all). Where there is no outbox it has no rows, which is no error. -1 with err where it can't be read. Nobody
 * else can open the outbox until outbox_look_close(): whoever reads much closes it now and then, and goes on behind the last id.
 */
int outbox_look_open(const char *path, int64_t after_id, struct outbox_look **ret_look,
		     struct error *err);
void outbox_look_close(struct outbox_look *look); /* accepts NULL */

/* Of the whole outbox. */
int64_t outbox_look_rows(const struct outbox_look *look);
int64_t outbox_look_bytes(const struct outbox_look *look);

/*
 * The next row, in the order in which they are sent. 1: *ret_row holds it until the next call; 0: that was all; -1 with
 * ERROR_RETRY: a row that does not match its checksum (the next call goes on), with another kind: the end.
 */
int outbox_look_next(struct outbox_look *look, struct outbox_row *ret_row, struct error *err);

#endif
