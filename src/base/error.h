/*
 * What went wrong with us, as opposed to with a site (that is enum outcome).
 *
 * Fallible functions return 0 / -1, or a pointer / NULL, and fill their last parameter. A function
 * returns its error or logs it, never both. Safe from any thread: the caller owns the struct.
 */
#ifndef WEBSENTRY_BASE_ERROR_H
#define WEBSENTRY_BASE_ERROR_H

#include <stddef.h>

/* Only what callers act on; the detail of errno, SQLSTATE and the like stands in the message. */
enum error_kind {
	ERROR_NONE = 0,
	ERROR_RETRY,  /* may work later: a server is away, a lock is held */
	ERROR_REJECT, /* this input will never work: a usage or data error */
	ERROR_FULL,   /* a bound was reached; try again when there is room */
	ERROR_STALE, /* what the caller builds upon is not there any more: begin again from what is */
	ERROR_FATAL, /* this object can't go on */
};

enum { ERROR_MESSAGE_MAX = 1024 };

struct error {
	enum error_kind kind;
	char message[ERROR_MESSAGE_MAX];
};

/* Fill err (which may be NULL). The message is one line without a full stop; it is cut at the end of the array. */
void error_set(struct error *err, enum error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As error_set(), with ": " and strerror(errno_value) at the end. */
void error_set_errno(struct error *err, enum error_kind kind, int errno_value, const char *format,
		     ...) __attribute__((format(printf, 4, 5)));

/* Put a context in front of a message that is there: "open outbox.db: " and so on. */
void error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
