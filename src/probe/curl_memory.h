/*
 * Memory for libcurl, which takes and gives back some 50 blocks for each check: blocks of one size are kept for the next of that size,
 * a bounded number of them for each thread, without a lock and without joining and cutting them again. Larger ones are malloc()'s, but
 * for the receive buffer's.
 *
 * Any thread; a block may be freed on another one than it was made on. What a thread keeps goes with it.
 */
#ifndef WEBSENTRY_PROBE_CURL_MEMORY_H
#define WEBSENTRY_PROBE_CURL_MEMORY_H

#include <stddef.h>

/*
 * As curl_global_init(CURL_GLOBAL_DEFAULT), and have libcurl take its memory here. Once, while no other thread is in libcurl and nothing of
 * it is allocated. Returns 0, or -1 where libcurl can't be used. With AddressSanitizer libcurl stays with malloc(), whose blocks are watched.
 */
int curl_memory_prepare(void);

/* As their namesakes: NULL where there is no memory. */
void *curl_memory_malloc(size_t size);
void *curl_memory_calloc(size_t count, size_t size);
void *curl_memory_realloc(void *old, size_t size);
char *curl_memory_strdup(const char *text);
void curl_memory_free(void *bytes);

#endif
