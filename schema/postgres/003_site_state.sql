-- What the page shows of each site, so that reading all of them is one cheap scan. Rewritten with each report: half of every page
-- is left free and no changing column has an index, so that updates stay in their page (HOT).

CREATE TABLE IF NOT EXISTS site_state (
	site_id bigint PRIMARY KEY,
	started_at timestamptz NOT NULL,
	seq bigint NOT NULL,
	setup_id bigint NOT NULL,
	http_status_code bigint,
	total_us bigint,
	producer_id uuid NOT NULL,
	outcome text NOT NULL,
	reason text NOT NULL,
	strip text NOT NULL,
	message text,
	is_strip_stale boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);

-- Of a store from before strips were made anew after the batch. Looked at first: ALTER TABLE waits for whoever reads.
DO $$
BEGIN
	IF NOT EXISTS (
		SELECT FROM pg_attribute WHERE attrelid = 'site_state'::regclass AND attname = 'is_strip_stale' AND NOT attisdropped
	) THEN
		ALTER TABLE site_state ADD COLUMN is_strip_stale boolean NOT NULL DEFAULT false;
	END IF;
END
$$;
COMMENT ON TABLE site_state IS 'The latest report of each site and its last 50 outcomes. [websentry 4]';
COMMENT ON COLUMN site_state.site_id IS 'site.id';
COMMENT ON COLUMN site_state.started_at IS 'When the latest check began';
COMMENT ON COLUMN site_state.seq IS 'With producer_id: which report that is';
COMMENT ON COLUMN site_state.setup_id IS 'check_setup.id of the latest report';
COMMENT ON COLUMN site_state.http_status_code IS 'Of the latest report';
COMMENT ON COLUMN site_state.total_us IS 'Of the latest report';
COMMENT ON COLUMN site_state.producer_id IS 'Of the latest report';
COMMENT ON COLUMN site_state.outcome IS 'Of the latest report';
COMMENT ON COLUMN site_state.reason IS 'Of the latest report';
COMMENT ON COLUMN site_state.strip IS 'The last 50 outcomes, oldest first: U up, G degraded, D down, ? unknown';
COMMENT ON COLUMN site_state.message IS 'Of the latest report';
COMMENT ON COLUMN site_state.is_strip_stale IS 'Reports came late that the strip lacks: it is made anew from the reports soon';

-- A state that is missing (the table was dropped) is made again from the reports; of a round the one that speaks for it counts.
INSERT INTO site_state (site_id, started_at, seq, setup_id, http_status_code, total_us, producer_id,
		outcome, reason, strip, message)
SELECT site.id, latest.started_at, latest.seq, latest.setup_id, latest.http_status_code,
	latest.total_us, latest.producer_id, coalesce(latest.round ->> 'outcome', latest.outcome),
	coalesce(latest.round ->> 'reason', latest.reason), recent.strip,
	CASE WHEN latest.round IS NULL THEN latest.message ELSE latest.round ->> 'message' END
FROM site
CROSS JOIN LATERAL (
	SELECT * FROM report WHERE report.site_id = site.id AND (round IS NULL OR round ->> 'outcome' IS NOT NULL)
	ORDER BY started_at DESC, producer_id DESC, seq DESC LIMIT 1
) AS latest
CROSS JOIN LATERAL (
	SELECT string_agg(CASE outcome WHEN 'up' THEN 'U' WHEN 'degraded' THEN 'G' WHEN 'down' THEN 'D' ELSE '?' END,
		'' ORDER BY started_at, producer_id, seq) AS strip
	FROM (
		SELECT coalesce(round ->> 'outcome', outcome) AS outcome, started_at, producer_id, seq FROM report
		WHERE report.site_id = site.id AND (round IS NULL OR round ->> 'outcome' IS NOT NULL)
		ORDER BY started_at DESC, producer_id DESC, seq DESC LIMIT 50
	) AS fifty
) AS recent
WHERE NOT EXISTS (SELECT FROM site_state WHERE site_state.site_id = site.id)
ON CONFLICT DO NOTHING;
