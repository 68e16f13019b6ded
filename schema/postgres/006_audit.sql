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
COMMENT ON TABLE seq_chunk IS 'Which seq of a producer_id are stored, 4096 a row and Kafka partition, until the chunk is full: then it becomes a seq_range. [websentry 1]';
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
COMMENT ON TABLE seq_range IS 'Ranges of seq: stored (full chunks), deleted (taken out of report by hand), lost (declared so), expired (older than what is kept). [websentry 1]';
COMMENT ON COLUMN seq_range.state IS 'stored, deleted, lost or expired';
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
COMMENT ON TABLE seq_mark IS 'How far a producer_id was stored, every five minutes of the last day: tells how old a hole is. [websentry 1]';
COMMENT ON COLUMN seq_mark.producer_id IS 'producer.id';
COMMENT ON COLUMN seq_mark.slot IS 'Beginning of the five minutes';
COMMENT ON COLUMN seq_mark.marked_at IS 'When the row was written';
COMMENT ON COLUMN seq_mark.seq IS 'A seq that was stored then';

-- A report that is deleted by hand is missing from then on. What drops whole days fires no trigger, and moving rows to the partition
-- of their day says that it does (websentry.moves_rows).
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
		'SELECT producer_id, chunk * 4096 + 4096 - position(B''1'' IN %2$s) FROM %1$I.seq_chunk '
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
		DELETE FROM seq_range WHERE state IN ('stored', 'deleted');
		INSERT INTO seq_chunk (producer_id, chunk, partition, stored, first_at, last_at, changed_at)
		SELECT producer_id, seq / 4096, -1, bit_or(set_bit(repeat('0', 4096)::bit(4096), (seq % 4096)::integer, 1)),
			min(started_at), max(started_at), max(stored_at)
		FROM report GROUP BY 1, 2;
		INSERT INTO seq_chunk AS old (producer_id, chunk, partition, quarantined)
		SELECT words[1]::uuid, words[2]::bigint / 4096, -1,
			bit_or(set_bit(repeat('0', 4096)::bit(4096), (words[2]::bigint % 4096)::integer, 1))
		FROM (
			SELECT regexp_match(encode(substring(bytes FROM 1 FOR 128), 'escape'),
				'^\{"v":[0-9]+,"producer_id":"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",'
				'"seq":([0-9]{1,18})[,}]') AS words
			FROM quarantine WHERE bytes IS NOT NULL
		) AS identity WHERE words IS NOT NULL GROUP BY 1, 2
		ON CONFLICT (producer_id, chunk, partition) DO UPDATE SET quarantined = excluded.quarantined;
	END IF;
	PERFORM set_config('websentry.makes_audit', 'off', false);
END
$$;
