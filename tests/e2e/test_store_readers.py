"""Commands that only look at a store: which they refuse, and what they read where nothing may be written."""
import contextlib
import json
import sqlite3

import pytest
from support.store_tool import at, report

READERS = (("audit",), ("audit", "--json"), ("quarantine", "list"), ("quarantine", "show", "1"),
           ("quarantine", "retry", "1"))


def fill(store):
    """Four reports and a message in quarantine."""
    store.ask("migrate")
    assert store.write(*(report(seq, at(seq)) for seq in range(4)), "no report") == (4, 0, 1)
    store.close()


def name_another_version(path, relation, version):
    """What a release with another schema would have left in SQLite."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = substr(sql, 1, instr(sql, '[websentry ') + 10) || ? || "
                           "substr(sql, instr(sql, '[websentry ') + 12) WHERE name = ?", (version, relation))


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_an_sqlite_store_of_a_newer_release_is_refused(websentry, open_store, folder, words):
    path = folder / "websentry.db"
    fill(open_store("sqlite", str(path)))
    name_another_version(path, "seq_chunk", 99)
    refused = websentry.run(*words, "--data-dir", folder, code=2)
    [complaint] = refused.complaints()
    told = f'{path}: relation "seq_chunk" is of a newer release: found version 99, expected at most 3'
    assert told in complaint.event
    assert refused.stdout() == ""


def test_a_postgresql_store_of_a_newer_release_is_refused(websentry, open_store, database):
    fill(open_store("postgres", database.dsn))
    database.query("COMMENT ON TABLE seq_chunk IS 'of tomorrow [websentry 99]'")
    for words in READERS:
        refused = websentry.run(*words, "--database-dsn", database.dsn, code=2)
        [complaint] = refused.complaints()
        assert 'relation "seq_chunk" in the database is of a newer release: found version 99, ' \
               "expected at most 3" in complaint.event
        assert refused.stdout() == ""


def test_a_store_behind_the_first_schema_of_the_search_path_is_read(websentry, open_store, database):
    fill(open_store("postgres", database.dsn))
    database.query(f'CREATE SCHEMA mine; ALTER DATABASE "{database.name}" SET search_path = mine, public')
    told = json.loads(websentry.run("audit", "--json", "--database-dsn", database.dsn).stdout())
    assert told["totals"]["stored"] == 4
