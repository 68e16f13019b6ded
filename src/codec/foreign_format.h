/*
 * Recognises messages of the two services that Websentry grew from, so that a topic which still holds some is no cause for
 * alarm. Neither service's format was written down; see the table in foreign_format.c. Pure; any thread.
 */
#ifndef WEBSENTRY_CODEC_FOREIGN_FORMAT_H
#define WEBSENTRY_CODEC_FOREIGN_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

/* What the names of a message's members have shown so far; zero at the start. */
struct foreign_signs {
	bool names_address; /* what was watched */
	bool names_result;  /* how, or how fast, it answered */
};

void foreign_format_note(struct foreign_signs *signs, const char *name, size_t length);
bool foreign_format_is_likely(const struct foreign_signs *signs);

#endif
