/*
 * Chunks become ranges: those that are full, and those that nothing was added to for an hour, where that makes few ranges of them. In
 * pages of the key, for a tenth of a second at a time, by one consumer at a time. Also here: what retention takes away is noted
 * as expired.
 *
 * Ranges that touch are joined. Stored ones only within a day (UTC) of their reports, so that whole ranges expire with their day.
 */
#include <string.h>

#include "base/log.h"
#include "store/postgres_parameters.h"
#include "store/postgres_store.h"
#include "store/seq_chunk.h"

enum { PAGE_CHUNKS = 1000 };

#define FOLD_LOCK "8602260756014002292"

/* Runs of set bits as ranges, of rows (state, producer_id, chunk, bits, first_at, last_at, changed_at) of a CTE named bitmap. */
#define RUNS                                                                                       \
	"SELECT state, producer_id, chunk * 4096 + (till - length(bit[1])) AS first, "             \
	"chunk * 4096 + (till - 1) AS last, first_at, last_at, changed_at FROM bitmap "            \
	"CROSS JOIN LATERAL (SELECT bit, sum(length(bit[1])) OVER (ORDER BY place)::bigint AS "    \
	"till FROM regexp_matches(bits::text, '0+|1+', 'g') WITH ORDINALITY AS part (bit, "        \
	"place)) AS part WHERE bit[1] LIKE '1%'"

/* Pieces that touch as one, of rows (state, producer_id, first, last, first_at, last_at, changed_at, day); day null: not joined. */
#define JOINED                                                                                     \
	"SELECT state, producer_id, min(first) AS first, max(last) AS last, min(first_at) AS "     \
	"first_at, max(last_at) AS last_at, max(changed_at) AS changed_at FROM (SELECT *, "        \
	"sum(is_new) OVER (PARTITION BY state, producer_id ORDER BY first, last) AS island "       \
	"FROM (SELECT *, CASE WHEN first <= till OR (first - 1 = till AND day = lag(day) OVER "    \
	"here) THEN 0 ELSE 1 END AS is_new FROM (SELECT *, max(last) OVER (here ROWS BETWEEN "     \
	"UNBOUNDED PRECEDING AND 1 PRECEDING) AS till FROM piece WINDOW here AS (PARTITION BY "    \
	"state, producer_id ORDER BY first, last)) AS a WINDOW here AS (PARTITION BY state, "      \
	"producer_id ORDER BY first, last)) AS b) AS c GROUP BY state, producer_id, island"

/*
 * $1, $2: the key behind which the page begins. Few ranges: as many as the bitmap has changes from 0 to 1. Rows that say nothing that a
 * range does not say go too. Bits that are set meanwhile are not lost: DELETE waits for the row and returns its newest version.
 */
static const char fold_page[] =
	"WITH page AS MATERIALIZED (SELECT DISTINCT producer_id, chunk FROM seq_chunk "
	"WHERE (producer_id, chunk) > ($1::uuid, $2::bigint) ORDER BY producer_id, chunk LIMIT "
	"$3::bigint), "
	"whole AS (SELECT c.producer_id, c.chunk, bit_or(c.stored) AS stored, "
	"bit_or(c.quarantined) AS quarantined, max(c.changed_at) AS changed_at "
	"FROM page JOIN seq_chunk AS c USING (producer_id, chunk) GROUP BY 1, 2), "
	"ready AS (SELECT producer_id, chunk FROM whole WHERE stored = ~repeat('0', "
	"4096)::bit(4096) "
	"OR (changed_at < now() - $4::bigint * interval '1 second' "
	"AND coalesce(bit_count(stored # (stored >> 1)), 0) "
	"+ coalesce(bit_count(quarantined # (quarantined >> 1)), 0) <= 2 * $5::bigint) "
	"OR EXISTS (SELECT FROM seq_range AS r WHERE r.state = 'stored' "
	"AND r.producer_id = whole.producer_id AND r.first <= whole.chunk * 4096 "
	"AND r.last >= whole.chunk * 4096 + 4095)), "
	"gone AS (DELETE FROM seq_chunk AS c USING ready WHERE c.producer_id = ready.producer_id "
	"AND c.chunk = ready.chunk RETURNING c.*), "
	"merged AS (SELECT producer_id, chunk, bit_or(stored) AS stored, bit_or(quarantined) AS "
	"quarantined, min(first_at) AS first_at, max(last_at) AS last_at, max(changed_at) AS "
	"changed_at FROM gone GROUP BY 1, 2), "
	"bitmap AS (SELECT 'stored' AS state, producer_id, chunk, stored AS bits, first_at, "
	"last_at, changed_at FROM merged WHERE stored IS NOT NULL UNION ALL "
	"SELECT 'quarantined', producer_id, chunk, coalesce(quarantined & ~stored, quarantined), "
	"NULL, NULL, changed_at FROM merged WHERE quarantined IS NOT NULL), "
	"run AS MATERIALIZED (" RUNS "), "
	"old AS (DELETE FROM seq_range AS r USING run WHERE r.state = run.state "
	"AND r.producer_id = run.producer_id AND r.first - 1 <= run.last AND r.last >= run.first "
	"- 1 RETURNING r.state, r.producer_id, r.first, r.last, r.first_at, r.last_at, "
	"r.changed_at), "
	"piece AS (SELECT *, CASE WHEN state <> 'stored' THEN date '2000-01-01' WHEN (first_at AT "
	"TIME ZONE 'UTC')::date = (last_at AT TIME ZONE 'UTC')::date "
	"THEN (first_at AT TIME ZONE 'UTC')::date END AS day FROM (SELECT * FROM run UNION ALL "
	"SELECT * FROM old) AS every), "
	"made AS (INSERT INTO seq_range (state, producer_id, first, last, first_at, last_at, "
	"changed_at) " JOINED ") "
	"SELECT producer_id, chunk, (SELECT count(*) FROM page) FROM page "
	"ORDER BY producer_id DESC, chunk DESC LIMIT 1";

/* Of marks that are older than a day only the newest tells anything, and that only where no range does. */
static const char drop_marks[] =
	"DELETE FROM seq_mark AS m WHERE m.marked_at < now() - interval '25 hours' AND (EXISTS ("
	"SELECT FROM seq_mark AS later WHERE later.producer_id = m.producer_id AND later.slot > "
	"m.slot AND later.marked_at < now() - interval '25 hours') OR (EXISTS (SELECT FROM "
	"seq_range AS r WHERE r.state IN ('stored', 'expired') AND r.producer_id = m.producer_id "
	"AND r.last >= m.seq AND r.changed_at < now() - interval '1 hour') AND NOT EXISTS (SELECT "
	"FROM seq_chunk AS c WHERE c.producer_id = m.producer_id)))";

/* One page; *ret_is_last where there is none behind it. */
static int fold_one(struct postgres_store *store, bool *ret_is_last, struct error *err)
{
	struct parameter_list list = {0};
	PGresult *result;
	parameter_uuid(&list, &store->fold_producer);
	parameter_int8(&list, store->fold_chunk);
	parameter_int8(&list, PAGE_CHUNKS);
	parameter_int8(&list, SEQ_CHUNK_IDLE_S);
	parameter_int8(&list, SEQ_CHUNK_RANGES_MAX);
	int status = parameter_query(&store->connection, fold_page, &list, &result, err);
	parameter_finish(&list);
	if (status != 0)
		return -1;
	*ret_is_last = true;
	if (PQntuples(result) > 0) {
		memcpy(store->fold_producer.bytes, PQgetvalue(result, 0, 0),
		       sizeof(store->fold_producer.bytes));
		store->fold_chunk = postgres_read_int64(PQgetvalue(result, 0, 1));
		*ret_is_last = postgres_read_int64(PQgetvalue(result, 0, 2)) < PAGE_CHUNKS;
	}
	PQclear(result);
	return 0;
}

static int fold(struct postgres_store *store, bool *ret_is_done, struct error *err)
{
	mono_us until = clock_mono_us() + SEQ_FOLD_STEP_MS * CLOCK_US_PER_MS;
	PGresult *result;
	if (postgres_execute(&store->connection,
			     "BEGIN; SET LOCAL lock_timeout = '1s'; "
			     "SELECT pg_try_advisory_xact_lock(" FOLD_LOCK ")",
			     &result, err) != 0)
		return -1;
	*ret_is_done = PQgetvalue(result, 0, 0)[0] != 't'; /* another is at it */
	PQclear(result);
	bool is_ours = !*ret_is_done;
	while (!*ret_is_done && clock_mono_us() < until)
		if (fold_one(store, ret_is_done, err) != 0)
			return -1;
	if (is_ours && *ret_is_done &&
	    postgres_execute(&store->connection, drop_marks, NULL, err) != 0)
		return -1;
	return postgres_execute(&store->connection, "COMMIT", NULL, err);
}

void postgres_fold_seq_chunks(struct postgres_store *store)
{
	bool is_done = true;
	struct error err;
	if (clock_mono_us() < store->fold_at)
		return;
	if (fold(store, &is_done, &err) != 0) {
		/* Nothing hangs on it: audit reads chunks as well. */
		log_event(LOG_DEBUG, "chunks were not folded", LOG_STR("cause", err.message));
		postgres_rollback(&store->connection);
		is_done = true;
	}
	if (is_done) {
		store->fold_producer = (struct uuid){.bytes = {0}};
		store->fold_chunk = -1;
	}
	store->fold_at =
		clock_mono_us() + (is_done ? SEQ_FOLD_EVERY_S : SEQ_FOLD_AGAIN_S) * CLOCK_US_PER_S;
}

/* $1: what began before goes. A range that goes only in part stands as both, stored and expired, until all of it goes. */
static const char expire[] =
	"WITH bitmap AS (SELECT 'expired' AS state, producer_id, chunk, stored AS bits, first_at, "
	"last_at, changed_at FROM seq_chunk WHERE stored IS NOT NULL AND first_at < "
	"$1::timestamptz), "
	"run AS MATERIALIZED (" RUNS " UNION ALL SELECT 'expired', producer_id, first, last, "
	"first_at, last_at, changed_at FROM seq_range WHERE state = 'stored' AND first_at < "
	"$1::timestamptz), "
	"old AS (DELETE FROM seq_range AS r USING run WHERE r.state = 'expired' "
	"AND r.producer_id = run.producer_id AND r.first - 1 <= run.last AND r.last >= run.first "
	"- 1 RETURNING r.state, r.producer_id, r.first, r.last, r.first_at, r.last_at, "
	"r.changed_at), "
	"piece AS (SELECT *, date '2000-01-01' AS day FROM (SELECT * FROM run UNION ALL SELECT * "
	"FROM old) AS every), "
	"made AS (INSERT INTO seq_range (state, producer_id, first, last, first_at, last_at, "
	"changed_at) " JOINED ") "
	"DELETE FROM seq_range WHERE state = 'stored' AND last_at < $1::timestamptz";

int postgres_expire_seqs(struct postgres_store *store, wall_us before, struct error *err)
{
	struct parameter_list list = {0};
	parameter_int8(&list, before - POSTGRES_EPOCH_US);
	/* Not while another does the same, or folds. */
	int status =
		postgres_execute(&store->connection,
				 "BEGIN; SELECT pg_advisory_xact_lock(" FOLD_LOCK ")", NULL, err);
	if (status == 0)
		status = parameter_query(&store->connection, expire, &list, NULL, err);
	parameter_finish(&list);
	if (status == 0)
		status = postgres_execute(&store->connection, "COMMIT", NULL, err);
	if (status != 0)
		postgres_rollback(&store->connection);
	return status;
}
