/*
 * The oracle: what every report has gone through, told by the simulated world alone, and whether the promise was kept.
 *
 * A report is known by its nonce. It is *durable* once its row has been committed, and from then on it must end up in the
 * store exactly once, unaltered, unless the oracle itself knows why not: its file was damaged and set aside, its row was
 * damaged, power failed under durability `process`, or Kafka never took it and it lies in a quarantine file.
 */
#ifndef WEBSENTRY_SIM_ORACLE_H
#define WEBSENTRY_SIM_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/identity.h"
#include "base/uuid.h"
#include "sim_message.h"

enum { SIM_INCARNATIONS = 64 };

struct sim_report {
	int incarnation;
	int64_t seq; /* the one that it must get: how many the process appended before it */
	enum sim_size size;
	bool is_durable;
	bool is_excused;           /* may be lost, the reason was not ours */
	bool is_put_aside;         /* in a quarantine file */
	bool is_in_log;            /* Kafka has it */
	bool was_called_delivered; /* though it was not written */
	bool is_stored;
};

void sim_oracle_reset(void);

/* The first broken promise is kept, and ends the run. */
void sim_oracle_fail(const char *what, int64_t a, int64_t b);
const char *sim_oracle_failure(void); /* NULL: none */

/* A process of a producer has begun. prev_nonce: of the row committed last in its folder, -1 none, or not to be known. */
enum { SIM_PREV_ANY = -2 };
int sim_oracle_begin(const struct uuid *producer_id, int prev_nonce);
/* It appends a report: its nonce, -1 where there are enough. */
int sim_oracle_append(int incarnation, enum sim_size size);
/* The outbox took it not. */
void sim_oracle_append_refused(int nonce);
/* The outbox says that so many more are durable. */
void sim_oracle_durable(int incarnation, size_t rows);

struct sim_report *sim_oracle_report(int nonce);
/* Which report has this identity; -1: none. */
int sim_oracle_nonce(const struct identity *identity);
int sim_oracle_report_count(void);
int sim_oracle_durable_count(void);

/* Whether a message is what was appended under its nonce, with the identity that it must have. */
void sim_oracle_check_message(const struct sim_message *message, const char *bytes, size_t length);

/* At the end, with everything healed and drained. */
void sim_oracle_check_end(void);

#endif
