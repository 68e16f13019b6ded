"""docs/database.md: its queries run as they stand there, on PostgreSQL and SQLite, and its lists are whole."""
import datetime
import re
import sqlite3

import pytest
from support.processes import ROOT
from support.store_tool import RELATIONS, report

TEXT = (ROOT / "docs/database.md").read_text()
UPTIME, SLOWEST, GRANTS = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)


def reports():
    """Of the last minutes: 6 up, 2 degraded, 1 down, 1 unknown; and a bad hour before."""
    now = datetime.datetime.now(datetime.UTC)
    made = []
    for seq, outcome in enumerate(["up"] * 6 + ["degraded"] * 2 + ["down", "unknown"] + ["down"] * 20):
        age = datetime.timedelta(seconds=30 * (seq + 1), hours=2 if seq >= 10 else 0)
        made.append(report(seq, (now - age).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "Example", outcome=outcome,
                           total_us=1000 + seq, dns_us=1, connect_us=2, tls_us=3, wait_us=4, transfer_us=5))
    # the first check looked at two addresses, of which one is needed: it counts once, as what came of both
    of_both = {"addresses": 2, "needed": 1, "up": 1, "failed": 1}
    made[0]["round"] = {"address": "192.0.2.1", **of_both, "outcome": "up", "reason": "ok", "message": "one works"}
    made.append(report(98, made[0]["started_at"], "Example", outcome="down", total_us=1,
                       round={"address": "192.0.2.2", **of_both}))
    made.append(report(99, made[0]["started_at"], "Other", outcome="down", total_us=10**9))
    return made


def test_the_queries_on_postgresql(store, database):
    store.write(*reports())
    uptime, checks = database.query(UPTIME)[0]
    assert (float(uptime), checks) == (88.89, 10)
    slowest = database.query(SLOWEST)
    assert [row[3] for row in slowest] == list(range(1029, 1019, -1))
    assert slowest[0][1:3] == ("down", "timeout") and slowest[0][4:] == (1, 2, 3, 4, 5)
    assert "uptime" in database.psql(UPTIME).stdout
    ready = database.query("SELECT period, checks, uptime FROM uptime_view WHERE site = 'Example' "
                           "ORDER BY checks, period")
    assert [(period, checks, round(float(uptime), 2)) for period, checks, uptime in ready] == [
        ("hour", 10, 88.89), ("day", 30, 27.59), ("month", 30, 27.59), ("week", 30, 27.59)]


def test_the_queries_on_sqlite(open_store, folder):
    store = open_store("sqlite", str(folder / "websentry.db"))
    store.ask("migrate")
    store.write(*reports())
    store.close()
    connection = sqlite3.connect(folder / "websentry.db")
    hour = re.search(r"`started_at > (strftime\(.*?\))`", TEXT.replace("\n", " "))[1]
    uptime, checks = connection.execute(UPTIME.replace("now() - interval '1 hour'", hour)).fetchone()
    assert (uptime, checks) == (88.89, 10)
    assert [row[3] for row in connection.execute(SLOWEST)] == list(range(1029, 1019, -1))
    assert connection.execute("SELECT uptime FROM uptime_view WHERE site = 'Example' AND period = 'hour'"
                              ).fetchone() == (88.8889,)
    connection.close()


def test_the_lists_are_whole(store, database):
    for relation in RELATIONS:
        assert f"`{relation}`" in TEXT and re.search(rf"\b{relation}\b", GRANTS), relation


def test_the_grants_are_enough(store, database, open_store):
    name = f"granted_{database.name}"
    database.query(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    try:
        for statement in GRANTS.replace("TO websentry", f"TO {name}").split(";\n"):
            database.query(statement)
        limited = open_store("postgres", f"postgresql://{name}:x@127.0.0.1:{database.server.port}/{database.name}")
        limited.ask("compare")
        assert limited.write(*reports(), "bad") == (32, 0, 1)
        assert limited.ask("sites").startswith("Example up ")
    finally:
        database.query(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.mark.parametrize(("taken", "wanted"), [
    ("DELETE ON seq_chunk, seq_range", "GRANT DELETE ON seq_chunk, seq_range TO {role}"),
    ("UPDATE ON kafka_offset", "GRANT UPDATE ON kafka_offset TO {role}"),
    ("ALL ON quarantine, seq_mark",
     "GRANT SELECT, INSERT, UPDATE ON quarantine TO {role}; "
     "GRANT SELECT, INSERT, UPDATE, DELETE ON seq_mark TO {role}"),
    ("TEMPORARY ON DATABASE", "GRANT TEMPORARY ON DATABASE {database} TO {role}"),
    ("--retention", "DO $$DECLARE part regclass; BEGIN FOR part IN SELECT relid FROM pg_partition_tree('report') LOOP "
     "EXECUTE format('ALTER TABLE %s OWNER TO {role}', part); END LOOP; END$$; "
     "GRANT SELECT, DELETE ON report_default TO {role} (for --retention: "),
], ids=lambda one: one.split(" ON ")[0])
def test_a_right_that_is_missing_is_said_at_the_start(store, database, websentry, taken, wanted):
    """One line that says what to grant, before anything is read from Kafka."""
    role = f"granted_{database.name}"
    database.query(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    words = () if taken != "--retention" else ("--retention", "7d")
    try:
        for statement in GRANTS.replace("TO websentry", f"TO {role}").split(";\n"):
            database.query(statement)
        if "DATABASE" in taken:
            database.query(f'REVOKE TEMPORARY ON DATABASE "{database.name}" FROM PUBLIC')
        elif not words:
            database.query(f"REVOKE {taken} FROM {role}")
        dsn = f"postgresql://{role}:x@127.0.0.1:{database.server.port}/{database.name}"
        done = websentry.run("consumer", "--no-migrate", "--kafka-servers", "127.0.0.1:1", "--database-dsn", dsn,
                             *words, code=2)
        said = wanted.format(role=role, database=database.name, owner=database.one("SELECT current_user"))
        assert f"the database role lacks rights: {said}" in done.stderr().replace('\\"', "").replace('"', "")
        assert len(done.complaints()) == 1
    finally:
        database.query(f"DROP OWNED BY {role}; DROP ROLE {role}")
