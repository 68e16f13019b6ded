-- What reports refer to. Ids are computed from what they name (the first 63 bits of its SHA-256), so a table that was dropped and
-- made again gives every row the id that it had.

CREATE TABLE IF NOT EXISTS site (
	id bigint PRIMARY KEY,
	name text NOT NULL,
	first_seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS site_name ON site USING hash (name);
COMMENT ON TABLE site IS 'What is watched. [websentry 4]';
COMMENT ON COLUMN site.id IS 'First 63 bits of SHA-256(name)';
COMMENT ON COLUMN site.name IS 'The site''s identity; by default its redacted URL';
COMMENT ON COLUMN site.first_seen_at IS 'When this database first heard of it';

CREATE TABLE IF NOT EXISTS location (
	id bigint PRIMARY KEY,
	name text NOT NULL,
	first_seen_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE location IS 'Where producers run. [websentry 4]';
COMMENT ON COLUMN location.id IS 'First 63 bits of SHA-256(name)';
COMMENT ON COLUMN location.name IS 'The label of the place, from the producer''s --location';
COMMENT ON COLUMN location.first_seen_at IS 'When this database first heard of it';

CREATE TABLE IF NOT EXISTS producer (
	id uuid PRIMARY KEY,
	location_id bigint NOT NULL,
	host text NOT NULL,
	prev_producer_id uuid,
	prev_seq bigint,
	first_seen_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE producer IS 'One row for each run of a producer process. [websentry 4]';
COMMENT ON COLUMN producer.id IS 'Random, made when the process starts';
COMMENT ON COLUMN producer.location_id IS 'location.id';
COMMENT ON COLUMN producer.host IS 'Host name of the machine';
COMMENT ON COLUMN producer.prev_producer_id IS 'With prev_seq: the last report committed in the same data folder before this process, from its first report';
COMMENT ON COLUMN producer.prev_seq IS 'seq of that report';
COMMENT ON COLUMN producer.first_seen_at IS 'When this database first heard of it';

CREATE TABLE IF NOT EXISTS check_setup (
	id bigint PRIMARY KEY,
	site_id bigint NOT NULL,
	location_id bigint NOT NULL,
	v bigint NOT NULL,
	kind text NOT NULL,
	url text NOT NULL,
	host text NOT NULL,
	labels jsonb,
	interval_us bigint NOT NULL,
	timeout_us bigint NOT NULL,
	pattern text,
	first_seen_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE check_setup IS 'What all reports of a site from one machine share until a setting changes; kept as it was at the check. [websentry 4]';
COMMENT ON COLUMN check_setup.id IS 'First 63 bits of the SHA-256 of all fields below but first_seen_at';
COMMENT ON COLUMN check_setup.site_id IS 'site.id';
COMMENT ON COLUMN check_setup.location_id IS 'location.id';
COMMENT ON COLUMN check_setup.v IS 'Version of the report''s format';
COMMENT ON COLUMN check_setup.kind IS 'Kind of check: http';
COMMENT ON COLUMN check_setup.url IS 'The URL, without secrets';
COMMENT ON COLUMN check_setup.host IS 'Host name of the producer''s machine';
COMMENT ON COLUMN check_setup.labels IS 'The site''s labels';
COMMENT ON COLUMN check_setup.interval_us IS 'Microseconds between two checks';
COMMENT ON COLUMN check_setup.timeout_us IS 'Microseconds that a check may take';
COMMENT ON COLUMN check_setup.pattern IS 'The pattern that is recorded';
COMMENT ON COLUMN check_setup.first_seen_at IS 'When this database first heard of it';
