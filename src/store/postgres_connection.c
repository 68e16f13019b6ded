/*
 * libpq in its non-blocking form: each wait is a poll() on the socket and on an eventfd that postgres_interrupt() makes
 * readable for good, so that a stop never waits for a server that does not answer.
 */
#include "store/postgres_connection.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/postgres_hosts.h"

enum {
	CONNECT_TIMEOUT_MS = 10000,
	CONNECT_ONE_TIMEOUT_MS = 4000, /* of several addresses */
};

/*
 * What every session needs, whatever the server's and the role's defaults are. moves_rows: what we delete from report ourselves
 * moves to another partition, or is kept no longer; it does not count as deleted by hand (schema/postgres/006_audit.sql). jit:
 * compiling a statement over a partition for each day takes longer than running it, half a second for the strips of 1,000 sites.
 */
static const char session_settings[] =
	"SET synchronous_commit = on; SET TimeZone = 'UTC'; SET "
	"client_encoding = 'UTF8'; SET statement_timeout = 0; "
	"SET idle_in_transaction_session_timeout = 0; SET "
	"lock_timeout = '10s'; SET client_min_messages = warning; "
	"SET default_transaction_isolation = 'read committed'; SET "
	"standard_conforming_strings = on; "
	"SET bytea_output = hex; SET DateStyle = 'ISO'; SET jit = off; "
	"SET websentry.moves_rows = 'on'";

static void ignore_notice(void *context, const PGresult *result)
{
	(void)context;
	(void)result;
}

/* The first line of what libpq or the server says, without its prefix. */
static void first_line(const char *message, char *text, size_t size)
{
	while (*message == ' ' || *message == '\n')
		message++;
	static const char *const prefixes[] = {"ERROR:  ", "FATAL:  "};
	for (size_t i = 0; i < 2; i++)
		if (strncmp(message, prefixes[i], strlen(prefixes[i])) == 0)
			message += strlen(prefixes[i]);
	size_t length = strcspn(message, "\n");
	if (length >= size)
		length = size - 1;
	memcpy(text, message, length);
	text[length] = '\0';
}

int postgres_connection_init(struct postgres_connection *connection, const char *dsn,
			     bool is_read_only, struct error *err)
{
	char *detail = NULL;
	PQconninfoOption *options = PQconninfoParse(dsn, &detail);
	if (options == NULL) {
		/* libpq quotes the text it can't read, and that may hold a password: say only what is before the quote. */
		char line[256];
		first_line(detail == NULL ? "out of memory" : detail, line, sizeof(line));
		line[strcspn(line, "\"")] = '\0';
		error_set(err, ERROR_REJECT,
			  "the database DSN is neither a libpq connection string nor a "
			  "postgresql:// URI (%s…)",
			  line);
		PQfreemem(detail);
		return -1;
	}
	PQconninfoFree(options);
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0) {
		error_set_errno(err, ERROR_FATAL, errno, "eventfd");
		return -1;
	}
	*connection = (struct postgres_connection){
		.dsn = xstrdup(dsn),
		.interrupt_fd = fd,
		.is_read_only = is_read_only,
	};
	return 0;
}

void postgres_connection_finish(struct postgres_connection *connection)
{
	postgres_disconnect(connection);
	(void)close(connection->interrupt_fd);
	free(connection->dsn);
}

void postgres_interrupt(struct postgres_connection *connection)
{
	const uint64_t one = 1;
	(void)!write(connection->interrupt_fd, &one, sizeof(one));
}

void postgres_disconnect(struct postgres_connection *connection)
{
	PQfinish(connection->conn);
	connection->conn = NULL;
}

/* The connection is of no use any more: forget it, and say why. */
static int lose(struct postgres_connection *connection, const char *why, struct error *err)
{
	char line[512];
	first_line(why, line, sizeof(line));
	error_set(err, ERROR_RETRY, "PostgreSQL: %s", line[0] == '\0' ? "connection lost" : line);
	postgres_disconnect(connection);
	connection->is_lost = true;
	connection->sqlstate[0] = '\0';
	connection->constraint[0] = '\0';
	return -1;
}

static bool is_interrupted(const struct postgres_connection *connection)
{
	struct pollfd interrupt = {.fd = connection->interrupt_fd, .events = POLLIN};
	return poll(&interrupt, 1, 0) > 0;
}

/*
 * Wait for events on the socket. Returns the events, 0 at the timeout, -1 when interrupted. As long as there is other work, that is
 * done, and the socket looked at after each piece of it; it has an end, because what waits has.
 */
static int wait_socket(struct postgres_connection *connection, short events, int timeout_ms)
{
	const struct store_work *work = &connection->meanwhile;
	bool has_work = work->run != NULL;
	for (;;) {
		struct pollfd waiting[2] = {
			{.fd = PQsocket(connection->conn), .events = events},
			{.fd = connection->interrupt_fd, .events = POLLIN},
		};
		int ready = poll(waiting, 2, has_work ? 0 : timeout_ms);
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready == 0 && has_work) {
			has_work = work->run(work->context);
			continue;
		}
		if (ready < 0 || waiting[1].revents != 0)
			return -1;
		return waiting[0].revents;
	}
}

/* host NULL: as the dsn says. */
static PGconn *start_connecting(const struct postgres_connection *connection,
				const struct postgres_host *host)
{
	/* Later words win: the person's own dsn may say otherwise on those before it. Who writes wants the server that takes writes. */
	const char *const keywords[] = {
		"connect_timeout",
		"application_name",
		"keepalives_idle",
		"keepalives_interval",
		"keepalives_count",
		"tcp_user_timeout",
		"target_session_attrs",
		"dbname",
		host == NULL ? NULL : "host",
		"hostaddr",
		"port",
		NULL,
	};
	const char *const values[] = {
		"10",
		"websentry",
		"10",
		"5",
		"3",
		"30000",
		connection->is_read_only ? "any" : "read-write",
		connection->dsn,
		host == NULL ? NULL : host->name,
		host == NULL ? NULL : host->address,
		host == NULL ? NULL : host->port,
		NULL,
	};
	return PQconnectStartParams(keywords, values, 1);
}

static int finish_connecting(struct postgres_connection *connection, int timeout_ms,
			     struct error *err)
{
	mono_us deadline = clock_mono_us() + (mono_us)timeout_ms * CLOCK_US_PER_MS;
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	while (status != PGRES_POLLING_OK) {
		if (status == PGRES_POLLING_FAILED || PQstatus(connection->conn) == CONNECTION_BAD)
			return lose(connection, PQerrorMessage(connection->conn), err);
		mono_us left = deadline - clock_mono_us();
		int events =
			left <= 0 ? 0
				  : wait_socket(connection,
						status == PGRES_POLLING_READING ? POLLIN : POLLOUT,
						(int)(left / CLOCK_US_PER_MS) + 1);
		if (events == 0)
			return lose(connection,
				    timeout_ms == CONNECT_TIMEOUT_MS ? "no connection within 10 s"
								     : "no connection within 4 s",
				    err);
		if (events < 0)
			return lose(connection, "interrupted", err);
		status = PQconnectPoll(connection->conn);
	}
	return 0;
}

static int connect_to(struct postgres_connection *connection, const struct postgres_host *host,
		      struct error *err)
{
	connection->conn = start_connecting(connection, host);
	if (connection->conn == NULL)
		return lose(connection, "out of memory", err);
	(void)PQsetNoticeReceiver(connection->conn, ignore_notice, NULL);
	return finish_connecting(connection,
				 host == NULL ? CONNECT_TIMEOUT_MS : CONNECT_ONE_TIMEOUT_MS, err);
}

/*
 * To the dsn's server; of several ones (or of one name's several addresses) to the first that takes us. libpq would try them
 * itself, but leaves it to the caller to give up one that does not answer at all, and then has no way to go on to the next.
 */
static int connect_somewhere(struct postgres_connection *connection, struct error *err)
{
	struct postgres_host hosts[POSTGRES_HOSTS_MAX];
	size_t count = postgres_hosts_find(connection->dsn, hosts);
	if (count <= 1) {
		postgres_hosts_finish(hosts, count);
		return connect_to(connection, NULL, err);
	}
	struct error causes = {.kind = ERROR_NONE};
	int status = -1;
	for (size_t i = 0; i < count && status != 0; i++) {
		if (is_interrupted(connection)) {
			error_set(&causes, ERROR_RETRY, "PostgreSQL: interrupted");
			break;
		}
		status = connect_to(connection, &hosts[i], err);
		if (status != 0)
			postgres_hosts_note(&causes, &hosts[i], err);
	}
	postgres_hosts_finish(hosts, count);
	if (status != 0 && err != NULL)
		*err = causes;
	return status;
}

int postgres_connect(struct postgres_connection *connection, struct error *err)
{
	if (connection->conn != NULL && PQstatus(connection->conn) == CONNECTION_OK)
		return 0;
	postgres_disconnect(connection);
	connection->is_lost = false;
	if (connect_somewhere(connection, err) != 0)
		return -1;
	if (PQsetnonblocking(connection->conn, 1) != 0)
		return lose(connection, PQerrorMessage(connection->conn), err);
	connection->generation++;
	memset(connection->is_prepared, 0, sizeof(connection->is_prepared));
	if (postgres_execute(connection, session_settings, NULL, err) != 0 ||
	    (connection->is_read_only &&
	     postgres_execute(connection, "SET default_transaction_read_only = on", NULL, err) !=
		     0)) {
		postgres_disconnect(connection);
		return -1;
	}
	return 0;
}

/* Everything that libpq holds goes out; what comes in meanwhile is read, so that neither side waits for the other. */
static int flush(struct postgres_connection *connection, struct error *err)
{
	for (;;) {
		int left = PQflush(connection->conn);
		if (left == 0)
			return 0;
		if (left < 0)
			return lose(connection, PQerrorMessage(connection->conn), err);
		int events = wait_socket(connection, POLLIN | POLLOUT, -1);
		if (events < 0)
			return lose(connection, "interrupted", err);
		if ((events & POLLIN) != 0 && PQconsumeInput(connection->conn) == 0)
			return lose(connection, PQerrorMessage(connection->conn), err);
	}
}

/* The next result, NULL at the end of them. Returns 0, or -1 when the connection was lost. */
static int next_result(struct postgres_connection *connection, PGresult **ret_result,
		       struct error *err)
{
	if (flush(connection, err) != 0)
		return -1;
	while (PQisBusy(connection->conn)) {
		if (wait_socket(connection, POLLIN, -1) < 0)
			return lose(connection, "interrupted", err);
		if (PQconsumeInput(connection->conn) == 0)
			return lose(connection, PQerrorMessage(connection->conn), err);
	}
	*ret_result = PQgetResult(connection->conn);
	return 0;
}

static void copy_field(char *field, size_t size, const char *text)
{
	size_t length = text == NULL ? 0 : strnlen(text, size - 1);
	if (length > 0)
		memcpy(field, text, length);
	field[length] = '\0';
}

/* Which kind an SQLSTATE is of, for those who do not look at it themselves. */
static enum error_kind kind_of(const char *sqlstate)
{
	return strcmp(sqlstate, "42501") == 0 ? ERROR_REJECT : ERROR_RETRY;
}

static void note_failure(struct postgres_connection *connection, const PGresult *result,
			 struct error *err)
{
	copy_field(connection->sqlstate, sizeof(connection->sqlstate),
		   PQresultErrorField(result, PG_DIAG_SQLSTATE));
	copy_field(connection->constraint, sizeof(connection->constraint),
		   PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
	const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	char line[512];
	first_line(primary == NULL ? PQresultErrorMessage(result) : primary, line, sizeof(line));
	error_set(err, kind_of(connection->sqlstate), "PostgreSQL: %s%s%s%s", line,
		  connection->sqlstate[0] == '\0' ? "" : " (SQLSTATE ", connection->sqlstate,
		  connection->sqlstate[0] == '\0' ? "" : ")");
}

/*
 * Read results to their end. Keeps the last good one in *ret_result (may be NULL). A COPY IN result is returned at once: the
 * caller feeds it.
 */
static int take_results(struct postgres_connection *connection, PGresult **ret_result,
			struct error *err)
{
	PGresult *kept = NULL;
	int failures = 0;
	for (;;) {
		PGresult *result = NULL;
		if (next_result(connection, &result, err) != 0) {
			PQclear(kept);
			return -1;
		}
		if (result == NULL)
			break;
		ExecStatusType status = PQresultStatus(result);
		if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
			if (failures++ == 0)
				note_failure(connection, result, err);
			PQclear(result);
			continue;
		}
		PQclear(kept);
		kept = result;
		if (status == PGRES_COPY_IN)
			break;
	}
	/* A FATAL message (the server ends this session) arrives as a result, and the end of the socket after it. */
	if (PQstatus(connection->conn) == CONNECTION_BAD) {
		PQclear(kept);
		if (failures == 0)
			return lose(connection, PQerrorMessage(connection->conn), err);
		postgres_disconnect(connection);
		connection->is_lost = true;
		err->kind = ERROR_RETRY;
		return -1;
	}
	if (failures > 0) {
		PQclear(kept);
		return -1;
	}
	if (ret_result != NULL)
		*ret_result = kept;
	else
		PQclear(kept);
	return 0;
}

static void forget_failure(struct postgres_connection *connection)
{
	connection->is_lost = false;
	connection->sqlstate[0] = '\0';
	connection->constraint[0] = '\0';
}

int postgres_execute(struct postgres_connection *connection, const char *sql, PGresult **ret_result,
		     struct error *err)
{
	forget_failure(connection);
	if (connection->conn == NULL || PQsendQuery(connection->conn, sql) == 0)
		return lose(connection, PQerrorMessage(connection->conn), err);
	return take_results(connection, ret_result, err);
}

enum { PARAMETERS_MAX = 16 };
static const int binary[PARAMETERS_MAX] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

int postgres_query(struct postgres_connection *connection, const char *sql,
		   const struct postgres_parameters *parameters, PGresult **ret_result,
		   struct error *err)
{
	assert(parameters->count <= PARAMETERS_MAX);
	forget_failure(connection);
	if (connection->conn == NULL ||
	    PQsendQueryParams(connection->conn, sql, parameters->count, parameters->types,
			      parameters->values, parameters->lengths, binary, 1) == 0)
		return lose(connection, PQerrorMessage(connection->conn), err);
	return take_results(connection, ret_result, err);
}

int postgres_query_prepared(struct postgres_connection *connection,
			    enum postgres_statement statement, const char *sql,
			    const struct postgres_parameters *parameters, PGresult **ret_result,
			    struct error *err)
{
	static const char *const names[POSTGRES_STATEMENT_COUNT] = {
		[POSTGRES_UPDATE_STATES] = "websentry_update_states",
		[POSTGRES_UPSERT_CHUNKS] = "websentry_upsert_chunks",
		[POSTGRES_LOCK_POSITIONS] = "websentry_lock_positions",
		[POSTGRES_UPSERT_POSITIONS] = "websentry_upsert_positions",
	};
	assert(parameters->count <= PARAMETERS_MAX);
	forget_failure(connection);
	if (connection->conn == NULL)
		return lose(connection, PQerrorMessage(connection->conn), err);
	if (!connection->is_prepared[statement]) {
		if (PQsendPrepare(connection->conn, names[statement], sql, 0, NULL) == 0)
			return lose(connection, PQerrorMessage(connection->conn), err);
		if (take_results(connection, NULL, err) != 0)
			return -1;
		connection->is_prepared[statement] = true;
	}
	if (PQsendQueryPrepared(connection->conn, names[statement], parameters->count,
				parameters->values, parameters->lengths, binary, 1) == 0)
		return lose(connection, PQerrorMessage(connection->conn), err);
	return take_results(connection, ret_result, err);
}

int postgres_copy_start(struct postgres_connection *connection, const char *sql, struct error *err)
{
	PGresult *result;
	if (postgres_execute(connection, sql, &result, err) != 0)
		return -1;
	assert(PQresultStatus(result) == PGRES_COPY_IN);
	PQclear(result);
	return 0;
}

int postgres_copy_put(struct postgres_connection *connection, const char *bytes, size_t length,
		      struct error *err)
{
	while (length > 0) {
		size_t chunk = length < POSTGRES_COPY_CHUNK ? length : POSTGRES_COPY_CHUNK;
		int put = PQputCopyData(connection->conn, bytes, (int)chunk);
		if (put < 0)
			return 0; /* the server gave up on the COPY: its result says why */
		if (flush(connection, err) != 0)
			return -1;
		if (put == 0)
			continue;
		bytes += chunk;
		length -= chunk;
	}
	return 0;
}

int postgres_copy_end(struct postgres_connection *connection, struct error *err)
{
	while (PQputCopyEnd(connection->conn, NULL) == 0)
		if (flush(connection, err) != 0)
			return -1;
	return take_results(connection, NULL, err);
}

void postgres_rollback(struct postgres_connection *connection)
{
	if (connection->conn == NULL)
		return;
	struct postgres_connection before = *connection;
	struct error ignored;
	if (PQtransactionStatus(connection->conn) == PQTRANS_IDLE)
		return;
	if (postgres_execute(connection, "ROLLBACK", NULL, &ignored) != 0)
		postgres_disconnect(connection);
	/* Whoever rolls back still wants to know why. */
	connection->is_lost = before.is_lost;
	memcpy(connection->sqlstate, before.sqlstate, sizeof(before.sqlstate));
	memcpy(connection->constraint, before.constraint, sizeof(before.constraint));
}

int64_t postgres_read_int64(const char *bytes)
{
	uint64_t number;
	memcpy(&number, bytes, sizeof(number));
	return (int64_t)be64toh(number);
}

int32_t postgres_read_int32(const char *bytes)
{
	uint32_t number;
	memcpy(&number, bytes, sizeof(number));
	return (int32_t)be32toh(number);
}
