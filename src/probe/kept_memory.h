/*
 * Memory for libcurl and OpenSSL, which take and give back some 50 blocks for each check, and 2,800 for one over TLS: blocks of one size
 * are kept for the next of that size, a bounded number of them for each thread, without a lock and without joining and cutting them
 * again. Larger ones are malloc()'s, but for the buffers of libcurl and of a TLS record.
 *
 * Any thread; a block may be freed on another one than it was made on. What a thread keeps goes with it.
 */
#ifndef WEBSENTRY_PROBE_KEPT_MEMORY_H
#define WEBSENTRY_PROBE_KEPT_MEMORY_H

#include <stddef.h>

/*
 * Have OpenSSL take its memory here, which is possible only before it has any: first of all, while there is one thread. A later call does
 * nothing. Returns 0, or -1 where there is no room for another key of threads. With AddressSanitizer this and the next leave OpenSSL and
 * libcurl with malloc(), whose blocks are watched.
 */
int kept_memory_prepare(void);

/*
 * The above, and curl_global_init(CURL_GLOBAL_DEFAULT) with libcurl's memory from here. Once, while no other thread is in libcurl and nothing
 * of it is allocated. Returns 0, or -1 where libcurl can't be used.
 */
int kept_memory_prepare_curl(void);

/* As their namesakes: NULL where there is no memory. */
void *kept_memory_malloc(size_t size);
void *kept_memory_calloc(size_t count, size_t size);
void *kept_memory_realloc(void *old, size_t size);
char *kept_memory_strdup(const char *text);
void kept_memory_free(void *bytes);

#endif
