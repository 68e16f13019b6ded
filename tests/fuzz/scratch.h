/* A folder of the fuzzer's own, in memory where the machine has such a file system: a disk would take most of the time. */
#ifndef WEBSENTRY_TESTS_FUZZ_SCRATCH_H
#define WEBSENTRY_TESTS_FUZZ_SCRATCH_H

#include <stddef.h>

/* Make it; it and its files go when the process ends. */
const char *scratch_make(void);

/* The absolute path of a file in it, which need not be there; valid until the end. There are at most 4. */
const char *scratch_path(const char *name);

/* What a file at one of these paths holds. */
void scratch_write(const char *path, const void *bytes, size_t length);

/* So that no file is there; none need be. */
void scratch_remove(const char *path);

#endif
