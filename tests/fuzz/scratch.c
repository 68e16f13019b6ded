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
static struct {
	char *path;
	int file; /* open since it was first written; -1 */
	size_t length;
} files[PATHS_MAX];
static size_t count;

static void clean_up(void)
{
	for (size_t i = 0; i < count; i++) {
		(void)unlink(files[i].path);
		free(files[i].path);
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
	files[count].path = xasprintf("%s/%s", folder, name);
	files[count].file = -1;
	return files[count++].path;
}

static size_t find(const char *path)
{
	size_t i = 0;
	while (i < count && files[i].path != path)
		i++;
	FUZZ_PROMISE(i < count);
	return i;
}

/* It stays open, and is made shorter only where it has to be: to make it anew would take longer than to read it. */
void scratch_write(const char *path, const void *bytes, size_t length)
{
	size_t i = find(path);
	if (files[i].file < 0) {
		files[i].file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		FUZZ_PROMISE(files[i].file >= 0);
		files[i].length = 0;
	}
	FUZZ_PROMISE(length == 0 || pwrite(files[i].file, bytes, length, 0) == (ssize_t)length);
	FUZZ_PROMISE(length >= files[i].length || ftruncate(files[i].file, (off_t)length) == 0);
	files[i].length = length;
}

void scratch_remove(const char *path)
{
	size_t i = find(path);
	if (files[i].file < 0)
		return;
	FUZZ_PROMISE(close(files[i].file) == 0 && unlink(path) == 0);
	files[i].file = -1;
}
