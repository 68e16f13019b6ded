"""`run`: one process without a broker, on SQLite or PostgreSQL, that loses nothing that it has stored."""
import contextlib
import datetime
import json
import random
import re
import sqlite3

import pytest
from support.kinds import every_kind, sites_file
from support.nameserver import NameServer
from support.processes import closed_port, wait_until
from support.scrape import fetch
from support.sites import Answer

# What two runs of the same sites may differ in: times, durations, identities, and what the site made anew each time.
OWN = {"producer_id", "seq", "scheduled_at", "started_at", "stored_at", "late_us", "suspect", "missed", "dns_us",
       "connect_us",
       "tls_us", "wait_us", "transfer_us", "total_us", "pattern_capture"}
JSON_COLUMNS = {"labels", "failures", "redirects", "attempts", "evidence"}
BOOLEANS = {"suspect", "pattern_matched", "keepalive", "truncated"}
BIG_ENOUGH = 10_000  # reports that `run` holds while its store is away


@pytest.fixture
def names():
    server = NameServer()
    yield server
    server.close()


@contextlib.contextmanager
def sqlite(data_dir):
    """The database as a reader has it."""
    connection = sqlite3.connect(f"file:{data_dir}/websentry.db?mode=ro", uri=True, timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def sqlite_rows(data_dir, sql="SELECT * FROM report_view"):
    with sqlite(data_dir) as connection:
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def postgres_rows(database, sql="SELECT * FROM report_view"):
    with database.connect() as connection:
        cursor = connection.execute(sql)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def without_durations(value):
    """Lists and objects without what is never the same twice."""
    if isinstance(value, dict):
        return {key: without_durations(one) for key, one in value.items() if not key.endswith("_us")}
    return [without_durations(one) for one in value] if isinstance(value, list) else value


def comparable(row):
    """What must be equal in both stores; SQLite's texts and numbers are what PostgreSQL has types for."""
    found = {}
    for key, value in row.items():
        if key in OWN:
            assert key in ("missed", "suspect", "pattern_capture") or key.endswith("_us") or value is not None, key
            found[key] = value is None  # known in the one means known in the other
        elif key in JSON_COLUMNS:
            text = value if isinstance(value, str) or value is None else json.dumps(value)
            # each answer has a nonce of its own, which evidence shows
            found[key] = text and without_durations(json.loads(re.sub(r"\bn\d{8}\b", "nonce", text)))
        elif key in BOOLEANS:
            found[key] = None if value is None else bool(value)
        elif key in ("cert_not_after", "chain_not_after"):
            is_text = value is None or isinstance(value, str)
            found[key] = value if is_text else value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        else:
            found[key] = value
    if row["reason"] == "slow":  # they hold the time that it took
        del found["message"], found["failures"]
    return found


def test_both_stores_get_the_same_rows(websentry, sites, authority, database, names):
    held = closed_port()
    kinds = every_kind(sites, authority, held.getsockname()[1])
    file = websentry.write("sites.yaml", sites_file(kinds, timeout="5s"))
    prefix = names.prefix(websentry.folder)
    common = ("run", "--once", "--sites", file, "--listen", "off", "--host", "prober")
    runs = [websentry.start(*common, "--data-dir", websentry.data_dir("one"), prefix=prefix),
            websentry.start(*common, "--data-dir", websentry.data_dir("two"), "--database-dsn", database.dsn,
                            prefix=prefix)]
    for one in runs:
        assert one.wait(60) == 0, one.stderr()
    held.close()
    in_sqlite = {row["site"]: row for row in sqlite_rows(websentry.data_dir("one"))}
    in_postgres = {row["site"]: row for row in postgres_rows(database)}
    assert set(in_sqlite) == set(in_postgres) == {kind.name for kind in kinds}
    for kind in kinds:
        assert list(in_sqlite[kind.name]) == list(in_postgres[kind.name]), "the views have different columns"
        assert comparable(in_sqlite[kind.name]) == comparable(in_postgres[kind.name]), kind.name
    for found in (in_sqlite.values(), in_postgres.values()):
        assert sorted(row["seq"] for row in found) == list(range(len(kinds)))


class Store:
    """What the tests below ask of either store."""

    def __init__(self, websentry, database):
        self.data_dir = websentry.data_dir()
        self.database = database  # None: SQLite
        self.words = ["--data-dir", self.data_dir, "--listen", "127.0.0.1:0"]
        if database is not None:
            self.words += ["--database-dsn", database.dsn]

    def rows(self, sql="SELECT * FROM report_view"):
        if self.database is not None:
            return postgres_rows(self.database, sql) if self.database.has("report_view") else []
        try:
            return sqlite_rows(self.data_dir, sql)
        except sqlite3.OperationalError:  # not made yet
            return []

    def stored(self):
        return {(str(row["producer_id"]), row["seq"]): (row["site"], str(row["started_at"]))
                for row in self.rows("SELECT producer_id, seq, site, started_at FROM report_view")}

    def count(self):
        return len(self.stored())

    def producers(self):
        """{id: (prev id, prev seq)}"""
        return {str(row["id"]): (None if row["prev_producer_id"] is None else str(row["prev_producer_id"]),
                                 row["prev_seq"])
                for row in self.rows("SELECT id, prev_producer_id, prev_seq FROM producer")}


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, websentry):
    return Store(websentry, request.getfixturevalue("database") if request.param == "postgres" else None)


def assert_chain(store):
    """Every producer counts from 0 without a hole, and each but the first names the last report of the one before."""
    by_producer = {}
    for producer, seq in store.stored():
        by_producer.setdefault(producer, set()).add(seq)
    for producer, seqs in by_producer.items():
        assert seqs == set(range(len(seqs))), f"{producer} has holes"
    producers = store.producers()
    assert set(producers) == set(by_producer)
    firsts = [producer for producer, (previous, _) in producers.items() if previous is None]
    assert len(firsts) == 1
    for previous, seq in producers.values():
        if previous is not None:
            assert seq == len(by_producer[previous]) - 1, "prev is not the last report that was stored"
    assert len({previous for previous, _ in producers.values()}) == len(producers), "two name the same one before them"


def nonces_of(store):
    """What was captured, and how many checks came to no capture: on a busy machine the prober or a site is too late."""
    rows = store.rows("SELECT pattern_capture, reason FROM report_view")
    late = [row["reason"] for row in rows if row["pattern_capture"] is None]
    assert set(late) <= {"timeout", "connect_timeout", "prober_overloaded"}
    return [row["pattern_capture"] for row in rows if row["pattern_capture"] is not None], len(late)


def assert_each_request_is_stored_once(store, served):
    """A check that was late has a report without a nonce, and its request, if it was read, a nonce without a report."""
    nonces, late = nonces_of(store)
    requests = {request.nonce for site in served for request in site.requests}
    assert len(set(nonces)) == len(nonces) and set(nonces) <= requests
    assert len(requests) - len(nonces) <= late


@pytest.mark.parametrize("ends", [("term", "kill", "kill", "term"),
                                  pytest.param(("kill",) * 9 + ("term",), marks=pytest.mark.deep)], ids=["few", "many"])
def test_nothing_stored_is_lost_over_restarts_and_kill_9(websentry, sites, store, ends):
    """Each turn ends at another moment of its work."""
    rng = random.Random(len(ends))
    served = sites.many(20)
    file = websentry.write("sites.yaml", json.dumps({"sites": [
        {"url": site.url, "name": site.path, "interval": "200ms", "pattern": "nonce=(n[0-9]+)"} for site in served]}))
    stored = {}
    for turn, end in enumerate(ends):
        running = websentry.start("run", "--sites", file, *store.words)
        running.wait_ready()
        least = len(stored) + rng.randint(1, 120)
        wait_until(lambda least=least: store.count() > least, f"rows of turn {turn}")
        if end == "kill":
            seen = store.stored()
            running.kill()
        else:
            running.stop()
            seen = store.stored()
        now = store.stored()
        assert stored.items() <= seen.items() <= now.items(), "what was stored has changed"
        stored = now
    assert len(store.producers()) == len(ends)
    assert_chain(store)
    nonces, _ = nonces_of(store)
    requests = {request.nonce for site in served for request in site.requests}
    assert len(set(nonces)) == len(nonces) and set(nonces) <= requests


def test_a_stop_in_good_order_stores_every_check(websentry, sites, store):
    served = sites.many(30, make_answer=lambda number: Answer(delay_s=0.1 if number % 3 else 0))
    file = websentry.write("sites.yaml", json.dumps({"sites": [
        {"url": site.url, "name": site.path, "interval": "300ms", "pattern": "nonce=(n[0-9]+)"} for site in served]}))
    running = websentry.start("run", "--sites", file, *store.words)
    running.wait_ready()
    wait_until(lambda: sum(len(site.requests) for site in served) > 150, "checks")
    running.stop()
    assert_each_request_is_stored_once(store, served)


def test_checks_go_on_while_the_store_is_away(websentry, sites, postgres, database):
    """PostgreSQL stopped: what is checked meanwhile comes in afterwards, each once."""
    served = sites.many(20)
    file = websentry.write("sites.yaml", json.dumps({"sites": [
        {"url": site.url, "name": site.path, "interval": "200ms", "pattern": "nonce=(n[0-9]+)"} for site in served]}))
    store = Store(websentry, database)
    running = websentry.start("run", "--sites", file, *store.words)
    running.wait_ready()
    wait_until(lambda: store.count() > 50, "first rows")
    postgres.stop()
    asked = sum(len(site.requests) for site in served)
    wait_until(lambda: sum(len(site.requests) for site in served) > asked + 300, "checks without a store")
    assert len(running.complaints()) <= 3, "one line says that it is away, not one a second"
    postgres.start()
    wait_until(lambda: store.count() > asked + 300, "rows afterwards", 40)
    running.stop()
    assert_each_request_is_stored_once(store, served)
    assert_chain(store)


def test_no_check_is_started_when_too_many_reports_wait(websentry, postgres, database):
    """10,000 are held; then it says so, and goes on when they are stored. Refusing sites cost nothing."""
    held = closed_port()
    port = held.getsockname()[1]
    file = websentry.write("sites.yaml", json.dumps({"sites": [
        {"url": f"http://127.0.0.1:{port}/{number}", "interval": "200ms"} for number in range(600)]}))
    store = Store(websentry, database)
    running = websentry.start("run", "--sites", file, *store.words)
    running.wait_ready()
    wait_until(lambda: database.one("SELECT count(*) FROM report") > 600, "first rows")
    postgres.stop()
    running.wait_for("too many reports wait for the store, no checks are started", 60, level="warn")
    postgres.start()
    running.wait_for("the store takes reports again, checks go on", 60)
    wait_until(lambda: database.one("SELECT count(*) FROM report") > BIG_ENOUGH + 600, "what was held, and more")
    running.stop(timeout=60)
    held.close()
    # Said once for each time: a slow machine may fall behind again and again.
    held_back, gone_on = (len(running.find(event)) for event in (
        "too many reports wait for the store, no checks are started", "the store takes reports again, checks go on"))
    assert gone_on <= held_back <= gone_on + 1
    assert_chain(store)


def test_a_second_process_on_the_same_folder_is_refused(websentry, sites):
    site = sites.site("/a")
    words = ("--url", site.url, "--data-dir", websentry.data_dir())
    first = websentry.start("run", *words, "--listen", "127.0.0.1:0")
    first.wait_ready()
    second = websentry.run("run", *words, "--listen", "127.0.0.1:0", code=2)
    assert len(second.complaints()) == 1, second.stderr()
    line = second.complaints()[0].line
    assert str(first.pid) in line and str(websentry.data_dir()) in line


def test_page_and_api_alone_over_a_store_that_run_holds(websentry, sites):
    """`web` reads what another process writes."""
    site = sites.site("/a")
    words = ("--data-dir", websentry.data_dir(), "--listen", "127.0.0.1:0")
    websentry.start("run", "--url", site.url, "--interval", "1s", *words).wait_ready()
    site.wait_for_requests(2)
    web = websentry.start("web", *words)

    def shown():
        status, _, body = fetch(web, "/api/v1/sites")
        if status == 503:  # the store has not answered yet
            return []
        return [(one["name"], one["url"], one["outcome"], one["reason"]) for one in json.loads(body)]

    wait_until(lambda: shown() == [(site.url, site.url, "up", "ok")], "the site in the API")


def test_a_page_waits_for_a_store_that_is_not_there_yet(websentry, sites):
    data = websentry.data_dir()
    web = websentry.start("web", "--data-dir", data, "--listen", "127.0.0.1:0")
    waiting = web.wait_for("no store yet, waiting for it", level="warn")
    assert waiting.fields["path"] == f"{data}/websentry.db"
    web.wait_ready()
    site = sites.site("/a")
    websentry.run("run", "--once", "--url", site.url, "--listen", "off", "--data-dir", data)

    def names():
        status, _, body = fetch(web, "/api/v1/sites")
        return status == 200 and [one["name"] for one in json.loads(body)]

    wait_until(lambda: names() == [site.url], "the site in the API")


def test_prev_leads_past_a_process_that_ended_before_its_first_report(websentry, sites, folder):
    data = websentry.data_dir()
    words = ("run", "--data-dir", data, "--listen", "127.0.0.1:0", sites.site("/shop").url)
    websentry.run(*words, "--once")
    hanging = websentry.start(*words[:-1], sites.site("/hangs", Answer(is_endless=True)).url, "--interval", "1h",
                              "--timeout", "50s")
    hanging.wait_ready()
    hanging.kill()
    websentry.run(*words, "--once")
    with sqlite3.connect(f"file:{data}/websentry.db?mode=ro", uri=True) as database:
        producers = database.execute("SELECT id, prev_producer_id, prev_seq FROM producer").fetchall()
    first = next(one for one in producers if one[1] is None)
    assert [one[1:] for one in producers if one is not first] == [(first[0], 0)]
