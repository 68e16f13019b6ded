"""`websentry sites`: what a producer would watch, and when each site is due."""
import json
import os
import re
import signal
import sqlite3
from datetime import datetime

import pytest
import yaml
from support.processes import wait_until
from support.sites import Answer

CANARY = "c4nary-of-ours"


def listed(websentry, *words, env=None):
    return {line["site"]: line
            for line in map(json.loads, websentry.run("sites", "--json", *words, env=env).stdout().splitlines())}


def test_the_sites_of_every_source_are_listed(websentry):
    """Files, a folder, --config, URLs, variables: all ways in which a producer is told of sites."""
    file = websentry.write("sites.yaml", yaml.safe_dump({
        "defaults": {"interval": "90s"},
        "sites": [{"url": "https://a.example/", "name": "First", "timeout": "3s"}, {"url": "https://b.example/"}]}))
    config = websentry.write("websentry.yaml", "timeout: 4s\nsites: [{url: 'https://c.example/'}]\n")
    folder = websentry.folder / "sites.d"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.yaml").write_text(f"[{{name: {name}, url: 'https://{name}.example/'}}]")
    assert list(listed(websentry, "--sites", file)) == list(listed(websentry, file)) == ["First", "https://b.example/"]
    assert list(listed(websentry, "--sites", folder)) == ["one", "two"]
    assert listed(websentry, "--config", config)["https://c.example/"]["timeout_us"] == 4_000_000
    assert list(listed(websentry, "https://d.example/", "--url", "https://e.example/", "--interval", "30s")) == [
        "https://e.example/", "https://d.example/"]
    assert list(listed(websentry, env={"WEBSENTRY_SITES": "https://d.example/,https://e.example/"})) == [
        "https://d.example/", "https://e.example/"]
    assert list(listed(websentry, env={"WEBSENTRY_TARGETS_FILE": file})) == ["First", "https://b.example/"]
    first = listed(websentry, "--sites", file)["First"]
    assert set(first) == {"site", "url", "interval_us", "timeout_us", "offset_us", "next_run_at"}
    assert (first["url"], first["interval_us"], first["timeout_us"]) == ("https://a.example/", 90_000_000, 3_000_000)
    assert 0 <= first["offset_us"] < 90_000_000
    assert list(websentry.state.iterdir()) == [], "nothing is made"


def test_the_table_says_what_json_says(websentry):
    file = websentry.write("sites.yaml", yaml.safe_dump({"sites": [
        {"url": "https://a.example/", "name": "Shop", "interval": "1h", "timeout": "3s"},
        {"url": "https://b.example/", "interval": "2h"}]}))
    found = listed(websentry, "--sites", file)
    head, shop, other = websentry.run("sites", "--sites", file).stdout().splitlines()
    assert head.split() == ["NEXT", "RUN", "IN", "EVERY", "TIMEOUT", "SITE"]
    assert re.fullmatch(r"\S+Z +(?:\d+m)?\d+(?:\.\d)?[sm] +1h +3s  Shop  https://a\.example/", shop), shop
    assert re.fullmatch(r"\S+Z +(?:\d+h)?(?:\d+m)?(?:\d+(?:\.\d)?s)? +2h +10s  https://b\.example/", other), other
    for line, name in ((shop, "Shop"), (other, "https://b.example/")):
        shown, said = (datetime.fromisoformat(time) for time in (line.split()[0], found[name]["next_run_at"]))
        assert abs((shown - said).total_seconds()) < 0.5


def test_secrets_are_not_listed(websentry):
    url = f"https://me:{CANARY}@a.example/?token={CANARY}&page=2"
    file = websentry.write("sites.yaml", yaml.safe_dump({"sites": [
        {"url": url, "headers": {"X-Api-Key": CANARY}}, {"url": url, "name": "Shop"}]}))
    for words in ((), ("--json",)):
        done = websentry.run("sites", *words, "--sites", file)
        assert CANARY not in done.stdout() + done.stderr()
        assert done.stdout().count("https://a.example/?token=***&page=2") >= 2


def test_mistakes_get_one_line(websentry):
    for words in ((), ("--sites", "none.yaml"), ("--threads", "2", "https://a.example/"), ("-v", "https://a.example/")):
        done = websentry.run("sites", *words, code=2)
        assert len(done.complaints()) == 1 and done.stdout() == "", done.stderr()


def test_output_to_nobody_is_no_crash(websentry):
    file = websentry.write("sites.yaml", yaml.safe_dump({"sites": [
        {"url": f"https://a.example/{number}"} for number in range(3000)]}))
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = websentry.start("sites", "--sites", file, prefix=(
            "/bin/sh", "-c", f'exec "$@" >/proc/{os.getpid()}/fd/{writing}', "sh"))
        assert done.wait() == 0
    finally:
        os.close(writing)
    assert websentry.run("sites", "--sites", file, prefix=("/bin/sh", "-c", 'exec "$@" >/dev/full', "sh"),
                         code=1).find(level="error")


# --- the promise


class Watched:
    """`run` of some sites, and how well the reports agree with what `sites` says."""

    INTERVAL_S = 1.5

    def __init__(self, websentry, sites):
        self.websentry = websentry
        self.sites = sites
        self.running = None

    def write(self, names, interval_s=INTERVAL_S):
        fresh = self.websentry.write("sites.new", yaml.safe_dump({
            "defaults": {"interval": f"{interval_s}s", "timeout": "1s"},
            "sites": [{"name": name, "url": self.sites.site(f"/{name}", Answer()).url} for name in names]}))
        self.file = fresh.replace(self.websentry.folder / "sites.yaml")

    def start(self):
        self.running = self.websentry.start("run", "--sites", self.file, "--listen", "off", "--data-dir",
                                            self.websentry.data_dir())
        self.running.wait_ready()

    def reports(self, since):
        with sqlite3.connect(f"file:{self.websentry.data_dir() / 'websentry.db'}?mode=ro", uri=True) as reader:
            return [(name, datetime.fromisoformat(at).timestamp()) for name, at in reader.execute(
                "SELECT site, scheduled_at FROM report_view WHERE scheduled_at >= ?", (since,))]

    def expect_agreement(self, names):
        """Two reports of each site from now on: the better one is due within 50 ms of when it was said to be."""
        said = listed(self.websentry, "--sites", self.file)
        assert set(said) == set(names)
        since = min(site["next_run_at"] for site in said.values())
        found = wait_until(lambda: self.enough(names, since), f"two reports of each of {names}", 60, step=0.2)
        for name in names:
            interval_s = said[name]["interval_us"] / 1e6
            next_run = datetime.fromisoformat(said[name]["next_run_at"]).timestamp()
            off = [(at - next_run) % interval_s for one, at in found if one == name]
            assert min(min(beat, interval_s - beat) for beat in off) < 0.05, (name, off)

    def enough(self, names, since):
        found = self.reports(since)
        return found if all(sum(one == name for one, _ in found) >= 2 for name in names) else None


@pytest.fixture
def watched(websentry, sites):
    return Watched(websentry, sites)


def test_next_run_is_what_a_running_process_does(watched):
    """Also after a restart, and of sites that a reload brought or gave another interval."""
    names = ["one", "two", "three"]
    watched.write(names)
    watched.start()
    watched.expect_agreement(names)
    watched.running.stop()
    watched.start()
    watched.expect_agreement(names)
    watched.write([*names, "four"], interval_s=1.2)
    watched.running.send_signal(signal.SIGHUP)
    watched.running.wait_for("reloaded")
    watched.expect_agreement([*names, "four"])
    watched.running.stop()
