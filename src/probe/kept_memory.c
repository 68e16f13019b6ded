#include "probe/kept_memory.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#ifndef __has_feature /* gcc */
#define __has_feature(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
static const bool is_watched = true; /* block by block, which needs malloc()'s own */
#else
static const bool is_watched = false;
#endif

enum {
	STEP = 32, /* between two sizes */
	SMALL_MAX = 2048,
	SMALL_KINDS = SMALL_MAX / STEP,
	WIDE_STEP = 1024,
	WIDE_MAX = 8192,
	WIDE_KINDS = (WIDE_MAX - SMALL_MAX) / WIDE_STEP,
	/* libcurl's receive buffer (CURL_MAX_WRITE_SIZE) with its ending NUL, and OpenSSL's for a record: each is one byte of a page or two. */
	BUFFER_KIND = SMALL_KINDS + WIDE_KINDS,
	BUFFER_MAX = CURL_MAX_WRITE_SIZE + 512,
	KINDS = BUFFER_KIND + 1,
	NO_KIND = KINDS,
	/* What a thread keeps of a kind: so many bytes, and at least so many blocks. */
	KEPT_BYTES = 32 * 1024,
	KEPT_LEAST = 16,
};

struct block {
	alignas(max_align_t) size_t kind;
	size_t size;        /* that was asked for, of one that is in use */
	struct block *next; /* of one that is kept, where the caller's bytes begin otherwise */
};

static const size_t head_size = offsetof(struct block, next);

struct kept {
	struct block *first;
	size_t count;
};

static _Thread_local struct kept kept[KINDS];
_Static_assert(sizeof(kept) <= 2048, "each thread has it");
static _Thread_local bool has_key;
static pthread_key_t key;
static bool is_keeping; /* set before there are threads that ask */

static size_t kind_of(size_t size)
{
	if (size <= SMALL_MAX)
		return size == 0 ? 0 : (size - 1) / STEP;
	if (size <= WIDE_MAX)
		return SMALL_KINDS + (size - SMALL_MAX - 1) / WIDE_STEP;
	return size > CURL_MAX_WRITE_SIZE && size <= BUFFER_MAX ? BUFFER_KIND : NO_KIND;
}

static size_t room_of(size_t kind)
{
	if (kind < SMALL_KINDS)
		return (kind + 1) * STEP;
	return kind == BUFFER_KIND ? BUFFER_MAX : SMALL_MAX + (kind - SMALL_KINDS + 1) * WIDE_STEP;
}

static size_t count_kept_max(size_t kind)
{
	size_t count = KEPT_BYTES / room_of(kind);
	return count > KEPT_LEAST ? count : KEPT_LEAST;
}

/* A thread ends. */
static void release(void *context)
{
	(void)context;
	for (size_t kind = 0; kind < KINDS; kind++) {
		while (kept[kind].first != NULL) {
			struct block *block = kept[kind].first;
			kept[kind].first = block->next;
			free(block);
		}
		kept[kind].count = 0;
	}
	has_key = false;
}

void *kept_memory_malloc(size_t size)
{
	size_t kind = kind_of(size);
	struct block *block;
	if (kind != NO_KIND && kept[kind].first != NULL) {
		block = kept[kind].first;
		kept[kind].first = block->next;
		kept[kind].count--;
	} else {
		size_t room = kind == NO_KIND ? size : room_of(kind);
		if (room > SIZE_MAX - head_size)
			return NULL;
		block = malloc(head_size + room);
		if (block == NULL)
			return NULL;
		block->kind = kind;
	}
	block->size = size;
	return &block->next;
}

static struct block *block_of(void *bytes)
{
	return (struct block *)(void *)((char *)bytes - head_size);
}

void kept_memory_free(void *bytes)
{
	if (bytes == NULL)
		return;
	struct block *block = block_of(bytes);
	size_t kind = block->kind;
	if (kind == NO_KIND || !is_keeping || kept[kind].count >= count_kept_max(kind)) {
		free(block);
		return;
	}
	if (!has_key)
		has_key = pthread_setspecific(key, kept) == 0;
	block->next = kept[kind].first;
	kept[kind].first = block;
	kept[kind].count++;
}

void *kept_memory_calloc(size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	void *block = kept_memory_malloc(bytes);
	if (block != NULL)
		memset(block, 0, bytes);
	return block;
}

void *kept_memory_realloc(void *old, size_t size)
{
	if (old == NULL)
		return kept_memory_malloc(size);
	struct block *block = block_of(old);
	if (block->kind != NO_KIND && kind_of(size) == block->kind) {
		block->size = size;
		return old;
	}
	if (block->kind == NO_KIND && kind_of(size) == NO_KIND && size <= SIZE_MAX - head_size) {
		block = realloc(block, head_size + size);
		if (block == NULL)
			return NULL;
		block->size = size;
		return &block->next;
	}
	void *bytes = kept_memory_malloc(size);
	if (bytes == NULL)
		return NULL;
	memcpy(bytes, old, block->size < size ? block->size : size);
	kept_memory_free(old);
	return bytes;
}

char *kept_memory_strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = kept_memory_malloc(size);
	if (copy != NULL)
		memcpy(copy, text, size);
	return copy;
}

/* As OpenSSL's own have it, no bytes are no block. */
static void *openssl_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return size == 0 ? NULL : kept_memory_malloc(size);
}

static void openssl_free(void *bytes, const char *file, int line)
{
	(void)file;
	(void)line;
	kept_memory_free(bytes);
}

static void *openssl_realloc(void *old, size_t size, const char *file, int line)
{
	if (size > 0)
		return kept_memory_realloc(old, size);
	openssl_free(old, file, line);
	return NULL;
}

int kept_memory_prepare(void)
{
	if (is_watched || is_keeping)
		return 0;
	if (pthread_key_create(&key, release) != 0)
		return -1;
	is_keeping = true;
	/* It refuses where it has memory already, and does without. */
	(void)CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
	return 0;
}

int kept_memory_prepare_curl(void)
{
	if (kept_memory_prepare() != 0)
		return -1;
	if (is_watched)
		return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
	return curl_global_init_mem(CURL_GLOBAL_DEFAULT, kept_memory_malloc, kept_memory_free,
				    kept_memory_realloc, kept_memory_strdup,
				    kept_memory_calloc) == CURLE_OK
		       ? 0
		       : -1;
}
