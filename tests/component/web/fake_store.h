/* A store that says what a test lets it say: store_read_sites(), store_audit_holes() and store_close() of store/store.h. */
#ifndef WEBSENTRY_TESTS_WEB_FAKE_STORE_H
#define WEBSENTRY_TESTS_WEB_FAKE_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

/* A fresh store without sites. The web server closes it. */
struct store *fake_store_create(void);

/* Copied, but for the texts: those must live on. started_at 0: now. Ends a failure. Only while the store is not closed. */
void fake_store_set(struct store *store, const struct store_site *sites, size_t count);
void fake_store_fail(struct store *store, bool is_failing);

/* Reads block from now on until this is undone. */
void fake_store_hang(struct store *store, bool is_hanging);

/* So many reports are missing; -1: they can't be counted. */
void fake_store_miss(struct store *store, int64_t reports);

/* How often it was read. */
unsigned fake_store_reads(struct store *store);

/* How many stores are open. */
unsigned fake_store_open_count(void);

/* A site as most tests want it. */
struct store_site fake_site(const char *name, enum outcome outcome, const char *reason,
			    const char *strip);

#endif
