"""What happens when Kafka was away for long: how a backlog drains, and what the producer holds in memory meanwhile.

The same messages go into the same broker by kcat, in turn with us: what it takes on this machine, in this minute.
"""
import json
import os
import resource
import shutil
import statistics
import time
from datetime import datetime

from parts import PAGE_SITE, Nginx, busiest_thread_seconds, cpu_seconds, peak_mib, pinned, resident_mib
from support.certs import Authority
from support.kafka import Kafka
from support.processes import ROOT, run, wait_until
from support.scrape import Scrape

ROWS = int(os.environ.get("BACKLOG", "5000000"))
ROUNDS = int(os.environ.get("BACKLOG_ROUNDS", "2"))
PARTITIONS = int(os.environ.get("BACKLOG_PARTITIONS", "3"))
PROPERTIES = os.environ.get("BACKLOG_PROPERTIES", "").split()  # of librdkafka, of ours: for finding out
LIVE_SITES = 500            # a check a second each, while a backlog drains
AWAY_SITES = 10_000
AWAY_SECONDS = int(os.environ.get("AWAY_SECONDS", "240"))
AWAY_INTERVAL_S = int(os.environ.get("AWAY_INTERVAL", "5"))  # 2,000 checks a second


def sites_file(websentry, nginx, count, interval):
    return websentry.write("sites.yaml", "sites:\n" + "".join(
        PAGE_SITE.format(url=nginx.url(i), interval=interval) for i in range(count)))


class Backlog:
    def __init__(self, bench):
        self.bench = bench
        self.nginx = Nginx(bench.session)
        self.kafka = Kafka(bench.session, Authority(bench.session.new_folder("authority")))
        for broker in self.kafka.brokers:
            os.system(f"taskset -a -cp 1 {broker.process.pid} >/dev/null")
        self.folder = bench.session.new_folder("backlog")
        self.data, self.messages = self.folder / "data", self.folder / "messages"
        self.data.mkdir()
        run([ROOT / "build/bench/outbox_bench", "fill", self.data, ROWS, self.messages], timeout=3600)
        self.topics = 0

    def close(self):
        shutil.rmtree(self.folder)
        self.kafka.kill()
        self.nginx.process.kill()

    def _topic(self):
        self.topics += 1
        return self.kafka.create_topic(f"backlog{self.topics}", partitions=PARTITIONS)

    def _done(self, topic, rows):
        found = self.kafka.count(topic)
        assert rows <= found <= rows + 20_000, f"{topic}: {found}"
        self.kafka.delete_topic(topic)

    def kcat(self, *properties):
        """Rows a second and CPU a row of kcat as it comes, waiting for all replicas as we do."""
        topic = self._topic()
        words = [word for one in ("acks=all", *properties) for word in ("-X", one)]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        run([*pinned(0), "kcat", "-P", "-q", "-b", self.kafka.servers, "-t", topic, "-K", "\t", "-z", "lz4", *words,
             "-l", self.messages], timeout=3600)
        seconds = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self._done(topic, ROWS)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"rows_per_s": ROWS / seconds, "cpu_us": cpu * 1e6 / ROWS}

    def drain(self, sites, rest_s=0):
        """Start a producer on a copy of the backlog, and look until nothing waits; then rest_s more without one."""
        topic, live = self._topic(), self.kafka.create_topic(f"live{self.topics}")
        websentry = self.bench.websentry(f"backlog{self.topics}")
        data = websentry.data_dir()
        shutil.copytree(self.data, data, dirs_exist_ok=True)
        words = [word for one in PROPERTIES for word in ("--kafka-property", one)]
        file = sites_file(websentry, self.nginx, sites, "1s")
        began = time.monotonic()
        producer = websentry.start("producer", "--sites", file, "--kafka-servers", self.kafka.servers,
                                   "--kafka-topic-success", live, "--kafka-topic-failure", topic, "--data-dir", data,
                                   "--outbox-max", 2 * ROWS + 1_000_000, "--listen", "127.0.0.1:0", *words,
                                   prefix=pinned(0))
        producer.wait_ready(60)
        ready, ready_at, cpu = time.monotonic(), time.time(), cpu_seconds(producer.pid)
        wait_until(lambda: Scrape(producer)["outbox_rows"] < sites + 10, "the backlog", 3600, 0.1)
        drained, drained_at, cpu = time.monotonic(), time.time(), cpu_seconds(producer.pid) - cpu
        time.sleep(rest_s)
        result = {"start_s": ready - began, "rows_per_s": ROWS / (drained - ready), "cpu_us": cpu * 1e6 / ROWS,
                  "busiest_thread_us": busiest_thread_seconds(producer.pid) * 1e6 / ROWS,
                  "peak_mib": peak_mib(producer.pid)}
        producer.stop(timeout=60)
        if rest_s > 0:
            result |= self._lateness(live, ready_at, drained_at)
        self._done(topic, ROWS)
        self.kafka.delete_topic(live)
        return result

    def _lateness(self, topic, began, ended):
        """How late the checks started, while the backlog drained and after it; the first seconds start all sites."""
        parts = {"draining": [], "quiet": []}
        for message in self.kafka.messages(topic, timeout=600):
            report = json.loads(message.value)
            at = datetime.fromisoformat(report["scheduled_at"]).timestamp()
            if began + 3 < at < ended - 1:
                parts["draining"].append(report["late_us"])
            elif at > ended + 1:
                parts["quiet"].append(report["late_us"])
        return {name: {"checks": len(late), "p50_us": statistics.median(late),
                       "p99_us": sorted(late)[len(late) * 99 // 100], "max_us": max(late)}
                for name, late in parts.items()}


def measure(bench):
    backlog = Backlog(bench)
    result = {"rows": ROWS, "partitions": PARTITIONS, "rounds": ROUNDS, "kcat": [], "drain": []}
    result["properties"] = PROPERTIES
    for _ in range(ROUNDS):
        result["kcat"].append(backlog.kcat())
        result["drain"].append(backlog.drain(1))
    result["ratio"] = [one["rows_per_s"] / other["rows_per_s"]
                       for one, other in zip(result["drain"], result["kcat"], strict=True)]
    result["on_time"] = backlog.drain(LIVE_SITES, 30)
    backlog.close()
    return result


def measure_in_flight(bench):
    """What one request in flight costs, and what makes up for it: kcat with our settings but for one or the other."""
    backlog = Backlog(bench)
    ours = ("enable.idempotence=true", "max.in.flight=1", "queue.buffering.max.messages=10000",
            "queue.buffering.max.kbytes=16384", "linger.ms=10", "batch.size=262144")
    variants = {"as it comes": (), "ours": ours, "ours, 5 in flight": (*ours, "max.in.flight=5"),
                "ours, batches of 1 MB": (*ours, "batch.size=1000000"),
                "ours, batches of 1 MB, a queue of 32 MiB": (*ours, "batch.size=1000000",
                                                             "queue.buffering.max.messages=50000",
                                                             "queue.buffering.max.kbytes=32768"),
                "ours, a queue of 100,000": (*ours, "queue.buffering.max.messages=100000",
                                             "queue.buffering.max.kbytes=65536")}
    result = {"rows": ROWS, "partitions": PARTITIONS,
              "kcat": {name: [backlog.kcat(*words) for _ in range(ROUNDS)]
                       for name, words in variants.items()}}
    backlog.close()
    return result


def measure_away(bench):
    """Resident memory while nobody takes the reports: a sample each ten seconds."""
    nginx = Nginx(bench.session)
    websentry = bench.websentry("away")
    producer = websentry.start("producer", "--sites", sites_file(websentry, nginx, AWAY_SITES, f"{AWAY_INTERVAL_S}s"),
                               "--kafka-servers", "127.0.0.1:9", "--data-dir", websentry.data_dir(), "--outbox-max",
                               100_000_000, "--listen", "127.0.0.1:0", prefix=pinned(0))
    producer.wait_ready(60)
    began, curve = time.monotonic(), []
    while time.monotonic() - began < AWAY_SECONDS:
        time.sleep(10)
        curve.append({"s": round(time.monotonic() - began), "rows": int(Scrape(producer)["outbox_rows"]),
                      "resident_mib": round(resident_mib(producer.pid), 1)})
    producer.stop(timeout=60)
    nginx.process.kill()
    return {"sites": AWAY_SITES, "curve": curve}
