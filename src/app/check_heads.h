/* The heads of a check's requests and responses, hop by hop (`websentry check -v`). Pure; the buffer's owner's thread. */
#ifndef WEBSENTRY_APP_CHECK_HEADS_H
#define WEBSENTRY_APP_CHECK_HEADS_H

struct buffer;
struct observation;

/*
 * "* URL", then each line sent behind "> ", each line received behind "< ", for each hop. Of more than one attempt each begins with
 * "* attempt 1 of 3"; the earlier ones are those that check_heads_of_attempt() made of their observations.
 */
void check_heads_write(struct buffer *out, const struct observation *seen);
char *check_heads_of_attempt(const struct observation *seen); /* the caller's */

#endif
