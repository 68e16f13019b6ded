"""`websentry quarantine`: what was put aside is looked at, repaired and stored once; identity and times stay."""
import json
import re

import pytest
from support.store_tool import PRODUCER, at, report


class Sqlite:
    """The test's SQLite as the tests of PostgreSQL have theirs: query() and words for the program."""

    def __init__(self, folder, open_store):
        self.path = folder / "data" / "websentry.db"
        self.path.parent.mkdir()
        self.words = ("--data-dir", str(self.path.parent))
        self._open = open_store

    def store(self):
        made = self._open("sqlite", str(self.path))
        made.ask("migrate")
        return made

    def query(self, sql):
        import sqlite3
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) as connection:
            return connection.execute(sql).fetchall()


class Postgresql:
    def __init__(self, database, open_store):
        self.words = ("--database-dsn", database.dsn)
        self.query = database.query
        self._open, self._dsn = open_store, database.dsn

    def store(self):
        made = self._open("postgres", self._dsn)
        made.ask("migrate")
        return made


@pytest.fixture(params=["postgresql", "sqlite"])
def place(request, folder, open_store):
    if request.param == "sqlite":
        return Sqlite(folder, open_store)
    return Postgresql(request.getfixturevalue("database"), open_store)


def put_aside(place, *messages):
    """Write messages, which must all be bad; returns the ids in their order."""
    store = place.store()
    assert store.write(*messages) == (0, 0, len(messages))
    store.close()
    return [row[0] for row in place.query("SELECT id FROM quarantine ORDER BY kafka_offset")]


def aside(place):
    return place.query("SELECT count(*) FROM quarantine")[0][0]


def stored(place):
    return [tuple(row) for row in place.query("SELECT site, seq, outcome FROM report_view ORDER BY site, seq")]


def test_a_repaired_message_is_stored_once_and_leaves(websentry, place):
    broken = report(7, at(3), outcome="upp")
    (number,) = put_aside(place, broken)
    shown = websentry.run("quarantine", "show", number, *place.words).stdout()
    assert "wrong_type: outcome" in shown and "t/0@0" in shown and "can be read" in shown
    raw = websentry.run("quarantine", "show", number, "--raw", *place.words).stdout()
    assert json.loads(raw) == broken
    file = websentry.write("repaired.json", json.dumps({**json.loads(raw), "outcome": "up"}) + "\n")
    done = websentry.run("quarantine", "retry", number, "--file", file, *place.words)
    assert done.stdout() == "1 stored, 0 were stored already, 0 left in quarantine\n"
    assert stored(place) == [("a", 7, "up")] and aside(place) == 0
    again = websentry.run("quarantine", "retry", number, "--file", file, *place.words, code=1)
    assert again.stdout() == "", "and nothing is said to be left there"
    [complaint] = again.complaints()
    assert (complaint.level, complaint.event) == ("error", "nothing in quarantine has this id")
    # The broken one comes again (a topic read from its start), and its repair is known.
    put_aside(place, broken)
    done = websentry.run("quarantine", "retry", number, "--file", file, *place.words)
    assert done.stdout() == "0 stored, 1 were stored already, 0 left in quarantine\n"
    assert stored(place) == [("a", 7, "up")] and aside(place) == 0


@pytest.mark.parametrize("change", [
    {"seq": 8}, {"producer_id": PRODUCER % 2}, {"started_at": at(4)}, {"scheduled_at": at(4)}, {"site": "b"},
], ids=lambda change: next(iter(change)))
def test_identity_and_times_are_nobodys_to_change(websentry, place, change):
    broken = report(7, at(3), outcome="upp")
    (number,) = put_aside(place, broken)
    file = websentry.write("repaired.json", json.dumps({**broken, "outcome": "up", **change}))
    done = websentry.run("quarantine", "retry", number, "--file", file, *place.words, code=2)
    name, value = next(iter(change.items()))
    assert re.search(rf"--file: {name}: found {value}, expected the original's \S+; identity and times", done.stderr())
    assert len(done.complaints()) == 1
    assert stored(place) == [] and aside(place) == 1


def test_what_cannot_be_read_of_the_original_must_be_said(websentry, place):
    whole = json.dumps(report(7, at(3)))
    cut = whole[:whole.index('"scheduled_at"')]
    (number,) = put_aside(place, cut)
    shown = websentry.run("quarantine", "show", number, *place.words).stdout()
    assert "must say scheduled_at, started_at\n" in shown
    lacking = websentry.write("lacking.json", json.dumps(
        {key: value for key, value in report(7, at(3)).items() if key != "started_at"}))
    done = websentry.run("quarantine", "retry", number, "--file", lacking, *place.words, code=2)
    assert "is no report yet (missing_field: started_at)" in done.stderr()
    other = websentry.write("other.json", json.dumps(report(6, at(3))))
    done = websentry.run("quarantine", "retry", number, "--file", other, *place.words, code=2)
    assert "seq: found 6, expected the original's 7" in done.stderr()
    file = websentry.write("repaired.json", whole)
    websentry.run("quarantine", "retry", number, "--file", file, *place.words)
    assert stored(place) == [("a", 7, "up")] and aside(place) == 0


def test_prev_is_part_of_the_identity(websentry, place):
    prev = {"producer_id": PRODUCER % 2, "seq": 41}
    broken = report(0, at(3), outcome="upp", prev=prev)
    (number,) = put_aside(place, broken)
    for wrong in (None, {**prev, "seq": 40}):
        changed = {**broken, "outcome": "up", "prev": wrong}
        text = json.dumps({key: value for key, value in changed.items() if value is not None})
        file = websentry.write("repaired.json", text)
        done = websentry.run("quarantine", "retry", number, "--file", file, *place.words, code=2)
        assert "prev: found another one" in done.stderr()
    file = websentry.write("repaired.json", json.dumps({**broken, "outcome": "up"}))
    websentry.run("quarantine", "retry", number, "--file", file, *place.words)
    assert place.query("SELECT prev_seq FROM producer") == [(41,)]


def test_retry_as_they_are(websentry, place):
    """Of a newer release, say: after an upgrade they are good. Here the sound one was put aside by hand."""
    ids = put_aside(place, report(1, at(1), outcome="upp"), report(2, at(2), v=99), "nonsense")
    listed = websentry.run("quarantine", "list", *place.words).stdout()
    assert [line.split()[0] for line in listed.splitlines()[1:]] == [str(one) for one in reversed(ids)]
    assert re.search(r"unknown_version +\d+  t/0@1  v\n", listed)
    only = websentry.run("quarantine", "list", "--reason", "not_json", "--json", *place.words).stdout()
    assert [json.loads(line)["id"] for line in only.splitlines()] == [str(ids[2])]
    done = websentry.run("quarantine", "retry", ids[1], ids[2], *place.words, code=1)
    assert done.stdout() == "0 stored, 0 were stored already, 2 left in quarantine\n"
    assert aside(place) == 3


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)  # it writes to the database beside the program
def test_retry_all_after_an_upgrade(websentry, place, database):
    count = 1200  # more than a page of ids
    store = place.store()
    store.write(report(0, at(0)), *["nonsense"])
    store.close()
    with database.connect() as connection, connection.cursor() as cursor:
        # An older release knew less: what it put aside is good today.
        cursor.executemany(
            "INSERT INTO quarantine (id, reason, detail, length, bytes, kafka_topic, kafka_partition, kafka_offset) "
            "SELECT %s, 'unknown_version', 'v', length(m), m, 't', 0, %s FROM convert_to(%s, 'UTF8') AS m",
            [(seq * 7 + 3, seq + 10, json.dumps(report(seq, at(seq)))) for seq in range(count)])
    done = websentry.run("quarantine", "retry", "--all", "--reason", "unknown_version", *place.words, timeout=60)
    assert done.stdout() == f"{count - 1} stored, 1 were stored already, 0 left in quarantine\n"
    assert database.query("SELECT count(DISTINCT seq), count(*) FROM report") == [(count, count)]
    assert aside(place) == 1
    done = websentry.run("quarantine", "retry", "--all", *place.words, code=1)
    assert done.stdout() == "0 stored, 0 were stored already, 1 left in quarantine\n"


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)  # SQLite refuses no report's data
def test_what_the_database_refuses_stays_as_it_is(websentry, place, database):
    store = place.store()
    database.query("ALTER TABLE report ADD CONSTRAINT no_sixes CHECK (seq <> 6)")
    assert store.write(report(5, at(5)), report(6, at(6)), report(7, at(7))) == (2, 0, 1)
    before = database.query("SELECT * FROM quarantine")
    (number,) = [row[0] for row in database.query("SELECT id FROM quarantine")]
    done = websentry.run("quarantine", "retry", number, *place.words, code=1)
    assert done.stdout() == "0 stored, 0 were stored already, 1 left in quarantine\n"
    assert database.query("SELECT * FROM quarantine") == before
    database.query("ALTER TABLE report DROP CONSTRAINT no_sixes")
    websentry.run("quarantine", "retry", number, *place.words)
    assert stored(place) == [("a", seq, "up") for seq in (5, 6, 7)] and aside(place) == 0


def test_an_empty_quarantine(websentry, place):
    place.store().close()
    for words in (["list"], ["retry", "--all"]):
        assert websentry.run("quarantine", *words, *place.words).stdout() == "nothing is in quarantine\n"


def test_a_store_that_run_holds(websentry, sites, folder, open_store):
    place = Sqlite(folder, open_store)
    (number,) = put_aside(place, "nonsense")
    site = sites.many(1)[0]
    started = websentry.start("run", site.url, "--listen", "off", *place.words)
    started.wait_ready()
    listed = websentry.run("quarantine", "list", *place.words).stdout()
    assert str(number) in listed
    done = websentry.run("quarantine", "retry", number, *place.words, code=2)
    assert f"websentry.db is in use by process {started.pid}" in done.stderr() and len(done.complaints()) == 1
    started.stop()


@pytest.mark.parametrize(("words", "complaint"), [
    (["show"], "found 0 ids, expected one"),
    (["show", "x"], "found 'x', expected an id"),
    (["retry"], "found none, expected ids"),
    (["retry", "1", "--all"], "--all: found beside ids"),
    (["retry", "1", "2", "--file", "x"], "--file: found 2 ids"),
    (["retry", "1", "--file", "/nowhere"], "--file: can't read /nowhere"),
    (["list", "1"], "found '1', expected none"),
], ids=lambda words: " ".join(words) if isinstance(words, list) else "")
def test_a_wrong_command_line(websentry, words, complaint):
    done = websentry.run("quarantine", *words, "--data-dir", websentry.data_dir(), code=2)
    assert complaint in done.stderr() and len(done.complaints()) == 1


@pytest.mark.parametrize("words", [["list"], ["show", "1"], ["retry", "1"]], ids=lambda words: words[0])
def test_what_is_no_store(websentry, folder, words):
    done = websentry.run("quarantine", *words, "--data-dir", folder / "nowhere", code=2)
    assert "no store at" in done.stderr() and len(done.complaints()) == 1
    assert not (folder / "nowhere").exists()
