"""Where the time of a check went: each hop's phases show its own delay and no other's, and what curl sees."""
import contextlib
import json
import subprocess

import pytest
import yaml
from support.nameserver import NameServer
from support.phases import PHASES, SYN_AGAIN_S, PhaseServer

DELAY_S = 0.5
# A machine that is busy elsewhere may hold a process up for as long as a delay. The prober says so where it was itself;
# of the others nobody does, so that a run is repeated.
RUNS = 5


@pytest.fixture
def name_server():
    made = NameServer({name: "127.0.0.1" for name in ("quick.test", "slow.test")})
    made.delays_s["slow.test"] = DELAY_S
    yield made
    made.close()


def check(websentry, entry):
    file = websentry.write("sites.yaml", yaml.safe_dump([{"timeout": "30s", "interval": "1m", **entry}]))
    done = websentry.run("check", "--json", "--sites", file)
    return json.loads(done.stdout())


def phases_of(hop):
    return {phase: hop.get(f"{phase}_us", 0) / 1e6 for phase in PHASES}


def add_up(hop, total_us):
    gap_us = abs(total_us - sum(hop.get(f"{phase}_us", 0) for phase in PHASES))
    assert gap_us <= total_us / 100 + 100, hop


def is_delay_alone(phases, slow, delay_s):
    """All of the delay is in its phase, and less than half of one in all others together."""
    others = sum(phases.values()) - phases[slow]
    return phases[slow] >= 0.98 * delay_s and others < delay_s / 2


def test_each_hop_shows_its_own_delay_and_no_other(websentry, authority, name_server):
    """A chain of redirects with a hop for each phase; the last one is the final response."""
    cert = authority.issue("quick.test", ("quick.test", "slow.test"))
    for _ in range(RUNS):
        with contextlib.ExitStack() as stack:
            def serve(stack=stack, **options):
                made = PhaseServer(**options)
                stack.callback(made.close)
                return made

            last = serve(transfer_s=DELAY_S)
            waits = serve(wait_s=DELAY_S, location=f"http://quick.test:{last.port}/last")
            shakes = serve(certificate=cert, tls_s=DELAY_S, location=f"http://quick.test:{waits.port}/waits")
            full = serve(is_full=True, location=f"https://quick.test:{shakes.port}/shakes")
            named = serve(location=f"http://quick.test:{full.port}/full")
            # The queue has room half a second after the client has gone on to it: it tries again later than that.
            full.accept_after(2 * DELAY_S)
            report = check(websentry, {"name": "chain", "url": f"http://slow.test:{named.port}/", "dns_servers":
                                       name_server.address, "tls_config": {"ca_file": str(authority.ca_file)}})
        hops = report["redirects"]
        assert (report["outcome"], len(hops)) == ("up", len(PHASES) - 1)
        for hop in hops:
            add_up(hop, hop["total_us"])
        final_us = sum(report.get(f"{phase}_us", 0) for phase in PHASES)
        hops_us = sum(hop["total_us"] for hop in hops) + final_us
        assert report["total_us"] * 0.99 - 1000 <= hops_us <= report["total_us"]
        delays = {"dns": DELAY_S, "connect": SYN_AGAIN_S, "tls": DELAY_S, "wait": DELAY_S, "transfer": DELAY_S}
        seen = [phases_of(hop) for hop in [*hops, report]]
        if all(is_delay_alone(phases, slow, delays[slow]) for phases, slow in zip(seen, PHASES, strict=True)):
            break
    else:
        raise AssertionError(f"no run of {RUNS} shows each delay in its phase alone, the last: {seen}")
    assert ["tls_us" in hop for hop in [*hops, report]] == [False, False, True, False, False]
    assert {hop["ip"] for hop in hops} == {"127.0.0.1"} and all(hop["http_status_code"] == 302 for hop in hops)


CURL_WORDS = ("time_namelookup", "time_connect", "time_appconnect", "time_starttransfer", "time_total")


def ask_curl(websentry, name_server, url, authority):
    """The phases as curl sees them: its figures count from the start, and have no tls over plain http."""
    form = json.dumps({word: f"%{{{word}}}" for word in CURL_WORDS})
    done = subprocess.run([*name_server.prefix(websentry.folder), "curl", "-sS", "-o", "/dev/null", "--noproxy", "*",
                           "--max-time", "30", "--cacert", authority.ca_file, "-w", form, url],
                          capture_output=True, text=True, check=True, timeout=60, env={"PATH": "/usr/bin:/bin"})
    named, connected, shaken, first, total = (float(json.loads(done.stdout)[word]) for word in CURL_WORDS)
    shaken = max(shaken, connected)
    return dict(zip(PHASES, (named, connected - named, shaken - connected, first - shaken, total - first), strict=True))


@pytest.mark.parametrize("slow", [phase for phase in PHASES if phase != "connect"])
def test_curl_sees_the_same_phases(websentry, authority, name_server, slow):
    """Where the delay is, the two agree within a fifth of it; everywhere else both see little."""
    host = "slow.test" if slow == "dns" else "quick.test"
    delays = {f"{slow}_s": DELAY_S} if slow != "dns" else {}
    server = PhaseServer(certificate=authority.issue(host, (host,)), **delays)
    url = f"https://{host}:{server.port}/"
    try:
        for _ in range(RUNS):
            curls = ask_curl(websentry, name_server, url, authority)
            ours = phases_of(check(websentry, {"url": url, "dns_servers": name_server.address,
                                               "tls_config": {"ca_file": str(authority.ca_file)}}))
            if all(abs(ours[phase] - curls[phase]) <= DELAY_S / 5 for phase in PHASES) and \
                    all(is_delay_alone(phases, slow, DELAY_S) for phases in (ours, curls)):
                break
        else:
            raise AssertionError(f"{slow}: ours {ours}, curl's {curls}")
        assert slow == "dns" or ours[slow] >= 0.98 * server.took[slow]
    finally:
        server.close()
