/*
 * One connection to PostgreSQL, made again when it was lost, whose every wait can be interrupted. Private to src/store/.
 *
 * Failures: a lost connection is closed (is_lost), and the next postgres_connect() makes a new one. After a statement that
 * failed sqlstate says why. One thread, but for postgres_interrupt().
 */
#ifndef WEBSENTRY_STORE_POSTGRES_CONNECTION_H
#define WEBSENTRY_STORE_POSTGRES_CONNECTION_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/store_driver.h"

/* Statements of each batch, which a session parses and plans once: for a small batch that would be most of the work. */
enum postgres_statement {
	POSTGRES_UPDATE_STATES,
	POSTGRES_UPSERT_CHUNKS,
	POSTGRES_LOCK_POSITIONS,
	POSTGRES_UPSERT_POSITIONS,
	POSTGRES_STATEMENT_COUNT,
};

struct postgres_connection {
	char *dsn;
	PGconn *conn; /* NULL: not connected */
	int interrupt_fd;
	struct store_work meanwhile; /* while something is waited for */
	bool is_read_only;
	uint64_t
		generation; /* counts connections made: what was known of the last one holds no more */
	bool is_prepared[POSTGRES_STATEMENT_COUNT]; /* in this session */
	/* Of the last statement that failed: */
	bool is_lost;
	char sqlstate[6];    /* "" where the server said nothing */
	char constraint[64]; /* "" where none */
};

/* ERROR_REJECT where libpq can't read the dsn. */
int postgres_connection_init(struct postgres_connection *connection, const char *dsn,
			     bool is_read_only, struct error *err);
void postgres_connection_finish(struct postgres_connection *connection);
void postgres_interrupt(struct postgres_connection *connection); /* any thread; for good */

/* Connect unless connected, within 10 s, and set the session up. */
int postgres_connect(struct postgres_connection *connection, struct error *err);
void postgres_disconnect(struct postgres_connection *connection);

/* One or more statements as text. ret_result may be NULL; otherwise the last one's result, for PQclear(). */
int postgres_execute(struct postgres_connection *connection, const char *sql, PGresult **ret_result,
		     struct error *err);

struct postgres_parameters {
	int count;
	const Oid *types;
	const char *const *values;
	const int *lengths;
};

/* One statement with binary parameters and a binary result. */
int postgres_query(struct postgres_connection *connection, const char *sql,
		   const struct postgres_parameters *parameters, PGresult **ret_result,
		   struct error *err);

/* The same with a statement that the session keeps; sql must be the same each time. */
int postgres_query_prepared(struct postgres_connection *connection,
			    enum postgres_statement statement, const char *sql,
			    const struct postgres_parameters *parameters, PGresult **ret_result,
			    struct error *err);

/* Bytes given to libpq at once, so that its own buffer stays small. */
enum { POSTGRES_COPY_CHUNK = 64 * 1024 };

/*
 * COPY … FROM STDIN: the statement, the bytes in any pieces, and its end, which tells whether it succeeded. After a failure of the
 * first two there is nothing to end. The server works on what it has while the caller makes the next piece.
 */
int postgres_copy_start(struct postgres_connection *connection, const char *sql, struct error *err);
int postgres_copy_put(struct postgres_connection *connection, const char *bytes, size_t length,
		      struct error *err);
int postgres_copy_end(struct postgres_connection *connection, struct error *err);

/* ROLLBACK whatever is open; errors are nobody's: the connection is closed when it fails. */
void postgres_rollback(struct postgres_connection *connection);

/* Numbers as PostgreSQL sends them. */
int64_t postgres_read_int64(const char *bytes);
int32_t postgres_read_int32(const char *bytes);

#endif
