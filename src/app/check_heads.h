/* The heads of a check's requests and responses, hop by hop (`websentry check -v`). Pure; the buffer's owner's thread. */
#ifndef WEBSENTRY_APP_CHECK_HEADS_H
#define WEBSENTRY_APP_CHECK_HEADS_H

struct buffer;
struct observation;

/* "* URL", then each line sent behind "> ", each line received behind "< ". */
void check_heads_write(struct buffer *out, const struct observation *seen);

#endif
