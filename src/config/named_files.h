/*
 * The files that sites name in turn and that are read with them (bodies, passwords, tokens): which there are, and what they looked like
 * before they were read, so that a change is seen. Blocking; main thread.
 */
#ifndef WEBSENTRY_CONFIG_NAMED_FILES_H
#define WEBSENTRY_CONFIG_NAMED_FILES_H

#include <stddef.h>
#include <stdint.h>

/* So many are looked at: a look takes a microsecond or two for each. */
enum { NAMED_FILES_MAX = 1024 };

struct named_files;

struct named_files *named_files_create(void);
void named_files_destroy(struct named_files *files); /* accepts NULL */

/* A file is about to be read; one that was noted before, or is one too many, is passed over. files: NULL where nobody wants to know. */
void named_files_note(struct named_files *files, const char *path);

/* What they looked like when they were noted, and what they look like now: the same number where none has changed. 0 without files. */
uint64_t named_files_noted(const struct named_files *files);
uint64_t named_files_now(const struct named_files *files);

#endif
