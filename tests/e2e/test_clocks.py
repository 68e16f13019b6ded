"""A wall clock that is set or repeats a second, and a machine that sleeps: the schedule keeps its beat."""
import os
import sqlite3
import struct

import pytest
import yaml
from support.processes import BUILD, wait_until

INTERVAL_S = 0.5
HOUR_S = 3600


class Clock:
    """What the program takes for the time: how wrong the wall clock is, and how long the machine slept, in seconds."""

    def __init__(self, folder):
        self.file = folder / "clock"
        self.set(0, 0)

    def set(self, wrong_by, suspended):
        fd = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600)
        os.pwrite(fd, struct.pack("qq", wrong_by, suspended), 0)
        os.close(fd)

    def environment(self):
        return {"CHAOS_CLOCK": self.file, "LD_PRELOAD": BUILD / "tests/chaos/chaos_clock.so", "TZ": "Europe/Berlin"}


@pytest.fixture
def clock(folder):
    if "asan" in os.environ.get("TEST_PROGRAM", ""):
        pytest.skip("sanitizers want to be preloaded first")
    return Clock(folder)


def start(websentry, clock, site):
    file = websentry.write("sites.yaml", yaml.safe_dump(
        [{"name": "a", "url": site.url, "interval": f"{INTERVAL_S}s", "timeout": f"{INTERVAL_S}s"}]))
    running = websentry.start("run", "--sites", file, "--data-dir", websentry.data_dir(), "--listen", "127.0.0.1:0",
                              env=clock.environment())
    running.wait_ready()
    site.wait_for_requests(2)
    return running


def reports(websentry):
    connection = sqlite3.connect(f"file:{websentry.data_dir() / 'websentry.db'}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute("SELECT * FROM report_view ORDER BY seq")]
    finally:
        connection.close()


def assert_no_burst(site):
    """By the server's own clock: no check comes before its time, but for what the ones before it were late."""
    times = [request.at for request in site.requests]
    assert min(b - a for a, b in zip(times, times[4:], strict=False)) > INTERVAL_S


@pytest.mark.parametrize("jumps", [[HOUR_S, 0], [-HOUR_S, 0], [-1, -2], [24 * HOUR_S, -24 * HOUR_S]],
                         ids=["an hour ahead and back", "an hour back and ahead", "seconds repeated", "days"])
def test_the_wall_clock_does_not_move_the_schedule(websentry, sites, clock, jumps):
    site = sites.site("/a")
    running = start(websentry, clock, site)
    for jump in jumps:
        clock.set(jump, 0)
        site.wait_for_requests(len(site.requests) + 3)
    running.stop()
    assert_no_burst(site)
    found = reports(websentry)
    assert sum(report["missed"] for report in found if not report["suspect"]) == 0
    assert {report["outcome"] for report in found if not report["suspect"]} == {"up"}
    # durations are not the wall clock's
    assert all(0 <= report["total_us"] < 60e6 and 0 <= report["late_us"] < 60e6 for report in found)


def test_what_a_suspended_machine_missed_is_counted_and_not_made_up_for(websentry, sites, clock):
    site = sites.site("/a")
    running = start(websentry, clock, site)
    before = len(reports(websentry))
    clock.set(60, 60)
    site.wait_for_requests(len(site.requests) + 4)
    wait_until(lambda: sum(report["missed"] for report in reports(websentry)[before:]) > 0, "missed checks in a report")
    running.stop()
    assert_no_burst(site)
    found = reports(websentry)
    assert 60 / INTERVAL_S - 2 <= sum(report["missed"] for report in found) <= 60 / INTERVAL_S + 20
    assert {report["outcome"] for report in found} <= {"up", "unknown"}
