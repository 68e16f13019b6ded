#include "outbox/outbox_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

enum { ASIDE_NAMES_MAX = 100, RESTORE_FROM_BYTES = 4 * OUTBOX_RESERVE_BYTES };
static const mono_us restore_pause_us = INT64_C(10) * CLOCK_US_PER_S;

static bool is_there(const char *path, const char *suffix)
{
	char *name = xasprintf("%s%s", path, suffix);
	bool is_there = access(name, F_OK) == 0;
	free(name);
	return is_there;
}

/* A name that is free: the second one of the same second ends in -2. A log may stand alone. */
static char *dated_name(const char *path, const char *infix)
{
	time_t now = (time_t)(clock_wall_us() / CLOCK_US_PER_S);
	struct tm parts = {0};
	char stamp[32];
	(void)gmtime_r(&now, &parts);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &parts);
	char *name = xasprintf("%s%s%s", path, infix, stamp);
	for (int i = 2; i < ASIDE_NAMES_MAX && (is_there(name, "") || is_there(name, "-wal"));
	     i++) {
		free(name);
		name = xasprintf("%s%s%s-%d", path, infix, stamp, i);
	}
	return name;
}

/* What does not exist needs no renaming. */
static int rename_with(const char *suffix, const char *before, const char *after, struct error *err)
{
	char *from = xasprintf("%s%s", before, suffix);
	char *to = xasprintf("%s%s", after, suffix);
	int result = 0;
	if (rename(from, to) != 0 && errno != ENOENT) {
		error_set_errno(err, ERROR_REJECT, errno, "rename %s", from);
		result = -1;
	}
	free(from);
	free(to);
	return result;
}

int outbox_place_set_aside(const char *path, char **ret_name, struct error *err)
{
	return outbox_place_rename(path, ".damaged-", ret_name, err);
}

static const char marker_suffix[] = "-renaming";

/* Says, while it is there, that path is being renamed to name. Without room for it a kill in that moment leaves the log alone. */
static void place_marker(const char *name)
{
	char *marker = xasprintf("%s%s", name, marker_suffix);
	int fd = open(marker, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)close(fd);
	free(marker);
}

static void remove_beside(const char *path, const char *suffix)
{
	char *name = xasprintf("%s%s", path, suffix);
	(void)unlink(name);
	free(name);
}

int outbox_place_rename(const char *path, const char *infix, char **ret_name, struct error *err)
{
	char *name = dated_name(path, infix);
	place_marker(name);
	/* the log first: SQLite would delete one without its database; see outbox_place_finish_rename() */
	int result = 0;
	if (rename_with("-wal", path, name, err) != 0 ||
	    rename_with("-journal", path, name, err) != 0 ||
	    rename_with("", path, name, err) != 0) {
		(void)rename_with("-journal", name, path, NULL);
		(void)rename_with("-wal", name, path, NULL);
		result = -1;
	}
	remove_beside(name, marker_suffix);
	if (result == 0) {
		remove_beside(path, "-shm");
		*ret_name = name;
	} else {
		free(name);
	}
	return result;
}

/* "outbox.db.segment-20261121T203345Z" out of its marker's name; NULL: another name. */
static char *name_of_marker(const char *entry, const char *folder, const char *base)
{
	size_t length = strlen(entry);
	size_t head = strlen(base);
	size_t tail = sizeof(marker_suffix) - 1;
	if (length <= head + tail || strncmp(entry, base, head) != 0 || entry[head] != '.' ||
	    strcmp(entry + length - tail, marker_suffix) != 0)
		return NULL;
	return xasprintf("%s/%.*s", folder, (int)(length - tail), entry);
}

/* Whether path's log alone has that name, and path has it now too. */
static bool follow_log(const char *path, const char *name)
{
	return is_there(path, "") && !is_there(path, "-wal") && is_there(name, "-wal") &&
	       !is_there(name, "") && rename(path, name) == 0;
}

char *outbox_place_finish_rename(const char *path)
{
	char *folder = xstrdup(path);
	char *base = strrchr(folder, '/');
	char *found = NULL;
	DIR *listing = NULL;
	const struct dirent *entry;
	if (base != NULL) {
		*base++ = '\0';
		listing = opendir(folder);
	}
	while (found == NULL && listing != NULL && (entry = readdir(listing)) != NULL) {
		char *name = name_of_marker(entry->d_name, folder, base);
		if (name == NULL)
			continue;
		if (follow_log(path, name))
			found = xstrdup(name);
		remove_beside(name, marker_suffix);
		free(name);
	}
	if (listing != NULL)
		(void)closedir(listing);
	free(folder);
	return found;
}

/* The log first: alone it would never be found again. */
void outbox_place_remove(const char *path)
{
	static const char *const suffixes[] = {"-wal", "-journal", "-shm", ""};
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *name = xasprintf("%s%s", path, suffixes[i]);
		(void)unlink(name);
		free(name);
	}
}

/* 0: there is none; -1: nobody can tell. */
static int64_t size_of(const char *path, const char *suffix)
{
	char *name = xasprintf("%s%s", path, suffix);
	struct stat status;
	int64_t size = 0;
	if (stat(name, &status) == 0)
		size = (int64_t)status.st_size;
	else if (errno != ENOENT)
		size = -1;
	free(name);
	return size;
}

bool outbox_place_is_torn(const char *path)
{
	return size_of(path, "") == 0 && size_of(path, "-wal") > 0;
}

bool outbox_place_is_folder(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static void reserve_make(struct outbox_reserve *reserve)
{
	int fd = open(reserve->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	reserve->is_there = fd >= 0 && posix_fallocate(fd, 0, OUTBOX_RESERVE_BYTES) == 0;
	if (fd >= 0)
		(void)close(fd);
	if (!reserve->is_there)
		(void)unlink(reserve->path);
}

void outbox_reserve_init(struct outbox_reserve *reserve, const char *path)
{
	*reserve = (struct outbox_reserve){.path = xasprintf("%s.reserve", path), .beside = path};
	reserve_make(reserve);
}

void outbox_reserve_finish(struct outbox_reserve *reserve)
{
	free(reserve->path);
	reserve->path = NULL;
}

bool outbox_reserve_release(struct outbox_reserve *reserve, mono_us now)
{
	bool was_there = reserve->is_there;
	if (was_there)
		(void)unlink(reserve->path);
	reserve->is_there = false;
	reserve->next_try = now + restore_pause_us;
	return was_there;
}

void outbox_reserve_restore(struct outbox_reserve *reserve, mono_us now)
{
	if (reserve->is_there || now < reserve->next_try)
		return;
	reserve->next_try = now + restore_pause_us;
	struct statvfs disk;
	if (statvfs(reserve->beside, &disk) != 0 ||
	    (uint64_t)disk.f_bavail * disk.f_frsize < RESTORE_FROM_BYTES)
		return;
	reserve_make(reserve);
}
