"""Measures what docs/benchmarks.md says, and writes it to build/bench/results.json and as a table on stdout.

Every figure is a ratio of CPU times taken in one run, or stands beside one: machines differ, and this one may be
busy. The clients run on one core, the servers on the other.
"""
import json
import os
import platform
import re
import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from parts import TICKS, Nginx, cpu_seconds, resident_mib  # noqa: E402
from support.certs import Authority  # noqa: E402
from support.kafka import Kafka  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.processes import Session, run, wait_until  # noqa: E402
from support.websentry import Websentry  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build" / "bench" / "results.json"

ROUNDS = int(os.environ.get("ROUNDS", "3"))
ROWS = int(os.environ.get("ROWS", "300000"))  # of the consumer and of \copy


class Bench:
    def __init__(self):
        self.session = Session()
        self.results = {"machine": {"processor": self._processor(), "cores": os.cpu_count(),
                                    "kernel": platform.release()}}

    @staticmethod
    def _processor():
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        return found[1] if found else platform.machine()

    def websentry(self, name):
        return Websentry(self.session, self.session.new_folder(name))

    # --- prober

    def lean(self):
        """What a check costs beside bare clients, and whether checks are on time."""
        import lean
        self.results["lean"] = lean.measure(self)

    # --- memory

    def memory(self):
        """Resident memory of the producer with 10,000 sites at 10 s, once each was checked at least twice."""
        nginx = Nginx(self.session)
        kafka = Kafka(self.session, Authority(self.session.new_folder("authority")))
        topic = kafka.create_topic("memory", partitions=3)
        websentry = self.websentry("memory")
        sites = websentry.write("sites.yaml", "sites:\n" + "".join(
            f"- {{url: '{nginx.url(i)}', interval: 10s, pattern: 'id=\"([^\"]+)\"'}}\n" for i in range(10_000)))
        started = websentry.start("producer", "--sites", sites, "--kafka-servers", kafka.servers, "--kafka-topic",
                                  topic,
                                  "--data-dir", websentry.data_dir())
        started.wait_ready(60)
        wait_until(lambda: kafka.count(topic) >= 20_000, "20,000 reports", 120, 0.5)
        self.results["memory"] = {"sites": 10_000, "resident_mib": resident_mib(started.pid)}
        started.stop()
        kafka.kill()
        nginx.process.kill()

    # --- consumer

    def consumer(self):
        """Rows a second and CPU a row of the consumer with PostgreSQL, beside psql's \\copy of the same rows."""
        kafka = Kafka(self.session, Authority(self.session.new_folder("authority")))
        topic = kafka.create_topic("rows", partitions=3)
        postgres = Postgres(self.session)
        self._fill(kafka, topic)
        ours, copies, conflicts, again = [], [], [], []
        for number in range(ROUNDS):
            database = postgres.create_database()
            ours.append(self._consume(kafka, postgres, database, topic, f"{number}-first"))
            copies.append(self._copy(postgres, database))
            self._leave_hundredth(database)
            conflicts.append(self._consume(kafka, postgres, database, topic, f"{number}-conflicts"))
            again.append(self._consume(kafka, postgres, database, topic, f"{number}-again"))

        def paths(others):
            return [(other["postgres_us"] + other["consumer_us"]) / (one["postgres_us"] + one["consumer_us"])
                    for one, other in zip(ours, others, strict=True)]

        self.results["consumer"] = {
            "rows": ROWS, "rounds": ROUNDS, "consumer": ours, "copy": copies,
            "conflict_path": conflicts, "all_duplicates": again,
            "conflict_path_ratio": paths(conflicts), "all_duplicates_ratio": paths(again),
            "conflict_path_ratio_median": statistics.median(paths(conflicts)),
            "all_duplicates_ratio_median": statistics.median(paths(again)),
            "postgres_cpu_ratio_median": statistics.median(
                one["postgres_us"] / other["postgres_us"] for one, other in zip(ours, copies, strict=True)),
            "total_cpu_ratio_median": statistics.median(
                (one["postgres_us"] + one["consumer_us"]) / other["postgres_us"]
                for one, other in zip(ours, copies, strict=True)),
            "wall_ratio_median": statistics.median(
                one["rows_per_s"] / other["rows_per_s"] for one, other in zip(ours, copies, strict=True))}
        postgres.stop()
        kafka.kill()

    @staticmethod
    def _fill(kafka, topic, age_s=3600, number=1):
        """ROWS different reports of 1,000 sites, as a producer writes them; the first is so old."""
        from confluent_kafka import Producer
        producer = Producer({"bootstrap.servers": kafka.servers, "linger.ms": 20, "compression.type": "lz4"})
        start = time.time() - age_s
        for seq in range(ROWS):
            at = start + seq * 0.01
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1e6):06d}Z"
            site = seq % 1000
            message = {
                "v": 1, "producer_id": f"6f0c1f5e-58c6-4e53-9a3c-0d6a1f2b3c{number:02x}", "seq": seq, "kind": "http",
                "site": f"site {site}", "url": f"http://shop-{site}.example/", "host": "bench", "location": "default",
                "labels": {}, "interval_us": 10_000_000, "timeout_us": 10_000_000, "scheduled_at": stamp,
                "started_at": stamp,
                "late_us": 120, "suspect": False, "missed": 0, "outcome": "up", "reason": "ok", "http_status_code": 200,
                "http_version": "1.1", "ip": "192.0.2.7", "dns_us": 800, "connect_us": 12000, "wait_us": 34000,
                "transfer_us": 900, "total_us": 47700 + seq % 1000, "body_bytes": 2048, "decoded_bytes": 2048,
                "pattern": 'id="([^"]+)"', "pattern_matched": True, "pattern_capture": f"price-{seq % 97}"}
            while True:
                try:
                    producer.produce(topic, json.dumps(message, separators=(",", ":")), key=message["site"])
                    break
                except BufferError:
                    producer.poll(0.1)
        producer.flush(60)

    def late(self):
        """Reports that are all older than what is stored, beside as many that came in order."""
        kafka = Kafka(self.session, Authority(self.session.new_folder("authority")))
        topics = [kafka.create_topic(name, partitions=3) for name in ("newer", "older")]
        postgres = Postgres(self.session)
        self._fill(kafka, topics[0])
        self._fill(kafka, topics[1], age_s=3600 + ROWS * 0.01, number=2)
        rounds = []
        for number in range(ROUNDS):
            database = postgres.create_database()
            newer = self._consume(kafka, postgres, database, topics[0], f"{number}-newer")
            older = self._consume(kafka, postgres, database, topics[1], f"{number}-older", rows=2 * ROWS)
            assert database.one("SELECT count(*) FROM site_state WHERE is_strip_stale") == 0
            rounds.append({"in_order": newer, "late": older, "cpu_ratio": sum(
                older[name] for name in ("consumer_us", "postgres_us")) / sum(
                newer[name] for name in ("consumer_us", "postgres_us"))})
        self.results["late"] = {"rows": ROWS, "rounds": rounds,
                                "cpu_ratio_median": statistics.median(one["cpu_ratio"] for one in rounds)}
        postgres.stop()
        kafka.kill()

    @staticmethod
    def _server_cpu(postgres):
        """Of the postmaster with all its children, living and ended."""
        fields = Path(f"/proc/{postgres.process.pid}/stat").read_text().rpartition(")")[2].split()
        total = sum(int(fields[i]) for i in (11, 12, 13, 14)) / TICKS
        for child in Path(f"/proc/{postgres.process.pid}/task/{postgres.process.pid}/children").read_text().split():
            try:
                total += cpu_seconds(child)
            except (FileNotFoundError, ProcessLookupError):
                pass
        return total

    @staticmethod
    def _leave_hundredth(database):
        """One report of each hundred: then no batch of the same reports is without a duplicate."""
        database.psql("SET websentry.moves_rows = 'on';\n"
                      "DELETE FROM report WHERE seq % 100 <> 0;\nDELETE FROM site_state;\n"
                      "DELETE FROM seq_range;\n"  # that \\copy's TRUNCATE was noted by hand
                      "VACUUM report;\nVACUUM site_state;\nCHECKPOINT;\n")

    def _consume(self, kafka, postgres, database, topic, number, rows=ROWS):
        websentry = self.websentry(f"consumer{number}")
        run([ROOT / "build/websentry", "db", "migrate", "--database-dsn", database.dsn],
            env=websentry.environment())
        before = self._server_cpu(postgres)
        started = websentry.start("consumer", "--once", "--kafka-servers", kafka.servers, "--kafka-topic", topic,
                                  "--kafka-group", f"bench-{number}", "--database-dsn", database.dsn)
        cpu, watched = 0.0, threading.Event()
        ready = started.wait_for("partitions assigned", 60)
        del ready
        began = time.monotonic()
        while started.is_running():
            try:
                cpu = cpu_seconds(started.pid)
            except (FileNotFoundError, ProcessLookupError):
                break
            watched.wait(0.01)
        seconds = time.monotonic() - began
        assert started.wait(60) == 0, started.stderr()[-2000:]
        assert database.one("SELECT count(*) FROM report") == rows
        return {"rows_per_s": ROWS / seconds, "consumer_us": cpu * 1e6 / ROWS,
                "postgres_us": (self._server_cpu(postgres) - before) * 1e6 / ROWS}

    def _copy(self, postgres, database):
        """The same rows into the same table by psql, in binary, after a truncate."""
        file = self.session.new_folder("copy") / "rows.bin"
        file.parent.chmod(0o777)
        database.psql(f"\\copy (SELECT * FROM report) to '{file}' with (format binary)\n"
                      "TRUNCATE report;\nCHECKPOINT;\n")
        before = self._server_cpu(postgres)
        began = time.monotonic()
        database.psql(f"\\copy report from '{file}' with (format binary)\n")
        seconds = time.monotonic() - began
        assert database.one("SELECT count(*) FROM report") == ROWS
        file.unlink()
        return {"rows_per_s": ROWS / seconds, "postgres_us": (self._server_cpu(postgres) - before) * 1e6 / ROWS}

    # --- audit

    def audit(self):
        """Seconds of `websentry audit` over 100 million reports."""
        import audit
        self.results["audit"] = audit.measure(self)

    # --- Kafka away

    def backlog(self):
        """A backlog of BACKLOG reports (5 million) drains into a real Kafka, beside kcat; checks go on meanwhile."""
        import backlog
        self.results["backlog"] = backlog.measure(self)

    def in_flight(self):
        """What one request in flight costs. Not part of `make bench`."""
        import backlog
        self.results["in_flight"] = backlog.measure_in_flight(self)

    def away(self):
        """Resident memory while Kafka is away, for AWAY_SECONDS (240)."""
        import backlog
        self.results["away"] = backlog.measure_away(self)

    # --- all

    def report(self):
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(self.results, indent=2) + "\n")
        print(json.dumps({name: part for name, part in self.results.items() if name != "lean"}, indent=2))
        missed = []
        if "lean" in self.results:
            from lean_report import targets
            missed += [f"{what}: {figure}, the target is {limit}"
                       for what, figure, limit, is_met in targets(self.results["lean"]) if not is_met]
        missed += self._missed_backlog()
        for line in missed:
            print(f"MISSED {line}", file=sys.stderr)
        return 1 if missed else 0


    def _missed_backlog(self):
        backlog, away = self.results.get("backlog"), self.results.get("away")
        if backlog:
            rate = max(one["rows_per_s"] for one in backlog["drain"])
            if rate < 60_000 and max(backlog["ratio"]) < 1:
                yield f"backlog: {rate:,.0f} rows/s, the target is 60,000 or what kcat does"
            if min(one["start_s"] for one in backlog["drain"]) >= 1:
                yield "backlog: a start takes a second"
        if away and max(one["resident_mib"] for one in away["curve"]) > 64:
            yield "away: more than 64 MiB"


def main():
    names = sys.argv[1:] or ["lean"]
    bench = Bench()
    try:
        for name in names:
            getattr(bench, name)()
        return bench.report()
    finally:
        bench.session.close()


if __name__ == "__main__":
    sys.exit(main())
