#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not the logger: it may allocate. write() of one line is atomic enough for a last word. */
static void out_of_memory(void) __attribute__((noreturn));
static void out_of_memory(void)
{
	static const char line[] = "error out of memory, ending\n";
	(void)!write(STDERR_FILENO, line, sizeof(line) - 1);
	_exit(1);
}

void *xmalloc(size_t size)
{
	void *memory = malloc(size == 0 ? 1 : size);
	if (memory == NULL)
		out_of_memory();
	return memory;
}

void *xcalloc(size_t count, size_t size)
{
	if (count == 0 || size == 0)
		count = size = 1;
	void *memory = calloc(count, size);
	if (memory == NULL)
		out_of_memory();
	return memory;
}

void *xrealloc(void *old, size_t size)
{
	void *memory = realloc(old, size == 0 ? 1 : size);
	if (memory == NULL)
		out_of_memory();
	return memory;
}

void *xreallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		out_of_memory();
	return xrealloc(old, bytes);
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

void *xmemdup(const void *bytes, size_t size)
{
	void *copy = xmalloc(size);
	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

char *xasprintf(const char *format, ...)
{
	char *text;
	va_list args;
	va_start(args, format);
	int length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0)
		out_of_memory();
	return text;
}
