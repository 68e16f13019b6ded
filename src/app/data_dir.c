#include "app/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/uuid.h"

struct data_dir {
	char *path;
	int lock_fd;
};

/* As `mkdir -p` with mode 0700. */
static int make_folders(const char *path, struct error *err)
{
	char *partial = xstrdup(path);
	int result = 0;
	for (char *at = partial + 1;; at++) {
		if (*at != '/' && *at != '\0')
			continue;
		char end = *at;
		*at = '\0';
		if (mkdir(partial, 0700) != 0 && errno != EEXIST) {
			error_set_errno(err, ERROR_REJECT, errno, "data folder %s: can't make %s",
					path, partial);
			result = -1;
			break;
		}
		*at = end;
		if (end == '\0')
			break;
	}
	free(partial);
	return result;
}

/* Whoever holds the lock wrote its pid into the file. */
static void read_pid(int fd, char pid[static DATA_DIR_PID_SIZE])
{
	ssize_t length = pread(fd, pid, DATA_DIR_PID_SIZE - 1, 0);
	pid[length > 0 ? length : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	if (pid[0] == '\0')
		(void)snprintf(pid, DATA_DIR_PID_SIZE, "(unknown)");
}

static void say_who_holds(const char *pid, const char *path, struct error *err)
{
	error_set(err, ERROR_REJECT,
		  "data folder %s: in use by process %s; each producer needs its own --data-dir",
		  path, pid);
}

/* Nobody else holds it but those who only read: `outbox show`, or a look at who holds it. */
static bool is_shared(int fd)
{
	return flock(fd, LOCK_SH | LOCK_NB) == 0 && flock(fd, LOCK_UN) == 0;
}

/* Alone; -1 with errno. Readers are away now and then, for DATA_DIR_UNSHARED_MS at least: it is asked more often than that. */
static int lock_alone(int fd)
{
	mono_us until = clock_mono_us() + INT64_C(1) * DATA_DIR_READERS_MS * CLOCK_US_PER_MS;
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		if (clock_mono_us() >= until || !is_shared(fd)) {
			errno = EWOULDBLOCK;
			return -1;
		}
		(void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return 0;
}

/* Open, lock and sign the file; -1 with errno. */
static int lock_file(struct data_dir *dir, const char *path)
{
	dir->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (dir->lock_fd < 0 || lock_alone(dir->lock_fd) != 0 || ftruncate(dir->lock_fd, 0) != 0)
		return -1;
	return dprintf(dir->lock_fd, "%d\n", (int)getpid()) < 0 ? -1 : 0;
}

static int take_lock(struct data_dir *dir, struct error *err)
{
	char *path = data_dir_path(dir, "lock");
	int result = lock_file(dir, path);
	int reason = errno;
	if (result != 0 && dir->lock_fd >= 0 && reason == EWOULDBLOCK) {
		char pid[DATA_DIR_PID_SIZE];
		read_pid(dir->lock_fd, pid);
		say_who_holds(pid, dir->path, err);
	} else if (result != 0) {
		error_set_errno(err, ERROR_REJECT, reason, "data folder %s: can't write %s",
				dir->path, path);
	}
	free(path);
	return result;
}

bool data_dir_share(const char *path, int *ret_fd, char ret_pid[static DATA_DIR_PID_SIZE])
{
	char *file = xasprintf("%s/lock", path);
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	bool is_held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	if (is_held) {
		read_pid(fd, ret_pid);
		(void)close(fd);
	} else {
		*ret_fd = fd;
	}
	free(file);
	return !is_held;
}

void data_dir_unshare(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

bool data_dir_is_held(const char *path, char ret_pid[static DATA_DIR_PID_SIZE])
{
	int fd = -1;
	bool is_held = !data_dir_share(path, &fd, ret_pid);
	data_dir_unshare(fd);
	return is_held;
}

int data_dir_look(const char *path, struct error *err)
{
	char pid[DATA_DIR_PID_SIZE];
	if (!data_dir_is_held(path, pid))
		return 0;
	say_who_holds(pid, path, err);
	return -1;
}

struct data_dir *data_dir_open(const char *path, struct error *err)
{
	struct data_dir *dir = xcalloc(1, sizeof(*dir));
	dir->path = xstrdup(path);
	dir->lock_fd = -1;
	if (make_folders(path, err) != 0 || take_lock(dir, err) != 0) {
		data_dir_close(dir);
		return NULL;
	}
	return dir;
}

void data_dir_close(struct data_dir *dir)
{
	if (dir == NULL)
		return;
	if (dir->lock_fd >= 0)
		(void)close(dir->lock_fd);
	free(dir->path);
	free(dir);
}

char *data_dir_path(const struct data_dir *dir, const char *name)
{
	return xasprintf("%s/%s", dir->path, name);
}

size_t data_dir_read_previous(const struct data_dir *dir, struct uuid *ret_ids, size_t max)
{
	char *path = data_dir_path(dir, "producer_id");
	FILE *file = fopen(path, "re");
	free(path);
	if (file == NULL)
		return 0;
	char line[UUID_TEXT_SIZE + 1];
	size_t count = 0;
	while (count < max && fgets(line, sizeof(line), file) != NULL &&
	       uuid_parse(line, strcspn(line, "\n"), &ret_ids[count]) == 0)
		count++;
	(void)fclose(file);
	return count;
}

/* The folder that a file lies in remembers its name. Where that can't be asked for, it is left to the file system. */
static void sync_folder_of(const char *path)
{
	char *folder = xstrdup(path);
	char *end = strrchr(folder, '/');
	if (end != NULL && end != folder)
		*end = '\0';
	int fd = end == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		(void)close(fd);
	}
	free(folder);
}

/* Write the whole file beside its place, sync it, and move it there. */
static int write_file(const char *path, const char *bytes, size_t length, struct error *err)
{
	char *fresh = xasprintf("%s.new", path);
	int result = -1;
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0 && write(fd, bytes, length) == (ssize_t)length && fsync(fd) == 0 &&
	    rename(fresh, path) == 0)
		result = 0;
	else
		error_set_errno(err, ERROR_RETRY, errno, "can't write %s", path);
	if (fd >= 0)
		(void)close(fd);
	if (result == 0)
		sync_folder_of(path);
	else if (fd >= 0)
		(void)unlink(fresh); /* half of it, on a full disk */
	free(fresh);
	return result;
}

int data_dir_write_previous(const struct data_dir *dir, const struct uuid *ids, size_t count,
			    struct error *err)
{
	struct buffer text;
	buffer_init(&text, count * UUID_TEXT_SIZE);
	for (size_t i = 0; i < count; i++) {
		char line[UUID_TEXT_SIZE];
		uuid_format(&ids[i], line);
		(void)buffer_append_format(&text, "%s\n", line);
	}
	char *path = data_dir_path(dir, "producer_id");
	int result = write_file(path, text.data, text.length, err);
	free(path);
	buffer_finish(&text);
	return result;
}

int data_dir_put_aside(const struct data_dir *dir, const char *name, const char *bytes,
		       size_t length, struct error *err)
{
	char *folder = data_dir_path(dir, "quarantine");
	char *path = xasprintf("%s/%s", folder, name);
	int result = make_folders(folder, err);
	if (result == 0)
		result = write_file(path, bytes, length, err);
	if (result == 0)
		sync_folder_of(folder); /* it may be new */
	free(path);
	free(folder);
	return result;
}
