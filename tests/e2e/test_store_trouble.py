"""The store on a real PostgreSQL when tables, connections, rights or the server go: nothing lost, nothing twice."""
import contextlib
import datetime
import threading

import psycopg
import pytest
from support.postgres import Database
from support.processes import wait_until
from support.store_tool import NOON, RELATIONS, StoreError, at, report


def count(database, table="report"):
    return database.one(f"SELECT count(*) FROM {table}")


@pytest.mark.parametrize("relation", RELATIONS)
def test_a_dropped_relation_is_made_again(store, database, relation):
    store.write(report(1, at(1)), report(2, at(2), site="b"))
    kind = "VIEW" if relation.endswith("_view") else "TABLE"
    database.query(f"DROP {kind} {relation} CASCADE")
    assert store.write(report(3, at(3)), report(4, at(4), site="b"), "nonsense") == (2, 0, 1)
    for one in RELATIONS:
        assert database.has(one), one
    assert count(database) == (2 if relation == "report" else 4)
    assert database.one("SELECT count(*) FROM report_view WHERE site IS NULL OR url IS NULL OR location IS NULL") == 0
    assert store.ask("sites") == ("a up UU; b up UU")
    assert "schema was replayed" in store.events()


def test_all_tables_dropped_at_once(store, database):
    store.write(report(1, at(1)))
    store.tell("position c t 0 5")
    database.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    assert store.write(report(2, at(2))) == (1, 0, 0)
    assert database.query("SELECT site, seq FROM report_view") == [("a", 2)]


def test_a_dropped_default_partition_is_made_again(store, database):
    old = "1999-01-01T00:00:00.000000Z"
    store.write(report(1, at(1)), report(2, old))
    database.query("DROP TABLE report_default")
    assert store.write(report(3, old), report(4, at(4))) == (2, 0, 0)
    assert [row[0] for row in database.query("SELECT seq FROM report ORDER BY seq")] == [1, 3, 4]


def test_a_dropped_day_loses_nothing_more(one_day, store, database):
    now = datetime.datetime.now(datetime.UTC)
    store.write(report(1, now.strftime("%Y-%m-%dT%H:%M:%S.000001Z")))
    database.query(f"DROP TABLE report_{now:%Y%m%d}")
    assert store.write(report(2, now.strftime("%Y-%m-%dT%H:%M:%S.000002Z"))) == (1, 0, 0)
    assert database.one("SELECT seq FROM report") == 2


def test_tables_dropped_while_two_stores_write(store, database, open_store):
    """What is dropped is gone; whatever was written after the last drop is there once."""
    other = open_store("postgres", database.dsn)
    other.ask("migrate")
    for round_number in range(8):
        relation = RELATIONS[round_number % 8]
        database.query(f"DROP TABLE {relation} CASCADE")
        for one, producer in ((store, 1), (other, 2)):
            one.tell("clear")
            one.add(*[report(round_number * 10 + i, at(i), producer=producer) for i in range(10)])
            one.tell("write")
        assert store.answer() == other.answer() == "10 0 0"
    assert database.one("SELECT count(*) FROM report_view WHERE site IS NULL") == 0
    assert count(database) == 20 * 4 - 20 + 20  # since report was dropped, in the fifth round


def test_somebody_elses_table_is_not_touched(open_store, database):
    database.query("CREATE TABLE site (domain text)")
    database.query("INSERT INTO site VALUES ('theirs')")
    with pytest.raises(StoreError, match='"site" .* somebody else') as caught:
        open_store("postgres", database.dsn).ask("migrate")
    assert caught.value.kind == "reject"
    assert database.query("SELECT * FROM site") == [("theirs",)]
    assert database.one("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == 1


def test_a_foreign_table_that_comes_later_is_not_touched(store, database):
    store.write(report(1))
    database.query("DROP TABLE site CASCADE; CREATE TABLE site (domain text)")
    with pytest.raises(StoreError, match="somebody else"):
        store.write(report(2, at(2)))
    assert count(database, "site") == 0


def test_a_newer_schema_is_refused_and_may_be_used_as_it_is(store, database, open_store):
    database.query("COMMENT ON TABLE report IS 'of tomorrow [websentry 99]'")
    with pytest.raises(StoreError, match="newer release"):
        open_store("postgres", database.dsn).ask("migrate")
    open_store("postgres", database.dsn).ask("compare")


def test_another_schema_of_the_search_path(open_store, database, postgres):
    database.query(f'CREATE SCHEMA mine; ALTER DATABASE "{database.name}" SET search_path = mine, public')
    database.query("CREATE TABLE public.site (domain text)")
    store = open_store("postgres", database.dsn)
    store.ask("migrate")
    assert store.write(report(1)) == (1, 0, 0)
    assert database.one("SELECT count(*) FROM mine.report_view") == 1


def restricted_role(database, grants=()):
    """A role without the right to create; returns the DSN."""
    name = f"reader_{database.name}"
    database.query(f"DROP ROLE IF EXISTS {name}")
    database.query(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    database.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    for grant in grants:
        database.query(f"GRANT {grant} TO {name}")
    return f"postgresql://{name}:x@127.0.0.1:{database.server.port}/{database.name}", name


def drop_role(database, name):
    database.query(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_role_that_may_not_create_is_told_what_to_grant(store, database, open_store):
    dsn, name = restricted_role(database)
    try:
        with pytest.raises(StoreError, match=f"GRANT USAGE, CREATE ON SCHEMA public TO {name}"):
            open_store("postgres", dsn).ask("migrate")
        with pytest.raises(StoreError, match=f"GRANT SELECT, INSERT, UPDATE ON .*site_state.* TO {name}") as caught:
            open_store("postgres", dsn).ask("compare")
        assert caught.value.kind == "reject"
        database.query(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}")
        limited = open_store("postgres", dsn)
        limited.ask("compare")
        assert limited.write(report(1), report(2, "1999-01-01T00:00:00Z"), "bad") == (2, 0, 1)
        assert limited.write(report(1), report(3, at(1))) == (1, 1, 0)
        # The owner's migration made the days ahead; an older one is not for this role to make, and said once.
        old = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=40)
        for seq in range(4, 8):
            assert limited.write(report(seq, old.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))) == (1, 0, 0)
        assert limited.events().count("can't make a day's partition") == 1
        assert count(database, "report_default") == 5
    finally:
        drop_role(database, name)


def test_without_leave_the_schema_must_be_there(open_store, database):
    with pytest.raises(StoreError, match="is missing .*--no-migrate"):
        open_store("postgres", database.dsn).ask("compare")
    assert database.one("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == 0


def test_two_stores_write_the_same_rows_at_once(store, database, open_store):
    others = [store, open_store("postgres", database.dsn), open_store("postgres", database.dsn)]
    for one in others[1:]:
        one.ask("migrate")
    inserted = 0
    for round_number in range(15):
        for number, one in enumerate(others):
            one.tell("clear")
            # Overlapping, in other orders, with other sites between.
            one.tell(f"make 1 {round_number * 500 + number * 100} 600 37 {NOON} 1000")
            one.tell("write")
        inserted += sum(int(one.answer().split()[0]) for one in others)
    assert inserted == count(database) == 14 * 500 + 800
    assert database.one("SELECT max(n) FROM (SELECT count(*) AS n FROM report GROUP BY producer_id, seq) AS x") == 1
    # The states are what the reports say, whoever wrote last.
    store.ask("strips")
    wrong = database.query(
        "SELECT s.site_id FROM site_state AS s JOIN LATERAL (SELECT string_agg(CASE outcome WHEN 'up' THEN 'U' "
        "ELSE 'D' END, '' ORDER BY started_at) AS strip, max(started_at) AS last FROM (SELECT * FROM report r WHERE "
        "r.site_id = s.site_id ORDER BY started_at DESC LIMIT 50) AS x) AS r ON true "
        "WHERE r.strip <> s.strip OR r.last <> s.started_at")
    assert wrong == []


def test_a_connection_cut_in_the_middle(store, database):
    """pg_terminate_backend again and again while batches are written: each report once."""
    stop = threading.Event()

    def cut():
        while not stop.wait(0.01):
            with contextlib.suppress(psycopg.OperationalError):
                database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                               "WHERE application_name = 'websentry' AND datname = current_database()")

    cutter = threading.Thread(target=cut)
    cutter.start()
    batch = failures = inserted = 0
    try:
        while batch < 30 or failures == 0:  # the cutter may be slow to begin
            store.tell("clear")
            store.tell(f"make 1 {batch * 2000} 2000 100 {NOON} 1000")
            while True:
                try:
                    inserted += store.write()[0]
                    break
                except StoreError as error:
                    assert error.kind == "retry"
                    failures += 1
                    if failures == 60:
                        stop.set()
            batch += 1
    finally:
        stop.set()
        cutter.join()
    assert count(database) == batch * 2000
    assert database.one("SELECT count(DISTINCT seq) FROM report") == batch * 2000


def test_a_commit_nobody_heard_of_is_repeated(store, database, postgres):
    store.write(report(1, at(1)))
    store.tell("clear")
    store.add(report(2, at(2)), "bad")
    store.tell("position c t 0 2")
    assert store.write() == (1, 0, 1)
    postgres.restart()
    with pytest.raises(StoreError):
        store.write()  # the old connection is dead: the caller does not know, and repeats
    assert store.write() == (0, 1, 0)
    assert count(database) == 2 and count(database, "quarantine") == 1


def test_the_server_restarts(store, database, postgres):
    store.write(report(1, at(1)))
    postgres.kill()
    with pytest.raises(StoreError) as caught:
        store.write(report(2, at(2)))
    assert caught.value.kind == "retry"
    with pytest.raises(StoreError, match="refused"):
        store.write(report(2, at(2)))
    postgres.start()
    assert store.write(report(2, at(2))) == (1, 0, 0)
    assert store.ask("sites") == "a up UU"


def test_a_read_only_server_is_waited_for(store, database):
    def set_read_only(word):
        with database.connect() as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f'ALTER DATABASE "{database.name}" SET default_transaction_read_only = {word}')
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                               "WHERE application_name = 'websentry' AND datname = current_database()")

    set_read_only("on")
    for _ in range(3):
        with pytest.raises(StoreError) as caught:
            store.write(report(1))
        assert caught.value.kind == "retry"
    assert "read-only" in caught.value.message
    set_read_only("off")
    assert store.write(report(1)) == (1, 0, 0)


def test_settings_of_the_server_do_not_matter(database, open_store):
    with database.connect() as older:  # the database's settings are taken by the sessions behind it
        for setting in ("statement_timeout = 100", "synchronous_commit = off", "DateStyle = 'German'",
                        "standard_conforming_strings = off"):
            older.execute(f'ALTER DATABASE "{database.name}" SET {setting}')
        store = open_store("postgres", database.dsn)
        store.ask("migrate")
        with older.transaction():
            older.execute("LOCK TABLE report IN ACCESS EXCLUSIVE MODE")
            store.tell(f"make 1 0 20000 100 {NOON} 1000")
            store.tell("write")
            # From outside: a transaction sees one moment's activity, and new sessions here have the timeout.
            wait_until(lambda: Database(database.server, "postgres").one(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock' "
                "AND clock_timestamp() - query_start > '300 ms'", database.name) == 1, "a statement of over 100 ms")
        assert store.answer() == "20000 0 0"
