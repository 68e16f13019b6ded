"""`check` for people and for monitoring systems: several URLs, repeats, --nagios, and what can't stand together."""
import json
import os
import re
import signal
import time
from datetime import datetime

import pytest
import yaml
from support import plugin_output
from support.processes import wait_until
from support.schema import assert_valid
from support.sites import SLOW_S, Answer

UTF8 = {"LC_ALL": "C.UTF-8"}
PLAIN = {"LC_ALL": "C"}


def lines_of(done):
    return done.stdout().splitlines()


# --- several URLs


def test_several_urls_are_checked_at_once(websentry, sites):
    stuck = [sites.site(f"/stuck/{i}", Answer(is_endless=True)) for i in range(20)]
    started = websentry.start("check", "--timeout", "50s", *(site.url for site in stuck))
    for site in stuck:
        site.wait_for_requests(1)  # though none has its answer
    started.send_signal(signal.SIGINT)
    assert started.wait() == 3


def test_results_come_in_the_order_of_the_urls(websentry, sites):
    slow = [sites.site(f"/slow/{i}", Answer(delay_s=0.6 - 0.2 * i)) for i in range(3)]
    urls = [site.url for site in (*slow, sites.site("/bad", Answer(503)))] + ["http://127.0.0.1:1/"]
    lines = lines_of(websentry.run("check", *urls, code=2, env=PLAIN))
    assert [next(url for url in urls if url in line) for line in lines] == urls, lines
    assert [line.split()[0] for line in lines] == ["UP", "UP", "UP", "DOWN", "DOWN"]
    assert re.search(r" ms  503  \S+/bad: status 503, expected 200-299$", lines[3])
    assert re.search(r" ms    -  http://127\.0\.0\.1:1/: connection refused", lines[4])
    reports = [assert_valid(line.encode()) for line in lines_of(websentry.run("check", "--json", *urls, code=2))]
    assert [report["url"] for report in reports] == urls
    assert sorted(report["seq"] for report in reports) == [0, 1, 2, 3, 4]


WORST = {"up": ({}, 0), "degraded": ({"max_response_time": "1us"}, 1), "unknown": ({}, 3), "down": ({}, 2)}


@pytest.mark.parametrize("worst", WORST)
def test_the_exit_code_is_the_worst_ones(websentry, sites, worst):
    """down is worse than unknown, which may be down, and that is worse than degraded."""
    answers = {"degraded": Answer(delay_s=SLOW_S), "unknown": Answer(body="x" * 600_000), "down": Answer(500)}
    entries = []
    for outcome in list(WORST)[:list(WORST).index(worst) + 1]:
        entry = {"name": outcome, "url": sites.site(f"/{outcome}", answers.get(outcome, Answer())).url}
        if outcome == "unknown":
            entry["fail_if_body_not_matches_regexp"] = ["never"]
        entries.insert(0, {**entry, **WORST[outcome][0]})
    file = websentry.write("sites.yaml", yaml.safe_dump({"sites": [{"url": sites.site("/last").url}, *entries]}))
    done = websentry.run("check", "--sites", file, code=WORST[worst][1])
    assert len(lines_of(done)) == len(entries) + 1
    status = websentry.run("check", "--nagios", "--sites", file, code=WORST[worst][1]).stdout()
    assert plugin_output.STATES[plugin_output.parse(status).state] == WORST[worst][1]


def test_explain_shows_each_of_several_sites(websentry, sites):
    one, other = sites.site("/one"), sites.site("/other", Answer(500))
    text = websentry.run("check", "--explain", "--repeat", "2", "--interval", "100ms", one.url, other.url,
                         code=2, env=PLAIN).stdout()
    assert text.count("valid_status_codes: status 200, expected 200-299") == 2
    assert text.count("valid_status_codes: status 500, expected 200-299") == 2
    assert text.index(f"UP  {one.url}") < text.index(f"DOWN  {other.url}") < text.index("2 checks, 2 up")


@pytest.mark.parametrize("env, is_coloured", [({"TERM": "xterm"}, True), ({}, True), ({"TERM": "dumb"}, False),
                                              ({"TERM": "xterm", "NO_COLOR": "1"}, False)])
def test_colours_are_for_terminals(websentry, sites, env, is_coloured):
    site = sites.site("/a")
    reading, writing = os.openpty()
    done = websentry.start("check", site.url, env={**UTF8, **env}, prefix=(
        "/bin/sh", "-c", f'exec "$@" >/proc/{os.getpid()}/fd/{writing}', "sh"))
    assert done.wait() == 0
    text = os.read(reading, 65536).decode()
    os.close(reading)
    os.close(writing)
    assert "UP" in text and ("\033[" in text) == is_coloured
    assert "\033[" not in websentry.run("check", site.url, env={**UTF8, **env}).stdout()


# --- repeats


def test_repeat_gives_figures_and_a_sparkline(websentry, sites):
    site = sites.site("/a", *(Answer(delay_s=delay) for delay in (0, 1.5, 0.3)), Answer(500), Answer())
    done = websentry.run("check", "--repeat", "5", "--interval", "100ms", site.url, code=2, env=UTF8)
    assert len(site.requests) == 5
    checks, figures = done.stdout().split("\n\n")
    assert [line.split()[0] for line in checks.splitlines()] == ["1", "2", "3", "4", "5"]
    assert figures.startswith(f"{site.url}: 5 checks, 4 up, 1 down\n")
    for name in ("dns", "connect", "wait", "transfer", "total"):
        found = re.search(rf"^  {name} +([0-9.]+) ms +([0-9.]+) ms +([0-9.]+) ms +([0-9.]+) ms$", figures, re.M)
        least, median, p95, most = map(float, found.groups())
        assert least <= median <= p95 <= most, name
    assert p95 == most and 1500 <= most < 60_000 and median < 1500, "the largest of five values is their p95"
    assert re.fullmatch(r"  [▁▂▃▄▅▆▇]█[▁▂▃▄▅▆▇]{3}", figures.splitlines()[-1]), figures


@pytest.mark.parametrize(("words", "env"), [((), {"LC_ALL": "C"}), (("--ascii",), UTF8)])
def test_a_sparkline_is_ascii_where_that_is_wanted(websentry, sites, words, env):
    site = sites.site("/a", Answer(), Answer(delay_s=0.7), Answer(reset="request"))
    done = websentry.run("check", "--repeat", "3", "--interval", "100ms", *words, site.url, code=2, env=env)
    assert re.fullmatch(r"  _#x", lines_of(done)[-1]), done.stdout()
    assert done.stdout().isascii()


def test_repeat_in_json_gives_each_report_and_the_figures(websentry, sites):
    one, other = sites.site("/one"), sites.site("/other", Answer(), Answer(reset="request"))
    done = websentry.run("check", "--json", "--repeat", "4", "--interval", "100ms", one.url, other.url, code=2)
    found = [json.loads(line) for line in lines_of(done)]
    reports, figures = found[:8], found[8:]
    for report in reports:
        assert_valid(json.dumps(report).encode())
    assert [report["url"] for report in reports] == [one.url, other.url] * 4
    assert [(one["kind"], one["url"], one["checks"]) for one in figures] == [
        ("summary", one.url, 4), ("summary", other.url, 4)]
    assert (figures[1]["up"], figures[1]["down"], figures[1]["measured"]) == (1, 3, 1)
    for name in ("dns_us", "connect_us", "wait_us", "transfer_us", "total_us"):
        values = sorted(report[name] for report in reports[::2])
        assert figures[0][name] == {"min": values[0], "median": values[1], "p95": values[3], "max": values[3]}, name
    assert "tls_us" not in figures[0]


def test_rounds_begin_an_interval_apart(websentry, sites):
    site = sites.site("/a", Answer(delay_s=0.3), Answer())
    began = time.monotonic()
    done = websentry.run("check", "--json", "--repeat", "4", "--interval", "400ms", site.url)
    assert time.monotonic() - began > 3 * 0.4
    at = [datetime.fromisoformat(json.loads(line)["started_at"]) for line in lines_of(done)[:4]]
    assert (at[3] - at[0]).total_seconds() > 0.8, "the first may be late"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_signal_ends_it_early_with_the_figures_so_far(websentry, sites, number, form):
    site = sites.site("/a", Answer(), Answer(), Answer(is_endless=True))
    started = websentry.start("check", "--repeat", "1000000", "--interval", "100ms", *form, site.url)
    site.wait_for_requests(3)
    wait_until(lambda: len(started.stdout().splitlines()) == 2, "two results")
    began = time.monotonic()
    started.send_signal(number)
    assert started.wait() == 0
    assert time.monotonic() - began < 5, "what runs is not waited for"
    if form:
        assert json.loads(lines_of(started)[-1])["checks"] == 2
    else:
        assert "2 checks, 2 up" in started.stdout() and "median" in started.stdout()


def test_a_signal_before_all_is_known_is_unknown(websentry, sites):
    for words, said in ((("--repeat", "2"), "1  UP"), (("--nagios",), "UNKNOWN - 1 up, 1 not checked | ")):
        quick, stuck = sites.site("/quick"), sites.site("/stuck", Answer(is_endless=True))
        started = websentry.start("check", *words, "--log-level", "debug", stuck.url, quick.url, env=PLAIN)
        stuck.wait_for_requests(1)
        started.wait_for("checked", site=quick.url)  # and its result waits for the one before it
        assert started.stdout() == ""
        started.send_signal(signal.SIGINT)
        assert started.wait() == 3
        assert started.stdout().startswith(said), started.stdout()


def test_nobody_reads_on(websentry, sites):
    """`check --repeat 1000000 … | head -1` ends."""
    site = sites.site("/a")
    reading, writing = os.pipe()
    started = websentry.start("check", "--repeat", "1000000", "--interval", "100ms", site.url, prefix=(
        "/bin/sh", "-c", f'exec "$@" >/proc/{os.getpid()}/fd/{writing}', "sh"))
    site.wait_for_requests(2)
    os.close(reading)
    os.close(writing)
    assert started.wait() >= 0
    assert len(site.requests) < 1000


# --- --nagios


def test_nagios_is_what_the_guidelines_say(websentry, sites, authority):
    quick, slow = sites.site("/quick", Answer(body="x" * 100)), sites.site("/slow", Answer(delay_s=SLOW_S))
    secure = sites.site("/secure")
    entries = [
        {"name": "Shop", "url": quick.url, "max_response_time": "30s",
         "time_limits": {"total": {"fail": "1m"}, "dns": {"warn": "1.5s", "fail": "3s"}, "wait": "20s"},
         "fail_if_body_smaller_than": 10, "fail_if_body_larger_than": 1000},
        {"name": "it's \"slow\" a=b|c", "url": slow.url, "max_response_time": "20ms"},
        {"name": "Secure", "url": secure.https_url, "ca_file": str(authority.ca_file), "cert_expiry_warn": "14d",
         "cert_expiry_fail": "36h"},
        {"name": "Gone", "url": "http://127.0.0.1:1/"},
    ]
    expected = {
        "Shop": ("OK", 0, {"total", "dns", "connect", "wait", "transfer", "size"}),
        "it's \"slow\" a=b|c": ("WARNING", 1, {"total", "dns", "connect", "wait", "transfer", "size"}),
        "Secure": ("OK", 0, {"total", "dns", "connect", "tls", "wait", "transfer", "size", "certificate_days"}),
        "Gone": ("CRITICAL", 2, {"total", "dns", "connect", "wait", "transfer", "size"}),
    }
    alone = {}
    for entry in entries:
        file = websentry.write("sites.yaml", yaml.safe_dump({"sites": [entry]}))
        state, code, labels = expected[entry["name"]]
        done = websentry.run("check", "--nagios", "--sites", file, code=code)
        alone[entry["name"]] = found = plugin_output.parse(done.stdout())
        assert (found.state, set(found.items)) == (state, labels), done.stdout()
        assert done.stderr() == ""
        for label, item in found.items.items():
            wanted = {"size": "B", "certificate_days": ""}.get(label, "s")
            assert item.value is None or item.uom == wanted
            assert item.min == (None if label == "certificate_days" else 0)
    shop = alone["Shop"].items
    assert (shop["total"].warn.end, shop["total"].crit.end) == (30, 60)
    assert (shop["dns"].warn.end, shop["dns"].crit.end) == (1.5, 3)
    assert shop["wait"].warn.end == 20 and shop["wait"].crit is None and shop["connect"].warn is None
    assert shop["size"].value == 100 and not shop["size"].crit.alerts(100) and shop["size"].crit.alerts(9)
    assert abs(sum(shop[name].value for name in ("dns", "connect", "wait", "transfer")) - shop["total"].value) < 0.001
    slow_total = alone["it's \"slow\" a=b|c"].items["total"]
    assert slow_total.value >= 0.1 and slow_total.warn.alerts(slow_total.value)
    days = alone["Secure"].items["certificate_days"]
    assert days.value > 300 and not days.warn.alerts(days.value) and days.warn.alerts(13) and days.crit.alerts(1.4)
    assert alone["Gone"].items["wait"].value is None
    file = websentry.write("sites.yaml", yaml.safe_dump({"sites": entries}))
    together = plugin_output.parse(websentry.run("check", "--nagios", "--sites", file, code=2).stdout())
    assert together.state == "CRITICAL"
    assert together.text.startswith("1 down, 1 degraded, 2 up: Gone: connection refused")
    assert "it's \"slow\" a:b/c total" in together.items and "Secure certificate_days" in together.items
    assert len(together.items) == sum(len(found.items) for found in alone.values())


def test_what_a_plugin_is_told_wrongly_is_unknown(websentry, sites):
    """Not CRITICAL: a typing mistake on the monitor is no trouble of the site (guidelines, "Plugin Return Codes")."""
    bad = websentry.write("bad.yaml", "sites:\n- url: 'http://127.0.0.1:1/|'\n  methd: GET\n")
    for words, said in ((("--sites", bad), "bad.yaml:3:3: unknown key"), (("--timeut", "1s"), "--timeut"),
                        (("ftp://a.test/",), "found 'ftp://a.test/'"), ((), "found no URL")):
        done = websentry.run("check", "--nagios", *words, code=3)
        found = plugin_output.parse(done.stdout())
        assert (found.state, found.items) == ("UNKNOWN", {}) and said in found.text, done.stdout()
        assert len(done.complaints()) == 1
        done = websentry.run("check", *words, code=2)
        assert done.stdout() == "" and len(done.complaints()) == 1


def test_a_site_can_not_write_the_status_line(websentry, sites):
    """What a page captures or says, and a redirect's target, stay text."""
    site = sites.site("/a", Answer(500, body="x", headers={"X-Tag": "a|b=1;2 'c'"}))
    entry = {"name": "a", "url": site.url, "fail_if_header_matches": {"header": "X-Tag", "regexp": "."},
             "fail_if_body_contains": "x"}
    file = websentry.write("sites.yaml", yaml.safe_dump({"sites": [entry]}))
    found = plugin_output.parse(websentry.run("check", "--nagios", "--sites", file, code=2).stdout())
    assert "a/b=1;2 'c'" in found.text and set(found.items) == {"total", "dns", "connect", "wait", "transfer", "size"}


def test_the_grammar_knows_a_wrong_line():
    good = "OK - fine | 'a b'=1s;2;3;0;4 c=U;@1:2;~:3 d=-1.5;10:;:5\n"
    with pytest.raises(AssertionError):
        plugin_output.parse(good)  # ":5" is a range without a start
    assert set(plugin_output.parse(good.replace(":5", "5")).items) == {"a b", "c", "d"}
    for wrong in ("OK a\n", "FINE - a\n", "OK - a", "OK - a\nb | c=1\n", "OK - a | b=1 | c=1\n"):
        with pytest.raises(AssertionError):
            plugin_output.parse(wrong)
    for wrong in ("b", "a b=1", "b=1h", "'b=1", "it's=1", "b=1;3:2", "b=1;;;;;1", "b=1  c=1", "b=1 b=2", "b=", "b=1;x",
                  "b=1;@", "b=U;;;x", "b=1,5", "b=1e3"):
        with pytest.raises(AssertionError):
            plugin_output.parse(f"OK - a | {wrong}\n")


# --- the heads

CANARY = "c4nary-of-ours"


def test_verbose_shows_the_heads_of_each_hop_without_secrets(websentry, sites, authority):
    """On standard error; what is printed otherwise stays as it is."""
    end = sites.site("/end", Answer(500, headers={"Set-Cookie": f"session={CANARY}", "X-Echo": CANARY}))
    begin = sites.site("/begin", Answer(location=f"{end.https_url}?access_token={CANARY}&page=2"))
    through = sites.site("http://inside.test/a", Answer(headers={"X-Way": "proxy"}))
    entries = [
        {"name": "hops", "url": f"{begin.https_url}?token={CANARY}:{CANARY}".replace("//", f"//me:{CANARY}@"),
         "ca_file": str(authority.ca_file),
         "cookies": {"id": CANARY}, "headers": {"X-Api-Key": CANARY, "X-Shown": "yes"}},
        {"name": "proxy", "url": "http://inside.test/a", "bearer_token": CANARY,
         "proxy": f"http://me:{CANARY}@{begin.url.split('/')[2]}"},
        {"name": "gone", "url": "http://127.0.0.1:1/"},
    ]
    file = websentry.write("sites.yaml", yaml.safe_dump({"sites": entries}))
    done = websentry.run("check", "-v", "--sites", file, code=2, env=PLAIN)
    assert begin.requests and end.requests and through.requests
    for text in (done.stdout(), done.stderr()):
        assert CANARY not in text and CANARY[:10] not in text
    assert [line.split()[0] for line in lines_of(done)] == ["DOWN", "UP", "DOWN"]
    heads = done.stderr().replace(str(sites.tls_port), "TLS").replace(str(sites.port), "PORT")
    first, second, proxy, gone = re.split(r"^\* ", heads, flags=re.M)[1:]
    assert first.startswith("https://localhost:TLS/begin?token=***\n> GET /begin?token=*** HTTP/1.1\n")
    for line in ("> Host: localhost:TLS", "> Authorization: ***", "> Cookie: ***", "> X-Api-Key: ***", "> X-Shown: yes",
                 "< HTTP/1.1 302 Found", "< Location: https://localhost:TLS/end?access_token=***&page=2"):
        assert f"{line}\n" in first, first
    assert second.startswith("https://localhost:TLS/end?access_token=***&page=2\n> GET /end?access_token=***&page=2 ")
    for line in ("< HTTP/1.1 500 Internal Server Error", "< Set-Cookie: ***", "< X-Echo: ***"):
        assert f"{line}\n" in second, second
    assert proxy.startswith("http://inside.test/a\n> GET http://inside.test/a HTTP/1.1\n")
    for line in ("> Proxy-Authorization: ***", "> Authorization: ***", "< X-Way: proxy"):
        assert f"{line}\n" in proxy, proxy
    assert gone == "http://127.0.0.1:1/\n", "nothing was sent, nothing came"


def test_verbose_shows_every_attempt(websentry, sites):
    end = sites.site("/end", Answer(500), Answer(503), Answer())
    begin = sites.site("/begin", Answer(location=end.url))
    words = ("-v", "--set", "retries=4", "--set", "retry_after=0s", begin.url)
    heads = websentry.run("check", *words).stderr()
    parts = re.split(r"^\* attempt (\d) of 3\n", heads, flags=re.M)
    assert (parts[0], parts[1::2]) == ("", ["1", "2", "3"])
    for part, line in zip(parts[2::2], ("500 Internal Server Error", "503 Service Unavailable", "200 OK"), strict=True):
        hops = re.split(r"^\* ", part, flags=re.M)[1:]
        assert [hop.splitlines()[0] for hop in hops] == [begin.url, end.url]
        assert "< HTTP/1.1 302 Found\n" in hops[0] and f"< HTTP/1.1 {line}\n" in hops[1]
    assert "attempt" not in websentry.run("check", *words).stderr(), "there was one"


def test_verbose_leaves_other_forms_as_they_are(websentry, sites):
    site = sites.site("/a")
    done = websentry.run("check", "-v", "--json", "--repeat", "2", "--interval", "100ms", site.url)
    assert [json.loads(line)["kind"] for line in lines_of(done)] == ["http", "http", "summary"]
    assert done.stderr().count("> GET /a HTTP/1.1\n") == done.stderr().count("< HTTP/1.1 200 OK\n") == 2
    plugin_output.parse(websentry.run("check", "--verbose", "--nagios", site.url).stdout())
    assert websentry.run("check", site.url).stderr() == ""


# --- what can't stand together

REFUSED = {
    "nagios and json": ("--nagios", "--json"),
    "nagios and repeat": ("--nagios", "--repeat", "2"),
    "nagios and explain": ("--nagios", "--explain"),
    "explain and json": ("--explain", "--json"),
    "interval alone": ("--interval", "1s"),
    "repeat nought": ("--repeat", "0"),
    "repeat too often": ("--repeat", "1000001"),
    "interval nought": ("--repeat", "2", "--interval", "0"),
}


@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_gets_one_line(websentry, sites, words):
    site = sites.site("/a")
    is_plugin = "--nagios" in words
    done = websentry.run("check", *words, site.url, code=3 if is_plugin else 2)
    assert len(done.complaints()) == 1, done.stderr()
    assert words[-2 if words[-1][0] != "-" else 0] in done.stderr() or words[0] in done.stderr()
    assert done.stdout().startswith("UNKNOWN - ") == is_plugin and bool(done.stdout()) == is_plugin
    assert site.requests == []
