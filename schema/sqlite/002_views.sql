-- For people and scripts; the columns of schema/postgres/005_views.sql. Views hold no data: they are made anew at each start.

DROP VIEW IF EXISTS report_view;
CREATE VIEW report_view AS -- [websentry 4] Reports, a column for each field of the message
SELECT
	setup.v,
	report.producer_id,
	report.seq,
	setup.kind,
	site.name AS site,
	setup.url,
	setup.host,
	location.name AS location,
	setup.labels,
	setup.interval_us,
	setup.timeout_us,
	report.scheduled_at,
	report.started_at,
	report.late_us,
	report.suspect,
	report.missed,
	report.outcome,
	report.reason,
	report.message,
	report.failures,
	report.http_status_code,
	report.http_version,
	report.ip,
	report.dns_us,
	report.connect_us,
	report.tls_us,
	report.wait_us,
	report.transfer_us,
	report.total_us,
	report.body_bytes,
	report.decoded_bytes,
	report.redirects,
	report.attempts,
	setup.pattern,
	report.pattern_matched,
	report.pattern_capture,
	report.tls_version,
	report.cert_not_after,
	report.chain_not_after,
	report.cert_issuer,
	report.keepalive,
	report.evidence,
	report.truncated,
	report.stored_at,
	report.round
FROM report
LEFT JOIN site ON site.id = report.site_id
LEFT JOIN check_setup AS setup ON setup.id = report.setup_id
LEFT JOIN location ON location.id = setup.location_id;

DROP VIEW IF EXISTS uptime_view;
CREATE VIEW uptime_view AS -- [websentry 4] Uptime per site and period, in percent of the checks that could tell
WITH period (name, length) AS (
	VALUES ('hour', '-1 hour'), ('day', '-1 day'), ('week', '-7 days'), ('month', '-30 days')
)
SELECT
	site.name AS site,
	period.name AS period,
	count(report.seq) AS checks,
	count(*) FILTER (WHERE coalesce(report.round ->> 'outcome', report.outcome) = 'up') AS up,
	count(*) FILTER (WHERE coalesce(report.round ->> 'outcome', report.outcome) = 'degraded') AS degraded,
	count(*) FILTER (WHERE coalesce(report.round ->> 'outcome', report.outcome) = 'down') AS down,
	count(*) FILTER (WHERE coalesce(report.round ->> 'outcome', report.outcome) = 'unknown') AS unknown,
	round(100.0 * count(*) FILTER (WHERE coalesce(report.round ->> 'outcome', report.outcome) IN ('up', 'degraded'))
		/ nullif(count(*) FILTER (WHERE coalesce(report.round ->> 'outcome', report.outcome) IN ('up', 'degraded', 'down')), 0), 4) AS uptime,
	CAST(round(avg(report.total_us) FILTER (WHERE coalesce(report.round ->> 'outcome', report.outcome) IN ('up', 'degraded'))) AS INTEGER) AS average_us,
	max(report.total_us) FILTER (WHERE coalesce(report.round ->> 'outcome', report.outcome) IN ('up', 'degraded')) AS slowest_us
FROM site
CROSS JOIN period
LEFT JOIN report ON report.site_id = site.id
	AND report.started_at >= strftime('%Y-%m-%dT%H:%M:%S', 'now', period.length)
	AND report.started_at <= strftime('%Y-%m-%dT%H:%M:%f', 'now') || '999Z'
	AND (report.round IS NULL OR report.round ->> 'outcome' IS NOT NULL) -- all addresses of a name that were checked together are one check
GROUP BY site.id, period.name;

DROP VIEW IF EXISTS quarantine_view;
CREATE VIEW quarantine_view AS -- [websentry 4] Messages that were put aside, the newest first, with how they begin
SELECT
	kafka_topic,
	kafka_partition,
	kafka_offset,
	reason,
	detail,
	length,
	substr(CAST(bytes AS TEXT), 1, 200) AS beginning,
	stored_at
FROM quarantine
ORDER BY stored_at DESC, kafka_topic, kafka_partition, kafka_offset;
