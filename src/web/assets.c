#include "web/assets.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

const char *assets_path(const char *name)
{
	for (size_t i = 0; i < assets_table_count; i++) {
		if (strcmp(assets_table[i].name, name) == 0)
			return assets_table[i].path;
	}
	assert(false && "an asset that is built in");
	return "";
}

const struct asset *assets_find(const char *path)
{
	for (size_t i = 0; i < assets_table_count; i++) {
		if (strcmp(assets_table[i].path, path) == 0)
			return &assets_table[i];
	}
	return NULL;
}

const char *assets_build(void)
{
	return assets_table_build;
}
