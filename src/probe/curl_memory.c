#include "probe/curl_memory.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef __has_feature /* gcc */
#define __has_feature(feature) 0
#endif

enum {
	STEP = 32, /* between two sizes */
	SMALL_MAX = 2048,
	SMALL_KINDS = SMALL_MAX / STEP,
	/* The receive buffer (CURL_MAX_WRITE_SIZE) with its ending NUL: too much for malloc()'s own quick lists. */
	BUFFER_KIND = SMALL_KINDS,
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
	return size > CURL_MAX_WRITE_SIZE && size <= BUFFER_MAX ? BUFFER_KIND : NO_KIND;
}

static size_t room_of(size_t kind)
{
	return kind == BUFFER_KIND ? BUFFER_MAX : (kind + 1) * STEP;
}

static size_t count_kept_max(size_t kind)
{
	size_t count = KEPT_BYTES / room_of(kind);
	return count > KEPT_LEAST ? count : KEPT_LEAST;
}

/* A thread ends. */
__attribute__((unused)) static void release(void *context) /* but not with a sanitizer */
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

void *curl_memory_malloc(size_t size)
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

void curl_memory_free(void *bytes)
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

void *curl_memory_calloc(size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	void *block = curl_memory_malloc(bytes);
	if (block != NULL)
		memset(block, 0, bytes);
	return block;
}

void *curl_memory_realloc(void *old, size_t size)
{
	if (old == NULL)
		return curl_memory_malloc(size);
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
	void *bytes = curl_memory_malloc(size);
	if (bytes == NULL)
		return NULL;
	memcpy(bytes, old, block->size < size ? block->size : size);
	curl_memory_free(old);
	return bytes;
}

char *curl_memory_strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = curl_memory_malloc(size);
	if (copy != NULL)
		memcpy(copy, text, size);
	return copy;
}

int curl_memory_prepare(void)
{
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
#else
	if (pthread_key_create(&key, release) != 0)
		return -1;
	is_keeping = true;
	return curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_memory_malloc, curl_memory_free,
				    curl_memory_realloc, curl_memory_strdup,
				    curl_memory_calloc) == CURLE_OK
		       ? 0
		       : -1;
#endif
}
