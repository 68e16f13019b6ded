"""The promise under attack: 40 s of faults on the real pipeline, judged from outside. See tests/chaos/README.md."""
import json
import os
import sys

import pytest
from chaos import schedule
from chaos.run import NO_DISKS
from support.processes import BUILD, ROOT, Process, clean_environment
from support.websentry import PROGRAM


# Starting and draining wait for conditions; on a busy machine they take a multiple of the attack itself.
@pytest.mark.timeout(900)
def test_nothing_is_lost_doubled_or_altered_under_attack(session, folder):
    results = BUILD / "chaos-test"
    seed = os.environ.get("CHAOS_SEED", "20261122")
    attack = Process([sys.executable, ROOT / "tests/chaos/run.py", "--duration", "40s", "--seed", seed, "--program",
                      PROGRAM, "--results", results], cwd=folder, log=folder / "chaos.log",
                     env=clean_environment(session, folder, CI=os.environ.get("CI", "")))
    assert attack.wait(850) == 0, attack.output()[-6000:]
    result = json.loads((results / "chaos.json").read_text())
    reports = result["reports"]
    assert (reports["lost"], reports["doubled"], reports["altered"]) == (0, 0, 0)
    assert reports["stored"] > 1000
    assert result["totals"]["kill"] >= 10
    # Each kind of fault has really happened; where no disk can be full the run itself fails in CI.
    wanted = {kind for kind in schedule.SHORT_LEAST if result["disks"] != NO_DISKS or not kind.endswith("_full")}
    assert {kind for kind in wanted if result["totals"][kind] == 0} == set(), result["skipped"]
    assert reports["poison"] > reports["poison_named"] > 0


def test_the_same_seed_gives_the_same_faults():
    first, again, other = (schedule.make(seed, 600.0) for seed in (7, 7, 8))
    assert schedule.digest(first) == schedule.digest(again) != schedule.digest(other)
    assert {fault.kind for fault in first} == set(schedule.LONG)


def test_faults_keep_their_bounds():
    for seed in range(20):
        for duration_s, stop_max_s in ((40.0, 10.0), (2700.0, 120.0)):
            faults = schedule.make(seed, duration_s)
            assert all(fault.at < duration_s and fault.lasts <= max(stop_max_s, 20.0) for fault in faults)
            assert all(1.0 <= fault.lasts <= stop_max_s for fault in faults
                       if fault.kind == "stop" and fault.at + 2 < duration_s and fault.target not in schedule.BROKERS)
            stops = [fault for fault in faults if fault.kind == "stop" and fault.target in schedule.BROKERS]
            for one in stops:
                for two in stops:
                    if one.target < two.target:
                        both = min(one.at + one.lasts, two.at + two.lasts) - max(one.at, two.at)
                        assert both <= schedule.TWO_BROKERS_MAX_S + 0.1, (one, two)
    kinds = [fault.kind for fault in schedule.make(7, 2700.0)]
    assert kinds.count("kill") >= 1000 and kinds.count("stop") >= 100 and kinds.count("cut") >= 150
    assert kinds.count("clock") >= 20 and kinds.count("outbox_full") + kinds.count("postgres_full") >= 10
