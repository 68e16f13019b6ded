"""Whatever a site does, its check ends in time, costs little, says why in plain words, and holds nobody else up.

The tables of tests/hostile say what each of the hostile sites does and what must come of it.
"""

import json
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hostile import checking
from hostile.tables import BEHAVIOURS
from support.processes import ROOT, wait_until
from support.sites import Answer
from support.websentry import PROGRAM

pytestmark = pytest.mark.timeout(900)  # a minute, on a machine that does nothing else
AT_A_TIME = 16
ATTEMPTS = 4
# More than the hundred sites among 10,000 every 10 s of `make bench`; their servers, too, share this machine.
HOSTILE_A_SECOND = 32
HARMLESS = {"http": "page", "https": "tls_page"}


class Hostile:
    """The hostile server, in a process of its own."""

    def __init__(self, folder, environment):
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hostile.server", str(folder)],
            cwd=ROOT / "tests",
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        told = json.loads(self._process.stdout.readline())
        self.urls, self.dns = told["urls"], told["dns"]

    def close(self):
        self._process.stdin.close()
        self._process.wait(20)


@pytest.fixture(scope="module")
def hostile(session):
    folder = session.new_folder("hostile")
    name, mark = session.mark.split("=", 1)
    made = Hostile(folder, {"PATH": "/usr/bin:/bin", name: mark})
    yield made
    made.close()


def judge(websentry, hostile, harmless, row, attempt):
    """One check, and what is wrong with it; each attempt after the second has twice the patience."""
    checked = checking.check(
        PROGRAM,
        row,
        hostile.urls[row.name],
        hostile.dns,
        hostile.folder,
        websentry.environment(SSL_CERT_FILE=hostile.folder / "roots.pem"),
        attempt,
        max(1, 2 ** (attempt - 2)),
    )
    return checking.said(row, checked.report) + checking.cost(row, checked, harmless[row.kind])


def measure_harmless(websentry, hostile, name):
    """The most memory and the least CPU of some checks of an ordinary page."""
    environment = websentry.environment(SSL_CERT_FILE=hostile.folder / "roots.pem")
    checks = [
        checking.check(
            PROGRAM, BEHAVIOURS[name], hostile.urls[name], hostile.dns, hostile.folder, environment, f"ordinary-{time}"
        )
        for time in range(3)
    ]
    assert [one.report["outcome"] for one in checks] == ["up"] * 3
    return replace(checks[0], cpu_us=min(one.cpu_us for one in checks), peak_kib=max(one.peak_kib for one in checks))


def test_hostile_sites_end_in_time_at_little_cost_and_with_the_right_words(websentry, hostile):
    assert len(BEHAVIOURS) >= 150
    harmless = {kind: measure_harmless(websentry, hostile, name) for kind, name in HARMLESS.items()}
    problems = dict.fromkeys(BEHAVIOURS)
    # A busy machine holds a prober up, or a server answers after the timeout; nothing wrong gets right by repetition.
    for attempt in range(1, ATTEMPTS + 1):
        left = [BEHAVIOURS[name] for name, found in problems.items() if found != []]
        with ThreadPoolExecutor(AT_A_TIME if attempt == 1 else 4 if attempt == 2 else 1) as pool:
            found = pool.map(lambda row, attempt=attempt: judge(websentry, hostile, harmless, row, attempt), left)
            problems |= dict(zip((row.name for row in left), found, strict=True))
    bad = [f"{name} ({BEHAVIOURS[name].does}): {'; '.join(found)}" for name, found in problems.items() if found]
    assert not bad, "\n".join(bad)


class Watched:
    """A daemon that checks sound sites, with whatever others."""

    def __init__(self, websentry, hostile, name, sites):
        self._file = websentry.data_dir(name) / "websentry.db"
        self._daemon = websentry.start(
            "run",
            "--sites",
            websentry.write(f"{name}.yaml", json.dumps({"sites": sites})),
            "--listen",
            "off",
            "--data-dir",
            websentry.data_dir(name),
            env={"SSL_CERT_FILE": hostile.folder / "roots.pem"},
        )

    def wait_ready(self):
        self._daemon.wait_ready()

    def stop(self):
        self._daemon.stop()

    def checks(self, sql="SELECT site, late_us, reason FROM report_view"):
        with sqlite3.connect(f"file:{self._file}?mode=ro", uri=True) as database:
            return database.execute(sql).fetchall()


def reports_beside(websentry, hostile, sound, attempt):
    """(late_us, reason) of each check of the sound sites: where they are alone, and beside all hostile ones."""
    entries = [{"name": name, "url": url, "interval": "1s", "timeout": "1s"} for name, url in sound.items()]
    others = checking.entries([(row, hostile.urls[row.name]) for row in BEHAVIOURS.values()], hostile.dns)
    interval = f"{len(others) // HOSTILE_A_SECOND}s"
    for entry in others:
        entry |= {"interval": interval, "timeout": f"{min(BEHAVIOURS[entry['name']].timeout_ms, 1000)}ms"}
    alone = Watched(websentry, hostile, f"alone-{attempt}", entries)
    beside = Watched(websentry, hostile, f"beside-{attempt}", entries + others)
    for one in (alone, beside):
        one.wait_ready()
    wait_until(
        lambda: BEHAVIOURS.keys() <= {site for site, _, _ in beside.checks()},
        "each hostile site's report",
        180,
        step=0.5,
    )
    for one in (alone, beside):
        one.stop()
    return [[(late, reason) for site, late, reason in one.checks() if site in sound] for one in (alone, beside)]


def held_up(alone, beside):
    """What shows of the hostile sites in the reports of the sound ones; a busy machine starves both daemons."""
    problems = []
    down = [sum(reason not in ("ok", "prober_overloaded") for _, reason in one) for one in (alone, beside)]
    if down[1] > down[0]:
        problems.append(f"{down[1]} checks of sound sites failed, and {down[0]} of those that were alone")
    fine = [sum(reason == "ok" for _, reason in one) for one in (alone, beside)]
    if fine[1] < 0.9 * fine[0]:
        problems.append(f"{fine[1]} checks were fine, and {fine[0]} alone")
    for name, share, grace_us in (("half", 0.5, 20_000), ("nine of ten", 0.9, 100_000)):
        usual, late = (sorted(late for late, _ in one)[int(share * (len(one) - 1))] for one in (alone, beside))
        if late > 3 * usual + grace_us:
            problems.append(f"{name} were late by up to {late} us, and alone by {usual} us")
    return problems


def test_hostile_sites_hold_nobody_up(websentry, hostile, sites):
    """Two daemons side by side check the same sound sites; one of them has all the hostile ones as well."""
    sound = {f"sound {number}": sites.site(f"/{number}", Answer(body="Welcome")).url for number in range(16)}
    problems = ["never tried"]
    for attempt in range(ATTEMPTS):
        if problems:  # of a machine that is busy: the daemon that has more to do gets too little of it
            problems = held_up(*reports_beside(websentry, hostile, sound, attempt))
    assert not problems
