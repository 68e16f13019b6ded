-- What delivery needs: how far each partition was read, in the same transaction as its rows; and what could not be read.

CREATE TABLE IF NOT EXISTS kafka_offset (
	cluster_id text NOT NULL,
	topic text NOT NULL,
	partition integer NOT NULL,
	next bigint NOT NULL,
	stored_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (cluster_id, topic, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE kafka_offset IS 'How far each Kafka partition is stored. [websentry 1]';
COMMENT ON COLUMN kafka_offset.cluster_id IS 'Kafka''s own id of the cluster';
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
COMMENT ON TABLE quarantine IS 'Messages that are no reports, or whose report the database refused. [websentry 1]';
COMMENT ON COLUMN quarantine.id IS 'First 63 bits of the SHA-256 of where it came from and its bytes';
COMMENT ON COLUMN quarantine.kafka_offset IS 'Offset of the message; null where it came through no Kafka';
COMMENT ON COLUMN quarantine.length IS 'How long the message was; null for one without bytes';
COMMENT ON COLUMN quarantine.stored_at IS 'When the row was written';
COMMENT ON COLUMN quarantine.kafka_partition IS 'Partition of the message';
COMMENT ON COLUMN quarantine.kafka_topic IS 'Topic of the message';
COMMENT ON COLUMN quarantine.reason IS 'The stable word for what is wrong with it';
COMMENT ON COLUMN quarantine.detail IS 'The field, or what the database said';
COMMENT ON COLUMN quarantine.bytes IS 'The message, its first 1 MiB';
