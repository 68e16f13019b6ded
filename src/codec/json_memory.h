/* How yajl allocates: as all of us do, so that being out of memory is no case of its own. Any thread. */
#ifndef WEBSENTRY_CODEC_JSON_MEMORY_H
#define WEBSENTRY_CODEC_JSON_MEMORY_H

#include <yajl/yajl_common.h>

extern yajl_alloc_funcs json_memory; /* yajl takes no pointer to const; nobody writes */

#endif
