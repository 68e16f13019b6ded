"""Everything that runs: brokers, PostgreSQL, the site, the proxy between them, producers, consumers. Real processes."""
import ctypes
import json
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import psycopg
from support.certs import Authority
from support.kafka import Kafka
from support.postgres import Postgres
from support.processes import BUILD, Process, clean_environment, free_ports, run, wait_until

from chaos.schedule import BROKERS, CONSUMERS, POSTGRES, PRODUCERS, link_names

PARTS = BUILD / "tests/chaos"
GROUP = "websentry"
TOPICS = {"success": "chaos-success", "failure": "chaos-failure"}
DISK_BYTES = {"outbox": 1 << 30, "postgres": 8 << 30}
PATTERN = "nonce=(n[0-9]+) "
MS_REMOUNT = 32
_LIBC = ctypes.CDLL(None, use_errno=True)


class Disk:
    """A small file system of its own (tmpfs), which can be full. The session's reaper unmounts it."""

    def __init__(self, folder, size):
        self.folder = folder
        self.size = size
        folder.mkdir()
        run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "chaos", folder])

    def fill(self):
        """Full at once: it may be as large as it is used. Whoever writes meanwhile makes that too small: look again."""
        for attempt in range(1000):
            found = os.statvfs(self.folder)
            used = (found.f_blocks - found.f_bfree) * found.f_frsize
            if self._resize(max(used, 4096) + attempt * 4096):
                return
        raise AssertionError(f"{self.folder} can't be filled")

    def free(self):
        if not self._resize(self.size):
            raise AssertionError(f"{self.folder} can't be freed")

    def _resize(self, size):
        """The system call itself, because a mount(8) takes long enough for others to write."""
        return _LIBC.mount(b"chaos", bytes(self.folder), b"tmpfs", MS_REMOUNT, f"size={size}".encode()) == 0


class Proxy:
    """The process of proxy.py."""

    def __init__(self, session, folder):
        self._child = subprocess.Popen([sys.executable, Path(__file__).with_name("proxy.py")], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=(folder / "proxy.log").open("ab"), text=True,
                                       env=clean_environment(session, folder))

    def tell(self, link, **words):
        """Its port."""
        self._child.stdin.write(json.dumps({"link": link, **words}) + "\n")
        self._child.stdin.flush()
        return json.loads(self._child.stdout.readline())["port"]


class Place:
    """A session as Postgres wants it, with its folder on a disk of ours."""

    def __init__(self, session, disk):
        self.mark = session.mark
        self._disk = disk

    def new_folder(self, name):
        folder = self._disk.folder / name
        folder.mkdir()
        return folder


class Member:
    """A producer or consumer: a command that is started again and again."""

    def __init__(self, world, name, words, data_dir=None):
        self.world = world
        self.name = name
        self.words = [str(word) for word in words]
        self.data_dir = data_dir
        self.log = world.folder / f"{name}.log"
        self.clock = world.folder / f"{name}.clock"
        self.set_clock(0)
        self.process = None
        self.is_wanted = False   # should be running: an end that nobody asked for is a finding
        self.is_stopped = False
        self.since = 0.0         # monotonic, of the last start
        self.log_from = 0        # where in the log the last start's lines begin

    def set_clock(self, seconds):
        with self.clock.open("r+b" if self.clock.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))

    def start(self):
        env = {"CHAOS_CLOCK": self.clock, "LD_PRELOAD": PARTS / "chaos_clock.so",
               "XDG_STATE_HOME": self.world.folder / "state"}
        self.log_from = self.log.stat().st_size if self.log.exists() else 0
        self.process = Process([self.world.program, *self.words], cwd=self.world.folder, log=self.log,
                               env=clean_environment(self.world.session, self.world.folder, **env))
        self.is_wanted = True
        self.is_stopped = False
        self.since = time.monotonic()

    def is_running(self):
        return self.process is not None and self.process.is_running()

    def kill(self):
        self.is_wanted = False
        self.is_stopped = False
        self.process.kill()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)
        self.is_stopped = True

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)
        self.is_stopped = False

    def ask_to_end(self):
        self.is_wanted = False
        self.process.send_signal(signal.SIGTERM)

    def ended_well(self):
        """After ask_to_end(): orderly, killed, or by the signal itself where that came before it had begun to work."""
        code = self.process.returncode
        has_begun = self.log.stat().st_size > self.log_from
        return code in (0, -signal.SIGKILL) or (code == -signal.SIGTERM and not has_begun)


class World:
    def __init__(self, session, program, *, sites, interval_s, disks):
        self.session = session
        self.program = Path(program).resolve()
        self.folder = session.new_folder("chaos")
        self.sites = sites          # a producer
        self.interval_s = interval_s
        self.disks = {}
        self.has_disks = disks
        self.members = {}
        self.proxy = Proxy(session, self.folder)
        self.links = {name: self.proxy.tell(name) for name in link_names()}
        self._start_site()
        self._start_postgres()
        self._start_kafka()

    # --- servers

    def _start_site(self):
        self.site_log = self.folder / "site.log"
        self.site = Process([PARTS / "chaos_site", self.site_log], cwd=self.folder, log=self.folder / "site.port",
                            env=clean_environment(self.session, self.folder))
        text = wait_until(lambda: self.site.output().strip(), "the site's port")
        self.base_url = f"http://127.0.0.1:{int(text)}"

    def _disk(self, name, size):
        folder = self.folder / f"disk-{name}"
        if self.has_disks:
            self.disks[name] = Disk(folder, size)
        else:
            folder.mkdir()
        return folder

    def _start_postgres(self):
        folder = self._disk(POSTGRES, DISK_BYTES["postgres"])
        place = Place(self.session, type("Folder", (), {"folder": folder}))
        # A kill -9 may come between the halves of a page.
        self.postgres = Postgres(place, max_wal_size="128MB", min_wal_size="32MB", full_page_writes="on")
        self.database = self.postgres.create_database("chaos")
        for name in (*CONSUMERS, "consumer-4"):
            self.proxy.tell(f"{name}>{POSTGRES}", target=self.postgres.port)

    def _broker_properties(self, broker):
        """Three more listeners, so that producers, consumers and brokers each come through links of their own. The
        plain one, which nothing stands in front of, is for the oracle."""
        name = BROKERS[broker.node_id - 1]
        real = dict(zip(("PRODUCERS", "CONSUMERS", "BROKERS"), free_ports(3), strict=True))
        for listener, port in real.items():
            self.proxy.tell(f"{listener.lower()}>{name}", target=port)
        self.proxy.tell(f"controllers>{name}", target=broker.controller_port)
        advertised = {listener: self.links[f"{listener.lower()}>{name}"] for listener in real}

        def as_text(ports):
            return ",".join(f"{listener}://127.0.0.1:{port}" for listener, port in ports.items())

        plain = {"PLAIN": broker.plain_port}
        controller = {"CONTROLLER": broker.controller_port}
        return {
            "listeners": as_text(plain | real | controller),
            "advertised.listeners": as_text(plain | advertised),
            "listener.security.protocol.map": ",".join(
                f"{listener}:PLAINTEXT" for listener in (*plain, *real, *controller)),
            "inter.broker.listener.name": "BROKERS",
            "controller.quorum.voters": ",".join(
                f"{number}@127.0.0.1:{self.links[f'controllers>{one}']}" for number, one in enumerate(BROKERS, 1)),
            "replica.lag.time.max.ms": 5000,
            "log.segment.bytes": 32 << 20,
        }

    def _start_kafka(self):
        self.kafka = Kafka(self.session, Authority(self.session.new_folder("authority")), brokers=len(BROKERS),
                           properties=self._broker_properties)
        for topic in TOPICS.values():
            self.kafka.create_topic(topic, partitions=3)

    def servers(self, party):
        return ",".join(f"127.0.0.1:{self.links[f'{party}>{broker}']}" for broker in BROKERS)

    def broker(self, name):
        return self.kafka.brokers[BROKERS.index(name)]

    # --- the program

    def _kafka_words(self, party):
        return ["--kafka-servers", self.servers(party), "--kafka-topic-success", TOPICS["success"],
                "--kafka-topic-failure", TOPICS["failure"], "--kafka-property",
                "topic.metadata.refresh.interval.ms=2000", "--kafka-property", "reconnect.backoff.max.ms=1000"]

    def start_program(self):
        for name in (*CONSUMERS, "consumer-4"):
            dsn = self.database.dsn.replace(f":{self.postgres.port}/", f":{self.links[f'{name}>{POSTGRES}']}/")
            self.members[name] = Member(self, name, [
                "consumer", *self._kafka_words("consumers"), "--kafka-group", GROUP, "--database-dsn", dsn,
                "--kafka-property", "session.timeout.ms=6000", "--kafka-property", "heartbeat.interval.ms=1500"])
        for name in CONSUMERS:
            self.members[name].start()
        for name in PRODUCERS:
            file = self.folder / f"{name}.yaml"
            # JSON is YAML. The path tells which producer asked, and the number how the page behaves.
            file.write_text(json.dumps({"sites": [
                {"url": f"{self.base_url}/{name}/{number}", "name": f"/{name}/{number}", "pattern": PATTERN}
                for number in range(self.sites)]}))
            data_dir = self._disk(name, DISK_BYTES["outbox"])
            self.members[name] = Member(self, name, [
                "producer", "--sites", file, "--interval", f"{self.interval_s}s", "--timeout", f"{self.interval_s}s",
                "--data-dir", data_dir, "--location", name, *self._kafka_words("producers")], data_dir)
            self.members[name].start()

    def wait_stored(self, count, timeout=90):
        """Until so many reports are in the store: the pipeline works, and the nemesis may begin."""
        def stored():
            try:
                return self.database.one("SELECT count(*) FROM report") >= count
            except psycopg.Error:
                return False

        wait_until(stored, f"{count} reports stored", timeout, step=0.25)

    def start_flush(self, name, wait_s):
        """Start an ended producer with --once, which also sends what an earlier process left."""
        member = self.members[name]
        member.words += ["--once", f"--once-wait={wait_s:.0f}s"]
        member.start()
        member.is_wanted = False

    def put_aside(self, name):
        """Files of reports that a producer gave up, because Kafka refuses them."""
        folder = self.members[name].data_dir / "quarantine"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def audit(self):
        """What `websentry audit` says, past the proxy: its exit code, and its JSON."""
        done = run([self.program, "audit", "--json", "--hole-after", "1s", "--database-dsn", self.database.dsn],
                   env=clean_environment(self.session, self.folder), cwd=self.folder, timeout=300, check=False)
        if done.returncode not in (0, 1):
            raise AssertionError(f"audit ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.returncode, json.loads(done.stdout)

    def lag(self):
        return sum(self.kafka.lag(GROUP, topic) for topic in TOPICS.values())
