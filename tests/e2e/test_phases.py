"""Where the time of a check went: each hop's phases show its own delay and no other's, and what curl sees."""
import contextlib
import json
import subprocess

import pytest
import yaml
from support.nameserver import NameServer
from support.phases import PHASES, SYN_AGAIN_S, PhaseProxy, PhaseServer
from support.sites import Answer

# A machine that is busy elsewhere may hold a process up for as long as a delay: then again, with a longer one.
DELAYS_S = (0.5, 0.5, 1.0, 2.0, 4.0)


@pytest.fixture
def name_server():
    made = NameServer({name: "127.0.0.1" for name in ("quick.test", "slow.test")})
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
    """All of the delay is in its phase, and less than half of that in all others together."""
    others = sum(phases.values()) - phases[slow]
    return phases[slow] >= 0.98 * delay_s and others < phases[slow] / 2


def test_each_hop_shows_its_own_delay_and_no_other(websentry, authority, name_server):
    """A chain of redirects with a hop for each phase; the last one is the final response."""
    cert = authority.issue("quick.test", ("quick.test", "slow.test"))
    for delay_s in DELAYS_S:
        name_server.delays_s["slow.test"] = delay_s
        with contextlib.ExitStack() as stack:
            def serve(stack=stack, **options):
                made = PhaseServer(**options)
                stack.callback(made.close)
                return made

            last = serve(transfer_s=delay_s)
            waits = serve(wait_s=delay_s, location=f"http://quick.test:{last.port}/last")
            shakes = serve(certificate=cert, tls_s=delay_s, location=f"http://quick.test:{waits.port}/waits")
            full = serve(is_full=True, location=f"https://quick.test:{shakes.port}/shakes")
            named = serve(location=f"http://quick.test:{full.port}/full")
            # The queue has room one delay after the client has gone on to it: then it tries again, or has to wait on.
            full.accept_after(2 * delay_s)
            report = check(websentry, {"name": "chain", "url": f"http://slow.test:{named.port}/", "dns_servers":
                                       name_server.address, "tls_config": {"ca_file": str(authority.ca_file)}})
        hops = report["redirects"]
        assert (report["outcome"], len(hops)) == ("up", len(PHASES) - 1)
        for hop in hops:
            add_up(hop, hop["total_us"])
        final_us = sum(report.get(f"{phase}_us", 0) for phase in PHASES)
        hops_us = sum(hop["total_us"] for hop in hops) + final_us
        assert report["total_us"] * 0.99 - 1000 <= hops_us <= report["total_us"]
        delays = {**dict.fromkeys(PHASES, delay_s), "connect": SYN_AGAIN_S}
        seen = [phases_of(hop) for hop in [*hops, report]]
        if all(is_delay_alone(phases, slow, delays[slow]) for phases, slow in zip(seen, PHASES, strict=True)):
            break
    else:
        raise AssertionError(f"no run shows each delay in its phase alone, the last: {seen}")
    assert ["tls_us" in hop for hop in [*hops, report]] == [False, False, True, False, False]
    assert {hop["ip"] for hop in hops} == {"127.0.0.1"} and all(hop["http_status_code"] == 302 for hop in hops)


def test_the_hops_of_a_check_that_fails_add_up_too(websentry, sites):
    """Closing what is open, and asking the machine whether the trouble is its own, is no time of the site's."""
    for answer, words in ((None, ("--set", "max_redirects=3")), (Answer(is_endless=True), ("--timeout", "300ms"))):
        last = sites.site("/last", answer or Answer(302, location="/last"))
        first = sites.site("/first", Answer(302, location=last.url))
        report = json.loads(websentry.run("check", "--json", first.url, *words, code=2).stdout())
        final_us = sum(report.get(f"{phase}_us", 0) for phase in PHASES)
        assert abs(report["total_us"] - sum(hop["total_us"] for hop in report["redirects"]) - final_us) <= 10, report


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
    cert = authority.issue(host, (host,))
    for delay_s in DELAYS_S:
        name_server.delays_s["slow.test"] = delay_s
        server = PhaseServer(certificate=cert, **({f"{slow}_s": delay_s} if slow != "dns" else {}))
        url = f"https://{host}:{server.port}/"
        try:
            curls = ask_curl(websentry, name_server, url, authority)
            ours = phases_of(check(websentry, {"url": url, "dns_servers": name_server.address,
                                               "tls_config": {"ca_file": str(authority.ca_file)}}))
        finally:
            server.close()
        # The server may be at its pause while the prober still waits for its turn: that counts as another try, too.
        is_whole = slow == "dns" or ours[slow] >= 0.98 * server.took[slow]
        if is_whole and all(abs(ours[phase] - curls[phase]) <= delay_s / 5 for phase in PHASES) and \
                all(is_delay_alone(phases, slow, delay_s) for phases in (ours, curls)):
            return
    raise AssertionError(f"{slow}: ours {ours}, curl's {curls}")


@pytest.mark.parametrize(("is_site_tls", "is_proxy_tls"), [(True, False), (True, True), (False, True)])
def test_connecting_reaches_through_a_proxy(websentry, authority, is_site_tls, is_proxy_tls):
    """TLS with a proxy, and the time that it takes to connect, are neither the site's TLS nor its wait."""
    cert = authority.issue("quick.test", ("quick.test", "proxy.test"))
    for delay_s in DELAYS_S:
        with contextlib.ExitStack() as stack:
            site = PhaseServer(certificate=cert if is_site_tls else None)
            stack.callback(site.close)
            proxy = PhaseProxy(certificate=cert if is_proxy_tls else None, tls_s=delay_s, connect_s=delay_s)
            stack.callback(proxy.close)
            report = check(websentry, {
                "url": f"http{'s' * is_site_tls}://quick.test:{site.port}/", "ca_file": str(authority.ca_file),
                "proxy": f"http{'s' * is_proxy_tls}://proxy.test:{proxy.port}", "resolve": {"proxy.test": "127.0.0.1"}})
        assert report["outcome"] == "up", report
        add_up(report, report["total_us"])
        phases = phases_of(report)
        if is_delay_alone(phases, "connect", delay_s * (is_site_tls + is_proxy_tls)):
            break
    else:
        raise AssertionError(f"no run shows the delay in connect alone, the last: {phases}")
    assert ("tls_us" in report) == is_site_tls
