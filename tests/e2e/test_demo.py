"""What a newcomer starts: scripts/demo (`make run`) and scripts/pipeline (`make pipeline`)."""
import json
import os
import re
import signal
import socket
import urllib.request
from pathlib import Path

import pytest
from support import reaper
from support.processes import ROOT, Process, clean_environment, wait_until

OUTCOMES = {"up", "degraded", "down", "unknown"}


@pytest.fixture
def script(session, folder):
    """Starts a script of scripts/; nothing of it may be left at the end, whatever the test did."""
    mark = f"SCRIPT_TEST={folder.name}"
    name, value = mark.split("=")
    started = []

    def start(words, **env):
        more = {name: value, "DEMO_DIR": folder / "demo", "BUILD": os.environ.get("TEST_BUILD", "build"), **env}
        process = Process([ROOT / "scripts" / words], env=clean_environment(session, folder, **more), cwd=folder,
                          log=folder / f"{words}-{len(started)}.log")
        started.append(process)
        return process

    start.leftovers = lambda: [reaper.command_line(pid) for pid in reaper.marked_processes(f"{mark}\0")]
    yield start
    for process in started:
        process.kill()
    assert reaper.kill_marked(f"{mark}\0") == []


def page_address(process):
    """The address in the last line, once it is there."""
    def look():
        assert process.is_running(), process.output()
        lines = process.output().splitlines()
        return re.fullmatch(r"http://(127\.0\.0\.1:\d+)/", lines[-1]) if lines else None

    return wait_until(look, "the page's address", timeout=40)[1]


def sites(address):
    with urllib.request.urlopen(f"http://{address}/api/v1/sites", timeout=5) as answer:
        return json.load(answer)


def test_demo_shows_every_outcome_and_ends_with_ctrl_c(script):
    process = script("demo")
    address = page_address(process)
    wait_until(lambda: {site["outcome"] for site in sites(address)} == OUTCOMES, "every outcome")
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 0
    assert process.output().splitlines()[-1] == f"http://{address}/"
    assert script.leftovers() == []


def test_demo_takes_another_port_keeps_history_and_says_who_holds_its_data(script):
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("127.0.0.1", 8080))
            holder.listen()
        except OSError:
            pass  # somebody else holds it: as good
        process = script("demo")
        address = page_address(process)
        assert not address.endswith(":8080")

        second = script("demo")
        assert second.wait(30) == 1
        assert "data folder" in second.output() or "pid" in second.output(), second.output()

        before = {site["name"]: len(site["recent"]) for site in sites(address)}
        process.stop(signal.SIGTERM)
        again = script("demo")
        after = {site["name"]: len(site["recent"]) for site in sites(page_address(again))}
        assert all(after[name] >= min(50, count) for name, count in before.items())
        again.stop(signal.SIGHUP)


def test_nothing_is_left_of_a_demo_that_was_killed(script):
    process = script("demo")
    page_address(process)
    process.kill()
    wait_until(lambda: script.leftovers() == [], "the end of the demo's processes")


def test_demo_watches_sites_of_ones_own(script, sites_of_test):
    process = script("demo", SITES=",".join(sites_of_test))
    address = page_address(process)
    wait_until(lambda: {site["url"] for site in sites(address)} == set(sites_of_test), "both sites")
    process.stop(signal.SIGINT)


@pytest.fixture
def sites_of_test():
    """Two URLs that refuse: what they answer does not matter."""
    holders = [socket.socket() for _ in range(2)]
    for holder in holders:
        holder.bind(("127.0.0.1", 0))
    yield [f"http://127.0.0.1:{holder.getsockname()[1]}/" for holder in holders]
    for holder in holders:
        holder.close()


@pytest.mark.timeout(300)
def test_pipeline_loses_nothing_when_its_consumer_is_killed(script):
    process = script("pipeline")
    found = wait_until(lambda: re.search(r"kill -9 \$\(cat (\S+)\)", process.output()), "the kill line", timeout=120)
    assert re.search(r"^DSN    postgresql://", process.output(), re.MULTILINE)
    assert re.search(r"^topic  sitecheck on 127\.0\.0\.1:\d+$", process.output(), re.MULTILINE)
    wait_until(lambda: re.search(r"[1-9]\d* reports stored", process.output()), "rows", timeout=60)
    address = re.search(r"^page   http://(\S+)/$", process.output(), re.MULTILINE)[1]
    wait_until(lambda: {site["outcome"] for site in sites(address)} == OUTCOMES, "every outcome on the consumer's page")
    with open(found[1]) as file:
        os.kill(int(file.read()), signal.SIGKILL)

    def is_mended():
        balance = r"(\d+) reports stored, (\d+) missing; the consumer runs, (\d+) restarts"
        stored, missing, restarts = re.findall(balance, process.output())[-1]
        return int(stored) > 20 and (missing, restarts) == ("0", "1")

    wait_until(is_mended, "everything stored after the restart", timeout=120)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0, process.output()


@pytest.mark.timeout(300)
def test_pipeline_ends_after_its_time(script):
    assert script("pipeline", PIPELINE_SECONDS="1").wait(280) == 0


@pytest.mark.timeout(300)
def test_pipeline_ends_with_ctrl_c(script):
    process = script("pipeline")
    found = wait_until(lambda: re.search(r"kill -9 \$\(cat (\S+)\)", process.output()), "the kill line", timeout=120)
    servers = Path(found[1]).parents[1]
    assert any(servers.glob("kafka-*")) and any(servers.glob("postgres-*"))
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert script.leftovers() == []
    assert not servers.exists()
