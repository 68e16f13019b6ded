#include "config/named_files.h"

#include <stdlib.h>
#include <uthash.h>

#include "base/memory.h"
#include "config/file.h"

struct named_file {
	char *path;
	uint64_t noted;
	UT_hash_handle hh;
};

struct named_files {
	struct named_file *by_path;
};

struct named_files *named_files_create(void)
{
	return xcalloc(1, sizeof(struct named_files));
}

void named_files_destroy(struct named_files *files)
{
	if (files == NULL)
		return;
	struct named_file *file = files->by_path;
	HASH_CLEAR(hh, files->by_path); /* they keep their order */
	while (file != NULL) {
		struct named_file *next = file->hh.next;
		free(file->path);
		free(file);
		file = next;
	}
	free(files);
}

void named_files_note(struct named_files *files, const char *path)
{
	struct named_file *file = NULL;
	if (files == NULL)
		return;
	HASH_FIND_STR(files->by_path, path, file);
	if (file != NULL || HASH_COUNT(files->by_path) == NAMED_FILES_MAX)
		return;
	file = xcalloc(1, sizeof(*file));
	file->path = xstrdup(path);
	file->noted = file_look(path);
	HASH_ADD_KEYPTR(hh, files->by_path, file->path, strlen(file->path), file);
}

/* In the order in which they were noted. */
static uint64_t mix(uint64_t sum, uint64_t look)
{
	return (sum ^ look) * UINT64_C(0x100000001b3);
}

uint64_t named_files_noted(const struct named_files *files)
{
	uint64_t sum = 0;
	if (files == NULL)
		return sum;
	for (const struct named_file *file = files->by_path; file != NULL; file = file->hh.next)
		sum = mix(sum, file->noted);
	return sum;
}

uint64_t named_files_now(const struct named_files *files)
{
	uint64_t sum = 0;
	if (files == NULL)
		return sum;
	for (const struct named_file *file = files->by_path; file != NULL; file = file->hh.next)
		sum = mix(sum, file_look(file->path));
	return sum;
}
