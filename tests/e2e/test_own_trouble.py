"""What is the prober's own trouble is never a site's: stopped, starved and cut off it calls nobody down."""
import datetime
import signal
import sqlite3
import threading
import time

import pytest
import yaml
from support.island import Islands
from support.nameserver import NameServer
from support.processes import wait_until
from support.sites import Answer, SiteServer

OURS = ("prober_overloaded", "prober_offline")


def start(websentry, entries, prefix=(), **defaults):
    file = websentry.write("sites.yaml", yaml.safe_dump({"defaults": defaults, "sites": entries}))
    running = websentry.start("run", "--sites", file, "--data-dir", websentry.data_dir(), "--listen", "127.0.0.1:0",
                              prefix=prefix)
    running.wait_ready()
    return running


def reports(websentry):
    """All that are stored, in the order of their starts."""
    database = websentry.data_dir() / "websentry.db"
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute("SELECT * FROM report_view ORDER BY started_at")]
    finally:
        connection.close()


def wait_for_rounds(websentry, names, outcome, count=2):
    """Until each of these sites has had so many more reports of this outcome."""
    def look():
        found = [report["site"] for report in reports(websentry)[before:] if report["outcome"] == outcome]
        return all(found.count(name) >= count for name in names)

    before = len(reports(websentry))
    wait_until(look, f"{count} more reports that say {outcome} of {names}", 60, step=0.2)


class Pulse:
    """Notes when this process, in which the sites live, was itself kept from working: then they were really away."""

    def __init__(self):
        self.gaps = []  # (from, to), time.time()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="pulse")
        self._thread.start()

    def _beat(self):
        last = time.time()
        while not self._is_over.wait(0.02):
            now = time.time()
            if now - last > 0.3:
                self.gaps.append((last, now))
            last = now

    def was_away(self, report):
        start = datetime.datetime.fromisoformat(report["started_at"]).timestamp()
        end = start + report["total_us"] / 1e6
        return any(start < gap_end and gap_start < end for gap_start, gap_end in self.gaps)

    def close(self):
        self._is_over.set()
        self._thread.join()


@pytest.fixture(autouse=True)
def pulse():
    made = Pulse()
    yield made
    made.close()


def judge(found, pulse):
    """No false `down`, and what is our own trouble says so."""
    assert [(report["site"], report["started_at"], report["reason"], report["message"], report["late_us"])
            for report in found if report["outcome"] not in ("up", "unknown") and not pulse.was_away(report)] == []
    for report in found:
        if report["outcome"] == "unknown":
            assert report["reason"] in OURS and report["suspect"] == 1 and report["message"], report


def test_a_stopped_prober_calls_nobody_down(websentry, sites, pulse):
    """Stopped for longer than the timeout, again and again, while its sites answer as ever."""
    entries = [{"name": f"{kind} {number}", "url": sites.site(f"/{kind}/{number}", answer).url}
               for number in range(5)
               for kind, answer in (("quick", Answer()), ("slow", Answer(delay_s=0.3)),
                                    ("dripping", Answer(body="x" * 10, drip_s=0.03)))]
    names = [entry["name"] for entry in entries]
    running = start(websentry, entries, interval="1500ms", timeout="1500ms")
    wait_for_rounds(websentry, names, "up", 1)
    for _ in range(3):
        running.send_signal(signal.SIGSTOP)
        time.sleep(2)
        running.send_signal(signal.SIGCONT)
        time.sleep(0.7)
    wait_for_rounds(websentry, names, "up", 1)
    running.stop()
    found = reports(websentry)
    judge(found, pulse)
    assert any(report["suspect"] for report in found)
    # what was not checked meanwhile is counted, and not made up for
    assert sum(report["missed"] for report in found) >= len(names)
    starts = {name: [report for report in found if report["site"] == name] for name in names}
    for name, own in starts.items():
        assert len({report["scheduled_at"] for report in own}) == len(own), name


@pytest.mark.parametrize("seconds", [5, pytest.param(20, marks=pytest.mark.deep)])
def test_a_starved_prober_calls_nobody_down(websentry, sites, pulse, seconds):
    """It runs for a tenth of the time, in pieces that are each too short to be seen alone."""
    entries = [{"name": str(number), "url": sites.site(f"/{number}", Answer(delay_s=0.2)).url} for number in range(20)]
    running = start(websentry, entries, interval="1500ms", timeout="1500ms")
    wait_for_rounds(websentry, ["0"], "up", 1)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        running.send_signal(signal.SIGSTOP)
        time.sleep(0.045)
        running.send_signal(signal.SIGCONT)
        time.sleep(0.005)
    wait_for_rounds(websentry, [entry["name"] for entry in entries], "up", 1)
    running.stop()
    judge(reports(websentry), pulse)


def test_an_answer_that_came_while_it_slept_counts(websentry, sites):
    """Stopped when it had asked, and woken long after its timeout: the answer lies there."""
    site = sites.site("/a", Answer(delay_s=1))
    file = websentry.write("sites.yaml", yaml.safe_dump([{"url": site.url, "timeout": "2s", "interval": "5s"}]))
    running = websentry.start("check", "--json", "--sites", file)
    site.wait_for_requests(1)
    running.send_signal(signal.SIGSTOP)
    time.sleep(3)
    running.send_signal(signal.SIGCONT)
    assert running.wait() == 0, running.stdout()
    report = yaml.safe_load(running.stdout())
    assert (report["outcome"], report["suspect"]) == ("up", True)
    assert report["late_us"] >= 2_000_000 and report["total_us"] >= 2_000_000


def test_a_site_that_hangs_is_down_again_when_the_prober_is_well(websentry, sites):
    hangs = sites.site("/hangs", Answer(is_endless=True))
    running = start(websentry, [{"name": "hangs", "url": hangs.url}], interval="1s", timeout="1s")
    wait_for_rounds(websentry, ["hangs"], "down", 1)
    hangs.wait_for_requests(len(hangs.requests) + 1)
    running.send_signal(signal.SIGSTOP)
    time.sleep(1.5)
    running.send_signal(signal.SIGCONT)
    wait_for_rounds(websentry, ["hangs"], "down")
    running.stop()
    found = reports(websentry)
    assert {report["reason"] for report in found if report["outcome"] == "unknown"} == {"prober_overloaded"}


@pytest.fixture
def islands(session):
    with Islands(session) as made:
        yield made


@pytest.fixture
def far(islands):
    """A site server and a name server at the other end of the cable."""
    with islands.on(islands.far):
        server = SiteServer(host=islands.far_ip)
        names = NameServer({"far.test": islands.far_ip}, islands.far_ip)
    yield server, names
    server.close()
    names.close()


def far_entries(server, names):
    """By address and by name, quick ones and such that are under way when the cable goes."""
    entries = []
    for number in range(4):
        for kind, answer in (("quick", Answer()), ("slow", Answer(delay_s=0.3))):
            site = server.site(f"/{kind}/{number}", answer)
            entries.append({"name": f"{kind} {number}", "url": site.url})
            entries.append({"name": f"named {kind} {number}", "dns_servers": names.address,
                            "url": f"http://far.test:{server.port}{site.path}"})
    return entries


@pytest.mark.parametrize("end", ["near", "far"])
def test_a_prober_without_network_calls_nobody_down(websentry, islands, far, pulse, end):
    """Its own link is taken down, or the cable is pulled at the other end: no route, or a link without a carrier."""
    entries = far_entries(*far)
    names = [entry["name"] for entry in entries]
    running = start(websentry, entries, islands.near_prefix, interval="1s", timeout="1s")
    wait_for_rounds(websentry, names, "up", 1)
    islands.cut(end)
    wait_for_rounds(websentry, names, "unknown")
    islands.mend(end)
    wait_for_rounds(websentry, names, "up", 1)
    for _ in range(4):  # too short for a look at the end of a check to find it
        islands.cut(end)
        time.sleep(0.3)
        islands.mend(end)
        time.sleep(0.4)
    wait_for_rounds(websentry, names, "up", 1)
    running.stop()
    found = reports(websentry)
    judge(found, pulse)
    assert {report["reason"] for report in found if report["outcome"] == "unknown"} >= {"prober_offline"}


def test_a_site_that_is_away_is_down_while_the_network_works(websentry, islands, far):
    """What the prober can reach answers; an address behind the same link where nobody is does not."""
    entries = [{"name": "there", "url": far[0].site("/a").url}, {"name": "away", "url": "http://10.77.0.99:8080/"}]
    running = start(websentry, entries, islands.near_prefix, interval="1s", timeout="1s")
    wait_for_rounds(websentry, ["there"], "up")
    wait_for_rounds(websentry, ["away"], "down")
    running.stop()
    assert {report["reason"] for report in reports(websentry) if report["site"] == "away"} <= \
        {"connect_timeout", "connect_unreachable", "prober_overloaded"}


def test_a_dead_resolver_is_no_site_s_fault(websentry, islands, far, pulse):
    server, names = far
    entries = far_entries(server, names)
    running = start(websentry, entries, islands.near_prefix, interval="1s", timeout="1s")
    wait_for_rounds(websentry, [entry["name"] for entry in entries], "up", 1)
    names.silent.add("far.test")
    wait_for_rounds(websentry, [entry["name"] for entry in entries if "dns_servers" in entry], "unknown")
    names.silent.clear()
    wait_for_rounds(websentry, [entry["name"] for entry in entries], "up", 1)
    running.stop()
    found = reports(websentry)
    judge(found, pulse)
    assert {report["site"].split()[0] for report in found if report["reason"] == "prober_offline"} == {"named"}
