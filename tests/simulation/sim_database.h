/*
 * The consumers' database, in place of store.h: rows by primary key, quarantine, positions, transactions whose COMMIT may end
 * unknown, and backups that are put back. Each consumer has a connection of its own.
 */
#ifndef WEBSENTRY_SIM_DATABASE_H
#define WEBSENTRY_SIM_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

struct store;

struct sim_database_faults {
	int fail_chance;    /* a call fails, nothing done; of ten thousand */
	int unknown_chance; /* COMMIT: the connection is lost, it happened or not */
	bool is_away;
};

extern struct sim_database_faults sim_database_faults;

void sim_database_reset(void);
struct store *sim_database_connect(void);

void sim_database_back_up(void);
/* Everything since the last backup is gone. */
void sim_database_put_back(void);
/* Whether that was done at all: if not, nobody may say so. */
bool sim_database_was_put_back(void);

/* Kafka's position: all records of the partition below it are, or were, rows or in quarantine. */
void sim_database_check_offset(int topic, int partition, int64_t next);
/* All records of all logs are rows or in quarantine, and the group has committed that. */
bool sim_database_has_all(void);
int64_t sim_database_rows(void);

/* At the end: tell the oracle what is stored, and look at each row. */
void sim_database_check_end(void);

#endif
