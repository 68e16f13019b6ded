/*
 * Files that settings name: read whole, or only looked at. Errors are ERROR_REJECT with what is wrong, without the path
 * in front (the caller knows where it was named). Blocking; main thread.
 */
#ifndef WEBSENTRY_CONFIG_FILE_H
#define WEBSENTRY_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The bytes of a file, NUL-terminated (NULs within stay), to be freed by the caller; NULL and err. At most max bytes. */
char *file_read(const char *path, size_t max, size_t *ret_length, struct error *err);

/* The same of a file that may be read again: a pipe's bytes are there once, and may never come. */
char *file_read_regular(const char *path, size_t max, size_t *ret_length, struct error *err);

/* Whether the file can be read by this process: 0, or -1 and err. */
int file_check_readable(const char *path, struct error *err);

/* What it looks like: another number once it was written to, replaced, taken away, or given to others. Never fails. */
uint64_t file_look(const char *path);

/* Whether the folder can be read (and written to), or made where it is not there yet: 0, or -1 and err. */
int file_check_folder(const char *path, bool is_written, struct error *err);

#endif
