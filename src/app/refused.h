/*
 * Reports that Kafka refuses for good: each becomes a file in the data folder's quarantine/, and only then leaves the outbox. One
 * that can't be written (a full disk) is tried again. All on the outbox thread.
 */
#ifndef WEBSENTRY_APP_REFUSED_H
#define WEBSENTRY_APP_REFUSED_H

#include <stddef.h>
#include <stdint.h>

struct data_dir;
struct figures;
struct outbox;
struct refused;

/* All are borrowed for its life. */
struct refused *refused_create(const struct data_dir *dir, struct outbox *outbox,
			       struct figures *figures);
void refused_destroy(struct refused *refused); /* accepts NULL; what waits stays in the outbox */

/* Put a row's message aside and acknowledge the row, now or later. The message is copied. */
void refused_add(struct refused *refused, int64_t id, const char *message, size_t length,
		 const char *why);

/* Try again what could not be written, now and then. Often. */
void refused_serve(struct refused *refused);

/* All of the outbox is sent again: forget what waits. */
void refused_forget(struct refused *refused);

#endif
