/*
 * The files of assets/, built into the program. Each is served under a name that holds a hash of its bytes, so that browsers
 * may keep it for ever. The table is made by embed.py at build time. Any thread.
 */
#ifndef WEBSENTRY_WEB_ASSETS_H
#define WEBSENTRY_WEB_ASSETS_H

#include <stddef.h>

struct asset {
	const char *name; /* "page.css" */
	const char *path; /* "/static/page.0123456789abcdef.css" */
	const char *type; /* "text/css; charset=utf-8" */
	const unsigned char *bytes;
	size_t length;
};

/* The path under which the file of this name is served. The name is one of ours. */
const char *assets_path(const char *name);

/* The asset at a path of a request, or NULL. */
const struct asset *assets_find(const char *path);

/* Changes whenever any asset does. */
const char *assets_build(void);

/* embed.py's output. */
extern const struct asset assets_table[];
extern const size_t assets_table_count;
extern const char assets_table_build[];

#endif
