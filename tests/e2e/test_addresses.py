"""`addresses: all`: one dead machine behind a name is seen, in every place where people look."""
import http.server
import json
import signal
import sqlite3
import threading

import psycopg
import pytest
import yaml
from support.nameserver import NameServer
from support.processes import wait_until
from support.schema import assert_valid
from support.scrape import fetch

ALIVE = ("127.0.0.1", "127.0.0.2")
DEAD = "127.0.0.3"


class Machine(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *words):
        pass


class Machines:
    """Servers on one port of several addresses; each can be started and stopped."""

    def __init__(self):
        self.running = {}
        for _ in range(100):
            self.port = 0
            try:
                for ip in ALIVE:
                    self.start(ip)
                return
            except OSError:
                self.close()
        raise AssertionError("no port that is free on all addresses")

    def start(self, ip):
        server = http.server.ThreadingHTTPServer((ip, self.port), Machine)
        self.port = server.server_address[1]
        self.running[ip] = server
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self, ip):
        server = self.running.pop(ip)
        server.shutdown()
        server.server_close()

    def close(self):
        for ip in list(self.running):
            self.stop(ip)


@pytest.fixture
def machines():
    made = Machines()
    yield made
    made.close()


@pytest.fixture
def names():
    server = NameServer({"three.test": [*ALIVE, DEAD], "two.test": [*ALIVE, "127.0.0.4"], "alive.test": list(ALIVE),
                         "eight.test": [f"127.0.0.{number}" for number in range(1, 9)],
                         "many.test": [f"127.0.1.{number}" for number in range(1, 19)],
                         "mixed.test": [*(f"127.0.1.{number}" for number in range(1, 19)),
                                        *(f"2001:db8::{number}" for number in range(1, 4))]})
    yield server
    server.close()


def entry(machines, names, host, **more):
    return {"name": host, "url": f"http://{host}:{machines.port}/", "addresses": "all", "dns_servers": names.address,
            **more}


def write_sites(websentry, *entries):
    return websentry.write("sites.yaml", yaml.safe_dump(
        {"defaults": {"interval": "1500ms", "timeout": "1500ms"}, "sites": list(entries)}))


def rounds_of(reports):
    """The reports of each round, by its identity, in the order of time."""
    rounds = {}
    for report in reports:
        rounds.setdefault((report["started_at"], str(report["producer_id"])), []).append(report)
    return [rounds[key] for key in sorted(rounds)]


def speaker_of(reports):
    """The one that says what comes of all."""
    found = [report for report in reports if "outcome" in report["round"]]
    assert len(found) == 1
    return found[0]


def check_rounds(reports, count, outcome):
    """Each round is whole, and one of its reports speaks for it; what a busy machine could not tell is not judged."""
    found = rounds_of(reports)
    assert found
    for of_round in found:
        assert len(of_round) == count
        assert len({report["round"]["address"] for report in of_round}) == count
        assert len({report["scheduled_at"] for report in of_round}) == 1
        speaker = speaker_of(of_round)
        if any(report["suspect"] for report in of_round):
            continue
        assert speaker["round"]["outcome"] == outcome
        for report in of_round:
            assert report["ip"] == report["round"]["address"]
            assert report["outcome"] == ("up" if report["ip"] in ALIVE else "down")
    return found


def strip_of(rounds):
    letters = {"up": "U", "degraded": "G", "down": "D", "unknown": "?"}
    return "".join(letters[speaker_of(reports)["round"]["outcome"]] for reports in rounds)


def ask_api(running):
    status, _, body = fetch(running, "/api/v1/sites")
    return {site["name"]: site for site in json.loads(body)} if status == 200 else {}


def stored(websentry):
    connection = sqlite3.connect(f"file:{websentry.data_dir() / 'websentry.db'}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        rows = [dict(row) for row in connection.execute("SELECT * FROM report_view ORDER BY started_at, seq")]
        uptime = {row["site"]: dict(row) for row in
                  connection.execute("SELECT * FROM uptime_view WHERE period = 'hour'")}
    finally:
        connection.close()
    return [{**row, "round": json.loads(row["round"])} for row in rows], uptime


def shown(window, name):
    """The row of a site as a person reads it."""
    found = window.driver.execute_script("""
        return [...document.querySelectorAll("tbody tr")].map(row =>
            [row.querySelector(".name").innerText, row.innerText]);
    """)
    return dict(found).get(name, "")


def test_run_sees_a_dead_machine_behind_a_name(websentry, machines, names, browser):
    file = write_sites(websentry, entry(machines, names, "three.test"), entry(machines, names, "alive.test"),
                       entry(machines, names, "two.test", addresses_needed=2), entry(machines, names, "many.test"))
    running = websentry.start("run", "--sites", file, "--data-dir", websentry.data_dir(), "--listen", "127.0.0.1:0")
    running.wait_ready()
    message = f"1 of 3 addresses fails: {DEAD} connect_refused"
    wait_until(lambda: ask_api(running).get("three.test", {}).get("message") == message, "the dead machine is seen", 60)
    wait_until(lambda: ask_api(running).get("alive.test", {}).get("outcome") == "up", "all is well", 60)
    wait_until(lambda: ask_api(running).get("two.test", {}).get("reason") == "address_fails", "enough work", 60)
    three = ask_api(running)["three.test"]
    assert (three["outcome"], three["reason"]) == ("down", "connect_refused")
    assert ask_api(running)["two.test"]["outcome"] == "degraded"
    wait_until(lambda: message in fetch(running, "/")[2], "the page shows it", 60)
    window = browser()
    window.open(f"http://127.0.0.1:{running.port()}/")
    assert "Down" in shown(window, "three.test") and message in shown(window, "three.test")
    seen = shown(window, "two.test")
    assert "Degraded" in seen and "1 of 3 addresses fails, 2 needed: 127.0.0.4 connect_refused" in seen
    # A machine that was well goes, and comes back: the site follows, with a line for each change.
    machines.stop(ALIVE[1])
    running.wait_for("site down", site="alive.test", message=f"1 of 2 addresses fails: {ALIVE[1]} connect_refused")
    wait_until(lambda: f"1 of 2 addresses fails: {ALIVE[1]} connect_refused" in shown(window, "alive.test"),
               "the open page follows", 60)
    machines.start(ALIVE[1])
    wait_until(lambda: running.find("site up", site="alive.test", reason="ok"), "it is well again", 60)
    wait_until(lambda: "Up" in shown(window, "alive.test"), "the open page follows once more", 60)
    wait_until(lambda: len([report for report in stored(websentry)[0] if report["site"] == "many.test"]) >= 32,
               "two rounds of the name with many addresses", 60)
    running.stop()
    assert len(running.find("more addresses than are checked", level="warn", site="many.test", checked=16,
                            unchecked=2)) == len(running.find("more addresses than are checked")) == 1
    reports, uptime = stored(websentry)
    assert {report["round"].get("unchecked") for report in reports if report["site"] == "many.test"} == {2}
    assert {report["round"].get("unchecked") for report in reports if report["site"] != "many.test"} == {None}
    for name, count in (("three.test", 3), ("alive.test", 2), ("two.test", 3)):
        rounds = rounds_of([report for report in reports if report["site"] == name])
        assert rounds and {len(of_round) for of_round in rounds} == {count}
        assert uptime[name]["checks"] == len(rounds)
        assert uptime[name]["down"] == strip_of(rounds).count("D")
    assert uptime["three.test"]["up"] == 0


def test_what_is_stored_follows_from_the_messages(websentry, machines, names, kafka, topic, database):
    file = write_sites(websentry, entry(machines, names, "three.test"), entry(machines, names, "alive.test"))
    options = ("--kafka-servers", kafka.servers, "--kafka-topic", topic)
    consumer = websentry.start("consumer", *options, "--database-dsn", database.dsn, "--listen", "127.0.0.1:0")
    producer = websentry.start("producer", *options, "--sites", file, "--data-dir", websentry.data_dir("producer"))
    producer.wait_ready()
    consumer.wait_ready()

    def count():
        return database.one("SELECT count(*) FROM report")

    wait_until(lambda: count() >= 10, "two rounds of each", 60)
    # A reload in the middle of rounds breaks none.
    for _ in range(3):
        before = count()
        producer.send_signal(signal.SIGHUP)
        wait_until(lambda than=before: count() > than, "reports go on", 60)
    producer.stop()
    messages = [message.value for message in kafka.messages(topic)]
    wait_until(lambda: count() == len(messages), "all is stored", 60)
    for message in messages:
        assert_valid(message)
    wait_until(lambda: ask_api(consumer).get("three.test", {}).get("message") ==
               f"1 of 3 addresses fails: {DEAD} connect_refused", "the API says so", 60)
    consumer.stop()
    with database.connect(row_factory=psycopg.rows.dict_row) as connection:
        reports = connection.execute("SELECT * FROM report_view ORDER BY started_at, seq").fetchall()
    three = check_rounds([report for report in reports if report["site"] == "three.test"], 3, "down")
    alive = check_rounds([report for report in reports if report["site"] == "alive.test"], 2, "up")
    strips = dict(database.query("SELECT site.name, strip FROM site_state JOIN site ON site.id = site_id"))
    assert strips == {"three.test": strip_of(three), "alive.test": strip_of(alive)}
    assert dict(database.query("SELECT site, checks FROM uptime_view WHERE period = 'hour'")) == \
        {"three.test": len(three), "alive.test": len(alive)}
    assert sorted(report["seq"] for report in reports) == list(range(len(reports)))


# strace lets a thread sleep that has woken another one, so that each report of a round has a commit of its own.
SLOWLY = ("strace", "-D", "-f", "-qq", "-o", "/dev/null", "-P", "anon_inode:[eventfd]", "-e", "trace=write", "-e",
          "inject=write:delay_exit=150000")


def kill_between_commits(websentry, file, number):
    """Start a producer without a Kafka, and kill it once its outbox has grown by a report; its data folder."""
    data = websentry.data_dir(f"killed-{number}")
    running = websentry.start("producer", "--sites", file, "--data-dir", data, "--kafka-servers", "127.0.0.1:1",
                              prefix=SLOWLY)
    log = data / "outbox.db-wal"
    running.wait_ready(60)
    size = log.stat().st_size
    wait_until(lambda: log.stat().st_size != size, "a commit", 60, step=0.005)
    running.kill()
    return data


def test_a_round_that_a_kill_cuts_in_two_is_stored_and_judged_once(websentry, machines, names, kafka, topic, database):
    """What was committed of it is stored once, and it is one check with the outcome of all its addresses."""
    file = write_sites(websentry, entry(machines, names, "eight.test", addresses_needed=2))
    options = ("--kafka-servers", kafka.servers, "--kafka-topic", topic)
    for number in range(20):  # on a busy machine the kill may come too late
        data = kill_between_commits(websentry, file, number)
        websentry.run("producer", "--once", "--sites", file, *options, "--data-dir", data)
        messages = [json.loads(message.value) for message in kafka.messages(topic)]
        sizes = [len(reports) for reports in rounds_of(messages)]
        # Of a round before a kill there may be nothing, when the kill came before the first commit.
        assert sizes.count(8) > number, "the rounds after each restart are whole"
        if min(sizes) < 8:
            break
    assert 0 < min(sizes) < 8, sizes
    websentry.run("consumer", "--once", *options, "--kafka-group", topic, "--database-dsn", database.dsn)
    websentry.run("audit", "--database-dsn", database.dsn)
    with database.connect(row_factory=psycopg.rows.dict_row) as connection:
        reports = connection.execute("SELECT * FROM report_view ORDER BY started_at, seq").fetchall()
    stored_of = [(str(report["producer_id"]), report["seq"]) for report in reports]
    assert sorted(stored_of) == sorted((message["producer_id"], message["seq"]) for message in messages)
    rounds = rounds_of(reports)
    for of_round in rounds:
        speaker = speaker_of(of_round)
        assert speaker is of_round[0], "it was the first to be committed"
        assert speaker["round"]["addresses"] == 8
        if speaker["round"]["up"] == 2:  # nothing was held up
            assert (speaker["round"]["outcome"], speaker["round"]["failed"]) == ("degraded", 6)
    assert database.query("SELECT strip FROM site_state") == [(strip_of(rounds),)]
    assert database.one("SELECT checks FROM uptime_view WHERE period = 'hour'") == len(rounds)


def test_check_prints_a_line_for_each_address_and_then_the_verdict(websentry, machines, names):
    words = ("--set", "addresses=all", "--set", f"dns_servers={names.address}")
    url = f"http://three.test:{machines.port}/"
    seen = websentry.run("check", url, *words, code=2).stdout().splitlines()
    assert [line.split()[1] for line in seen[:3]] == [DEAD, *ALIVE]
    assert "DOWN" in seen[3] and url in seen[3]
    assert seen[4].strip() == f"1 of 3 addresses fails: {DEAD} connect_refused"
    seen = websentry.run("check", url, *words, "--set", "addresses_needed=2", code=1).stdout()
    assert "DEGRADED" in seen and f"1 of 3 addresses fails, 2 needed: {DEAD} connect_refused" in seen
    seen = websentry.run("check", f"http://alive.test:{machines.port}/", *words).stdout()
    assert "UP" in seen and "2 of 2 addresses work, 2 needed" in seen
    one = f"resolve={{one.test: {ALIVE[0]}}}"
    seen = websentry.run("check", f"http://one.test:{machines.port}/", *words, "--set", one).stdout()
    assert "UP" in seen and "1 of 1 address works, 1 needed" in seen
    seen = websentry.run("check", f"http://many.test:{machines.port}/", *words, code=2).stdout()
    assert seen.rstrip().endswith("; 2 more are not checked")
    # Of the family that is asked for there are as many, whatever the name has of the other one.
    mixed = f"http://mixed.test:{machines.port}/"
    seen = websentry.run("check", mixed, *words, "--set", "ip_protocol=4", code=2).stdout()
    assert "16 of 16 addresses fail" in seen and seen.rstrip().endswith("; 2 more are not checked")
    found = [json.loads(line) for line in websentry.run("check", mixed, *words, "--json", code=2).stdout().splitlines()]
    assert [":" in report["ip"] for report in found].count(True) == 3
    assert {(report["round"]["addresses"], report["round"]["unchecked"]) for report in found} == {(16, 5)}
    seen = websentry.run("check", f"http://alive.test:{machines.port}/", *words, "--set", "addresses_needed=3", code=2)
    assert "the name has 2 addresses, 3 needed" in seen.stdout()
    reports = [json.loads(line) for line in websentry.run("check", url, *words, "--json", code=2).stdout().splitlines()]
    assert [report["seq"] for report in reports] == [0, 1, 2]
    check_rounds(reports, 3, "down")
    seen = websentry.run("check", f"http://nosuch.test:{machines.port}/", *words, "--json", code=2).stdout()
    assert json.loads(seen)["reason"] == "dns_error" and "round" not in json.loads(seen)


def test_a_plugin_and_repeated_checks_see_one_check(websentry, machines, names):
    words = ("--set", "addresses=all", "--set", f"dns_servers={names.address}")
    url = f"http://three.test:{machines.port}/"
    line = websentry.run("check", url, *words, "--set", "addresses_needed=2", "--nagios", code=1).stdout().splitlines()
    assert len(line) == 1 and line[0].startswith(f"WARNING - {url}: 1 of 3 addresses fails, 2 needed: {DEAD} ")
    assert line[0].count("total=") == 1
    seen = websentry.run("check", url, *words, "--repeat", "3", "--interval", "0.1", "--json", code=2).stdout()
    lines = [json.loads(line) for line in seen.splitlines()]
    assert len(lines) == 3 * 3 + 1 and lines[-1]["kind"] == "summary"
    assert (lines[-1]["checks"], lines[-1]["down"]) == (3, 3)
