/*
 * What is wrong with the input: one line each, all of them collected before anything starts. Not safe for two threads.
 */
#ifndef WEBSENTRY_CONFIG_PROBLEMS_H
#define WEBSENTRY_CONFIG_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

enum { PROBLEMS_MAX = 100 }; /* those beyond are counted in one last line */

struct problem {
	bool is_warning;
	char *where; /* "sites.yaml:3:7", "--interval", "WEBSENTRY_INTERVAL" */
	char *what;  /* "found 'x', expected …" */
};

struct problems {
	struct problem items[PROBLEMS_MAX + 1];
	size_t count;
	size_t error_count;  /* warnings not counted */
	size_t hidden_count; /* what the last line counts */
};

void problems_init(struct problems *problems);
void problems_finish(struct problems *problems);

void problems_add(struct problems *problems, const char *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void problems_warn(struct problems *problems, const char *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
