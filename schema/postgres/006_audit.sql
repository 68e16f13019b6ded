-- Which reports are here, so that `websentry audit` can tell what is missing without reading a report. Written in the same transaction
-- as the reports. Where one of the tables was not there (an older store, a table that was dropped, reports included), all of
-- it is made again from the reports, at the end of this file.

SELECT set_config('websentry.makes_audit',
	CASE WHEN to_regclass('seq_chunk') IS NULL OR to_regclass('seq_range') IS NULL OR NOT EXISTS (
		SELECT FROM pg_trigger WHERE tgrelid = 'report'::regclass AND tgname = 'report_deleted'
	) THEN 'on' ELSE 'off' END, false);

CREATE TABLE IF NOT EXISTS seq_chunk (
	producer_id uuid NOT NULL,
	chunk bigint NOT NULL,
	first_at timestamptz,
	last_at timestamptz,
	changed_at timestamptz NOT NULL DEFAULT now(),
	partition integer NOT NULL,
	stored bit(4096),
	quarantined bit(4096),
	PRIMARY KEY (producer_id, chunk, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE seq_chunk IS 'Which seq of a producer_id are stored, 4096 a row and Kafka partition, until the chunk is full or nothing comes any more: then it becomes ranges. [websentry 4]';
COMMENT ON COLUMN seq_chunk.producer_id IS 'producer.id';
COMMENT ON COLUMN seq_chunk.chunk IS 'seq / 4096';
COMMENT ON COLUMN seq_chunk.first_at IS 'started_at of the first of the reports';
COMMENT ON COLUMN seq_chunk.last_at IS 'started_at of the last of the reports';
COMMENT ON COLUMN seq_chunk.changed_at IS 'When the row was written last';
COMMENT ON COLUMN seq_chunk.partition IS 'Kafka partition that the reports came from, so that consumers do not wait for one another; -1 for none';
COMMENT ON COLUMN seq_chunk.stored IS 'Bit n: seq chunk * 4096 + n is in report';
COMMENT ON COLUMN seq_chunk.quarantined IS 'Bit n: it is in quarantine';

CREATE TABLE IF NOT EXISTS seq_range (
	state text NOT NULL,
	producer_id uuid NOT NULL,
	first bigint NOT NULL,
	last bigint NOT NULL,
	first_at timestamptz,
	last_at timestamptz,
	changed_at timestamptz NOT NULL DEFAULT now(),
	who text,
	PRIMARY KEY (state, producer_id, first)
);
COMMENT ON TABLE seq_range IS 'Ranges of seq: stored and quarantined (chunks that were folded), deleted (taken out of report by hand), lost (declared so), expired (older than what is kept). [websentry 4]';
COMMENT ON COLUMN seq_range.state IS 'stored, quarantined, deleted, lost or expired';
COMMENT ON COLUMN seq_range.producer_id IS 'producer.id';
COMMENT ON COLUMN seq_range.first IS 'First seq';
COMMENT ON COLUMN seq_range.last IS 'Last seq; it belongs to the range';
COMMENT ON COLUMN seq_range.first_at IS 'started_at of the first of the reports';
COMMENT ON COLUMN seq_range.last_at IS 'started_at of the last of the reports';
COMMENT ON COLUMN seq_range.changed_at IS 'When the row was written; of a lost range: when it was declared';
COMMENT ON COLUMN seq_range.who IS 'Of a lost range: who declared it';

CREATE TABLE IF NOT EXISTS seq_mark (
	producer_id uuid NOT NULL,
	slot timestamptz NOT NULL,
	marked_at timestamptz NOT NULL DEFAULT now(),
	seq bigint NOT NULL,
	PRIMARY KEY (producer_id, slot)
);
COMMENT ON TABLE seq_mark IS 'How far a producer_id was stored, every five minutes of the last day: tells how old a hole is. [websentry 4]';
COMMENT ON COLUMN seq_mark.producer_id IS 'producer.id';
COMMENT ON COLUMN seq_mark.slot IS 'Beginning of the five minutes';
COMMENT ON COLUMN seq_mark.marked_at IS 'When the row was written';
COMMENT ON COLUMN seq_mark.seq IS 'A seq that was stored then';

-- A report that is deleted by hand is missing from then on. Dropping whole days fires no trigger, and what the program itself deletes
-- moves to the partition of its day or is kept no longer: its sessions say so (websentry.moves_rows).
CREATE OR REPLACE FUNCTION seq_range_note_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('websentry.moves_rows', true) IS DISTINCT FROM 'on'
		AND to_regclass(format('%I.seq_range', TG_TABLE_SCHEMA)) IS NOT NULL THEN
		EXECUTE format('INSERT INTO %I.seq_range (state, producer_id, first, last) VALUES (''deleted'', $1, $2, $2) '
			'ON CONFLICT DO NOTHING', TG_TABLE_SCHEMA) USING OLD.producer_id, OLD.seq;
	END IF;
	RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION seq_range_note_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF to_regclass(format('%I.seq_range', TG_TABLE_SCHEMA)) IS NULL
		OR to_regclass(format('%I.seq_chunk', TG_TABLE_SCHEMA)) IS NULL THEN
		RETURN NULL;
	END IF;
	EXECUTE format('DELETE FROM %I.seq_range WHERE state = ''deleted''', TG_TABLE_SCHEMA);
	EXECUTE format('INSERT INTO %1$I.seq_range (state, producer_id, first, last) '
		'SELECT ''deleted'', producer_id, 0, max(last) FROM ('
		'SELECT producer_id, last FROM %1$I.seq_range WHERE state = ''stored'' UNION ALL '
		'SELECT producer_id, chunk * 4096 + (4096 - position(B''1'' IN %2$s)) FROM %1$I.seq_chunk '
		'WHERE position(B''1'' IN stored) > 0) AS stored GROUP BY producer_id', TG_TABLE_SCHEMA,
		'reverse(stored::text)::bit varying');
	RETURN NULL;
END
$$;

DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'report'::regclass AND tgname = 'report_deleted') THEN
		CREATE TRIGGER report_deleted AFTER DELETE ON report
			FOR EACH ROW EXECUTE FUNCTION seq_range_note_deleted();
	END IF;
	IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'report'::regclass AND tgname = 'report_truncated') THEN
		CREATE TRIGGER report_truncated AFTER TRUNCATE ON report
			FOR EACH STATEMENT EXECUTE FUNCTION seq_range_note_truncated();
	END IF;
	IF current_setting('websentry.makes_audit', true) = 'on' THEN
		LOCK TABLE report IN SHARE ROW EXCLUSIVE MODE;
		DELETE FROM seq_chunk;
		DELETE FROM seq_range WHERE state IN ('stored', 'deleted', 'quarantined');
		INSERT INTO seq_chunk (producer_id, chunk, partition, stored, first_at, last_at, changed_at)
		SELECT producer_id, seq / 4096, -1, bit_or(set_bit(repeat('0', 4096)::bit(4096), (seq % 4096)::integer, 1)),
			min(started_at), max(started_at), max(stored_at)
		FROM report GROUP BY 1, 2;
		INSERT INTO seq_chunk AS old (producer_id, chunk, partition, quarantined)
		SELECT words[1]::uuid, words[2]::bigint / 4096, -1,
			bit_or(set_bit(repeat('0', 4096)::bit(4096), (words[2]::bigint % 4096)::integer, 1))
		FROM (
			SELECT regexp_match(encode(substring(bytes FROM 1 FOR 256), 'escape'),
				'^\s*\{\s*"v"\s*:\s*[0-9]+\s*,\s*"producer_id"\s*:\s*'
				'"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"\s*,\s*'
				'"seq"\s*:\s*([0-9]{1,18})\s*[,}]') AS words
			FROM quarantine WHERE bytes IS NOT NULL
		) AS identity WHERE words IS NOT NULL GROUP BY 1, 2
		ON CONFLICT (producer_id, chunk, partition) DO UPDATE SET quarantined = excluded.quarantined;
	END IF;
	PERFORM set_config('websentry.makes_audit', 'off', false);
END
$$;

CREATE OR REPLACE VIEW delivery_audit_view AS
WITH bits AS (
	SELECT producer_id, chunk, kind, bit_or(bits)::text AS bits, min(first_at) AS first_at, max(last_at) AS last_at,
		max(changed_at) AS changed_at
	FROM (
		SELECT producer_id, chunk, 'stored' AS kind, stored AS bits, first_at, last_at, changed_at FROM seq_chunk
		UNION ALL
		SELECT producer_id, chunk, 'quarantined', quarantined, NULL, NULL, changed_at FROM seq_chunk
	) AS bitmap WHERE bits IS NOT NULL GROUP BY producer_id, chunk, kind
),
run AS (
	SELECT producer_id, kind AS state, chunk * 4096 + till - length(bit[1]) AS first, chunk * 4096 + till - 1 AS last,
		first_at, last_at, changed_at
	FROM bits CROSS JOIN LATERAL (
		SELECT bit, sum(length(bit[1])) OVER (ORDER BY place)::bigint AS till
		FROM regexp_matches(bits, '0+|1+', 'g') WITH ORDINALITY AS part (bit, place)
	) AS part WHERE bit[1] LIKE '1%' AND chunk < 2251799813685247
),
known (producer_id, state, first, last, first_at, last_at, changed_at) AS (
	SELECT producer_id, state, first, last, first_at, last_at, changed_at FROM run
	UNION ALL
	SELECT producer_id, state, first, least(last, 9223372036854775806), first_at, last_at, changed_at FROM seq_range
),
-- a seq that is known to have existed, and up to where holes are old
witness (producer_id, seq, settled) AS (
	SELECT producer_id, max(last), max(CASE WHEN state IN ('deleted', 'expired') THEN last + 1 WHEN changed_at <= now() - interval '1 hour' THEN last ELSE 0 END)
	FROM known WHERE state IN ('stored', 'deleted', 'expired') GROUP BY producer_id
	UNION ALL
	SELECT producer_id, max(seq), max(seq) FROM seq_mark WHERE marked_at <= now() - interval '1 hour' GROUP BY producer_id
	UNION ALL
	SELECT prev_producer_id, prev_seq, CASE WHEN first_seen_at <= now() - interval '1 hour' THEN least(prev_seq, 9223372036854775806) + 1 ELSE 0 END
	FROM producer WHERE prev_seq IS NOT NULL
),
span (producer_id, state, first, last) AS (
	SELECT producer_id, state, first, last FROM known
	UNION ALL
	SELECT producer_id, 'expected', 0, least(max(seq), 9223372036854775806) FROM witness GROUP BY producer_id
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
		coalesce(sum(last - first + 1) FILTER (WHERE verdict = 'stored'), 0)::bigint AS stored,
		max(last) FILTER (WHERE verdict = 'stored') AS highest_seq,
		coalesce(sum(last - first + 1) FILTER (WHERE verdict = 'missing'), 0)::bigint AS missing,
		coalesce(jsonb_agg(jsonb_build_array(first, last) ORDER BY first) FILTER (WHERE verdict = 'missing'), '[]') AS missing_ranges,
		coalesce(sum(last - first + 1) FILTER (WHERE verdict = 'pending'), 0)::bigint AS pending,
		coalesce(jsonb_agg(jsonb_build_array(first, last) ORDER BY first) FILTER (WHERE verdict = 'pending'), '[]') AS pending_ranges,
		coalesce(sum(last - first + 1) FILTER (WHERE verdict = 'quarantined'), 0)::bigint AS quarantined,
		coalesce(jsonb_agg(jsonb_build_array(first, last) ORDER BY first) FILTER (WHERE verdict = 'quarantined'), '[]') AS quarantined_ranges,
		coalesce(sum(last - first + 1) FILTER (WHERE verdict = 'lost'), 0)::bigint AS lost,
		coalesce(jsonb_agg(jsonb_build_array(first, last) ORDER BY first) FILTER (WHERE verdict = 'lost'), '[]') AS lost_ranges,
		coalesce(sum(last - first + 1) FILTER (WHERE verdict = 'expired'), 0)::bigint AS expired
	FROM piece GROUP BY producer_id
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
COMMENT ON VIEW delivery_audit_view IS 'The reports of each producer_id: stored, missing (for more than an hour), pending (for less), quarantined, declared lost; with ranges of seq. websentry audit tells the same. [websentry 4]';
