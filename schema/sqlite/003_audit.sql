-- Which reports are here: the tables of schema/postgres/006_audit.sql. Bitmaps are 512 bytes, the first bit of a byte its highest. Where
-- one of the tables or the trigger was not there, the program makes all of it again from the reports.

CREATE TABLE IF NOT EXISTS seq_chunk ( -- [websentry 1] Which seq of a producer_id are stored, 4096 a row, until the chunk is full
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

CREATE TABLE IF NOT EXISTS seq_range ( -- [websentry 1] Ranges of seq: stored, deleted by hand, declared lost, expired
	state TEXT NOT NULL, -- stored (full chunks), deleted, lost or expired
	producer_id TEXT NOT NULL,
	first INTEGER NOT NULL,
	last INTEGER NOT NULL, -- belongs to the range
	first_at TEXT,
	last_at TEXT,
	changed_at TEXT NOT NULL, -- when the row was written; of a lost range: when it was declared
	who TEXT, -- of a lost range: who declared it
	PRIMARY KEY (state, producer_id, first)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS seq_mark ( -- [websentry 1] How far a producer_id was stored, every five minutes of the last day
	producer_id TEXT NOT NULL,
	slot TEXT NOT NULL, -- beginning of the five minutes
	marked_at TEXT NOT NULL,
	seq INTEGER NOT NULL, -- a seq that was stored then
	PRIMARY KEY (producer_id, slot)
) STRICT, WITHOUT ROWID;

-- A report that is deleted by hand is missing from then on. Whoever drops what is too old takes these rows away again.
CREATE TRIGGER IF NOT EXISTS report_deleted AFTER DELETE ON report -- [websentry 1]
BEGIN
	INSERT INTO seq_range (state, producer_id, first, last, first_at, last_at, changed_at)
	VALUES ('deleted', old.producer_id, old.seq, old.seq, old.started_at, old.started_at,
		strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z')
	ON CONFLICT DO NOTHING;
END;
