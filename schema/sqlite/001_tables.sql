-- The tables of schema/postgres in SQLite's types: times are RFC 3339 text in UTC with six decimals, so that text order is time order;
-- UUIDs are lower-case text; lists and objects are JSON text; booleans are 0 and 1.
-- A comment inside a statement is kept by SQLite in sqlite_schema: it is the mark that says that a relation is ours.

CREATE TABLE IF NOT EXISTS site ( -- [websentry 4] What is watched
	id INTEGER PRIMARY KEY, -- first 63 bits of SHA-256(name)
	name TEXT NOT NULL,
	first_seen_at TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS site_name ON site (name);

CREATE TABLE IF NOT EXISTS location ( -- [websentry 4] Where producers run
	id INTEGER PRIMARY KEY, -- first 63 bits of SHA-256(name)
	name TEXT NOT NULL,
	first_seen_at TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS producer ( -- [websentry 4] One row for each run of a producer process
	id TEXT PRIMARY KEY,
	location_id INTEGER NOT NULL,
	host TEXT NOT NULL,
	prev_producer_id TEXT, -- with prev_seq: the last report of the same data folder before this process
	prev_seq INTEGER,
	first_seen_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS check_setup ( -- [websentry 4] What all reports of a site from one machine share until a setting changes
	id INTEGER PRIMARY KEY, -- first 63 bits of the SHA-256 of all fields below but first_seen_at
	site_id INTEGER NOT NULL,
	location_id INTEGER NOT NULL,
	v INTEGER NOT NULL,
	kind TEXT NOT NULL,
	url TEXT NOT NULL,
	host TEXT NOT NULL,
	labels TEXT,
	interval_us INTEGER NOT NULL,
	timeout_us INTEGER NOT NULL,
	pattern TEXT,
	first_seen_at TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS report ( -- [websentry 4] One row for each check; report_view shows it with names
	site_id INTEGER NOT NULL,
	started_at TEXT NOT NULL,
	seq INTEGER NOT NULL,
	setup_id INTEGER NOT NULL,
	stored_at TEXT NOT NULL,
	scheduled_at TEXT NOT NULL,
	late_us INTEGER NOT NULL,
	missed INTEGER,
	http_status_code INTEGER,
	dns_us INTEGER,
	connect_us INTEGER,
	tls_us INTEGER,
	wait_us INTEGER,
	transfer_us INTEGER,
	total_us INTEGER,
	body_bytes INTEGER,
	decoded_bytes INTEGER,
	cert_not_after TEXT,
	chain_not_after TEXT,
	producer_id TEXT NOT NULL,
	suspect INTEGER,
	pattern_matched INTEGER,
	keepalive INTEGER,
	truncated INTEGER,
	outcome TEXT NOT NULL,
	reason TEXT NOT NULL,
	http_version TEXT,
	tls_version TEXT,
	ip TEXT,
	message TEXT,
	pattern_capture TEXT,
	cert_issuer TEXT,
	failures TEXT,
	redirects TEXT,
	attempts TEXT,
	evidence TEXT,
	round TEXT, -- of a check of all addresses of a name; in the one that speaks for them also their outcome
	PRIMARY KEY (site_id, started_at, producer_id, seq)
) STRICT;

CREATE TABLE IF NOT EXISTS site_state ( -- [websentry 4] The latest report of each site and its last 50 outcomes
	site_id INTEGER PRIMARY KEY,
	started_at TEXT NOT NULL,
	seq INTEGER NOT NULL,
	setup_id INTEGER NOT NULL,
	http_status_code INTEGER,
	total_us INTEGER,
	producer_id TEXT NOT NULL,
	outcome TEXT NOT NULL,
	reason TEXT NOT NULL,
	strip TEXT NOT NULL, -- oldest first: U up, G degraded, D down, ? unknown
	message TEXT,
	is_strip_stale INTEGER NOT NULL DEFAULT 0 -- reports came late that the strip lacks: it is made anew soon
) STRICT;

-- A state that is missing (the table was dropped) is made again from the reports; of a round the one that speaks for it counts.
INSERT INTO site_state (site_id, started_at, seq, setup_id, http_status_code, total_us, producer_id,
		outcome, reason, strip, message)
SELECT report.site_id, report.started_at, report.seq, report.setup_id, report.http_status_code,
	report.total_us, report.producer_id, coalesce(report.round ->> 'outcome', report.outcome),
	coalesce(report.round ->> 'reason', report.reason),
	(
		SELECT group_concat(letter, '') FROM (
			SELECT CASE outcome WHEN 'up' THEN 'U' WHEN 'degraded' THEN 'G' WHEN 'down' THEN 'D' ELSE '?' END AS letter
			FROM (
				SELECT coalesce(round ->> 'outcome', outcome) AS outcome, started_at, producer_id, seq FROM report AS recent
				WHERE recent.site_id = site.id AND (round IS NULL OR round ->> 'outcome' IS NOT NULL)
				ORDER BY started_at DESC, producer_id DESC, seq DESC LIMIT 50
			) ORDER BY started_at, producer_id, seq
		)
	),
	CASE WHEN report.round IS NULL THEN report.message ELSE report.round ->> 'message' END
FROM site
JOIN report ON report.rowid = (
	SELECT latest.rowid FROM report AS latest WHERE latest.site_id = site.id
		AND (latest.round IS NULL OR latest.round ->> 'outcome' IS NOT NULL)
	ORDER BY latest.started_at DESC, latest.producer_id DESC, latest.seq DESC LIMIT 1
)
WHERE NOT EXISTS (SELECT 1 FROM site_state WHERE site_state.site_id = site.id);

CREATE TABLE IF NOT EXISTS kafka_offset ( -- [websentry 4] How far each consumer group has stored each Kafka partition
	cluster_id TEXT NOT NULL,
	topic TEXT NOT NULL,
	partition INTEGER NOT NULL,
	next INTEGER NOT NULL,
	stored_at TEXT NOT NULL,
	group_id TEXT NOT NULL DEFAULT '', -- consumer group; empty in rows from before groups were told apart
	claim INTEGER NOT NULL DEFAULT 0, -- of PostgreSQL, where several consumers write
	PRIMARY KEY (cluster_id, group_id, topic, partition)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS quarantine ( -- [websentry 4] Messages that are no reports, or whose report the database refused
	id INTEGER PRIMARY KEY, -- first 63 bits of the SHA-256 of where it came from and its bytes
	kafka_offset INTEGER,
	length INTEGER,
	stored_at TEXT NOT NULL,
	kafka_partition INTEGER,
	kafka_topic TEXT,
	reason TEXT NOT NULL,
	detail TEXT NOT NULL,
	bytes BLOB
) STRICT;
