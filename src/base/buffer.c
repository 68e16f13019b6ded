#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void buffer_init(struct buffer *buffer, size_t max_length)
{
	*buffer = (struct buffer){.max_length = max_length};
}

void buffer_finish(struct buffer *buffer)
{
	free(buffer->data);
	buffer_init(buffer, buffer->max_length);
}

void buffer_clear(struct buffer *buffer)
{
	buffer->length = 0;
	buffer->is_overflowed = false;
	if (buffer->data != NULL)
		buffer->data[0] = '\0';
}

/* Make room for extra bytes and the NUL. */
static int buffer_reserve(struct buffer *buffer, size_t extra)
{
	if (buffer->is_overflowed || extra > buffer->max_length - buffer->length) {
		buffer->is_overflowed = true;
		return -1;
	}
	size_t needed = buffer->length + extra + 1;
	if (needed <= buffer->capacity)
		return 0;
	size_t capacity = buffer->capacity < 128 ? 128 : buffer->capacity * 2;
	if (capacity < needed)
		capacity = needed;
	if (capacity - 1 > buffer->max_length) /* so written because max_length may be SIZE_MAX */
		capacity = buffer->max_length + 1;
	buffer->data = xrealloc(buffer->data, capacity);
	buffer->capacity = capacity;
	return 0;
}

int buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
	if (buffer_reserve(buffer, length) != 0)
		return -1;
	if (length > 0)
		memcpy(buffer->data + buffer->length, bytes, length);
	buffer->length += length;
	buffer->data[buffer->length] = '\0';
	return 0;
}

char *buffer_grow(struct buffer *buffer, size_t length)
{
	return buffer_reserve(buffer, length) == 0 ? buffer->data + buffer->length : NULL;
}

void buffer_grown(struct buffer *buffer, size_t length)
{
	buffer->length += length;
	buffer->data[buffer->length] = '\0';
}

int buffer_append_text(struct buffer *buffer, const char *text)
{
	return buffer_append(buffer, text, strlen(text));
}

int buffer_append_char(struct buffer *buffer, char c)
{
	return buffer_append(buffer, &c, 1);
}

int buffer_append_format(struct buffer *buffer, const char *format, ...)
{
	char small[256];
	va_list args;
	va_start(args, format);
	int length = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	if (length < 0)
		return -1;
	if ((size_t)length < sizeof(small))
		return buffer_append(buffer, small, (size_t)length);
	if (buffer_reserve(buffer, (size_t)length) != 0)
		return -1;
	va_start(args, format);
	(void)vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, args);
	va_end(args);
	buffer->length += (size_t)length;
	return 0;
}

char *buffer_take(struct buffer *buffer)
{
	char *data = buffer->data == NULL ? xstrdup("") : buffer->data;
	buffer->data = NULL;
	buffer_finish(buffer);
	return data;
}
