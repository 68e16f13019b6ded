"""What a check costs, and whether checks are on time: the figures of the first part of docs/benchmarks.md.

The client has core 0, the servers (nginx, the broker, hostile sites) core 1. What is compared is measured in turn,
round by round, so that a machine that is busy otherwise slows down all of it; a row is a median of rounds.
"""
import http.client
import json
import os
import re
import statistics
import threading
import time
from pathlib import Path

from confluent_kafka import Consumer
from lean_report import publish
from parts import PAGE_SITE, Nginx, cpu_seconds, first, free_port, resident_mib, thread_seconds
from support.certs import Authority
from support.kafka import Kafka
from support.processes import ROOT, Process, accepts, clean_environment, run, wait_until

CLIENTS = ROOT / "build/bench"
SYSTEM_CA = Path("/etc/ssl/certs/ca-certificates.crt")
ROUNDS = int(os.environ.get("LEAN_ROUNDS", "3"))
SECONDS = float(os.environ.get("LEAN_SECONDS", "4"))  # of each measurement that is compared
IN_FLIGHT = 200                                       # of a bare client that goes as fast as it can
TLS_RATE = 500
HOSTILE = ("silent", "drip", "headers", "line", "body", "chunks", "interim", "reset", "bomb", "short", "loop")
# name, sites, interval in seconds, how long it is looked at
SCALES = (("1 k", 1_000, 1, 10), ("10 k", 10_000, 10, 20), ("100 k", 100_000, 60, 60), ("1 M", 1_000_000, 600, 15))


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values), "all": values}


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0


class Daemon:
    """A producer that checks some sites, on a topic of its own."""

    def __init__(self, lean, name, lines, *more, core=0, env=None):
        self.lean = lean
        self.topic = lean.kafka.create_topic(name, partitions=3)
        self.place = lean.bench.websentry(name)
        sites = self.place.write("sites.yaml", "sites:\n" + lines)
        prefix = first(core) if core is not None else first("0,1")
        self.began = time.monotonic()
        self.process = self.place.start("producer", "--sites", sites, "--kafka-servers", lean.kafka.servers,
                                        "--kafka-topic", self.topic, "--data-dir", self.place.data_dir(), *more,
                                        prefix=prefix, env=env)

    @property
    def pid(self):
        return self.process.pid

    def delivered(self):
        return self.lean.kafka.count(self.topic)

    def wait_delivered(self, count, timeout=120):
        wait_until(lambda: self.delivered() >= count, f"{count} reports", timeout, 0.1)

    def measure(self, seconds):
        """Checks that arrive in the time, and what they cost, by thread."""
        count, before, began = self.delivered(), thread_seconds(self.pid), time.monotonic()
        time.sleep(seconds)
        checks, after = self.delivered() - count, thread_seconds(self.pid)
        took = time.monotonic() - began
        threads = {name: (after[name] - before.get(name, 0)) * 1e6 / checks for name in after}
        return {"us": sum(threads.values()), "rate": checks / took, "threads_us": threads,
                "cores": sum(threads.values()) * checks / 1e6 / took}

    def stop(self):
        self.process.stop(timeout=30)

    def reports(self):
        """Every report in the topic, as objects."""
        consumer = Consumer({"bootstrap.servers": self.lean.kafka.servers, "group.id": f"bench-{self.topic}",
                             "auto.offset.reset": "earliest", "enable.auto.commit": False})
        consumer.subscribe([self.topic])
        left, found = self.delivered(), []
        while left > len(found):
            messages = consumer.consume(5000, 10)
            assert messages, f"{len(found)} of {left} reports"
            found += [json.loads(message.value()) for message in messages if message.error() is None]
        consumer.close()
        return found


class Lean:
    def __init__(self, bench):
        self.bench = bench
        session = bench.session
        self.folder = session.new_folder("lean")
        authority = Authority(self.folder, "Bench authority")
        self.ca_file = self.folder / "authorities.pem"  # the system's and one more
        self.ca_file.write_bytes(SYSTEM_CA.read_bytes() + authority.ca_file.read_bytes())
        self.ca_count = self.ca_file.read_text().count("BEGIN CERTIFICATE")
        self.nginx = Nginx(session, authority.issue())
        self.kafka = Kafka(session, Authority(session.new_folder("authority")))
        for broker in self.kafka.brokers:
            os.system(f"taskset -a -cp 1 {broker.process.pid} >/dev/null")
            if os.geteuid() == 0:
                for task in Path(f"/proc/{broker.process.pid}/task").iterdir():
                    os.setpriority(os.PRIO_PROCESS, int(task.name), -10)
        self.hostile_port = free_port()
        self.hostile = Process([*first(1), ROOT / "bench/hostile_sites.py", self.hostile_port],
                               env=clean_environment(session, self.folder), cwd=self.folder,
                               log=self.folder / "hostile")
        wait_until(lambda: accepts(self.hostile_port), "hostile sites")
        self.number = 0
        self.results = {"rounds": ROUNDS, "seconds": SECONDS, "authorities": self.ca_count}

    def close(self):
        self.hostile.kill()
        self.kafka.kill()
        self.nginx.process.kill()

    def _name(self, word):
        self.number += 1
        return f"{word}{self.number}"

    # --- what stands beside us

    def _bare(self, program, *words):
        done = run([*first(0), CLIENTS / program, *words], timeout=300)
        return float(re.search(r"failed, ([\d.]+) us", done.stdout)[1])

    def _multi(self, rate, count, is_tls=False):
        words = (self.nginx.tls_url(0), self.ca_file) if is_tls else (self.nginx.url(0), "-")
        return self._bare("multi_client", *words, count, IN_FLIGHT, rate)

    def _raw(self, rate, count, is_tls=False):
        if is_tls:
            return self._bare("tls_client", "127.0.0.1", self.nginx.tls_port, self.ca_file, count, IN_FLIGHT, rate)
        return self._bare("epoll_client", "127.0.0.1", self.nginx.port, count, IN_FLIGHT, rate)

    def _start_blackbox(self):
        config = self.folder / "blackbox.yml"
        module = ("  {name}: {{prober: http, timeout: 10s, http: {{preferred_ip_protocol: ip4, "
                  "fail_if_body_not_matches_regexp: ['id=\"([^\"]+)\"']}}}}\n")
        config.write_text("modules:\n" + module.format(name="page"))
        self.blackbox_port = free_port()
        self.blackbox = Process([*first(0), "prometheus-blackbox-exporter", f"--config.file={config}",
                                 f"--web.listen-address=127.0.0.1:{self.blackbox_port}", "--log.level=error"],
                                # not as the module's ca_file, which it reads again for each probe: 15 ms
                                env=clean_environment(self.bench.session, self.folder, SSL_CERT_FILE=self.ca_file),
                                cwd=self.folder, log=self.folder / "blackbox.out")
        wait_until(lambda: accepts(self.blackbox_port), "blackbox_exporter")

    def _blackbox(self, url, count, at_once=8, rate=0):
        """CPU of a probe of blackbox_exporter's, asked over connections that stay open, as Prometheus does: so many at
        once as fast as it can, or so many a second."""
        path = f"/probe?module=page&target={url}"
        os.sched_setaffinity(0, {1})

        def ask(number, times, every_s):
            connection = http.client.HTTPConnection("127.0.0.1", self.blackbox_port)
            began = time.monotonic() + number * every_s / at_once
            for turn in range(times):
                time.sleep(max(0, began + turn * every_s - time.monotonic()))
                connection.request("GET", path)
                assert b"probe_success 1" in connection.getresponse().read()
            connection.close()

        def ask_all(times):
            every_s = at_once / rate if rate else 0
            threads = [threading.Thread(target=ask, args=(number, times // at_once, every_s))
                       for number in range(at_once)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        ask_all(400)
        before = cpu_seconds(self.blackbox.pid)
        ask_all(count)
        spent = cpu_seconds(self.blackbox.pid) - before
        os.sched_setaffinity(0, set(range(os.cpu_count())))
        return spent * 1e6 / (count // at_once * at_once)

    # --- CPU a check

    def _producer(self, rate, url, env=None):
        """A daemon with so many sites at a second each, from its second round on."""
        lines = "".join(PAGE_SITE.format(url=url(i), interval="1s") for i in range(rate))
        daemon = Daemon(self, self._name("lean"), lines, env=env)
        daemon.wait_delivered(rate)
        measured = daemon.measure(SECONDS)
        daemon.stop()
        return measured

    def _compare(self, rate, is_tls):
        count = int(rate * SECONDS)
        env = {"SSL_CERT_FILE": self.ca_file} if is_tls else None
        rows = {"producer": [], "multi": [], "raw": [], "rate": [], "threads_us": []}
        for _ in range(ROUNDS):
            measured = self._producer(rate, self.nginx.tls_url if is_tls else self.nginx.url, env)
            rows["producer"].append(measured["us"])
            rows["rate"].append(measured["rate"])
            rows["threads_us"].append(measured["threads_us"])
            rows["multi"].append(self._multi(rate, count, is_tls))
            rows["raw"].append(self._raw(rate, count, is_tls))
        return rows

    def compare(self, rates, is_tls):
        """Rows of CPU µs a check, at each pace, as fast as they can, and of blackbox_exporter; ratios of each round."""
        kind = "tls" if is_tls else "plain"
        out = {}
        for rate in rates:
            rows = self._compare(rate, is_tls)
            out[str(rate)] = {
                **{name: spread(rows[name]) for name in ("producer", "multi", "raw", "rate")},
                "threads_us": rows["threads_us"][-1],
                **{f"ratio_{name}": spread([a / b for a, b in zip(rows["producer"], rows[name], strict=True)])
                   for name in ("multi", "raw")}}
        count = 3000 if is_tls else 20_000
        out["flat_out"] = {"multi": spread([self._multi(0, count, is_tls) for _ in range(ROUNDS)]),
                           "raw": spread([self._raw(0, count, is_tls) for _ in range(ROUNDS)])}
        self._start_blackbox()
        url = self.nginx.tls_url(0) if is_tls else self.nginx.url(0)
        slowest = min(rates)
        asked = {"flat_out": (2000,), "one_by_one": (1000, 1), "paced": (int(slowest * SECONDS), 8, slowest)}
        out["blackbox"] = {way: spread([self._blackbox(url, *how) for _ in range(ROUNDS)])
                           for way, how in asked.items()}
        self.blackbox.kill()
        self.results[kind] = out

    def plain(self):
        self.compare((500, 2000, 5000), is_tls=False)

    def tls(self):
        self.compare((TLS_RATE,), is_tls=True)

    # --- many sites

    def _watch(self, count, interval, seconds, hostile=0):
        lines = [PAGE_SITE.format(url=self.nginx.url(i), interval=f"{interval}s") for i in range(count - hostile)]
        for i in range(hostile):
            url = f"http://127.0.0.1:{self.hostile_port}/{HOSTILE[i % len(HOSTILE)]}/{i}"
            lines.append(PAGE_SITE.format(url=url, interval=f"{interval}s"))
        daemon = Daemon(self, self._name("scale"), "".join(lines))
        lines.clear()
        daemon.process.wait_ready(120)
        load_s, loaded_mib = cpu_seconds(daemon.pid), resident_mib(daemon.pid)
        time.sleep(2)
        measured = daemon.measure(seconds)
        rss_mib = resident_mib(daemon.pid)
        daemon.stop()
        # By the schedule: what was due within the seconds before the last report. The first two seconds fill caches.
        reports = daemon.reports()
        first_at = min(report["scheduled_at"] for report in reports)
        others = [report for report in reports if f":{self.hostile_port}/" not in report["url"]]
        late_ms = [report["late_us"] / 1000 for report in others if report["scheduled_at"] > _later(first_at, 2)]
        return {"sites": count, "interval_s": interval, "checks": len(late_ms), "load_cpu_s": load_s,
                "loaded_mib": loaded_mib, "resident_mib": rss_mib, "us": measured["us"], "cores": measured["cores"],
                "rate": measured["rate"], "late_p50_ms": percentile(late_ms, 0.5),
                "late_p99_ms": percentile(late_ms, 0.99), "late_max_ms": max(late_ms),
                "missed": sum(report["missed"] for report in others),
                "not_up": sum(report["outcome"] != "up" for report in others),
                "hostile_up": sum(report["outcome"] == "up" for report in reports) -
                sum(report["outcome"] == "up" for report in others)}

    def scale(self):
        """Sites by the thousand to a million: lateness, misses, memory, CPU."""
        self.results["scale"] = {name: self._watch(*rest) for name, *rest in SCALES}

    def hostile_sites(self):
        """100 hostile sites among 10,000, beside the same without: by how much the others are late."""
        rounds = []
        for _ in range(max(1, ROUNDS - 1)):
            rounds.append({"without": self._watch(10_000, 10, 15), "with": self._watch(10_000, 10, 15, hostile=100)})
        self.results["hostile"] = {
            "behaviours": HOSTILE, "rounds": rounds,
            "p99_shift_ms": spread([one["with"]["late_p99_ms"] - one["without"]["late_p99_ms"] for one in rounds])}

    def growth(self):
        """CPU by checks a second, with 10,000 sites."""
        points = []
        for rate in (100, 500, 1000, 3000):
            lines = "".join(PAGE_SITE.format(url=self.nginx.url(i), interval=f"{max(1, rate // 100)}s")
                            for i in range(rate * max(1, rate // 100)))
            daemon = Daemon(self, self._name("growth"), lines)
            daemon.wait_delivered(rate)
            points.append(daemon.measure(6))
            daemon.stop()
        self.results["growth"] = points

    # --- threads

    def threads(self):
        """Throughput of one prober and of two, of checks that cost the prober much and the server little: each page is
        searched for sixty patterns (a site may have 64) that nearly match. Both cores are the prober's; the servers
        take what they need. More is due than any machine gets done."""
        rules = ", ".join(f"'x[x0-9]{{0,{i // 20 + 3}}}[a-{chr(98 + i % 20)}]>'" for i in range(60))
        site = "- {{url: '{url}', interval: 300ms, timeout: 300ms, fail_if_body_matches_regexp: [{rules}]}}\n"
        lines = "".join(site.format(url=self.nginx.url(i), rules=rules) for i in range(2000))
        rows = {1: [], 2: []}
        for _ in range(ROUNDS):
            for count, row in rows.items():
                daemon = Daemon(self, self._name("threads"), lines, "--threads", count, core=None)
                daemon.wait_delivered(1000)
                row.append(daemon.measure(SECONDS))
                daemon.stop()
        self.results["threads"] = {
            str(count): {name: spread([one[name] for one in row]) for name in ("rate", "us", "cores")}
            for count, row in rows.items()}
        self.results["threads"]["gain"] = spread([two["rate"] / one["rate"] for one, two in
                                                  zip(rows[1], rows[2], strict=True)])


def _later(stamp, seconds):
    """An RFC 3339 time so many seconds later, to compare with others as text."""
    from datetime import datetime, timedelta
    at = datetime.fromisoformat(stamp) + timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


PARTS = ("plain", "tls", "scale", "hostile_sites", "growth", "threads")


def measure(bench):
    lean = Lean(bench)
    try:
        for name in os.environ.get("LEAN_PARTS", " ".join(PARTS)).split():
            began = time.monotonic()
            getattr(lean, name)()
            lean.results.setdefault("took_s", {})[name] = round(time.monotonic() - began)
            print(f"# {name}: {time.monotonic() - began:.0f} s", flush=True)
    finally:
        lean.close()
    lean.results["machine"] = bench.results["machine"]
    lean.results["load"] = os.getloadavg()[0]
    publish(lean.results, is_whole=set(PARTS) <= set(lean.results["took_s"]))
    return lean.results
