/*
 * Allocation that does not fail: out of memory ends the process with one log line on stderr.
 * That is safe because whatever was finished is in the outbox or the store. Any thread.
 */
#ifndef WEBSENTRY_BASE_MEMORY_H
#define WEBSENTRY_BASE_MEMORY_H

#include <stddef.h>

/* All results are the caller's, released with free(). A size of 0 gives a pointer that may be freed. */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1, 2)));
void *xrealloc(void *old, size_t size) __attribute__((returns_nonnull, alloc_size(2)));

/* xrealloc() for count elements of size bytes; an overflow of the product is out of memory. */
void *xreallocarray(void *old, size_t count, size_t size) __attribute__((returns_nonnull));

/* Copies. xstrdup(NULL) is NULL, so that "not known" survives a copy. */
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t max) __attribute__((returns_nonnull));
void *xmemdup(const void *bytes, size_t size) __attribute__((returns_nonnull));

/* printf into fresh memory. */
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

#endif
