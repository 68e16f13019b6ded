/*
 * In place of base/memory.c: the same functions, but each block belongs to the simulated process that asked for it. A
 * process that is killed leaves its blocks behind, and they are freed for it; one that ends in order must have freed them.
 * Every block is one of malloc()'s, so that valgrind and AddressSanitizer see what is done with it.
 */
#include "base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_task.h"

struct sim_block {
	_Alignas(16) struct sim_block *next;
	struct sim_block **back;
	size_t size;
};

void __real_free(void *pointer);
void __wrap_free(void *pointer);

static struct sim_block *homeless; /* of no process */

static void *adopt(struct sim_block *block, size_t size)
{
	if (block == NULL)
		abort();
	struct sim_process *process = sim_process_current();
	struct sim_block **first = process != NULL ? &process->blocks : &homeless;
	block->size = size;
	block->back = first;
	block->next = *first;
	if (block->next != NULL)
		block->next->back = &block->next;
	*first = block;
	return block + 1;
}

void *xmalloc(size_t size)
{
	return adopt(malloc(sizeof(struct sim_block) + size), size);
}

void *xcalloc(size_t count, size_t size)
{
	return adopt(calloc(1, sizeof(struct sim_block) + count * size), count * size);
}

void __wrap_free(void *pointer)
{
	if (pointer == NULL)
		return;
	struct sim_block *block = (struct sim_block *)pointer - 1;
	*block->back = block->next;
	if (block->next != NULL)
		block->next->back = block->back;
	__real_free(block);
}

void *xrealloc(void *old, size_t size)
{
	void *fresh = xmalloc(size);
	if (old == NULL)
		return fresh;
	const struct sim_block *block = (const struct sim_block *)old - 1;
	memcpy(fresh, old, block->size < size ? block->size : size);
	__wrap_free(old);
	return fresh;
}

void *xreallocarray(void *old, size_t count, size_t size)
{
	return xrealloc(old, count * size);
}

void *xmemdup(const void *bytes, size_t size)
{
	void *copy = xmalloc(size);
	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

char *xstrdup(const char *text)
{
	return text == NULL ? NULL : xmemdup(text, strlen(text) + 1);
}

char *xstrndup(const char *text, size_t max)
{
	size_t length = strnlen(text, max);
	char *copy = xmalloc(length + 1);
	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *xasprintf(const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return xstrdup(text);
}

size_t sim_process_free_memory(struct sim_process *process)
{
	size_t count = 0;
	while (process->blocks != NULL) {
		struct sim_block *block = process->blocks;
		process->blocks = block->next;
		__real_free(block);
		count++;
	}
	return count;
}
