#include "base/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

/* A link, over others maybe, to what does not exist. */
static bool leads_nowhere(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0 && S_ISLNK(status.st_mode) && stat(path, &status) != 0 &&
	       errno == ENOENT;
}

void private_file_create(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	/* O_EXCL follows no link. What somebody puts at its end in this moment is neither waited for nor changed. */
	if (fd < 0 && errno == EEXIST && leads_nowhere(path))
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (fd >= 0)
		(void)close(fd);
}
