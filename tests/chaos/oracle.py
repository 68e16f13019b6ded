"""Says what became of every report. It shares no code with the program: it reads tables, and what the witnesses wrote.

Witnesses: the site's log (each response, with its nonce), the outboxes as they lay at each kill (with segments, and
with files that were set aside), the places of the poison in Kafka. All of them are loaded into tables of a schema
`oracle` beside the program's own and compared there.
"""
import dataclasses
from collections import Counter

from chaos import trace
from chaos.poison import KEPT_BYTES, identity_of
from chaos.schedule import PRODUCERS

# A response is a finished check soon after: a process that was killed later than this must have stored it.
COMMIT_S = 6.0
SHOWN = 5

# Reasons of a check that saw no whole response. All others were judged on one, so its nonce must stand in the row.
INCOMPLETE = ("timeout", "connect_timeout", "connect_refused", "connect_unreachable", "connection_lost", "dns_error",
              "protocol_error", "prober_overloaded", "prober_offline", "prober_error", "too_large", "match_truncated",
              "pattern_too_costly", "tls_error")

TABLES = """
DROP SCHEMA IF EXISTS oracle CASCADE;
CREATE SCHEMA oracle;
CREATE UNLOGGED TABLE oracle.served (nonce text PRIMARY KEY, status bigint, bytes bigint, path text, at_us bigint);
CREATE UNLOGGED TABLE oracle.waited (producer_id uuid, seq bigint, nonce text, file text);
CREATE UNLOGGED TABLE oracle.named (producer_id uuid, seq bigint);
CREATE UNLOGGED TABLE oracle.stored AS SELECT producer_id, seq, site, url, location, reason, http_status_code,
	body_bytes, decoded_bytes, pattern_capture AS nonce, truncated FROM report_view
	WHERE site IS DISTINCT FROM '/poison/0';
CREATE INDEX ON oracle.stored (nonce);
CREATE INDEX ON oracle.stored (producer_id, seq);
ANALYZE oracle.stored;
"""

DOUBLED = """SELECT 'nonce ' || nonce || ' stands in ' || count(*) || ' rows' FROM oracle.stored
WHERE nonce IS NOT NULL GROUP BY nonce HAVING count(*) > 1"""

SAME_IDENTITY = """SELECT producer_id || '/' || seq || ' names ' || count(*) || ' rows' FROM oracle.stored
GROUP BY producer_id, seq HAVING count(*) > 1"""

ALTERED = """SELECT stored.producer_id || '/' || stored.seq || ': stored ' || concat_ws(' ', stored.nonce,
	stored.http_status_code, stored.body_bytes, stored.decoded_bytes, stored.site, stored.url) || ', served '
	|| coalesce(concat_ws(' ', served.status, served.bytes, served.path), 'nothing')
FROM oracle.stored LEFT JOIN oracle.served USING (nonce)
WHERE stored.nonce IS NOT NULL AND (served.nonce IS NULL OR stored.site <> served.path
	OR stored.url <> %(base)s || served.path OR stored.location <> split_part(served.path, '/', 2)
	OR (reason <> ALL(%(incomplete)s) AND (
	stored.http_status_code IS DISTINCT FROM served.status OR stored.body_bytes IS DISTINCT FROM served.bytes
	OR stored.decoded_bytes IS DISTINCT FROM served.bytes)))
UNION ALL
SELECT producer_id || '/' || seq || ': shrunk, and no report here is too large' FROM oracle.stored WHERE truncated
UNION ALL
SELECT producer_id || '/' || seq || ': judged ' || reason || ' on a response whose nonce it lacks' FROM oracle.stored
WHERE nonce IS NULL AND reason <> ALL(%(incomplete)s)"""

HOLES = """WITH known AS (
	SELECT producer_id, seq FROM oracle.stored UNION ALL SELECT producer_id, seq FROM oracle.waited
), last AS (SELECT producer_id, max(seq) AS seq FROM known GROUP BY producer_id),
hole AS (
	SELECT last.producer_id, last.seq AS last, last.seq + 1 - count(DISTINCT stored.seq) AS count
	FROM last LEFT JOIN oracle.stored ON stored.producer_id = last.producer_id
	GROUP BY last.producer_id, last.seq HAVING count(DISTINCT stored.seq) <> last.seq + 1
)
SELECT hole.producer_id || ': ' || count || ' of 0 to ' || last || ' missing, the first ' || (
		SELECT min(number) FROM generate_series(0, last) AS number WHERE NOT EXISTS (
			SELECT FROM oracle.stored WHERE stored.producer_id = hole.producer_id AND stored.seq = number)),
	count
FROM hole"""

WAITED = """SELECT waited.producer_id || '/' || waited.seq || ' (' || coalesce(waited.nonce, 'no nonce')
	|| ') lay in ' || waited.file || ' at a kill and is not stored'
FROM oracle.waited LEFT JOIN oracle.stored ON stored.producer_id = waited.producer_id AND stored.seq = waited.seq
	AND stored.nonce IS NOT DISTINCT FROM waited.nonce
WHERE stored.producer_id IS NULL"""

# The process before committed it, and nothing is stored of it.
BEFORE = """SELECT producer.id || ' says that ' || prev_producer_id || '/' || prev_seq
	|| ' was committed before it, and it is not stored'
FROM producer LEFT JOIN oracle.stored ON stored.producer_id = prev_producer_id AND stored.seq = prev_seq
WHERE prev_producer_id IS NOT NULL AND stored.producer_id IS NULL"""

UNSTORED = """SELECT served.nonce, served.path, served.at_us FROM oracle.served LEFT JOIN oracle.stored USING (nonce)
WHERE stored.nonce IS NULL ORDER BY served.at_us"""

WITHOUT_NONCE = "SELECT site, count(*) FROM oracle.stored WHERE nonce IS NULL GROUP BY site"

# What an audit has to say of each process: how many are stored, the highest, how many are not there, and how many of
# what is not stored lie in quarantine. Those are not missing; the process may never have come to their seq.
AUDIT = """WITH stored AS (SELECT producer_id, count(DISTINCT seq) AS count, max(seq) AS highest
		FROM oracle.stored GROUP BY 1),
	before AS (SELECT prev_producer_id AS producer_id, max(prev_seq) AS last FROM producer
		WHERE prev_producer_id IS NOT NULL GROUP BY 1),
	aside AS (SELECT DISTINCT producer_id, seq FROM oracle.named EXCEPT SELECT producer_id, seq FROM oracle.stored),
	known AS (SELECT producer_id, coalesce(count, 0) AS count, highest, greatest(highest, last) AS last
		FROM stored FULL JOIN before USING (producer_id))
SELECT producer_id::text, coalesce(known.count, 0), coalesce(highest, -1), coalesce(last + 1 - known.count, 0)
		- count(*) FILTER (WHERE seq <= last), count(seq)
FROM known FULL JOIN aside USING (producer_id) GROUP BY producer_id, known.count, highest, last"""

QUARANTINE = "SELECT kafka_topic, kafka_partition, kafka_offset, coalesce(bytes, ''), reason FROM quarantine"


@dataclasses.dataclass
class Judgement:
    sent: int = 0            # identities that are known to have been committed
    served: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    altered: int = 0
    quarantined: int = 0
    poison: int = 0
    poison_named: int = 0    # poison with an identity that can be read
    excused: int = 0         # responses whose check never finished: its process was ended meanwhile
    producers: int = 0       # processes that stored something
    trace: str = ""          # of what is missing, whether Kafka had it
    complaints: list = dataclasses.field(default_factory=list)

    @property
    def is_clean(self):
        return not self.complaints

    def complain(self, lines, what):
        lines = list(lines)
        self.complaints += [f"{what}: {line}" for line in lines[:SHOWN]]
        if len(lines) > SHOWN:
            self.complaints.append(f"{what}: … and {len(lines) - SHOWN} more")


class Oracle:
    """Asks the database directly, past the proxy."""

    def __init__(self, world, nemesis, trace_file=None):
        self._world = world
        self._nemesis = nemesis
        self._trace_file = trace_file

    def judge(self):
        found = Judgement()
        with self._world.database.connect() as connection:
            connection.execute("SET work_mem = '128MB'")
            self._load(connection)
            found.served = connection.execute("SELECT count(*) FROM oracle.served").fetchone()[0]
            found.stored = connection.execute("SELECT count(*) FROM oracle.stored").fetchone()[0]
            found.producers = connection.execute("SELECT count(DISTINCT producer_id) FROM oracle.stored").fetchone()[0]
            self._judge_rows(connection, found)
            self._judge_delivery(connection, found)
            self._judge_responses(connection, found)
            self._judge_quarantine(connection, found)
            self._judge_audit(connection, found)
            if found.lost > 0 and self._trace_file is not None:
                found.trace = trace.write(connection, self._world.kafka, self._trace_file) or ""
            connection.execute("DROP SCHEMA oracle CASCADE")
        return found

    def _load(self, connection):
        for statement in TABLES.strip().split(";\n"):
            connection.execute(statement)
        with connection.cursor().copy("COPY oracle.served FROM STDIN (DELIMITER ' ')") as copy, \
                self._world.site_log.open("rb") as log:
            while piece := log.read(1 << 20):
                copy.write(piece)
        with connection.cursor().copy("COPY oracle.waited FROM STDIN") as copy:
            for (producer_id, seq), row in self._nemesis.must_be_stored.items():
                copy.write_row((producer_id, seq, row.nonce, row.file))
        connection.execute("ANALYZE oracle.served, oracle.waited")

    def _judge_rows(self, connection, found):
        doubled = [row[0] for row in connection.execute(DOUBLED)]
        doubled += [row[0] for row in connection.execute(SAME_IDENTITY)]
        words = {"base": self._world.base_url, "incomplete": list(INCOMPLETE)}
        altered = [row[0] for row in connection.execute(ALTERED, words)]
        found.doubled, found.altered = len(doubled), len(altered)
        found.complain(doubled, "doubled")
        found.complain(altered, "altered")

    def _judge_delivery(self, connection, found):
        holes = connection.execute(HOLES).fetchall()
        waited = [row[0] for row in connection.execute(WAITED)]
        before = [row[0] for row in connection.execute(BEFORE)]
        # A hole counts what is missing; the other two name rows, some of them the same.
        found.lost = max(sum(row[1] for row in holes), len(waited), len(before))
        found.sent = found.stored + found.lost
        found.complain((row[0] for row in holes), "lost")
        found.complain(waited, "lost")
        found.complain(before, "lost")
        # No report is too large for Kafka here, at any limit.
        aside = {name: self._world.put_aside(name) for name in PRODUCERS}
        found.complain((f"{name} put {len(files)} reports aside, such as {files[0]}" for name, files in aside.items()
                        if files), "lost")

    def _judge_responses(self, connection, found):
        """A response without a row: its check never finished, because its process was ended around that time, or saw it
        cut short (then there is a row without a nonce for it)."""
        blind = dict(connection.execute(WITHOUT_NONCE).fetchall())
        missing = Counter()
        example = {}
        for nonce, path, at_us in connection.execute(UNSTORED):
            if self._was_ended_around(path.split("/")[1], at_us / 1e6):
                found.excused += 1
            else:
                missing[path] += 1
                example[path] = f"{nonce}, {self._before_the_end(path.split('/')[1], at_us / 1e6)}"
        lines = [f"{count} responses of {path} (such as {example[path]}) are in no row, and {blind.get(path, 0)} of "
                 "its rows have no nonce" for path, count in missing.items() if count > blind.get(path, 0)]
        found.lost = max(found.lost, sum(max(0, count - blind.get(path, 0)) for path, count in missing.items()))
        found.complain(lines, "lost")

    def _before_the_end(self, name, at):
        """How long before the next end of its process, and the last trouble that it had before that."""
        end = min((end for end in self._nemesis.ends.get(name, ()) if end >= at), default=None)
        if end is None:
            return "and its process was not ended"
        trouble = max((stop for _, stop in self._nemesis.troubles[name] if stop <= end), default=None)
        words = "" if trouble is None else f", which was stopped or had no room until {end - trouble:.1f} s before that"
        return f"{end - at:.1f} s before its process was ended{words}"

    def _was_ended_around(self, name, at):
        for end in self._nemesis.ends.get(name, ()):
            since = end - COMMIT_S
            # While it was stopped, or could not write, it could not finish a check.
            for start, stop in sorted(self._nemesis.troubles[name], reverse=True):
                if start <= end and stop >= since:
                    since = min(since, start - COMMIT_S)
            if since <= at <= end + 0.5:
                return True
        return False

    def _judge_quarantine(self, connection, found):
        poison = self._nemesis.poison
        written = {message[:KEPT_BYTES] for message in self._nemesis.written_poison}
        kept = {(topic, partition, offset): (bytes(content), reason)
                for topic, partition, offset, content, reason in connection.execute(QUARANTINE)}
        found.poison, found.quarantined = len(poison), len(kept)
        gone = [f"the message at {place} is not in quarantine" for place in poison if place not in kept]
        changed = [f"the message at {place} is not what was written" for place, content in poison.items()
                   if place in kept and kept[place][0] != content[:KEPT_BYTES]]
        innocent = [f"{place} was put into quarantine ({kept[place][1]}): {kept[place][0][:80]}" for place in kept
                    if place not in poison and kept[place][0] not in written]
        found.lost += len(innocent) + len(gone)
        found.altered += len(changed)
        found.complain(gone, "lost")
        found.complain(changed, "altered")
        found.complain(innocent, "lost")
        found.poison_named = sum(identity_of(content) is not None for content in poison.values())
        named = {identity_of(content) for content, _ in kept.values()} - {None}
        with connection.cursor().copy("COPY oracle.named FROM STDIN") as copy:
            for identity in named:
                copy.write_row(identity)

    def _judge_audit(self, connection, found):
        """`websentry audit` says the same, from the store alone."""
        code, said = self._world.audit()
        of_audit = {one["producer_id"]: (one["stored"], one.get("highest_seq"), one["missing"] + one["pending"],
                                         one["quarantined"]) for one in said["producers"]}
        ours = {row[0]: row[1:] for row in connection.execute(AUDIT)}
        lines = [f"of {producer_id} audit says {of_audit.get(producer_id)} (stored, highest, not there, quarantined); "
                 f"it is {ours.get(producer_id)}" for producer_id in sorted(ours.keys() | of_audit.keys())
                 if of_audit.get(producer_id) != ours.get(producer_id)]
        holes = sum(row[2] for row in ours.values())
        if code != (1 if holes > 0 else 0):
            lines.append(f"audit ended with {code}, and {holes} are not there")
        found.complain(lines, "audit differs")
