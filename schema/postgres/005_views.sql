-- For people and scripts. This file is the one place of the views: a release that changes one edits it here, and adds columns at the
-- end only (CREATE OR REPLACE VIEW takes nothing else).

CREATE OR REPLACE VIEW report_view AS
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
COMMENT ON VIEW report_view IS 'Reports, a column for each field of the message. [websentry 4]';

CREATE OR REPLACE VIEW uptime_view AS
SELECT
	site.name AS site,
	period.name AS period,
	counts.checks,
	counts.up,
	counts.degraded,
	counts.down,
	counts.unknown,
	round(100.0 * (counts.up + counts.degraded) / nullif(counts.up + counts.degraded + counts.down, 0), 4) AS uptime,
	counts.average_us,
	counts.slowest_us
FROM site
CROSS JOIN (VALUES
	('hour', interval '1 hour'), ('day', interval '1 day'), ('week', interval '7 days'), ('month', interval '30 days')
) AS period (name, length)
CROSS JOIN LATERAL (
	SELECT
		count(*) AS checks,
		count(*) FILTER (WHERE checked.outcome = 'up') AS up,
		count(*) FILTER (WHERE checked.outcome = 'degraded') AS degraded,
		count(*) FILTER (WHERE checked.outcome = 'down') AS down,
		count(*) FILTER (WHERE checked.outcome = 'unknown') AS unknown,
		round(avg(checked.total_us) FILTER (WHERE checked.outcome IN ('up', 'degraded')))::bigint AS average_us,
		max(checked.total_us) FILTER (WHERE checked.outcome IN ('up', 'degraded')) AS slowest_us
	FROM (
		SELECT coalesce(report.round ->> 'outcome', report.outcome) AS outcome, report.total_us FROM report
		WHERE report.site_id = site.id AND report.started_at >= now() - period.length AND report.started_at <= now()
			AND (report.round IS NULL OR report.round ->> 'outcome' IS NOT NULL)
	) AS checked
) AS counts;
COMMENT ON VIEW uptime_view IS 'Per site and period (the last hour, day, week, month): counts by outcome, uptime in percent of the checks that could tell (degraded counts as up), and durations of the good checks. All addresses of a name that were checked together are one check. [websentry 4]';

CREATE OR REPLACE VIEW quarantine_view AS
SELECT
	kafka_topic,
	kafka_partition,
	kafka_offset,
	reason,
	detail,
	length,
	left(regexp_replace(encode(substring(bytes FROM 1 FOR 4096), 'escape'), '\s+', ' ', 'g'), 200) AS beginning,
	stored_at
FROM quarantine
ORDER BY stored_at DESC, kafka_topic, kafka_partition, kafka_offset;
COMMENT ON VIEW quarantine_view IS 'Messages that were put aside, the newest first, with how they begin. [websentry 4]';
