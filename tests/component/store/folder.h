/* A temporary folder with a store in it, and a second eye on the store: the SQL of the tests. */
#ifndef TESTS_COMPONENT_STORE_FOLDER_H
#define TESTS_COMPONENT_STORE_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

struct store;

struct folder {
	char path[64];
	char file[96]; /* the database in it */
};

void folder_make(struct folder *folder);
void folder_remove(struct folder *folder); /* with its files */

/* The store in it, made where it is missing, with its tables and to be written to; the caller's. Fails the test on an error. */
struct store *folder_open_store(const struct folder *folder);

/* The first column of the first row as text, to be freed; "" where there is none, NULL for null. Fails the test on an error. */
char *folder_query(const struct folder *folder, const char *sql);
void folder_assert(const struct folder *folder, const char *sql,
		   const char *wanted); /* NULL: null */
int64_t folder_count(const struct folder *folder, const char *sql);
void folder_execute(const struct folder *folder, const char *sql);

/* Ask until sql gives wanted, for at most 10 s. */
bool folder_wait(const struct folder *folder, const char *sql, int64_t wanted);

#endif
