-- Every check once: the primary key is what makes delivery exactly once. No foreign keys (they make COPY three times slower, and
-- a dropped dimension must not take reports with it). Wide columns first: that saves padding.

CREATE TABLE IF NOT EXISTS report (
	site_id bigint NOT NULL,
	started_at timestamptz NOT NULL,
	seq bigint NOT NULL,
	setup_id bigint NOT NULL,
	stored_at timestamptz NOT NULL DEFAULT now(),
	scheduled_at timestamptz NOT NULL,
	late_us bigint NOT NULL,
	missed bigint,
	http_status_code bigint,
	dns_us bigint,
	connect_us bigint,
	tls_us bigint,
	wait_us bigint,
	transfer_us bigint,
	total_us bigint,
	body_bytes bigint,
	decoded_bytes bigint,
	cert_not_after timestamptz,
	chain_not_after timestamptz,
	producer_id uuid NOT NULL,
	suspect boolean,
	pattern_matched boolean,
	keepalive boolean,
	truncated boolean,
	outcome text NOT NULL,
	reason text NOT NULL,
	http_version text,
	tls_version text,
	ip text,
	message text,
	pattern_capture text,
	cert_issuer text,
	failures jsonb,
	redirects jsonb,
	attempts jsonb,
	evidence jsonb,
	round jsonb,
	PRIMARY KEY (site_id, started_at, producer_id, seq)
) PARTITION BY RANGE (started_at);

-- Of a store from before all addresses of a name could be checked. Looked at first: ALTER TABLE waits for whoever reads.
DO $$
BEGIN
	IF NOT EXISTS (
		SELECT FROM pg_attribute WHERE attrelid = 'report'::regclass AND attname = 'round' AND NOT attisdropped
	) THEN
		ALTER TABLE report ADD COLUMN round jsonb;
	END IF;
END
$$;
COMMENT ON TABLE report IS 'One row for each check; report_view shows it with names. Partitioned by day (UTC) of started_at. [websentry 4]';
COMMENT ON COLUMN report.site_id IS 'site.id';
COMMENT ON COLUMN report.started_at IS 'When the check began';
COMMENT ON COLUMN report.seq IS 'Counts the reports of a producer_id from 0 without gaps';
COMMENT ON COLUMN report.setup_id IS 'check_setup.id';
COMMENT ON COLUMN report.stored_at IS 'When the row was written';
COMMENT ON COLUMN report.scheduled_at IS 'When the check was due';
COMMENT ON COLUMN report.late_us IS 'Microseconds between due and begun';
COMMENT ON COLUMN report.missed IS 'Checks of this site left out before this one';
COMMENT ON COLUMN report.http_status_code IS 'Status of the final response';
COMMENT ON COLUMN report.dns_us IS 'Microseconds of name resolution, last hop';
COMMENT ON COLUMN report.connect_us IS 'Microseconds of the TCP handshake, last hop';
COMMENT ON COLUMN report.tls_us IS 'Microseconds of the TLS handshake, last hop';
COMMENT ON COLUMN report.wait_us IS 'Microseconds from the request''s last byte sent to the first byte received, last hop';
COMMENT ON COLUMN report.transfer_us IS 'Microseconds from the first byte to the last, last hop';
COMMENT ON COLUMN report.total_us IS 'Microseconds of the whole check (with retries: of the last attempt)';
COMMENT ON COLUMN report.body_bytes IS 'Bytes of the body as transferred';
COMMENT ON COLUMN report.decoded_bytes IS 'Bytes of the body after decompression';
COMMENT ON COLUMN report.cert_not_after IS 'When the site''s certificate ends';
COMMENT ON COLUMN report.chain_not_after IS 'When the first certificate of the chain ends';
COMMENT ON COLUMN report.producer_id IS 'producer.id';
COMMENT ON COLUMN report.suspect IS 'The prober was late by more than its bound: times are doubtful';
COMMENT ON COLUMN report.pattern_matched IS 'Whether the recorded pattern was found';
COMMENT ON COLUMN report.keepalive IS 'The connection was one kept from an earlier check';
COMMENT ON COLUMN report.truncated IS 'Optional fields were dropped to make the message fit';
COMMENT ON COLUMN report.outcome IS 'up, degraded, down or unknown';
COMMENT ON COLUMN report.reason IS 'The stable word for why';
COMMENT ON COLUMN report.http_version IS '1.0, 1.1 or 2';
COMMENT ON COLUMN report.tls_version IS 'Version of TLS: 1.3, 1.2, 1.1 or 1.0';
COMMENT ON COLUMN report.ip IS 'Address of the last hop';
COMMENT ON COLUMN report.message IS 'The reason in a sentence, with particulars';
COMMENT ON COLUMN report.pattern_capture IS 'What the pattern''s first group matched, or the whole match';
COMMENT ON COLUMN report.cert_issuer IS 'Issuer of the site''s certificate';
COMMENT ON COLUMN report.failures IS 'Every reason that applied, the gravest first';
COMMENT ON COLUMN report.redirects IS 'The hops before the last one';
COMMENT ON COLUMN report.attempts IS 'Every attempt, where there was more than one';
COMMENT ON COLUMN report.evidence IS 'What the site answered when it failed';
COMMENT ON COLUMN report.round IS 'Where all addresses of the name were checked: which one this is. In the one report that speaks for them: their outcome, too';

-- Days are made by the program, ahead and on demand (report_YYYYMMDD); whatever has no day lands here.
CREATE TABLE IF NOT EXISTS report_default PARTITION OF report DEFAULT;
COMMENT ON TABLE report_default IS 'Reports of days without a partition of their own. [websentry 4]';
