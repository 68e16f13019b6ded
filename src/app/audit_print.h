/* What `websentry audit` prints: a table for people, or one JSON object. One at a time, on stdout; main thread. */
#ifndef WEBSENTRY_APP_AUDIT_PRINT_H
#define WEBSENTRY_APP_AUDIT_PRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct audit_totals {
	int64_t producers;
	int64_t stored;
	int64_t missing;
	int64_t pending;
	int64_t quarantined;
	int64_t lost;
	int64_t expired;
};

struct audit_print; /* opaque */

struct audit_print *audit_print_create(bool is_json);
void audit_print_producer(struct audit_print *print, const struct store_audit_producer *producer);

/* The totals; and print no more. */
struct audit_totals audit_print_finish(struct audit_print *print);
void audit_print_destroy(struct audit_print *print);

#endif
