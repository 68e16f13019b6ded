#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"

/* errno of open() or access() as one line; where it is a matter of permission, who we are and whose file it is. */
static void set_access_error(struct error *err, const char *path, int errno_value)
{
	struct stat status;
	if (errno_value == ENOENT) {
		error_set(err, ERROR_REJECT, "%s does not exist", path);
	} else if ((errno_value == EACCES || errno_value == EPERM) && stat(path, &status) == 0) {
		error_set(err, ERROR_REJECT,
			  "%s: permission denied for uid %ld (the file belongs to uid %ld, mode "
			  "%04o)",
			  path, (long)geteuid(), (long)status.st_uid,
			  (unsigned)(status.st_mode & 07777));
	} else if (errno_value == EACCES || errno_value == EPERM) {
		error_set(err, ERROR_REJECT, "%s: permission denied for uid %ld", path,
			  (long)geteuid());
	} else {
		error_set_errno(err, ERROR_REJECT, errno_value, "%s", path);
	}
}

/* Opened for reading, and no folder. O_NONBLOCK: a named pipe that nobody writes to must not hold us up. */
static int open_file(const char *path, struct stat *ret_status, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		set_access_error(err, path, errno);
		return -1;
	}
	if (fstat(fd, ret_status) != 0) {
		error_set_errno(err, ERROR_REJECT, errno, "%s", path);
		goto fail;
	}
	if (S_ISDIR(ret_status->st_mode)) {
		error_set(err, ERROR_REJECT, "%s is a folder, expected a file", path);
		goto fail;
	}
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0) {
		error_set_errno(err, ERROR_REJECT, errno, "%s", path);
		goto fail;
	}
	return fd;
fail:
	(void)close(fd);
	return -1;
}

static void set_too_large(struct error *err, const char *path, size_t max)
{
	error_set(err, ERROR_REJECT, "%s is larger than %zu KiB", path, max / 1024);
}

static int read_all(int fd, const char *path, struct buffer *bytes, struct error *err)
{
	char chunk[65536];
	for (;;) {
		ssize_t count = read(fd, chunk, sizeof(chunk));
		if (count == 0)
			return 0;
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0) {
			error_set_errno(err, ERROR_REJECT, errno, "%s", path);
			return -1;
		}
		if (buffer_append(bytes, chunk, (size_t)count) != 0) {
			set_too_large(err, path, bytes->max_length);
			return -1;
		}
	}
}

static char *read_file(const char *path, size_t max, bool must_be_regular, size_t *ret_length,
		       struct error *err)
{
	struct stat status;
	struct buffer bytes;
	int fd = open_file(path, &status, err);
	if (fd < 0)
		return NULL;
	buffer_init(&bytes, max);
	int result = -1;
	if (must_be_regular && !S_ISREG(status.st_mode))
		error_set(err, ERROR_REJECT, "%s is a pipe or a device, expected a file", path);
	else if (S_ISREG(status.st_mode) && (uint64_t)status.st_size > max)
		set_too_large(err, path, max);
	else
		result = read_all(fd, path, &bytes, err);
	(void)close(fd);
	if (result != 0) {
		buffer_finish(&bytes);
		return NULL;
	}
	*ret_length = bytes.length;
	return buffer_take(&bytes);
}

char *file_read(const char *path, size_t max, size_t *ret_length, struct error *err)
{
	return read_file(path, max, false, ret_length, err);
}

char *file_read_regular(const char *path, size_t max, size_t *ret_length, struct error *err)
{
	return read_file(path, max, true, ret_length, err);
}

static uint64_t mix(uint64_t sum, uint64_t number)
{
	return (sum ^ number) * UINT64_C(0x100000001b3);
}

uint64_t file_look(const char *path)
{
	struct stat status;
	if (stat(path, &status) != 0)
		return 1;
	uint64_t sum = mix(UINT64_C(0xcbf29ce484222325), (uint64_t)status.st_ino);
	sum = mix(sum, (uint64_t)status.st_size);
	sum = mix(sum, (uint64_t)status.st_mtim.tv_sec);
	sum = mix(sum, (uint64_t)status.st_mtim.tv_nsec);
	sum = mix(sum, status.st_mode);
	sum = mix(sum, status.st_uid);
	return mix(sum, status.st_gid);
}

int file_check_readable(const char *path, struct error *err)
{
	struct stat status;
	int fd = open_file(path, &status, err);
	if (fd < 0)
		return -1;
	(void)close(fd);
	return 0;
}

int file_check_folder(const char *path, bool is_written, struct error *err)
{
	struct stat status;
	char *at = xstrdup(path);
	int result = -1;
	/* Up to the nearest one that is there: the rest is made at start. */
	while (stat(at, &status) != 0) {
		char *slash = strrchr(at, '/');
		if (errno != ENOENT || slash == NULL) {
			set_access_error(err, at, errno);
			goto out;
		}
		if (slash == at)
			slash++;
		*slash = '\0';
	}
	if (!S_ISDIR(status.st_mode))
		error_set(err, ERROR_REJECT, "%s is no folder", at);
	else if (faccessat(AT_FDCWD, at, (is_written ? W_OK : R_OK) | X_OK, AT_EACCESS) != 0)
		set_access_error(err, at, errno);
	else
		result = 0;
out:
	free(at);
	return result;
}
