-- Which reports are here: the tables of schema/postgres/006_audit.sql. Bitmaps are 512 bytes, the first bit of a byte its highest. Where
-- one of the tables or the trigger was not there, the program makes all of it again from the reports.

CREATE TABLE IF NOT EXISTS seq_chunk ( -- [websentry 4] Which seq of a producer_id are stored, 4096 a row, until it is full or nothing comes any more
	producer_id TEXT NOT NULL,
	chunk INTEGER NOT NULL, -- seq / 4096
	partition INTEGER NOT NULL, -- of Kafka; -1 for none
	stored BLOB, -- bit n: seq chunk * 4096 + n is in report
	quarantined BLOB, -- bit n: it is in quarantine
	first_at TEXT, -- started_at of the first and the last of the reports
	last_at TEXT,
	changed_at TEXT NOT NULL, -- when the row was written last
	PRIMARY KEY (producer_id, chunk, partition)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS seq_range ( -- [websentry 4] Ranges of seq: stored, in quarantine, deleted by hand, declared lost, expired
	state TEXT NOT NULL, -- stored and quarantined (chunks that were folded), deleted, lost or expired
	producer_id TEXT NOT NULL,
	first INTEGER NOT NULL,
	last INTEGER NOT NULL, -- belongs to the range
	first_at TEXT,
	last_at TEXT,
	changed_at TEXT NOT NULL, -- when the row was written; of a lost range: when it was declared
	who TEXT, -- of a lost range: who declared it
	PRIMARY KEY (state, producer_id, first)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS seq_mark ( -- [websentry 4] How far a producer_id was stored, every five minutes of the last day
	producer_id TEXT NOT NULL,
	slot TEXT NOT NULL, -- beginning of the five minutes
	marked_at TEXT NOT NULL,
	seq INTEGER NOT NULL, -- a seq that was stored then
	PRIMARY KEY (producer_id, slot)
) STRICT, WITHOUT ROWID;

-- A report that is deleted by hand is missing from then on. The program's own connection has triggers off.
CREATE TRIGGER IF NOT EXISTS report_deleted AFTER DELETE ON report -- [websentry 4]
BEGIN
	INSERT INTO seq_range (state, producer_id, first, last, first_at, last_at, changed_at)
	VALUES ('deleted', old.producer_id, old.seq, old.seq, old.started_at, old.started_at,
		strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z')
	ON CONFLICT DO NOTHING;
END;

DROP VIEW IF EXISTS delivery_audit_view;
CREATE VIEW delivery_audit_view AS -- [websentry 4] The reports of each producer_id: stored, missing for more than an hour, pending, quarantined, lost
WITH RECURSIVE hour (old) AS (SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now', '-1 hour') || '000Z'),
bits (producer_id, chunk, state, digits, first_at, last_at, changed_at) AS MATERIALIZED (
	SELECT producer_id, chunk, 'stored', hex(stored), first_at, last_at, changed_at FROM seq_chunk WHERE stored IS NOT NULL
	UNION ALL
	SELECT producer_id, chunk, 'quarantined', hex(quarantined), NULL, NULL, changed_at FROM seq_chunk WHERE quarantined IS NOT NULL
),
place (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM place WHERE n < 4095),
run (producer_id, state, first, last, first_at, last_at, changed_at) AS (
	SELECT producer_id, state, chunk * 4096 + n, chunk * 4096 + n, first_at, last_at, changed_at
	FROM bits CROSS JOIN place
	WHERE (instr('0123456789ABCDEF', substr(digits, n / 4 + 1, 1)) - 1) & (8 >> (n % 4))
),
known (producer_id, state, first, last, first_at, last_at, changed_at) AS (
	SELECT producer_id, state, first, last, first_at, last_at, changed_at FROM run
	UNION ALL
	SELECT producer_id, state, first, min(last, 9223372036854775806), first_at, last_at, changed_at FROM seq_range
),
-- a seq that is known to have existed, and up to where holes are old
witness (producer_id, seq, settled) AS (
	SELECT producer_id, max(last), max(CASE WHEN state IN ('deleted', 'expired') THEN last + 1 WHEN changed_at <= (SELECT old FROM hour) THEN last ELSE 0 END)
	FROM known WHERE state IN ('stored', 'deleted', 'expired') GROUP BY producer_id
	UNION ALL
	SELECT producer_id, max(seq), max(seq) FROM seq_mark WHERE marked_at <= (SELECT old FROM hour) GROUP BY producer_id
	UNION ALL
	SELECT prev_producer_id, prev_seq, CASE WHEN first_seen_at <= (SELECT old FROM hour) THEN min(prev_seq, 9223372036854775806) + 1 ELSE 0 END
	FROM producer WHERE prev_seq IS NOT NULL
),
span (producer_id, state, first, last) AS (
	SELECT producer_id, state, first, last FROM known
	UNION ALL
	SELECT producer_id, 'expected', 0, min(max(seq), 9223372036854775806) FROM witness GROUP BY producer_id
	UNION ALL
	SELECT producer_id, 'settled', 0, max(settled) - 1 FROM witness GROUP BY producer_id HAVING max(settled) > 0
),
-- where each state begins (+1) and ends (-1)
edge (producer_id, at, state, step) AS (
	SELECT producer_id, first, state, 1 FROM span
	UNION ALL
	SELECT producer_id, last + 1, state, -1 FROM span
),
step_at AS (
	SELECT producer_id, at,
		sum(CASE WHEN state = 'stored' THEN step ELSE 0 END) AS stored,
		sum(CASE WHEN state = 'deleted' THEN step ELSE 0 END) AS deleted,
		sum(CASE WHEN state = 'quarantined' THEN step ELSE 0 END) AS quarantined,
		sum(CASE WHEN state = 'expected' THEN step ELSE 0 END) AS expected,
		sum(CASE WHEN state = 'expired' THEN step ELSE 0 END) AS expired,
		sum(CASE WHEN state = 'lost' THEN step ELSE 0 END) AS lost,
		sum(CASE WHEN state = 'settled' THEN step ELSE 0 END) AS settled
	FROM edge GROUP BY producer_id, at
),
level AS (
	SELECT producer_id, at, lead(at) OVER here AS till,
		sum(stored) OVER here AS stored,
		sum(deleted) OVER here AS deleted,
		sum(quarantined) OVER here AS quarantined,
		sum(expected) OVER here AS expected,
		sum(expired) OVER here AS expired,
		sum(lost) OVER here AS lost,
		sum(settled) OVER here AS settled
	FROM step_at WINDOW here AS (PARTITION BY producer_id ORDER BY at)
),
judged AS (
	SELECT producer_id, at, till, CASE
		WHEN stored > 0 AND deleted = 0 THEN 'stored'
		WHEN quarantined > 0 THEN 'quarantined'
		WHEN expected = 0 THEN NULL
		WHEN expired > 0 AND stored = 0 THEN 'expired'
		WHEN lost > 0 THEN 'lost'
		WHEN settled > 0 THEN 'missing'
		ELSE 'pending' END AS verdict
	FROM level WHERE till IS NOT NULL
),
begun AS (
	SELECT producer_id, at, till, verdict,
		CASE WHEN lag(till) OVER same = at THEN 0 ELSE 1 END AS is_new
	FROM judged WHERE verdict IS NOT NULL WINDOW same AS (PARTITION BY producer_id, verdict ORDER BY at)
),
numbered AS (
	SELECT producer_id, at, till, verdict, sum(is_new) OVER (PARTITION BY producer_id, verdict ORDER BY at) AS island FROM begun
),
piece AS (
	SELECT producer_id, verdict, min(at) AS first, max(till) - 1 AS last FROM numbered GROUP BY producer_id, verdict, island
),
counted AS (
	SELECT producer_id,
		coalesce(sum(last - first + 1) FILTER (WHERE verdict = 'stored'), 0) AS stored,
		max(last) FILTER (WHERE verdict = 'stored') AS highest_seq,
		coalesce(sum(last - first + 1) FILTER (WHERE verdict = 'missing'), 0) AS missing,
		'[' || coalesce(group_concat('[' || first || ',' || last || ']') FILTER (WHERE verdict = 'missing'), '') || ']' AS missing_ranges,
		coalesce(sum(last - first + 1) FILTER (WHERE verdict = 'pending'), 0) AS pending,
		'[' || coalesce(group_concat('[' || first || ',' || last || ']') FILTER (WHERE verdict = 'pending'), '') || ']' AS pending_ranges,
		coalesce(sum(last - first + 1) FILTER (WHERE verdict = 'quarantined'), 0) AS quarantined,
		'[' || coalesce(group_concat('[' || first || ',' || last || ']') FILTER (WHERE verdict = 'quarantined'), '') || ']' AS quarantined_ranges,
		coalesce(sum(last - first + 1) FILTER (WHERE verdict = 'lost'), 0) AS lost,
		'[' || coalesce(group_concat('[' || first || ',' || last || ']') FILTER (WHERE verdict = 'lost'), '') || ']' AS lost_ranges,
		coalesce(sum(last - first + 1) FILTER (WHERE verdict = 'expired'), 0) AS expired
	FROM (SELECT * FROM piece ORDER BY producer_id, first) GROUP BY producer_id
),
times AS (
	SELECT producer_id, min(first_at) AS first_report_at, max(last_at) AS last_report_at FROM known WHERE state IN ('stored', 'expired') GROUP BY producer_id
),
expectation AS (SELECT producer_id, max(seq) AS expected_seq FROM witness GROUP BY producer_id)
SELECT
	everyone.producer_id,
	location.name AS location,
	producer.host,
	times.first_report_at,
	times.last_report_at,
	coalesce(counted.stored, 0) AS stored,
	coalesce(counted.highest_seq, -1) AS highest_seq,
	coalesce(expectation.expected_seq, -1) AS expected_seq,
	coalesce(counted.missing, 0) AS missing,
	coalesce(counted.missing_ranges, '[]') AS missing_ranges,
	coalesce(counted.pending, 0) AS pending,
	coalesce(counted.pending_ranges, '[]') AS pending_ranges,
	coalesce(counted.quarantined, 0) AS quarantined,
	coalesce(counted.quarantined_ranges, '[]') AS quarantined_ranges,
	coalesce(counted.lost, 0) AS lost,
	coalesce(counted.lost_ranges, '[]') AS lost_ranges,
	coalesce(counted.expired, 0) AS expired
FROM (SELECT id AS producer_id FROM producer UNION SELECT producer_id FROM counted UNION SELECT producer_id FROM expectation) AS everyone
LEFT JOIN producer ON producer.id = everyone.producer_id
LEFT JOIN location ON location.id = producer.location_id
LEFT JOIN counted ON counted.producer_id = everyone.producer_id
LEFT JOIN times ON times.producer_id = everyone.producer_id
LEFT JOIN expectation ON expectation.producer_id = everyone.producer_id;
