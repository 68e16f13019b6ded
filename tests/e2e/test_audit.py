"""`websentry audit` and delivery_audit_view: what is missing is said, and what is there is not."""
import contextlib
import datetime
import json
import signal
import sqlite3
import uuid

import pytest
from support.processes import wait_until
from support.sites import Answer
from support.store_tool import NOON, PRODUCER, at, report

MADE = "ee000000-0000-0000-0000-0000000000%02x"  # of `make`, whose reports are many
COUNTS = ("stored", "highest_seq", "expected_seq", "missing", "pending", "quarantined", "lost", "expired")
RANGES = ("missing_ranges", "pending_ranges", "quarantined_ranges", "lost_ranges")


class Place:
    """A store of one kind, with what a test does to it."""

    def store(self):
        made = self._open(*self._where)
        made.ask("migrate")
        return made

    def write(self, *reports, **place):
        store = self.store()
        written = store.write(*reports, **place)
        store.close()
        return written

    def make(self, producer, first, count):
        """Plain reports, many at once."""
        store = self.store()
        store.tell(f"make {producer} {first} {count} 10 {NOON} 1000")
        assert store.ask("write") == f"{count} 0 0"
        store.close()

    def fold(self):
        """Full chunks become ranges with the first batch that a process writes."""
        self.write(report(0, at(0), producer=9))

    def view(self):
        """{producer_id: {column: value}}"""
        names = ("producer_id", "location", "host", *COUNTS, *RANGES)
        rows = self.query(f"SELECT {', '.join(names)} FROM delivery_audit_view")
        found = {}
        for row in rows:
            named = {name: json.loads(value) if isinstance(value, str) and name in RANGES else value
                     for name, value in zip(names, row, strict=True)}
            found[str(named["producer_id"])] = named
        return found


class Sqlite(Place):
    hours_ago = "strftime('%Y-%m-%dT%H:%M:%f', 'now', '-2 hours') || '000Z'"

    def __init__(self, folder, open_store):
        self.path = folder / "data" / "websentry.db"
        self.path.parent.mkdir()
        self.words = ("--data-dir", str(self.path.parent))
        self._open, self._where = open_store, ("sqlite", str(self.path))

    def query(self, sql):
        with contextlib.closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(sql).fetchall()


class Postgresql(Place):
    hours_ago = "now() - interval '2 hours'"

    def __init__(self, database, open_store):
        self.words = ("--database-dsn", database.dsn)
        self.query = database.query
        self._open, self._where = open_store, ("postgres", database.dsn)


@pytest.fixture(params=["postgresql", "sqlite"])
def place(request, folder, open_store):
    if request.param == "sqlite":
        return Sqlite(folder, open_store)
    return Postgresql(request.getfixturevalue("database"), open_store)


@pytest.fixture
def audit(websentry, place):
    """audit(*words, code=0): what --json says, {producer_id: …}; the view must say the same."""
    def run(*words, code=0):
        done = websentry.run("audit", "--json", *place.words, *words, code=code)
        told = json.loads(done.stdout())
        found = {producer["producer_id"]: producer for producer in told["producers"]}
        for name in ("stored", "missing", "pending", "quarantined", "lost", "expired"):
            assert told["totals"][name] == sum(one[name] for one in found.values())
        if not any("--hole-after" in str(word) for word in words):
            view = place.view()
            assert set(view) == set(found)
            for producer, one in found.items():
                for name in (*COUNTS, *RANGES):
                    assert view[producer][name] == one[name], f"{producer} {name}"
        return found
    return run


def reports(*seqs, producer=1, **fields):
    return [report(seq, at(seq % 2**20), producer=producer, **fields) for seq in seqs]


def age(place):
    """What was written was written two hours ago."""
    for table, column in (("seq_chunk", "changed_at"), ("seq_range", "changed_at"), ("seq_mark", "marked_at"),
                          ("producer", "first_seen_at")):
        place.query(f"UPDATE {table} SET {column} = {place.hours_ago}")


def test_nothing_is_missing_of_what_came(audit, place, websentry):
    place.write(*reports(*range(20)), *reports(*range(5), producer=2, location="us-1", host="probe-2"))
    found = audit()
    one, two = found[PRODUCER % 1], found[PRODUCER % 2]
    assert (one["location"], one["host"], two["location"], two["host"]) == ("eu-1", "probe-1", "us-1", "probe-2")
    assert (one["stored"], one["highest_seq"], two["stored"], two["highest_seq"]) == (20, 19, 5, 4)
    assert (one["first_report_at"], one["last_report_at"]) == (at(0), at(19))
    told = websentry.run("audit", *place.words).stdout()
    assert "2 producers: 25 reports stored, 0 missing, 0 pending, 0 quarantined, 0 declared lost\n" in told


def test_a_hole_is_pending_and_an_hour_later_missing(audit, place, websentry):
    place.write(*reports(0, 1, 2, 6, 7, 10))
    assert audit()[PRODUCER % 1]["pending_ranges"] == [[3, 5], [8, 9]]
    assert audit("--hole-after", "0s", code=1)[PRODUCER % 1]["missing_ranges"] == [[3, 5], [8, 9]]
    age(place)
    place.write(*reports(13))
    found = audit(code=1)[PRODUCER % 1]
    assert found["missing_ranges"] == [[3, 5], [8, 9]] and found["pending_ranges"] == [[11, 12]]
    told = websentry.run("audit", *place.words, code=1).stdout()
    assert "    missing     3-5, 8-9\n    pending     11-12\n" in told
    place.write(*reports(3, 4, 5, 8, 9, 11, 12))
    assert audit()[PRODUCER % 1]["stored"] == 14


def test_deleted_rows_are_missing_until_they_come_again(audit, place):
    place.write(*reports(*range(30)))
    place.query("DELETE FROM report WHERE seq BETWEEN 10 AND 14 OR seq = 20 OR seq > 27")
    found = audit(code=1)[PRODUCER % 1]
    assert found["missing_ranges"] == [[10, 14], [20, 20], [28, 29]]
    assert (found["stored"], found["highest_seq"], found["expected_seq"]) == (22, 27, 29)
    assert place.write(*reports(*range(12, 30))) == (6, 12, 0)
    assert audit(code=1)[PRODUCER % 1]["missing_ranges"] == [[10, 11]]
    assert place.write(*reports(10, 11)) == (2, 0, 0)
    audit()


def test_a_tail_that_never_came_is_known_from_the_next_process(audit, place, websentry):
    place.write(*reports(0, 1, 2, 3))
    first = report(0, at(60), producer=2, prev={"producer_id": PRODUCER % 1, "seq": 6})
    third = report(0, at(90), producer=3, prev={"producer_id": PRODUCER % 8, "seq": 1})
    place.write(first, third)
    assert audit()[PRODUCER % 1]["pending_ranges"] == [[4, 6]]
    age(place)
    found = audit(code=1)
    one = found[PRODUCER % 1]
    assert (one["missing_ranges"], one["highest_seq"], one["expected_seq"]) == ([[4, 6]], 3, 6)
    assert found[PRODUCER % 8]["missing_ranges"] == [[0, 1]]  # nothing of that process came at all
    assert "4-6 (the end of it)" in websentry.run("audit", *place.words, code=1).stdout()
    place.write(*reports(4, 5, 6), *reports(0, 1, producer=8))
    audit()


def test_what_is_in_quarantine_is_not_missing(audit, place):
    place.write(*reports(0, 1, 2), json.dumps(report(3, at(3), outcome="upp")), report(4, at(4), v=77),
                '{"v":1,"producer_id":"nobody"}', *reports(5))
    age(place)
    found = audit()[PRODUCER % 1]
    assert found["quarantined_ranges"] == [[3, 4]] and found["stored"] == 4
    place.write(*reports(3))  # repaired, or sent again whole
    assert audit()[PRODUCER % 1]["quarantined_ranges"] == [[4, 4]]


def test_declared_lost(audit, place, websentry):
    place.write(*reports(0, 1, 5, 9))
    age(place)
    audit(code=1)
    told = websentry.run("audit", *place.words, "--declare-lost", f"{PRODUCER % 1}:2-4",
                         "--declare-lost", f"{PRODUCER % 1}:6", code=1)
    assert told.find("declared lost", range=f"{PRODUCER % 1}:2-4")
    assert "    missing     7-8\n    lost        2-4, 6\n" in told.stdout()
    beyond = websentry.run("audit", *place.words, "--declare-lost", f"{PRODUCER % 1}:7-10000", code=1)
    assert "expected an end of 9 at most" in beyond.stderr()
    websentry.run("audit", *place.words, "--declare-lost", f"{PRODUCER % 1}:7-8")
    assert audit()[PRODUCER % 1]["lost_ranges"] == [[2, 4], [6, 8]]
    rows = place.query("SELECT first, last, who, changed_at FROM seq_range WHERE state = 'lost' ORDER BY first")
    assert [tuple(row[:2]) for row in rows] == [(2, 4), (6, 6), (7, 8)]
    assert all("@" in row[2] and row[3] for row in rows)
    place.write(*reports(3))  # it came after all
    assert audit()[PRODUCER % 1]["lost_ranges"] == [[2, 2], [4, 4], [6, 8]]
    nothing = websentry.run("audit", *place.words, "--declare-lost", f"{PRODUCER % 1}:0-1", code=1)
    assert "nothing of it is missing" in nothing.stderr() and len(nothing.complaints()) == 1
    nobody = websentry.run("audit", *place.words, "--declare-lost", f"{uuid.uuid4()}:0-1", code=1)
    assert "no such producer_id" in nobody.stderr() and len(nobody.complaints()) == 1


def test_full_chunks_become_ranges_and_say_the_same(audit, place):
    place.make(1, 0, 10000)
    place.make(1, 12288, 4096)
    place.make(2, 0, 4096)
    place.fold()
    ranges = place.query("SELECT first, last FROM seq_range WHERE state = 'stored' ORDER BY last")
    assert [tuple(row) for row in ranges] == [(0, 4095), (0, 8191), (12288, 16383)]
    assert place.query("SELECT count(*) FROM seq_chunk")[0][0] == 2  # of 8192 to 9999, and of the one that folded
    assert audit()[MADE % 1]["pending_ranges"] == [[10000, 12287]]
    place.query("DELETE FROM report WHERE seq = 77")
    place.make(1, 10000, 2288)
    place.fold()
    found = audit(code=1)
    assert found[MADE % 1]["missing_ranges"] == found[MADE % 2]["missing_ranges"] == [[77, 77]]
    assert place.query(f"SELECT count(*) FROM seq_range WHERE state = 'stored' AND producer_id = '{MADE % 1}'"
                       )[0][0] == 1


def chunks(place):
    """How many rows seq_chunk has, but for the one of the fold itself."""
    return place.query(f"SELECT count(*) FROM seq_chunk WHERE producer_id <> '{PRODUCER % 9}'")[0][0]


def test_chunks_that_never_fill_become_ranges(audit, place):
    """As of a `producer --once` each minute: a process with a few reports, and nothing comes to its chunk any more."""
    for producer in range(20):
        place.make(producer, 0, 5)
    place.write(*reports(0, 1, 2), report(3, at(3), outcome="upp"), *reports(6, 7), partition=1)
    place.write(*reports(4096, 4097), partition=2)
    place.write(*reports(*range(0, 60, 2), producer=2))  # a bitmap takes less than its ranges
    place.fold()
    assert chunks(place) == 20 + 3
    age(place)
    before = audit(code=1)
    place.fold()
    assert chunks(place) == 1
    ranges = place.query("SELECT state, first, last FROM seq_range "
                         f"WHERE producer_id = '{PRODUCER % 1}' ORDER BY first")
    assert [tuple(row) for row in ranges] == [
        ("stored", 0, 2), ("quarantined", 3, 3), ("stored", 6, 7), ("stored", 4096, 4097)]
    assert place.query("SELECT count(*) FROM seq_range")[0][0] == 20 + 4 + 1  # and the fold's own
    after = audit(code=1)
    del before[PRODUCER % 9], after[PRODUCER % 9]
    assert after == before
    # What comes late is counted once, and once more it is nothing.
    assert place.write(*reports(2, 3, 4)) == (2, 1, 0)
    assert audit(code=1)[PRODUCER % 1]["stored"] == 9
    assert place.write(*reports(2, 3, 4, 5, 6)) == (1, 4, 0)
    age(place)
    place.fold()
    one = audit(code=1)[PRODUCER % 1]
    assert (one["stored"], one["quarantined"], one["missing_ranges"]) == (10, 0, [[8, 4095]])
    ranges = place.query(f"SELECT first, last FROM seq_range WHERE state = 'stored' AND producer_id = '{PRODUCER % 1}' "
                         "ORDER BY first")
    assert [tuple(row) for row in ranges] == [(0, 7), (4096, 4097)] and chunks(place) == 1


def test_marks_of_processes_that_are_done_with_go(audit, place):
    place.make(1, 0, 5)
    age(place)
    old = "now() - interval '30 hours'" if isinstance(place, Postgresql) else "'2001-01-01T00:00:00.000000Z'"
    place.query(f"UPDATE seq_mark SET marked_at = {old}, slot = {old}")
    place.fold()
    assert place.query(f"SELECT count(*) FROM seq_mark WHERE producer_id = '{MADE % 1}'")[0][0] == 0
    audit()


def ago(days, second=0):
    moment = datetime.datetime.now(datetime.UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return (moment - datetime.timedelta(days=days) + datetime.timedelta(seconds=second)).strftime(
        "%Y-%m-%dT%H:%M:%S.%fZ")


def remake(place):
    """The tables of audit are gone, but for what the reports can't tell, and are made again."""
    place.query(f"DROP TABLE seq_chunk{' CASCADE' if isinstance(place, Postgresql) else ''}")
    place.store().close()
    age(place)


def test_what_retention_takes_away_is_expired_and_not_missing(audit, place, one_day):
    gone = [report(seq, ago(10, seq % 60), producer=1, site=f"s{seq % 5}") for seq in range(5000)]
    holey = [report(seq, ago(10, seq), producer=2) for seq in (0, 1, 4)]
    halves = [report(seq, ago(10 if seq < 10 else 1, seq), producer=3) for seq in range(20)]
    place.write(*gone, *holey, *halves)
    age(place)
    place.fold()
    before = audit(code=1)
    assert [before[PRODUCER % n]["stored"] for n in (1, 2, 3)] == [5000, 3, 20]
    store = place.store()
    store.ask("keep 5")
    store.ask("tidy")
    store.close()
    assert place.query(f"SELECT count(*) FROM report WHERE producer_id = '{PRODUCER % 1}'")[0][0] == 0
    expected = [(0, 5000, []), (0, 3, [[2, 3]])]
    for made_again in (False, True):
        if made_again:
            remake(place)
        found = audit(code=1)
        for number, (stored, expired, missing) in enumerate(expected, 1):
            one = found[PRODUCER % number]
            assert (one["stored"], one["expired"], one["missing_ranges"]) == (stored, expired, missing)
        three = found[PRODUCER % 3]
        assert three["missing"] == three["pending"] == 0
        # A range of several days is counted as stored until all of it is gone.
        assert (three["stored"], three["expired"]) == ((10, 10) if made_again else (20, 0))
    # Deleted by hand is something else, also beside what has expired.
    place.query(f"DELETE FROM report WHERE seq = 15 AND producer_id = '{PRODUCER % 3}'")
    assert audit(code=1)[PRODUCER % 3]["missing_ranges"] == [[15, 15]]
    # Nobody else knows what expired.
    place.query(f"DROP TABLE seq_range{' CASCADE' if isinstance(place, Postgresql) else ''}")
    place.store().close()
    age(place)
    found = audit("--hole-after", "0s", code=1)
    assert found[PRODUCER % 3]["missing_ranges"] == [[0, 9], [15, 15]] and found[PRODUCER % 3]["expired"] == 0


def test_the_highest_seq_beside_deleted_ones(audit, place):
    place.write(*reports(*range(6)))
    place.query("DELETE FROM report WHERE seq = 3")
    assert place.write(*reports(2**63 - 1)) == (1, 0, 0)
    assert place.write(*reports(3, 2**63 - 1)) == (1, 1, 0)
    for _ in range(2):
        one = audit("--hole-after", "0s", code=1)[PRODUCER % 1]
        assert (one["stored"], one["missing_ranges"]) == (7, [[6, 2**63 - 2]])
        age(place)
        place.fold()
    assert chunks(place) == 0
    assert place.write(*reports(2**63 - 2)) == (1, 0, 0)
    age(place)
    place.fold()
    assert chunks(place) == 0 and place.query("SELECT max(last) FROM seq_range")[0][0] == 2**63 - 1


@pytest.mark.parametrize("table", ["seq_chunk", "seq_range", "seq_mark"])
def test_a_dropped_table_is_filled_from_the_reports(audit, place, table):
    place.make(1, 0, 5000)
    place.write(*reports(1), json.dumps(report(0, at(3), outcome="upp")))
    place.fold()
    age(place)
    before = audit()
    store = place.store()
    store.write(*reports(2))
    place.query(f"DROP TABLE {table}" if isinstance(place, Sqlite) else f"DROP TABLE {table} CASCADE")
    assert store.write(*reports(3)) == (1, 0, 0)
    store.close()
    found = audit()
    one, made = found[PRODUCER % 1], found[MADE % 1]
    assert (made["stored"], one["stored"], one["missing"], one["pending"]) == (5000, 3, 0, 0)
    assert one["quarantined_ranges"] == before[PRODUCER % 1]["quarantined_ranges"] == [[0, 0]]


def test_reports_from_before_are_taken_over(audit, place):
    place.write(*reports(*range(10)), *reports(15), report(10, at(3), outcome="upp"))
    if isinstance(place, Sqlite):
        place.query("DROP TRIGGER report_deleted")
        for table in ("seq_chunk", "seq_range", "seq_mark"):
            place.query(f"DROP TABLE {table}")
    else:
        place.query("DROP TABLE seq_chunk, seq_range, seq_mark CASCADE")
        place.query("DROP FUNCTION seq_range_note_deleted CASCADE")
    place.store().close()
    place.store().close()
    age(place)
    found = audit(code=1)[PRODUCER % 1]
    assert found["missing_ranges"] == [[11, 14]] and found["quarantined_ranges"] == [[10, 10]]


def test_all_reports_truncated_are_missing(database, open_store, websentry):
    place = Postgresql(database, open_store)
    place.make(1, 0, 5000)
    place.fold()
    place.query("TRUNCATE report")
    told = websentry.run("audit", "--json", *place.words, code=1)
    one = next(one for one in json.loads(told.stdout())["producers"] if one["producer_id"] == MADE % 1)
    assert one["missing_ranges"] == [[0, 4999]] and one["stored"] == 0
    place.make(1, 100, 200)
    told = websentry.run("audit", "--json", *place.words, code=1)
    one = next(one for one in json.loads(told.stdout())["producers"] if one["producer_id"] == MADE % 1)
    assert one["missing_ranges"] == [[0, 99], [300, 4999]]
    assert place.view()[MADE % 1]["missing_ranges"] == [[0, 99], [300, 4999]]


def test_a_dropped_day_and_rows_that_move_to_their_day_are_not_missing(database, open_store, websentry, one_day):
    place = Postgresql(database, open_store)
    now = datetime.datetime.now(datetime.UTC)
    day = f"report_{now:%Y%m%d}"
    today = [report(seq, now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")) for seq in range(4)]
    store = place.store()
    store.write(*today[:2])
    place.query(f"ALTER TABLE report DETACH PARTITION {day}; DROP TABLE {day}")
    store.write(today[2])
    store.close()
    assert place.query("SELECT count(*) FROM report_default")[0][0] == 1
    place.write(today[3])
    assert place.query("SELECT count(*) FROM report_default")[0][0] == 0
    assert place.query(f"SELECT count(*) FROM {day}")[0][0] == 2
    told = json.loads(websentry.run("audit", "--json", *place.words).stdout())
    assert told["totals"]["missing"] == 0 and told["totals"]["stored"] == 4


def test_what_is_no_store(websentry, folder, database):
    nowhere = websentry.run("audit", "--data-dir", folder / "nowhere", code=2)
    assert "no store at" in nowhere.stderr() and len(nowhere.complaints()) == 1
    data = folder / "damaged"
    data.mkdir()
    (data / "websentry.db").write_bytes(b"no database at all " * 1000)
    damaged = websentry.run("audit", "--data-dir", data, code=2)
    assert "file is not a database" in damaged.stderr() and len(damaged.complaints()) == 1
    (data / "websentry.db").write_bytes(b"")
    empty = websentry.run("audit", "--data-dir", data, code=1)
    assert "start `run` there once" in empty.stderr() and len(empty.complaints()) == 1
    bare = websentry.run("audit", "--database-dsn", database.dsn, code=1)
    assert "db migrate" in bare.stderr() and len(bare.complaints()) == 1
    away = websentry.run("audit", "--database-dsn", "postgresql://127.0.0.1:1/x", code=1)
    assert len(away.complaints()) == 1
    for wrong in ("x", f"{PRODUCER % 1}", f"{PRODUCER % 1}:5-4", f"{PRODUCER % 1}:-1"):
        bad = websentry.run("audit", "--declare-lost", wrong, code=2)
        assert "PRODUCER_ID:FIRST-LAST" in bad.stderr() and len(bad.complaints()) == 1


def test_a_run_at_work_is_audited_and_its_store_is_not_written_to(websentry, sites, folder):
    site = sites.site("/", Answer())
    words = ("--data-dir", websentry.data_dir())
    running = websentry.start("run", site.url, "--interval", "100ms", "--timeout", "100ms", "--listen", "off", *words)
    running.wait_ready()

    def totals():
        told.append(json.loads(websentry.run("audit", "--json", "--hole-after", "0s", *words).stdout()))
        return told[-1]["totals"]

    told = []
    wait_until(lambda: totals()["stored"] > 5, "five reports")
    assert all(one["totals"]["missing"] == one["totals"]["pending"] == 0 for one in told)
    producer = told[-1]["producers"][0]["producer_id"]
    refused = websentry.run("audit", "--declare-lost", f"{producer}:0", *words, code=2)
    assert f"in use by process {running.pid}" in refused.stderr() and len(refused.complaints()) == 1
    running.stop()
    again = websentry.start("run", site.url, "--interval", "100ms", "--timeout", "100ms", "--listen", "off", *words)
    again.wait_ready()
    checked = len(site.requests)
    wait_until(lambda: len(site.requests) > checked + 5, "five checks")
    again.stop()
    assert (totals()["producers"], totals()["missing"]) == (2, 0)


def test_the_whole_pipeline_with_two_consumers_misses_nothing(websentry, sites, kafka, topic, database):
    served = sites.many(40, make_answer=lambda _: Answer())
    named = [{"url": site.url, "name": site.path} for site in served]
    file = websentry.write("sites.yaml", json.dumps({"sites": named}))
    kafka_words = ("--kafka-servers", kafka.servers, "--kafka-topic", topic)
    consumers = [websentry.start("consumer", *kafka_words, "--database-dsn", database.dsn) for _ in range(2)]
    for consumer in consumers:
        consumer.wait_ready(40)
    producer = ("producer", "--sites", file, "--interval", "300ms", "--timeout", "300ms", *kafka_words,
                "--data-dir", websentry.data_dir())
    for number in range(2):
        started = websentry.start(*producer)
        started.wait_ready()
        asked = sum(len(site.requests) for site in served)
        wait_until(lambda asked=asked: sum(len(site.requests) for site in served) > asked + 200, "200 checks")
        if number == 0:
            started.send_signal(signal.SIGKILL)
            started.wait()
            consumers[0].send_signal(signal.SIGKILL)
            consumers[0].wait()
            consumers[0] = websentry.start("consumer", *kafka_words, "--database-dsn", database.dsn)
        else:
            started.stop()
    wait_until(lambda: database.one("SELECT count(*) FROM report") == kafka_count(kafka, topic),
               "all is stored", 60)
    told = json.loads(websentry.run("audit", "--json", "--hole-after", "0s", "--database-dsn", database.dsn).stdout())
    assert told["totals"]["missing"] == told["totals"]["pending"] == 0
    rows = dict(database.query("SELECT producer_id::text, count(*) FROM report GROUP BY 1"))
    assert {one["producer_id"]: one["stored"] for one in told["producers"]} == rows and len(rows) == 2


def kafka_count(kafka, topic):
    """How many different reports are in the topic."""
    messages = (json.loads(message.value) for message in kafka.messages(topic))
    return len({(message["producer_id"], message["seq"]) for message in messages})
