"""SIGHUP and changed files: sites come, go and change while their neighbours go on as if nothing had been."""
import datetime
import json
import os
import pathlib
import random
import signal
import sqlite3

import pytest
import yaml
from support.processes import wait_until
from support.scrape import Scrape, fetch
from support.sites import Answer

INTERVAL_S = 1.0


def shown(running):
    """{name: site} of the API; none before the store has answered for the first time."""
    status, _, body = fetch(running, "/api/v1/sites")
    return {site["name"]: site for site in json.loads(body)} if status == 200 else {}


class Watched:
    """`run` on a sites file that the test writes anew."""

    def __init__(self, websentry):
        self.websentry = websentry
        self.file = websentry.folder / "sites.yaml"
        self.running = None
        self.reloads = 0

    def write(self, entries, **more):
        """As editors and orchestrators do it: another file in its place."""
        fresh = self.websentry.write("sites.new", yaml.safe_dump(
            {"defaults": {"interval": f"{INTERVAL_S}s", "timeout": f"{INTERVAL_S}s"}, "sites": entries, **more}))
        fresh.replace(self.file)

    def start(self, entries, *words):
        self.write(entries)
        self.running = self.websentry.start("run", "--sites", self.file, "--data-dir", self.websentry.data_dir(),
                                            "--listen", "127.0.0.1:0", *words)
        self.running.wait_ready()

    def reload(self, entries):
        """Returns the line of the reload."""
        self.write(entries)
        self.running.send_signal(signal.SIGHUP)
        self.reloads += 1
        return self.running.wait_for("reloaded", count=self.reloads)

    def reports(self, site=None):
        connection = sqlite3.connect(f"file:{self.websentry.data_dir() / 'websentry.db'}?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
        try:
            rows = connection.execute("SELECT * FROM report_view ORDER BY started_at, seq").fetchall()
        finally:
            connection.close()
        return [dict(row) for row in rows if site in (None, row["site"])]

    def wait_for_reports(self, site, count, **fields):
        def look():
            found = [report for report in self.reports(site)
                     if all(report[key] == value for key, value in fields.items())]
            return found if len(found) >= count else None

        return wait_until(look, f"{count} reports of {site} with {fields}", 60, step=0.1)

    def shown(self):
        return shown(self.running)


@pytest.fixture
def watched(websentry):
    return Watched(websentry)


def entry(name, site, **more):
    return {"name": name, "url": site.url, **more}


def off_beat_s(reports):
    """How far each check was due from the beat of the first one."""
    times = [datetime.datetime.fromisoformat(report["scheduled_at"]).timestamp() for report in reports]
    off = [(time - times[0]) % INTERVAL_S for time in times]
    return [min(one, INTERVAL_S - one) for one in off]


def test_sites_come_go_and_change_and_the_others_keep_their_beat(watched, sites):
    stays, changes, goes, comes = (sites.site(f"/{name}") for name in ("stays", "changes", "goes", "comes"))
    other = sites.site("/other", Answer(404))
    watched.start([entry("stays", stays), entry("changes", changes), entry("goes", goes)], "--threads", "2")
    for name in ("stays", "changes", "goes"):
        watched.wait_for_reports(name, 2)
    line = watched.reload([entry("comes", comes), entry("changes", other), entry("stays", stays)])
    assert (line.fields["sites"], line.fields["added"], line.fields["removed"]) == ("3", "1", "1")
    watched.wait_for_reports("comes", 2)
    changed = watched.wait_for_reports("changes", 2, http_status_code=404)
    assert {report["url"] for report in changed} == {other.url}
    watched.wait_for_reports("stays", len(watched.reports("stays")) + 2)
    gone = len(goes.requests)
    shown = wait_until(lambda: watched.shown() if "comes" in watched.shown() else None, "the new site on the page")
    assert shown["goes"]["closed"] and not shown["stays"]["closed"]
    watched.wait_for_reports("stays", len(watched.reports("stays")) + 2)
    assert len(goes.requests) == gone
    watched.running.stop()
    for name in ("stays", "changes"):
        found = watched.reports(name)
        assert max(off_beat_s(found)) < 0.1 * INTERVAL_S, name
        assert len({report["scheduled_at"] for report in found}) == len(found)
        assert sum(report["missed"] for report in found if not report["suspect"]) == 0
    # what was known of it is still: its going down was news, with how long it had been up
    assert watched.running.find("site down", site="changes", was="up")
    assert not watched.running.find("site up")


def test_what_is_under_way_ends_and_is_stored(watched, sites):
    slow = sites.site("/slow", Answer(delay_s=0.8, body="as it was"))
    hung = sites.site("/hung", Answer(is_endless=True))
    changed = sites.site("/changed", Answer(delay_s=0.8))
    watched.start([entry("slow", slow), entry("hung", hung), entry("changed", changed),
                   entry("else", sites.site("/b"))])
    watched.wait_for_reports("slow", 1)
    before = {name: len(watched.reports(name)) for name in ("slow", "hung", "changed")}
    asked = {site: len(site.requests) for site in (slow, hung, changed)}
    for site, count in asked.items():
        site.wait_for_requests(count + 1)
    watched.reload([entry("else", sites.sites["/b"]), entry("changed", sites.site("/new"))])
    watched.wait_for_reports("slow", before["slow"] + 1)
    watched.wait_for_reports("hung", before["hung"] + 1)
    watched.wait_for_reports("changed", before["changed"] + 1, url=changed.url)
    watched.wait_for_reports("changed", 1, url=sites.sites["/new"].url)
    watched.running.stop()
    assert [len(watched.reports(name)) for name in ("slow", "changed")] == \
        [len(slow.requests), len(changed.requests) + len(sites.sites["/new"].requests)]
    # the two checks of one site do not overlap
    found = watched.reports("changed")
    for one, next_one in zip(found, found[1:], strict=False):
        assert datetime.datetime.fromisoformat(one["started_at"]).timestamp() + one["total_us"] / 1e6 <= \
            datetime.datetime.fromisoformat(next_one["started_at"]).timestamp() + 0.01


def test_a_mistake_leaves_all_as_it_is(watched, sites):
    site = sites.site("/a")
    watched.start([entry("a", site)])
    watched.wait_for_reports("a", 1)
    for count, (bad, first) in enumerate((
            ([entry("a", site, intervall="5s"), {"name": "b"}], "unknown key `intervall`"),
            ([], "empty list")), 1):
        watched.write(bad)
        watched.running.send_signal(signal.SIGHUP)
        line = watched.running.wait_for("configuration has mistakes, the one before stays", count=count)
        assert line.level == "error" and f"{watched.file}:" in line.fields["first"] and first in line.fields["first"]
    watched.file.unlink()
    watched.running.send_signal(signal.SIGHUP)
    watched.running.wait_for("configuration has mistakes, the one before stays", count=3)
    watched.wait_for_reports("a", len(watched.reports("a")) + 2)
    seen = Scrape(watched.running)
    assert (seen["reload_failures_total"], seen["reloads_total"]) == (3, 0)
    assert len(watched.running.complaints()) == 3
    watched.reload([entry("a", site), entry("b", sites.site("/b"))])
    watched.wait_for_reports("b", 1)
    assert Scrape(watched.running)["sites"] == 2


def test_a_changed_file_is_read_again_by_itself(watched, sites):
    watched.start([entry("a", sites.site("/a"))])
    watched.write([entry("a", sites.sites["/a"]), entry("b", sites.site("/b"))])
    watched.running.wait_for("reloaded", sites="2")
    watched.wait_for_reports("b", 1)
    watched.write([entry("a", sites.sites["/a"], pattern="(")])
    watched.running.wait_for("configuration has mistakes, the one before stays")
    watched.wait_for_reports("b", len(watched.reports("b")) + 3)  # it is said once, not with each look
    assert len(watched.running.complaints()) == 1


def test_a_file_that_a_site_names_is_read_again_once_it_changes(watched, sites):
    """Tokens are renewed each hour: written over, put in place of the old, or, as Kubernetes has it, behind a link."""
    api = sites.site("/api")
    folder = watched.websentry.folder
    for number in (1, 2):
        (folder / f"v{number}").mkdir()
        (folder / f"v{number}" / "token").write_text(f"token-{number}\n")
    (folder / "now").symlink_to("v1")
    body = watched.websentry.write("body.txt", "body-1")

    def wait_sent(token, body):
        def is_sent():
            last = api.requests[-1]
            return (last.headers["authorization"], last.body) == (f"Bearer {token}", body)

        wait_until(is_sent, f"a request with {token} and {body}", 30)

    token = folder / "now" / "token"
    watched.start([entry("api", api, bearer_token_file=str(token), body_file=str(body), method="POST")])
    api.wait_for_requests(1)
    wait_sent("token-1", b"body-1")
    (folder / "next").symlink_to("v2")
    (folder / "next").rename(folder / "now")
    wait_sent("token-2", b"body-1")
    token.unlink()
    watched.running.wait_for("configuration has mistakes, the one before stays")
    body.write_text("body-2")
    token.write_text("token-3\n")
    wait_sent("token-3", b"body-2")
    reloads = len(watched.running.find("reloaded"))
    token.chmod(0o600)
    watched.running.wait_for("reloaded", count=reloads + 1)
    assert len(watched.running.complaints()) == 1
    assert {report["outcome"] for report in watched.reports("api")} == {"up"}
    assert max(off_beat_s(watched.reports("api"))) < 0.1 * INTERVAL_S


def test_settings_that_may_change_do_and_others_are_named(websentry, sites):
    def write(**more):
        websentry.write("websentry.yaml", yaml.safe_dump(
            {"data-dir": str(websentry.data_dir()), "listen": "127.0.0.1:0", "interval": "500ms", "timeout": "500ms",
             "sites": [{"name": "a", "url": sites.sites["/a"].url}], **more}))

    sites.site("/a")
    write()
    running = websentry.start("run", "--config", websentry.folder / "websentry.yaml")
    running.wait_ready()
    write(**{"log-level": "debug", "threads": 2, "interval": "400ms", "timeout": "400ms"})
    running.send_signal(signal.SIGHUP)
    line = running.wait_for("settings changed that need a restart")
    assert (line.level, line.fields["settings"]) == ("warn", "threads")
    running.wait_for("checked", level="debug", site="a")
    sites.sites["/a"].wait_for_requests(len(sites.sites["/a"].requests) + 2)
    running.stop()


def test_a_property_of_kafka_that_changed_is_named_wherever_it_stands(websentry, sites):
    def write(linger):
        websentry.write("websentry.yaml", yaml.safe_dump(
            {"data-dir": str(websentry.data_dir()), "kafka-servers": "127.0.0.1:1",
             "kafka-property": {"linger.ms": linger, "client.id": "a"}, "sites": [sites.site("/a").url]}))

    write(5)
    running = websentry.start("producer", "--config", websentry.folder / "websentry.yaml")
    running.wait_ready()
    write(6)
    running.send_signal(signal.SIGHUP)
    line = running.wait_for("settings changed that need a restart")
    assert (line.level, line.fields["settings"]) == ("warn", "kafka-property")
    running.stop()


def test_the_page_of_others_follows_its_file_too(websentry, watched, sites):
    watched.start([entry("a", sites.site("/a")), entry("b", sites.site("/b"))])
    watched.wait_for_reports("a", 1)
    watched.wait_for_reports("b", 1)
    names = websentry.write("names.yaml", "[{name: a, url: 'http://a/'}]")
    page = websentry.start("web", "--sites", names, "--data-dir", websentry.data_dir(), "--listen", "127.0.0.1:0")
    page.wait_ready()

    def closed():
        return {name for name, site in shown(page).items() if site["closed"]}

    wait_until(lambda: closed() == {"b"}, "the site that its file lacks is closed")
    names.write_text("[{name: a, url: 'http://a/'}, {name: b, url: 'http://b/'}]")
    page.send_signal(signal.SIGHUP)
    page.wait_for("reloaded", sites="2")
    wait_until(lambda: shown(page) and closed() == set(), "the sites of the new file")
    page.stop()


def test_sighup_while_sites_are_read_is_no_end(watched, sites):
    """A pipe that we keep open holds up the reading for as long as the signal needs."""
    watched.write([entry("a", sites.site("/a"))])
    pipe = watched.websentry.folder / "pipe.yaml"
    os.mkfifo(pipe)
    kept = os.open(pipe, os.O_RDWR)
    running = watched.websentry.start("run", "--sites", pipe, "--data-dir", watched.websentry.data_dir(),
                                      "--listen", "127.0.0.1:0")
    opened = pathlib.Path(f"/proc/{running.pid}/fd")

    def is_reading():
        return any(os.path.realpath(fd) == os.path.realpath(pipe) for fd in opened.iterdir())

    wait_until(is_reading, "the pipe is opened")
    running.send_signal(signal.SIGHUP)
    os.write(kept, watched.file.read_bytes())
    watched.file.replace(pipe)
    os.close(kept)
    running.wait_ready()
    running.wait_for("reloaded", sites="1")
    running.stop()


@pytest.mark.parametrize("count", [15, pytest.param(120, marks=pytest.mark.deep)])
def test_many_reloads_lose_and_double_nothing(watched, sites, count):
    """Lists that differ each time, with checks of all speeds under way: each request that was made is one report."""
    made = [sites.site(f"/{number}", Answer(delay_s=0.05 * (number % 5))) for number in range(60)]
    entries = [entry(str(number), site) for number, site in enumerate(made)]
    watched.start(entries, "--threads", "2", "--interval", "500ms")
    rng = random.Random(5)
    for _ in range(count):
        chosen = rng.sample(entries, rng.randint(1, len(entries)))
        watched.reload(chosen)
    watched.reload(entries)
    for name in ("0", "59"):
        watched.wait_for_reports(name, len(watched.reports(name)) + 2)
    watched.running.stop()
    found = watched.reports()
    asked = sum(len(site.requests) for site in made)
    # on a machine that is too busy a check may end before its request was read, or answered
    assert len([report for report in found if report["http_status_code"] is not None]) <= asked <= len(found)
    assert sorted(report["seq"] for report in found) == list(range(len(found)))
