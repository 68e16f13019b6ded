"""Whatever a site does, its check ends in time, costs little, says why in plain words, and holds nobody else up.

The tables of tests/hostile say what each of the hostile sites does and what must come of it.
"""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import pytest
from hostile import checking
from hostile.tables import BEHAVIOURS
from support.processes import ROOT, wait_until
from support.sites import Answer
from support.websentry import PROGRAM

pytestmark = pytest.mark.timeout(900)  # a minute, on a machine that does nothing else
AT_A_TIME = 16
ATTEMPTS = 4
HELD_UP = "the prober was held up, however often it was tried"
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


class Starvation:
    """How long this machine kept a thread waiting that had something to do: nobody else is better off."""

    def __init__(self):
        self._lost_us = 0
        self._is_over = False
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def lost_us(self):
        return self._lost_us

    def close(self):
        self._is_over = True
        self._thread.join()

    def _watch(self):
        while not self._is_over:
            before = time.monotonic()
            time.sleep(0.005)
            self._lost_us += max(0, int((time.monotonic() - before - 0.005) * 1e6))


def judge(websentry, hostile, starvation, harmless, row, attempt):
    """One check, and what is wrong with it."""
    before = starvation.lost_us()
    checked = checking.check(
        PROGRAM,
        row,
        hostile.urls[row.name],
        hostile.dns,
        hostile.folder,
        websentry.environment(SSL_CERT_FILE=hostile.folder / "roots.pem"),
        attempt,
    )
    if checked.report["reason"] == "prober_overloaded":
        return [HELD_UP]
    lost_us = starvation.lost_us() - before
    return checking.said(row, checked.report) + checking.cost(row, checked, harmless[row.kind], lost_us)


def test_hostile_sites_end_in_time_at_little_cost_and_with_the_right_words(websentry, hostile):
    assert len(BEHAVIOURS) >= 150
    environment = websentry.environment(SSL_CERT_FILE=hostile.folder / "roots.pem")
    harmless = {
        kind: max(
            (
                checking.check(
                    PROGRAM, BEHAVIOURS[name], hostile.urls[name], hostile.dns, hostile.folder, environment, attempt
                )
                for attempt in range(3)
            ),
            key=lambda one: one.peak_kib,
        )
        for kind, name in HARMLESS.items()
    }
    starvation, since = Starvation(), time.monotonic()
    problems = dict.fromkeys(BEHAVIOURS)
    # A busy machine lets one in time late, or too costly; none that really is gets better by being repeated.
    for attempt in range(1, ATTEMPTS + 1):
        left = [BEHAVIOURS[name] for name, found in problems.items() if found != []]
        with ThreadPoolExecutor(AT_A_TIME if attempt < ATTEMPTS else 2) as pool:
            found = pool.map(
                lambda row, attempt=attempt: judge(websentry, hostile, starvation, harmless, row, attempt), left
            )
            problems |= dict(zip((row.name for row in left), found, strict=True))
    is_starved = starvation.lost_us() > 0.2 * (time.monotonic() - since) * 1e6
    starvation.close()
    if is_starved:  # by others: then the prober says so, and rightly
        problems = {name: found for name, found in problems.items() if found != [HELD_UP]}
        assert len(problems) >= 150
    bad = [f"{name} ({BEHAVIOURS[name].does}): {'; '.join(found)}" for name, found in problems.items() if found]
    assert not bad, "\n".join(bad)


def sound_checks(store, names):
    """(late_us, reason) of each check of these sites, and the names of all that were checked."""
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT site, late_us, reason FROM report_view").fetchall()
    return [(late_us, reason) for site, late_us, reason in rows if site in names], {site for site, _, _ in rows}


def test_hostile_sites_hold_nobody_up(websentry, hostile, sites):
    """Two programs side by side check the same sound sites; one of them has all the hostile ones as well."""
    sound = {f"sound {number}": sites.site(f"/{number}", Answer(body="Welcome")).url for number in range(16)}
    entries = [{"name": name, "url": url, "interval": "1s", "timeout": "1s"} for name, url in sound.items()]
    beside = checking.entries([(row, hostile.urls[row.name]) for row in BEHAVIOURS.values()], hostile.dns)
    for entry in beside:
        entry |= {"interval": "15s", "timeout": f"{min(BEHAVIOURS[entry['name']].timeout_ms, 1000)}ms"}
    stores = {}
    started = []
    for name, listed in {"alone": entries, "beside": entries + beside}.items():
        file = websentry.write(f"{name}.yaml", json.dumps({"sites": listed}))
        stores[name] = websentry.data_dir(name) / "websentry.db"
        started.append(
            websentry.start(
                "run",
                "--sites",
                file,
                "--listen",
                "off",
                "--data-dir",
                websentry.data_dir(name),
                env={"SSL_CERT_FILE": hostile.folder / "roots.pem"},
            )
        )
    for one in started:
        one.wait_ready()
    starvation, since = Starvation(), time.monotonic()
    wait_until(
        lambda: BEHAVIOURS.keys() <= sound_checks(stores["beside"], sound)[1],
        "each hostile site's report",
        120,
        step=0.5,
    )
    is_quiet = starvation.lost_us() < 0.05 * (time.monotonic() - since) * 1e6
    starvation.close()
    for one in started:
        one.stop()
    alone, _ = sound_checks(stores["alone"], sound)
    beside, _ = sound_checks(stores["beside"], sound)
    # A machine that is busy otherwise starves both; what it must never do is show in what is said of a sound site.
    down = [reason for _, reason in beside if reason not in ("ok", "prober_overloaded")]
    assert len(down) <= len([reason for _, reason in alone if reason not in ("ok", "prober_overloaded")]), down
    if is_quiet:
        assert len([reason for _, reason in beside if reason == "ok"]) >= len(alone) * 0.9
    late, usual = median(late for late, _ in beside), median(late for late, _ in alone)
    assert late <= 3 * usual + 50_000, f"sound checks are late by {late} us, and alone by {usual} us"
