#!/usr/bin/env python3
"""The test of the test: build the program with each planted bug, attack it, and demand that the oracle names it.

    tests/chaos/selftest.py                     all bugs of src/base/planted.h, each with the faults that bring it out
    tests/chaos/selftest.py reuse_seq skip_seq  only these; `none` makes every attack on the program without a bug

Every attack is first made on the program without a bug, which must come out clean: what fails there proves nothing. A
bug is found when a complaint says what this bug does, not when anything is wrong. Exit code 0: all were found, each
within two minutes. The last line is `N found, M missed`.
"""
import argparse
import dataclasses
import json
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.processes import ROOT  # noqa: E402

from chaos.run import NO_DISKS, Plan, attack, enter_own_mounts, say  # noqa: E402
from chaos.schedule import BROKERS, CONSUMERS, POSTGRES, PRODUCERS, Fault  # noqa: E402

BUILD = ROOT / "build-planted"
MARK = b"websentry-planted-bug"
LIMIT_S = 120.0


def fault(at, kind, target="", lasts=0.0, **more):
    return Fault(round(at, 3), kind, target, round(lasts, 3), tuple(sorted(more.items())))


def all_of(at, kind, targets, lasts=0.0, **more):
    return [fault(at, kind, target, lasts, **more) for target in targets]


def kafka_away(at, lasts, mode):
    """From the producers' side."""
    return all_of(at, "cut", [f"producers>{broker}" for broker in BROKERS], lasts, mode=mode)


# --- attacks: functions from a random generator to faults, some 25 s long


def kills_while_kafka_is_away(rng):
    faults = []
    for start in (3.0, 14.0):
        faults += kafka_away(start, 7.0, rng.choice(("cut", "silent")))
        faults += all_of(start + rng.uniform(3.5, 6.0), "kill", PRODUCERS, 0.2)
    return faults


def kills_while_a_broker_is_silent(rng):
    faults = []
    for start, broker in zip((3.0, 10.0, 17.0), BROKERS, strict=True):
        faults.append(fault(start, "cut", f"producers>{broker}", 6.0, mode="silent"))
        faults += all_of(start + rng.uniform(3.0, 5.0), "kill", PRODUCERS, 0.2)
    return faults


def full_disks(rng):
    """With Kafka away, since an outbox that can delete needs no more room."""
    faults = []
    for start in (3.0, 12.0):
        faults += kafka_away(start, 5.0, "cut")
        faults += all_of(start + rng.random(), "outbox_full", PRODUCERS, rng.uniform(5.0, 6.0))
    return faults


def full_disks_without_kafka(rng):
    faults = []
    for start in (3.0, 18.0):
        faults += kafka_away(start, 13.0, "cut")
        faults += all_of(start + 0.5 + rng.random(), "outbox_full", PRODUCERS, 5.0)
        faults += all_of(start + 11.0, "kill", PRODUCERS, 0.2)
    return faults


def low_limit(rng):
    """Kafka comes back from an absence with a limit that the batches of the backlog are over."""
    faults = []
    for start in (3.0, 16.0):
        faults.append(fault(start, "topic_limit", "success", 11.0))
        faults += kafka_away(start + 0.5, 4.0 + rng.random(), "cut")
    return faults


def duplicates(rng):
    """Producers are killed before they hear what Kafka has taken, so that it comes again."""
    faults = []
    for start in (3.0, 9.0, 15.0, 21.0):
        faults += kafka_away(start, 2.5, "deaf")
        faults += all_of(start + rng.uniform(1.0, 2.0), "kill", PRODUCERS, 0.2)
    return faults


def kills_of_slow_consumers(rng):
    faults = all_of(2.0, "slow", [f"{name}>{POSTGRES}" for name in CONSUMERS], 24.0, latency_ms=150, rate=0)
    return faults + [fault(4.0 + 2.5 * step + rng.random(), "kill", CONSUMERS[step % 3], 0.3) for step in range(8)]


def losses_in_commit(rng):
    """The connection is lost with the COMMIT; the next one may work."""
    return [fault(3.0 + 2.0 * step + rng.random(), "cut", f"{CONSUMERS[step % 3]}>{POSTGRES}", 0.8, mode="commitless")
            for step in range(9)]


def rebalances(rng):
    faults = [fault(3.0 + 4.0 * step + rng.random(), "kill", CONSUMERS[step % 3], 0.2) for step in range(5)]
    return [*faults, fault(6.0, "rebalance", "consumer-4", 6.0), fault(16.0, "rebalance", CONSUMERS[1], 4.0)]


def poison(rng):
    return [fault(2.0 + 1.2 * step, "poison", "success", 0.0, count=20, seed=rng.getrandbits(32)) for step in range(8)]


def kills(rng):
    return [fault(2.0 + 1.5 * step + rng.random(), "kill", PRODUCERS[step % 3], 0.2) for step in range(9)]


# --- what the oracle says: regular expressions, one of its complaints must match

# Of 0 to the last seq that is known, some are not stored.
HOLE = r"^lost: [0-9a-f-]{36}: \d+ of 0 to \d+ missing"
# Of a process whose last reports are gone, only the next one's `prev`, or the site, still knows.
TAIL = r"^lost: .* was committed before it, and it is not stored|^lost: \d+ responses of .* are in no row"
WAITED = r"^lost: .* lay in outbox\.db(\.segment-\S+)? at a kill and is not stored"
SHRUNK = r"^altered: [0-9a-f-]{36}/\d+: shrunk"
UNKEPT_POISON = r"^lost: the message at .* is not in quarantine"
SAME_IDENTITY = r"^doubled: [0-9a-f-]{36}/\d+ names \d+ rows"
SAME_NONCE = r"^doubled: nonce n\d+ stands in \d+ rows"
OTHER_SIZE = r"^altered: [0-9a-f-]{36}/\d+: stored n\d+ .*, served \d"


@dataclasses.dataclass(frozen=True)
class Attack:
    faults: Callable
    complaints: tuple   # each must be among what the oracle says


ATTACKS = {
    "acknowledge_before_commit": Attack(full_disks_without_kafka, (HOLE,)),
    "reuse_seq": Attack(full_disks, (SAME_IDENTITY,)),
    "skip_seq": Attack(full_disks, (HOLE,)),
    "reuse_producer_id": Attack(kills, (SAME_IDENTITY,)),
    "forget_waiting": Attack(kills_while_kafka_is_away, (WAITED,)),
    "delete_before_report": Attack(kills_while_kafka_is_away, (f"{HOLE}|{TAIL}",)),
    "delete_range": Attack(kills_while_a_broker_is_silent, (f"{HOLE}|{TAIL}",)),
    "drop_on_full_queue": Attack(low_limit, (HOLE,)),
    "condemn_batch": Attack(low_limit, (SHRUNK,)),
    "failure_is_delivery": Attack(low_limit, (HOLE,)),
    "offset_before_transaction": Attack(kills_of_slow_consumers, (HOLE,)),
    "poison_neighbour": Attack(poison, (HOLE,)),
    "position_too_far": Attack(rebalances, (HOLE,)),
    "lose_unknown_commit": Attack(losses_in_commit, (HOLE,)),
    "no_conflict_path": Attack(duplicates, (HOLE,)),
    "double_on_conflict": Attack(duplicates, (SAME_NONCE,)),
    "poison_vanishes": Attack(poison, (UNKEPT_POISON,)),
    "wrong_size": Attack(poison, (OTHER_SIZE,)),
}


def named(bug, complaints):
    """The first complaint for each thing that this bug must be accused of; fewer where it is not."""
    found = (next((line for line in complaints if re.search(pattern, line)), None)
             for pattern in ATTACKS[bug].complaints)
    return [line for line in found if line is not None]


def build(bug):
    """The program with this bug; only the files that hold one are compiled again."""
    if not (BUILD / "build.ninja").exists():
        shutil.rmtree(BUILD, ignore_errors=True)
        subprocess.run(["meson", "setup", BUILD, "-Dtests=false", f"-Dplanted_bug={bug}"], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL)
    else:
        subprocess.run(["meson", "configure", BUILD, f"-Dplanted_bug={bug}"], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", BUILD, "websentry"], check=True, stdout=subprocess.DEVNULL)
    program = BUILD / f"websentry-{bug}"
    shutil.copyfile(BUILD / "websentry", program)
    program.chmod(0o755)
    has_mark = MARK in program.read_bytes()
    if has_mark != (bug != "none"):
        raise AssertionError(f"{program}: the mark of a planted bug {'is' if has_mark else 'is not'} in it")
    return program


def try_one(bug, faults_of, seed, results):
    """Attack; returns (complaints, seconds from the first fault to the verdict)."""
    faults = sorted(faults_of(random.Random(f"{faults_of.__name__} {seed}")))
    plan = Plan(seed, max(one.at + one.lasts for one in faults) + 1.0, BUILD / f"websentry-{bug}", rate=240.0,
                drain_s=25.0, name=f"{bug}-{faults_of.__name__}", faults=faults)
    result = attack(plan, results, True)
    return result["complaints"], sum(result["seconds"][part] for part in ("attack", "drain", "oracle"))


def try_without(faults_of, seed, results):
    """It must come out clean."""
    complaints, seconds = try_one("none", faults_of, seed, results)
    say(f"selftest: no bug, {faults_of.__name__}: {complaints or 'clean'}")
    return {"bug": "none", "attack": faults_of.__name__, "is_good": not complaints, "seconds": round(seconds),
            "named": [], "complaints": complaints}


def try_bug(bug, seed, results):
    """It must be found. Whether a fault hits its moment is chance; the two minutes hold for both tries together."""
    wanted = len(ATTACKS[bug].complaints)
    total = 0
    for again in (0, 1):
        complaints, seconds = try_one(bug, ATTACKS[bug].faults, seed + again, results)
        total += seconds
        if len(lines := named(bug, complaints)) == wanted:
            break
    is_found = len(lines) == wanted and total <= LIMIT_S
    say(f"selftest: {bug}: {'found' if is_found else 'MISSED'} after {total:.0f} s: {lines or complaints[:3]}")
    return {"bug": bug, "attack": ATTACKS[bug].faults.__name__, "is_good": is_found, "seconds": round(total),
            "tries": again + 1, "named": lines, "complaints": complaints}


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("bugs", nargs="*", metavar="BUG", help=", ".join(["none", *ATTACKS]))
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--no-clean", action="store_true", help="leave out the attacks on the program without a bug")
    words.add_argument("--jobs", type=int, default=1, help="attacks at once, 2 GB of memory and two cores each")
    words.add_argument("--results", type=Path, default=ROOT / "build/chaos-selftest")
    given = words.parse_args()
    if unknown := set(given.bugs) - {"none", *ATTACKS}:
        words.error(f"no such bug: {', '.join(sorted(unknown))}")
    if not enter_own_mounts([str(Path(__file__).resolve()), *sys.argv[1:]]):
        say(NO_DISKS)
        return 1
    bugs = [bug for bug in ATTACKS if not given.bugs or bug in given.bugs]
    attacks = {ATTACKS[bug].faults for bug in (ATTACKS if "none" in given.bugs else bugs)}
    clean = [] if given.no_clean else sorted(attacks, key=lambda one: one.__name__)
    for bug in ["none", *bugs]:
        build(bug)
    results = given.results.resolve()
    with ThreadPoolExecutor(given.jobs) as pool:
        tries = [pool.submit(try_without, faults_of, given.seed, results) for faults_of in clean]
        tries += [pool.submit(try_bug, bug, given.seed, results) for bug in bugs]
        lines = [one.result() for one in tries]
    (results / "selftest.json").write_text(json.dumps(lines, indent=1) + "\n")
    found = sum(line["is_good"] for line in lines if line["bug"] != "none")
    failed = sum(not line["is_good"] for line in lines if line["bug"] == "none")
    say(f"{found} found, {len(bugs) - found} missed" + (f"; {failed} attacks fail without a bug" if failed else ""))
    return 0 if found == len(bugs) and failed == 0 else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
