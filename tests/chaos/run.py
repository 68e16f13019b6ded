#!/usr/bin/env python3
"""Attack the running pipeline, heal it, drain it, and ask the oracle: tests/chaos/run.py --duration 40s --seed 7

Exit code 0: nothing lost, doubled or altered. 1: something was, or it never drained. See README.md in this folder.
"""
import argparse
import dataclasses
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.processes import BUILD, ROOT, Session, Timeout  # noqa: E402

from chaos import schedule  # noqa: E402
from chaos.nemesis import Nemesis  # noqa: E402
from chaos.oracle import Oracle  # noqa: E402
from chaos.world import World  # noqa: E402

# Set in the process that has a mount namespace of its own.
OWN_MOUNTS = "CHAOS_OWN_MOUNTS"
NO_DISKS = "disks were never full: this machine does not let us mount"


@dataclasses.dataclass
class Plan:
    """One run."""
    seed: int
    duration_s: float
    program: Path = BUILD / "websentry"
    rate: float = 300.0            # checks a second, all producers together
    interval_s: int = 2
    drain_s: float = 300.0         # the most that draining may take
    faults: list | None = None     # None: those that the seed gives
    name: str = "chaos"
    must_have_disks: bool = False  # disks that can't be full make it fail


def say(text):
    print(text, flush=True)


def duration_of(text):
    """45m, 40s, 2h, or seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h|)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text}: expected a duration such as 40s or 45m")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600, "": 1}[found[2]]


def enter_own_mounts(argv):
    """Go on in a mount namespace of our own, where that is allowed: its small disks end with it, however we end."""
    if OWN_MOUNTS in os.environ:
        return os.environ[OWN_MOUNTS] == "yes"
    allowed = subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "chaos", "/mnt"], stderr=subprocess.DEVNULL)
    os.environ[OWN_MOUNTS] = "yes" if allowed.returncode == 0 else "no"
    if allowed.returncode != 0:
        say("no mount namespace here: disks will not be full")
        return False
    os.execvp("unshare", ["unshare", "--mount", sys.executable, *argv])
    return True


def drain(world, nemesis, limit_s):
    """Stop checking, send what waits, wait until the group has read all of it. Returns complaints."""
    problems = []
    until = time.monotonic() + limit_s
    for name in schedule.PRODUCERS:
        world.members[name].ask_to_end()
    for name in schedule.PRODUCERS:
        member = world.members[name]
        try:
            code = member.process.wait(60)
            if code == -signal.SIGKILL or not member.ended_well():
                problems.append(f"{name} answered SIGTERM with {code}")
        except Timeout:
            problems.append(f"{name} did not end after SIGTERM")
            member.kill()
        nemesis.note_end(member)
    problems += flush(world, nemesis, limit_s)
    nemesis.poison_left(20)
    lag = None
    while time.monotonic() < until:
        nemesis.keep_servers_up()
        try:
            lag = world.lag()
        except Exception as failure:  # a broker that has just come back
            lag = str(failure)[:200]
        if lag == 0:
            break
        time.sleep(0.5)
    if lag != 0:
        problems.append(f"never drained: the group's lag is {lag}")
    return problems


def flush(world, nemesis, limit_s):
    """Every producer once more, with --once: it must leave nothing in its outbox."""
    problems = []
    for name in schedule.PRODUCERS:
        world.start_flush(name, limit_s)
    until = time.monotonic() + limit_s + 30
    while time.monotonic() < until and any(world.members[name].is_running() for name in schedule.PRODUCERS):
        nemesis.keep_servers_up()
        time.sleep(0.1)
    for name in schedule.PRODUCERS:
        member = world.members[name]
        is_late = member.is_running()
        if is_late:
            member.kill()
        rows = nemesis.note_end(member)
        if is_late or member.process.returncode != 0 or rows:
            problems.append(f"never drained: {name} --once ended with {member.process.returncode}, and {len(rows)} "
                            "rows are in its outbox")
    return problems


def end_consumers(world):
    problems = []
    for name in (*schedule.CONSUMERS, "consumer-4"):
        member = world.members[name]
        if member.is_running():
            member.ask_to_end()
    for name in (*schedule.CONSUMERS, "consumer-4"):
        member = world.members[name]
        if member.process is not None:
            try:
                member.process.wait(60)
                if not member.ended_well():
                    problems.append(f"{name} answered SIGTERM with {member.process.returncode}")
            except Timeout:
                problems.append(f"{name} did not end after SIGTERM")
                member.kill()
    return problems


def attack(plan, results, disks):
    """One whole run; its result as a dict, which also lies in results/NAME.json."""
    results.mkdir(parents=True, exist_ok=True)
    faults = schedule.make(plan.seed, plan.duration_s) if plan.faults is None else plan.faults
    (results / f"{plan.name}.schedule").write_text("".join(f"{json.dumps(fault.as_list())}\n" for fault in faults))
    say(f"chaos: seed {plan.seed}, {plan.duration_s:g} s, {len(faults)} faults, schedule {schedule.digest(faults)}")
    session = Session()
    world = nemesis = None
    began = time.monotonic()
    try:
        sites = max(20, round(plan.rate * plan.interval_s / len(schedule.PRODUCERS)))
        world = World(session, plan.program, sites=sites, interval_s=plan.interval_s, disks=disks)
        world.start_program()
        world.wait_stored(100)
        up = time.monotonic()
        say(f"chaos: all is up after {time.monotonic() - began:.0f} s; files of this run: {world.folder}")
        nemesis = Nemesis(world, faults, results / f"{plan.name}.journal")
        nemesis.run(plan.duration_s, lambda now, one: say(
            f"chaos: {now:5.0f} s, {sum(one.done.values())} done, {sum(one.skipped.values())} skipped"))
        nemesis.heal()
        attacked = time.monotonic()
        problems = drain(world, nemesis, plan.drain_s)
        drained = time.monotonic()
        problems += end_consumers(world)
        found = Oracle(world, nemesis, results / f"{plan.name}.trace").judge()
        result = {
            "seed": plan.seed, "duration_s": plan.duration_s, "schedule": schedule.digest(faults),
            "rate": plan.rate, "faults": dict(sorted(nemesis.done.items())),
            "totals": {kind: nemesis.total(kind) for kind in schedule.LONG},
            "skipped": dict(nemesis.skipped),
            "reports": {key: value for key, value in dataclasses.asdict(found).items()
                        if key not in ("complaints", "trace")},
            "waited_at_kills": len(nemesis.must_be_stored),
            "disks": "small ones of their own" if disks else NO_DISKS,
            "seconds": {"start": round(up - began), "attack": round(attacked - up), "drain": round(drained - attacked),
                        "oracle": round(time.monotonic() - drained)},
            "complaints": problems + nemesis.findings + found.complaints + ([found.trace] if found.trace else []),
        }
        if plan.must_have_disks and not disks:
            result["complaints"].append(NO_DISKS)
        result["ok"] = not result["complaints"]
        (results / f"{plan.name}.json").write_text(json.dumps(result, indent=1) + "\n")
        return result
    finally:
        if nemesis is not None:
            nemesis.close()
        if world is not None:
            keep_logs(world, results / f"{plan.name}-logs")
        session.close()


def keep_logs(world, target):
    """Logs outlive the run's folder."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for log in world.folder.glob("*.log"):
        if log != world.site_log:
            shutil.copyfile(log, target / log.name)
    shutil.copyfile(world.postgres.process.log, target / "postgres.log")
    for broker in world.kafka.brokers if hasattr(world, "kafka") else ():
        shutil.copyfile(broker.process.log, target / f"broker-{broker.node_id}.log")


def show(result):
    reports = result["reports"]
    say(f"chaos: {json.dumps(result['totals'])}")
    if result["disks"] == NO_DISKS:
        say(f"chaos: {NO_DISKS}")
    say(f"chaos: {reports['served']} responses, {reports['stored']} reports of {reports['producers']} processes "
        f"stored; {reports['lost']} lost, {reports['doubled']} doubled, {reports['altered']} altered")
    for line in result["complaints"]:
        say(f"chaos: {line}")
    say(f"chaos: {'ok' if result['ok'] else 'FAILED'}, seed {result['seed']}")


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--duration", type=duration_of, default=40.0, help="of the attack: 40s, 45m (default 40s)")
    words.add_argument("--seed", type=int, default=None, help="of the schedule (default: a new one, which is printed)")
    words.add_argument("--rate", type=float, default=None, help="checks a second (default 300, from 3 minutes on 1500)")
    words.add_argument("--results", type=Path, default=BUILD / "chaos", help="folder for result, journal and logs")
    words.add_argument("--program", type=Path, default=BUILD / "websentry")
    words.add_argument("--show-schedule", action="store_true", help="print the faults and do nothing")
    given = words.parse_args()
    given.seed = random.randrange(1 << 31) if given.seed is None else given.seed
    if given.show_schedule:
        for fault in schedule.make(given.seed, given.duration):
            say(json.dumps(fault.as_list()))
        return 0
    disks = enter_own_mounts([str(Path(__file__).resolve()), *sys.argv[1:], "--seed", str(given.seed)])
    is_long = given.duration > schedule.SHORT_S
    plan = Plan(given.seed, given.duration, given.program.resolve(), given.rate or (1500.0 if is_long else 300.0),
                5 if is_long else 2, drain_s=1800.0 if is_long else 300.0,
                must_have_disks=is_long or os.environ.get("CI") == "true")
    result = attack(plan, given.results.resolve(), disks)
    show(result)
    say(f"chaos: result in {os.path.relpath(given.results, ROOT)}/{plan.name}.json")
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
