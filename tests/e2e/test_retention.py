"""--retention: old days go, in small steps that hold up nobody; a report older than what is kept goes to quarantine."""
import datetime
import json
import re
import sqlite3

import pytest
from support.processes import wait_until
from support.store_tool import StoreError, report

pytestmark = pytest.mark.usefixtures("one_day")


def days_ago(days, second=0):
    moment = datetime.datetime.now(datetime.UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return (moment - datetime.timedelta(days=days) + datetime.timedelta(seconds=second)).strftime(
        "%Y-%m-%dT%H:%M:%S.%fZ")


def send(kafka, topic, *reports):
    from confluent_kafka import Producer
    producer = Producer({"bootstrap.servers": kafka.servers})
    for one in reports:
        producer.produce(topic, json.dumps(one).encode())
    assert producer.flush(30) == 0


def partition(days):
    return "report_" + days_ago(days)[:10].replace("-", "")


def seqs(database):
    return [row[0] for row in database.query("SELECT seq FROM report ORDER BY seq")]


ANCIENT = "1999-01-01T00:00:00.000000Z"


def test_days_that_are_kept_no_longer_are_dropped(websentry, kafka, topic, store, database):
    store.write(report(1, days_ago(0)), report(2, days_ago(3)), report(3, days_ago(40)), report(4, days_ago(41)),
                report(5, ANCIENT))
    assert database.has(partition(40)) and database.has(partition(3))
    words = ("consumer", "--kafka-servers", kafka.servers, "--kafka-topic", topic, "--database-dsn", database.dsn)
    # Without the setting everything is kept.
    send(kafka, topic, report(6, days_ago(39)))
    consumer = websentry.start(*words)
    wait_until(lambda: seqs(database) == [1, 2, 3, 4, 5, 6], "the sixth")
    consumer.stop()
    with database.connect() as reader:
        # Somebody reads for hours: the days wait for that, and the reports go on.
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM report")
        consumer = websentry.start(*words, "--retention", "7d")
        waiting = consumer.wait_for("can't drop an old day, trying again later", 40)
        assert "lock timeout" in waiting.fields["cause"]
        send(kafka, topic, report(7, days_ago(0, 1)))
        wait_until(lambda: 7 in seqs(database), "a report meanwhile")
        reader.execute("COMMIT")
    wait_until(lambda: seqs(database) == [1, 2, 7], "the old ones' end", 30)
    assert not database.has(partition(40)) and not database.has(partition(39)) and database.has(partition(3))
    assert len(consumer.find("can't drop an old day, trying again later")) == 1
    # What is older than that comes late: aside, and no figure changes.
    state = database.query("SELECT started_at, strip FROM site_state")
    send(kafka, topic, report(8, days_ago(30)), report(9, days_ago(7)))
    wait_until(lambda: seqs(database) == [1, 2, 7, 9], "the one of the last day kept")
    # The two may lie in different partitions, and come in batches of their own.
    wait_until(lambda: database.one("SELECT count(*) FROM quarantine") > 0, "the other one aside")
    assert database.query("SELECT reason, detail FROM quarantine") == [("too_old", f"started_at {days_ago(30)}")]
    assert not database.has(partition(30))
    assert [row[0] for row in state] == [row[0] for row in database.query("SELECT started_at FROM site_state")]
    consumer.stop()
    dsn = ("--database-dsn", database.dsn)
    done = websentry.run("quarantine", "retry", "--all", "--reason", "too_old", "--retention", "7d", *dsn, code=1)
    assert done.stdout().startswith("0 stored, 0 were stored already, 1 left")
    done = websentry.run("quarantine", "retry", "--all", "--reason", "too_old", *dsn)
    assert done.stdout().startswith("1 stored, ") and seqs(database) == [1, 2, 7, 8, 9]


@pytest.mark.parametrize("is_superuser", [True, False], ids=["of a superuser", "of another role"])
def test_only_the_owner_may_drop_days_and_the_line_says_how_to_become_it(store, database, open_store, is_superuser):
    """What the line says is run word for word; then the same role starts, and drops a day."""
    store.write(report(1, days_ago(0)), report(2, days_ago(40)))
    role, owner = f"keeper_{database.name}", f"owner_{database.name}"
    database.query(f"CREATE ROLE {role} LOGIN PASSWORD 'x'; CREATE ROLE {owner}; "
                   f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
    try:
        parts = database.query("SELECT relid::regclass FROM pg_partition_tree('report')")
        for (part,) in [] if is_superuser else parts:
            database.query(f"ALTER TABLE {part} OWNER TO {owner}")
        limited = open_store("postgres", f"postgresql://{role}:x@127.0.0.1:{database.server.port}/{database.name}")
        limited.ask("compare")
        limited.ask("keep 7")
        with pytest.raises(StoreError, match=r"lacks rights: (.*) \(for --retention: only its owner") as caught:
            limited.ask("compare")
        assert caught.value.kind == "reject"
        wanted = re.search("lacks rights: (.*) [(]for", str(caught.value))[1]
        assert is_superuser or wanted == f"GRANT {owner} TO {role}"
        database.query(wanted)
        limited.ask("compare")
        limited.ask("tidy")
        assert not database.has(partition(40)) and seqs(database) == [1]
    finally:
        database.query(f"REASSIGN OWNED BY {role}, {owner} TO postgres; DROP OWNED BY {role}, {owner}; "
                       f"DROP ROLE {role}, {owner}")


def test_run_deletes_from_sqlite_in_steps(websentry, sites, open_store):
    path = websentry.data_dir() / "websentry.db"
    store = open_store("sqlite", str(path))
    store.ask("migrate")
    store.write(*[report(seq, days_ago(20, seq), site=f"s{seq % 3}") for seq in range(1300)],
                *[report(seq, days_ago(1, seq), site=f"s{seq % 3}") for seq in range(1300, 1310)])
    store.close()

    def left():
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            return connection.execute("SELECT count(*) FROM report JOIN site ON site.id = site_id "
                                      "WHERE name LIKE 's_'").fetchone()[0]

    assert left() == 1310
    started = websentry.start("run", sites.many(1)[0].url, "--retention", "7d", "--listen", "off", "--data-dir",
                              path.parent)
    wait_until(lambda: left() == 10, "the old ones' end")
    started.stop()


@pytest.mark.parametrize("text", ["12h", "0", "-7d", "x"])
def test_a_retention_that_is_none(websentry, text):
    done = websentry.run("run", "http://127.0.0.1:1/", f"--retention={text}", "--data-dir", websentry.data_dir(),
                         code=2)
    assert "--retention: " in done.stderr() and len(done.complaints()) == 1


def test_a_report_too_old_for_sqlite_is_put_aside(open_store, folder, websentry):
    store = open_store("sqlite", str(folder / "websentry.db"))
    store.ask("migrate")
    store.ask("keep 7")
    assert store.write(report(1, days_ago(8)), report(2, days_ago(7)), "nonsense") == (1, 0, 2)
    store.close()
    done = websentry.run("quarantine", "list", "--data-dir", folder)
    assert "too_old" in done.stdout() and f"started_at {days_ago(8)}" in done.stdout()
    done = websentry.run("quarantine", "retry", "--all", "--reason", "too_old", "--retention", "7d", "--data-dir",
                         folder, code=1)
    assert "1 left in quarantine" in done.stdout()
    done = websentry.run("quarantine", "retry", "--all", "--reason", "too_old", "--data-dir", folder)
    assert "1 stored" in done.stdout()
