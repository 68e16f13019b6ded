#include "codec/json_memory.h"

#include <stdlib.h>

#include "base/memory.h"

static void *take(void *context, size_t size)
{
	(void)context;
	return xmalloc(size);
}

static void *retake(void *context, void *old, size_t size)
{
	(void)context;
	return xrealloc(old, size);
}

static void give_back(void *context, void *old)
{
	(void)context;
	free(old);
}

yajl_alloc_funcs json_memory = {.malloc = take, .realloc = retake, .free = give_back};
