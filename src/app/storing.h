/*
 * The back of the pipeline as `consumer` and `run` share it: a writer with its store, its page, and what the main thread must hear
 * of it. Main thread, but for the callbacks that say otherwise.
 */
#ifndef WEBSENTRY_APP_STORING_H
#define WEBSENTRY_APP_STORING_H

#include <stdbool.h>

#include "base/error.h"
#include "store/writer.h"

struct settings;
struct waiter;
struct storing;

/* As struct writer_options.decode: report_decode() in the words of the quarantine. */
int storing_decode(const char *bytes, size_t length, struct report_row *ret_row,
		   const char **ret_reason, char *ret_detail, size_t detail_size);

/*
 * Open the store that settings name, and start a writer on it. options gives what differs (identities, topics, max_waiting), events whom
 * the caller wants to tell; on_ready and on_failed are also kept for storing_state(), and wake the waiter. NULL with err.
 */
struct storing *storing_start(const struct settings *settings, struct waiter *waiter,
			      const struct writer_options *options,
			      const struct writer_events *events, struct error *err);

enum storing_state { STORING_WAITING, STORING_READY, STORING_FAILED };

/* STORING_FAILED fills err with what a person must mend. Any thread. */
enum storing_state storing_state(struct storing *storing, struct error *err);

struct writer *storing_writer(const struct storing *storing);

/* Write what waits, at most deadline_ms, and end the thread; returns how many messages were left. A second call does nothing. */
size_t storing_stop(struct storing *storing, int deadline_ms);
/* Stops as well; accepts NULL. Ends the process with exit code 1 where the writer's thread hangs in its store for good. */
void storing_destroy(struct storing *storing);

#endif
