"""Reports in a real PostgreSQL: each once, as it was, with the state of its site."""
import datetime
import json
import sqlite3
import uuid

import psycopg
import pytest
from support.processes import wait_until
from support.store_tool import PRODUCER, StoreError, at, report


def plain(value):
    """A value of PostgreSQL in the form that it has on the wire."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return str(value) if isinstance(value, uuid.UUID) else value


def count(database, table="report"):
    return database.one(f"SELECT count(*) FROM {table}")


FULL = report(
    seq=2**63 - 1, started_at="2026-11-21T12:00:00.123456Z", site="Ünïcode 💡 'quoted\" \\ <b>", outcome="degraded",
    labels={"team": "a\"b", "ключ": "é\\"}, suspect=True, missed=3, message="",
    failures=[{"reason": "slow", "message": "é"}, {"reason": "cert_expiring"}],
    redirects=[{"url": "http://a/", "http_status_code": 301, "total_us": 12}],
    attempts=[{"started_at": "2026-11-21T11:59:59.000000Z", "outcome": "down", "reason": "timeout"}],
    evidence={"headers": "A: b\\", "body": "<html>💡"},
    http_status_code=599, http_version="1.1", ip="2001:db8::1", dns_us=0, connect_us=1, tls_us=2, wait_us=3,
    transfer_us=4, total_us=2**53, body_bytes=7, decoded_bytes=2**60,
    pattern="id=\"([^\"]+)\"", pattern_matched=False, pattern_capture="{}, \\N \\.", tls_version="1.3",
    cert_not_after="2026-12-01T00:00:00.000001Z", chain_not_after="9999-12-31T23:59:59.999999Z",
    cert_issuer="CN=R3,O=Let's Encrypt,C=US", keepalive=True, truncated=False,
    round={"address": "2001:db8::1", "addresses": 2, "needed": 1, "up": 1, "failed": 1, "outcome": "degraded",
           "reason": "address_fails", "message": "1 of 2 addresses fails"})


def test_every_field_comes_back(store, database):
    store.write(FULL)
    with database.connect(row_factory=psycopg.rows.dict_row) as connection:
        row = connection.execute("SELECT * FROM report_view").fetchone()
    for name, value in FULL.items():
        assert plain(row[name]) == value, name
    for name in set(row) - set(FULL) - {"stored_at"}:
        assert row[name] is None, name


def test_types_of_the_view(store, database):
    types = dict(database.query("SELECT column_name, data_type FROM information_schema.columns "
                                "WHERE table_name = 'report_view'"))
    assert types["producer_id"] == "uuid" and types["seq"] == types["total_us"] == types["interval_us"] == "bigint"
    assert types["started_at"] == types["stored_at"] == types["cert_not_after"] == "timestamp with time zone"
    assert types["labels"] == types["redirects"] == types["attempts"] == types["failures"] == types["round"] == "jsonb"
    assert types["suspect"] == types["pattern_matched"] == "boolean" and types["site"] == "text"


def test_everything_has_a_comment(store, database):
    bare = database.query(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
        "AND col_description(c.oid, a.attnum) IS NULL")
    assert bare == []
    unmarked = database.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                              "AND relkind IN ('r', 'p', 'v') "
                              "AND coalesce(obj_description(oid, 'pg_class'), '') !~ '\\[websentry \\d+\\]'")
    assert unmarked == []


def test_both_databases_hold_the_same_rows(store, database, open_store, folder):
    sqlite = open_store("sqlite", str(folder / "websentry.db"))
    sqlite.ask("migrate")
    reports = [FULL, report(1, site="b"), report(2, at(-5), "b", outcome="down"), report(1, site="b"),
               report(3, "1970-01-01T00:00:00.000000Z", "c", outcome="unknown"),
               report(4, "2200-01-01T00:00:00.000000Z", "d", labels={"x": "y"}), '{"v":1}', "nonsense"]
    assert store.write(*reports) == sqlite.write(*reports) == (5, 1, 2)
    assert store.ask("sites") == sqlite.ask("sites")
    sqlite.close()
    with sqlite3.connect(folder / "websentry.db") as connection:
        connection.row_factory = sqlite3.Row
        theirs = [dict(row) for row in connection.execute("SELECT * FROM report_view ORDER BY site, seq")]
        bad = connection.execute("SELECT kafka_topic, kafka_partition, kafka_offset, reason, detail, bytes, length, id "
                                 "FROM quarantine ORDER BY kafka_offset").fetchall()
    connection.close()
    with database.connect(row_factory=psycopg.rows.dict_row) as connection:
        ours = connection.execute("SELECT * FROM report_view ORDER BY site COLLATE \"C\", seq").fetchall()
    assert len(ours) == len(theirs) == 5
    for one, other in zip(ours, theirs, strict=True):
        assert list(one) == list(other)
        for name, value in one.items():
            if isinstance(value, (dict, list)):
                assert json.loads(other[name]) == value, name
            elif name != "stored_at":
                assert other[name] == plain(value), name
    assert [tuple(row) for row in bad] == database.query(
        "SELECT kafka_topic, kafka_partition, kafka_offset, reason, detail, bytes, length, id FROM quarantine "
        "ORDER BY kafka_offset")


def test_duplicates_of_a_batch_and_across_batches(store, database):
    first = [report(i, at(i)) for i in range(100)]
    assert store.write(*first, *first[:10]) == (100, 10, 0)
    assert store.write(*first[50:], *[report(i, at(i)) for i in range(100, 120)]) == (20, 50, 0)
    assert store.write(*[report(i, at(i)) for i in range(120, 130)]) == (10, 0, 0)  # conflict path once more
    assert store.write(*[report(i, at(i)) for i in range(130, 140)]) == (10, 0, 0)  # and the fast one
    assert store.write(report(139, at(139))) == (0, 1, 0)
    store.tell("expect")
    assert store.write(report(139, at(139)), report(140, at(140))) == (1, 1, 0)
    assert count(database) == 141


def test_late_reports_do_not_move_the_latest(store):
    store.write(report(5, at(50)), report(6, at(60), outcome="down"))
    assert store.ask("sites") == "a down UD"
    store.write(report(3, at(30), outcome="degraded"))
    assert store.ask("strips") == "1" and store.ask("sites") == "a down GUD"
    store.write(report(4, at(55), outcome="unknown"), report(7, at(70)))
    assert store.ask("sites") == "a up GUDU"  # the latest at once, the one between in a moment
    assert store.ask("strips") == "1" and store.ask("sites") == "a up GU?DU"
    store.write(report(7, at(70)), report(3, at(30), outcome="degraded"))
    assert store.ask("sites") == "a up GU?DU"
    store.write(*[report(i, at(i * 10)) for i in range(100, 160)])
    assert store.ask("sites") == "a up " + "U" * 50
    store.write(report(8, at(1001), outcome="down"), report(200, at(5000), site="b"))
    assert store.ask("strips") == "1" and store.ask("sites") == "a up " + "U" * 50 + "; b up U"
    store.write(report(9, at(1585), outcome="down"))
    assert store.ask("strips") == "1" and store.ask("sites") == "a up " + "U" * 48 + "DU; b up U"
    # Of the same microsecond: the order of the key decides.
    store.write(report(160, at(1590), outcome="down"))
    store.write(report(158, at(1590), outcome="degraded"))
    assert store.ask("strips") == "1" and store.ask("sites") == "a down " + "U" * 46 + "DGUD; b up U"


def test_late_reports_over_many_days(store):
    """A site that is checked once a day: its strip reaches over more days than the window holds."""
    days = [report(i, f"2026-10-{i + 1:02}T12:00:00.000000Z", interval_us=3600000000) for i in range(20)]
    store.write(*days)
    store.write(report(50, "2026-10-20T11:59:00.000000Z", outcome="down", interval_us=3600000000))
    assert store.ask("strips") == "1" and store.ask("sites") == "a up " + "U" * 19 + "DU"
    # Late ones within the window and far before it, of a site that is new.
    store.write(report(60, "2026-10-20T12:00:00.000000Z", site="b"))
    store.write(report(61, "2026-10-20T11:00:00.000000Z", site="b", outcome="down"),
                report(62, "2026-09-20T11:00:00.000000Z", site="b", outcome="degraded"))
    assert store.ask("strips") == "1" and store.ask("sites").endswith("; b up GDU")


def test_stale_strips_of_many_sites_take_several_steps(store, database):
    newer = [report(i, at(20), site=f"site {i}") for i in range(250)]
    older = [report(i + 250, at(10), site=f"site {i}", outcome="down") for i in range(250)]
    store.write(*newer)
    store.write(*older)
    assert database.query("SELECT DISTINCT strip, is_strip_stale FROM site_state") == [("U", True)]
    # One that another writer has in hand is left for later, and nobody waits for it.
    with database.connect() as other:
        other.execute("BEGIN")
        other.execute("SELECT FROM site_state ORDER BY site_id LIMIT 1 FOR UPDATE")
        assert store.ask("strips") == "3"
        assert database.one("SELECT count(*) FROM site_state WHERE is_strip_stale") == 1
        other.execute("ROLLBACK")
    assert store.ask("strips") == "1"
    assert database.query("SELECT DISTINCT strip, is_strip_stale FROM site_state") == [("DU", False)]
    # All reports of a site were deleted: there is nothing to make a strip of, and no reason to try for ever.
    database.query("DELETE FROM report WHERE site_id = (SELECT id FROM site WHERE name = 'site 7')")
    database.query("UPDATE site_state SET is_strip_stale = true")
    assert store.ask("strips") == "3"
    assert database.query("SELECT DISTINCT strip, is_strip_stale FROM site_state") == [("DU", False)]


def test_a_strip_that_can_not_be_made_is_left_for_later(store, database):
    """Something of the strips alone is wrong: that is no reason to take the store for away."""
    store.write(report(5, at(50)))
    database.query("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                   "'BEGIN RAISE EXCEPTION ''damaged''; END'")
    database.query("CREATE TRIGGER refuse BEFORE UPDATE ON site_state FOR EACH ROW WHEN (NOT NEW.is_strip_stale) "
                   "EXECUTE FUNCTION refuse()")
    assert store.write(report(4, at(40), outcome="down")) == (1, 0, 0)
    assert store.ask("strips") == "1" and store.ask("sites") == "a up U"
    assert store.write(report(3, at(30))) == (1, 0, 0)
    database.query("DROP TRIGGER refuse ON site_state")
    assert store.ask("strips") == "1" and store.ask("sites") == "a up UDU"


def test_a_table_that_is_gone_for_a_moment_leaves_no_transaction_open(store, database):
    """Whatever the store is asked next would be answered with "current transaction is aborted"."""
    store.write(report(5, at(50)))
    store.write(report(4, at(40), outcome="down"))
    database.query("ALTER TABLE report RENAME TO elsewhere")
    with pytest.raises(StoreError, match="does not exist"):
        store.ask("strips")
    assert store.ask("positions c t 0").startswith("-1")
    database.query("ALTER TABLE elsewhere RENAME TO report")
    assert store.ask("strips") == "1" and store.ask("sites") == "a up DU"


def test_a_strip_is_not_made_without_what_is_being_committed(store, database, open_store):
    """A writer that has marked a stale strip once more holds its row until its reports can be seen."""
    other = open_store("postgres", database.dsn)
    other.ask("migrate")
    store.write(report(5, at(50)))
    store.write(report(4, at(40), outcome="down"))
    with database.connect() as reader:
        # Holds up the other writer behind its mark, before its commit.
        reader.execute("BEGIN")
        reader.execute("LOCK TABLE quarantine IN EXCLUSIVE MODE")
        other.tell("clear")
        other.add(report(3, at(30), outcome="degraded"), "no report")
        other.tell("write")
        wait_until(lambda: database.one("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = "
                                        "'quarantine'::regclass") == 1, "the other writer waits")
        assert store.ask("strips") == "1"
        assert database.query("SELECT strip, is_strip_stale FROM site_state") == [("U", True)]
        reader.execute("ROLLBACK")
    other.answer()
    assert store.ask("strips") == "1"
    assert database.query("SELECT strip, is_strip_stale FROM site_state") == [("GDU", False)]


def test_states_of_before_stale_strips_are_kept(store, database, open_store):
    store.write(report(1))
    database.query("ALTER TABLE site_state DROP COLUMN is_strip_stale; "
                   "COMMENT ON TABLE site_state IS 'x [websentry 2]'")
    later = open_store("postgres", database.dsn)
    with pytest.raises(StoreError, match="older release"):
        later.ask("compare")
    later.ask("migrate")
    later.write(report(2, at(-1)))
    assert later.ask("strips") == "1" and later.ask("sites") == "a up UU"


def round_of(number, speaks_for=None):
    """The field `round` of one of four reports."""
    made = {"address": f"192.0.2.{number}", "addresses": 4, "needed": 4, "up": 3, "failed": 1}
    verdict = {"outcome": speaks_for, "reason": "connect_refused", "message": "1 of 4 addresses fails"}
    return made | verdict if speaks_for else made


@pytest.mark.parametrize("driver", ["postgres", "sqlite"])
def test_a_round_is_one_check_of_its_site(database, open_store, folder, driver):
    now = datetime.datetime.now(datetime.UTC)

    def ago(seconds):
        return plain(now - datetime.timedelta(seconds=seconds))

    store = open_store(driver, database.dsn if driver == "postgres" else str(folder / "websentry.db"))
    store.ask("migrate")
    store.write(report(1, ago(300)), report(3, ago(200), round=round_of(2)))
    assert store.ask("sites") == "a up U"
    store.write(*[report(number, ago(200), round=round_of(number, "down" if number == 2 else None))
                  for number in (2, 4, 5)])
    assert store.ask("sites") == "a down UD"
    store.write(*[report(number, ago(250), round=round_of(number, "degraded" if number == 7 else None))
                  for number in (6, 7, 8, 9)])
    assert store.ask("strips") == "1" and store.ask("sites") == "a down UGD"
    query = "SELECT checks, up, degraded, down FROM uptime_view WHERE site = 'a' AND period = 'hour'"
    if driver == "postgres":
        assert database.query(query) == [(3, 1, 1, 1)]
        state = database.query("SELECT outcome, reason, message, seq FROM site_state")
        assert state == [("down", "connect_refused", "1 of 4 addresses fails", 2)]
        # Its state is made again by the same rule.
        database.query("DROP TABLE site_state")
        store.write(report(10, ago(100), site="b"))
        assert store.ask("sites") == "a down UGD; b up U"
        assert database.query("SELECT outcome, reason, message, seq FROM site_state WHERE seq < 10") == state
        assert count(database) == 10
    else:
        store.close()
        with sqlite3.connect(folder / "websentry.db") as connection:
            assert connection.execute(query).fetchall() == [(3, 1, 1, 1)]


def test_reports_of_before_rounds_are_kept(store, database, open_store):
    store.write(report(1))
    database.query("ALTER TABLE report DROP COLUMN round CASCADE; COMMENT ON TABLE report IS 'x [websentry 3]'")
    later = open_store("postgres", database.dsn)
    with pytest.raises(StoreError, match="older release"):
        later.ask("compare")
    later.ask("migrate")
    later.write(report(2, at(1), round=round_of(1, "down")))
    assert later.ask("sites") == "a down UD" and count(database, "report_view") == 2


def test_days_have_partitions_and_the_rest_the_default(one_day, store, database):
    today = datetime.datetime.now(datetime.UTC)
    edge = today.replace(hour=0, minute=0, second=0, microsecond=0)
    times = [edge - datetime.timedelta(microseconds=1), edge, edge - datetime.timedelta(days=30),
             edge + datetime.timedelta(days=3650)]
    texts = [one.strftime("%Y-%m-%dT%H:%M:%S.%fZ") for one in times] + [
        "1970-01-01T00:00:00.000000Z", "2200-01-01T00:00:00.000000Z", "0001-01-01T00:00:00.000000Z",
        "9999-12-31T23:59:59.999999Z"]
    assert store.write(*[report(i, text) for i, text in enumerate(texts)]) == (8, 0, 0)
    places = [row[0] for row in database.query("SELECT tableoid::regclass::text FROM report ORDER BY seq")]
    assert places == [f"report_{times[0]:%Y%m%d}", f"report_{times[1]:%Y%m%d}", f"report_{times[2]:%Y%m%d}",
                      *["report_default"] * 5]
    # Ahead of need: a week of days that nobody has written to yet.
    assert database.has(f"report_{edge + datetime.timedelta(days=7):%Y%m%d}")


def test_a_day_made_late_takes_its_rows_out_of_the_default(one_day, store, database, open_store):
    store.write(report(1))
    day = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=40)
    when = day.strftime("%Y-%m-%dT12:00:00.000000Z")
    name = f"report_{day:%Y%m%d}"
    # Somebody else's table in the way: the rows go to the default.
    database.query(f"CREATE TABLE {name} (x int)")
    assert store.write(report(2, when), report(3, when)) == (2, 0, 0)
    assert count(database, "report_default") == 2
    database.query(f"DROP TABLE {name}")
    other = open_store("postgres", database.dsn)
    other.ask("migrate")
    assert other.write(report(4, when), report(3, when)) == (1, 1, 0)
    assert count(database, "report_default") == 0 and count(database, name) == 3
    assert count(database, "report_view") == 4


def test_rows_that_the_database_refuses_go_to_quarantine(store, database):
    spoiled = {3: ("message", "ff"), 40: ("message", "6100"), 41: ("site", "c328"), 77: ("evidence", "7b22"),
               90: ("labels", "7b7d7d")}
    store.tell("clear")
    for i in range(100):
        store.add(report(i, at(i), site="a", message="m", evidence={"body": "b"}, labels={"l": str(i)}))
        if i in spoiled:
            store.tell("spoil {} {}".format(*spoiled[i]))
    assert store.write() == (95, 0, 5)
    assert [row[0] for row in database.query("SELECT seq FROM report ORDER BY seq")] == [
        i for i in range(100) if i not in spoiled]
    kept = database.query("SELECT reason, detail, bytes FROM quarantine ORDER BY kafka_offset")
    assert [json.loads(bytes(row[2]))["seq"] for row in kept] == sorted(spoiled)
    assert {row[0] for row in kept} == {"refused_by_database"}
    assert all("SQLSTATE 22" in row[1] for row in kept)
    assert store.write() == (0, 95, 0)  # again, as after an unknown commit: nothing new is in quarantine
    assert count(database, "quarantine") == 5


def test_texts_as_large_as_a_message_are_stored(store, database):
    """No producer of ours writes such, but any message of 1 MiB is read."""
    large = "x" * 1_000_000
    wide = {f"{i}-{'k' * 1000}": "v" * 1000 for i in range(100)}
    assert store.write(report(1, at(1), pattern=large), report(2, at(2), pattern_capture=large),
                       report(3, at(3), labels=wide),
                       report(4, at(4), evidence={"headers": "h", "body": large})) == (4, 0, 0)
    assert database.one("SELECT pattern FROM report_view WHERE seq = 1") == large
    assert database.one("SELECT pattern_capture FROM report_view WHERE seq = 2") == large
    assert database.one("SELECT labels FROM report_view WHERE seq = 3") == wide
    assert database.one("SELECT evidence FROM report_view WHERE seq = 4") == {"headers": "h", "body": large}


def test_bad_messages_and_positions_are_of_the_batch(store, database):
    store.tell("clear")
    store.add("", '{"v":1}', report(1))
    store.tell("position c1 t 0 17")
    store.tell("position c1 u 1 4")
    assert store.write() == (1, 0, 2)
    assert store.write() == (0, 1, 0)
    assert count(database, "quarantine") == count(database, "quarantine_view") == 2
    assert [store.ask(f"positions {words}") for words in ("c1 t 0", "c1 u 1", "c1 t 1", "c2 t 0")] == [
        "17", "4", "-1", "-1"]
    store.tell("clear")
    store.tell("position c1 t 0 3")  # backwards: a topic may have been made anew
    assert store.write() == (0, 0, 0)
    assert store.ask("positions c1 t 0") == "3"


def test_last_seq_and_prev(store, database):
    assert store.ask(f"last-seq {PRODUCER % 1}") == "0 -1"
    store.write(report(4, at(1)), report(9, at(2), site="b"), report(7, at(3)), report(30, at(9), producer=2))
    assert store.ask(f"last-seq {PRODUCER % 1}") == "1 9"
    assert store.ask(f"last-seq {PRODUCER % 2}") == "1 30"
    store.write(report(0, at(0), producer=2, prev={"producer_id": PRODUCER % 1, "seq": 9}))
    assert database.query("SELECT prev_producer_id::text, prev_seq FROM producer WHERE prev_seq IS NOT NULL") == [
        (PRODUCER % 1, 9)]


def test_a_reader_writes_nothing(store, database, open_store):
    store.write(report(1))
    reader = open_store("postgres", database.dsn, "read")
    assert reader.ask("sites") == "a up U"
    with pytest.raises(StoreError):
        reader.ask("migrate")


@pytest.mark.parametrize("dsn", ["nonsense", "postgresql://u:secret@[::1", "host='secret", "hots=x password=secret"])
def test_a_dsn_that_cannot_be_read(open_store, dsn):
    store = open_store("postgres", dsn)
    with pytest.raises(StoreError) as caught:
        store.answer()
    assert caught.value.kind == "reject" and "secret" not in caught.value.message
