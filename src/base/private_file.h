/*
 * Files that are their owner's alone: URLs and captured text stand in our databases. Any thread.
 */
#ifndef WEBSENTRY_BASE_PRIVATE_FILE_H
#define WEBSENTRY_BASE_PRIVATE_FILE_H

/*
 * Make an empty file of mode 0600 where there is none, before a library makes it with the mode that the umask leaves. A link whose
 * target is missing gets its target so. What is there keeps its mode and is not opened. What keeps the file from being made whoever
 * opens it next is told, so that nothing is said here.
 */
void private_file_create(const char *path);

#endif
