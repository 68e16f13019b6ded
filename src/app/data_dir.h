/*
 * The data folder of a producer (or `run`): made where it is missing, and locked, since it belongs to one process. Main thread.
 */
#ifndef WEBSENTRY_APP_DATA_DIR_H
#define WEBSENTRY_APP_DATA_DIR_H

#include <stdbool.h>

#include "base/error.h"

struct data_dir;
struct uuid;

/* Whether another process holds the folder now, and its pid as it wrote it; "(unknown)" where it has not yet. */
enum { DATA_DIR_PID_SIZE = 32 };
bool data_dir_is_held(const char *path, char ret_pid[static DATA_DIR_PID_SIZE]);

/*
 * Keep the folder from being taken, to read in it, until data_dir_unshare(*ret_fd); other readers may do so too. Not for longer than
 * a moment: data_dir_open() waits for it. False: somebody holds the folder. *ret_fd is -1 in a folder that nobody ever held, as
 * nothing is made in it.
 */
bool data_dir_share(const char *path, int *ret_fd, char ret_pid[static DATA_DIR_PID_SIZE]);
void data_dir_unshare(int fd); /* accepts -1 */

/* How long data_dir_open() waits for readers, which let go again and again; and how long they are away at least. */
enum { DATA_DIR_READERS_MS = 5000, DATA_DIR_UNSHARED_MS = 3 };

/* Whether another process holds the folder now, told without making anything: 0, or -1 with ERROR_REJECT naming its pid. */
int data_dir_look(const char *path, struct error *err);

/*
 * Make the folder (mode 0700, with its parents) and take its lock. NULL with ERROR_REJECT where it can't be made or written, or
 * where another process holds it (its pid is named); readers are waited for. The lock ends with the process at the latest.
 */
struct data_dir *data_dir_open(const char *path, struct error *err);
void data_dir_close(struct data_dir *dir); /* accepts NULL */

/* A file or folder in it, as a fresh path. */
char *data_dir_path(const struct data_dir *dir, const char *name);

/*
 * The producer_ids of the processes that worked in this folder before, the latest first; returns how many, at most max. A
 * damaged file is none.
 */
size_t data_dir_read_previous(const struct data_dir *dir, struct uuid *ret_ids, size_t max);
/* Remember them, ours first; before the first report. */
int data_dir_write_previous(const struct data_dir *dir, const struct uuid *ids, size_t count,
			    struct error *err);

/* Write a message that nobody takes into <data-dir>/quarantine/<name>, durably. */
int data_dir_put_aside(const struct data_dir *dir, const char *name, const char *bytes,
		       size_t length, struct error *err);

#endif
