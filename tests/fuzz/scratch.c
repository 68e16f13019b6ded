#include "scratch.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "fuzz.h"

enum { PATHS_MAX = 4 };

static char in_memory[] = "/dev/shm/websentry-fuzz-XXXXXX";
static char on_disk[] = "/tmp/websentry-fuzz-XXXXXX";
static char *folder;
static char *paths[PATHS_MAX];
static size_t count;

static void clean_up(void)
{
	for (size_t i = 0; i < count; i++) {
		(void)unlink(paths[i]);
		free(paths[i]);
	}
	(void)rmdir(folder);
}

const char *scratch_make(void)
{
	folder = mkdtemp(in_memory);
	if (folder == NULL)
		folder = mkdtemp(on_disk);
	FUZZ_PROMISE(folder != NULL);
	(void)atexit(clean_up);
	return folder;
}

const char *scratch_path(const char *name)
{
	FUZZ_PROMISE(count < PATHS_MAX);
	paths[count] = xasprintf("%s/%s", folder, name);
	return paths[count++];
}

void scratch_write(const char *path, const void *bytes, size_t length)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FUZZ_PROMISE(file >= 0 && (length == 0 || write(file, bytes, length) == (ssize_t)length));
	FUZZ_PROMISE(close(file) == 0);
}
