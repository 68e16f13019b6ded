#include "base/database_files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"

enum { URI_MAX = 32 * 1024 };

static const int64_t ns_per_s = INT64_C(1000000000);

static struct database_file look_at(const char *path, const char *ending)
{
	struct stat status;
	struct database_file file = {.size = -1};
	char *name = xasprintf("%s%s", path, ending);
	if (stat(name, &status) == 0)
		file = (struct database_file){
			.size = status.st_size,
			.changed_ns = status.st_mtim.tv_sec * ns_per_s + status.st_mtim.tv_nsec,
		};
	free(name);
	return file;
}

/* As SQLite does, through links. */
static char *resolve(const char *path)
{
	char *real = realpath(path, NULL);
	return real != NULL ? real : xstrdup(path);
}

void database_files_look(const char *path, struct database_files *ret_files)
{
	char *real = resolve(path);
	*ret_files = (struct database_files){
		.main = look_at(real, ""),
		.log = look_at(real, "-wal"),
		.index = look_at(real, "-shm"),
		.journal = look_at(real, "-journal"),
	};
	free(real);
}

static bool is_equal(const struct database_file *a, const struct database_file *b)
{
	return a->size == b->size && a->changed_ns == b->changed_ns;
}

bool database_files_are_equal(const struct database_files *a, const struct database_files *b)
{
	return is_equal(&a->main, &b->main) && is_equal(&a->log, &b->log) &&
	       is_equal(&a->index, &b->index) && is_equal(&a->journal, &b->journal);
}

bool database_files_are_unwritable(const char *path)
{
	char *folder = resolve(path);
	bool is_unwritable = access(folder, F_OK) == 0 && access(folder, W_OK) != 0;
	char *end = strrchr(folder, '/');
	if (end != NULL)
		end[end == folder ? 1 : 0] = '\0';
	is_unwritable = is_unwritable || access(end == NULL ? "." : folder, W_OK) != 0;
	free(folder);
	return is_unwritable;
}

enum database_files_manner database_files_manner(const struct database_files *files)
{
	if (files->journal.size > 0)
		return DATABASE_FILES_UNFINISHED;
	return files->log.size > 0 ? DATABASE_FILES_WITH_LOG : DATABASE_FILES_AS_THEY_ARE;
}

char *database_files_uri(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~/";
	struct buffer uri;
	buffer_init(&uri, URI_MAX);
	/* an empty host, or else the beginning of "//folder" would be one */
	(void)buffer_append_text(&uri, path[0] == '/' ? "file://" : "file:");
	for (const char *at = path; *at != '\0'; at++)
		if (strchr(plain, *at) != NULL)
			(void)buffer_append_char(&uri, *at);
		else
			(void)buffer_append_format(&uri, "%%%02X", (unsigned)(unsigned char)*at);
	(void)buffer_append_text(&uri, "?immutable=1");
	return buffer_take(&uri);
}
