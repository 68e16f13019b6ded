-- What delivery needs: how far each partition was read, in the same transaction as its rows; and what could not be read.

CREATE TABLE IF NOT EXISTS kafka_offset (
	cluster_id text NOT NULL,
	topic text NOT NULL,
	partition integer NOT NULL,
	next bigint NOT NULL,
	stored_at timestamptz NOT NULL DEFAULT now(),
	group_id text NOT NULL DEFAULT '',
	claim bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (cluster_id, group_id, topic, partition)
) WITH (fillfactor = 50);

-- Of a store from before the group was part of the key: its rows stand for every group that has none of its own yet.
DO $$
DECLARE
	key text;
BEGIN
	IF NOT EXISTS (
		SELECT FROM pg_attribute WHERE attrelid = 'kafka_offset'::regclass AND attname = 'group_id' AND NOT attisdropped
	) THEN
		SELECT conname INTO key FROM pg_constraint WHERE conrelid = 'kafka_offset'::regclass AND contype = 'p';
		EXECUTE format('ALTER TABLE kafka_offset DROP CONSTRAINT IF EXISTS %I', coalesce(key, 'kafka_offset_pkey'));
		ALTER TABLE kafka_offset
			ADD COLUMN group_id text NOT NULL DEFAULT '',
			ADD COLUMN claim bigint NOT NULL DEFAULT 0,
			ADD PRIMARY KEY (cluster_id, group_id, topic, partition);
	END IF;
END
$$;
COMMENT ON TABLE kafka_offset IS 'How far each consumer group has stored each Kafka partition. [websentry 4]';
COMMENT ON COLUMN kafka_offset.cluster_id IS 'Kafka''s own id of the cluster';
COMMENT ON COLUMN kafka_offset.group_id IS 'Consumer group; empty in rows from before groups were told apart';
COMMENT ON COLUMN kafka_offset.claim IS 'Counts the assignments of this partition: a consumer whose assignment is an older one moves nothing';
COMMENT ON COLUMN kafka_offset.topic IS 'Topic';
COMMENT ON COLUMN kafka_offset.partition IS 'Partition';
COMMENT ON COLUMN kafka_offset.next IS 'Offset of the first message that is not stored yet';
COMMENT ON COLUMN kafka_offset.stored_at IS 'When the row was written';

CREATE TABLE IF NOT EXISTS quarantine (
	id bigint PRIMARY KEY,
	kafka_offset bigint,
	length bigint,
	stored_at timestamptz NOT NULL DEFAULT now(),
	kafka_partition integer,
	kafka_topic text,
	reason text NOT NULL,
	detail text NOT NULL,
	bytes bytea
);
COMMENT ON TABLE quarantine IS 'Messages that are no reports, or whose report the database refused. [websentry 4]';
COMMENT ON COLUMN quarantine.id IS 'First 63 bits of the SHA-256 of where it came from and its bytes';
COMMENT ON COLUMN quarantine.kafka_offset IS 'Offset of the message; null where it came through no Kafka';
COMMENT ON COLUMN quarantine.length IS 'How long the message was; null for one without bytes';
COMMENT ON COLUMN quarantine.stored_at IS 'When the row was written';
COMMENT ON COLUMN quarantine.kafka_partition IS 'Partition of the message';
COMMENT ON COLUMN quarantine.kafka_topic IS 'Topic of the message';
COMMENT ON COLUMN quarantine.reason IS 'The stable word for what is wrong with it';
COMMENT ON COLUMN quarantine.detail IS 'The field, or what the database said';
COMMENT ON COLUMN quarantine.bytes IS 'The message, its first 1 MiB';
