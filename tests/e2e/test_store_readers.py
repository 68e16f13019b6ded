"""Commands that only look at a store: which they refuse, and what they read where nothing may be written."""
import contextlib
import json
import re
import shutil
import sqlite3
import subprocess

import pytest
from support.processes import wait_until
from support.scrape import fetch
from support.store_tool import PRODUCER, at, report

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
    told = f'{path}: relation "seq_chunk" is of a newer release: found version 99, expected at most [0-9]+: upgrade'
    assert re.search(told, complaint.event)
    assert refused.stdout() == ""


def test_a_postgresql_store_of_a_newer_release_is_refused(websentry, open_store, database):
    fill(open_store("postgres", database.dsn))
    database.query("COMMENT ON TABLE seq_chunk IS 'of tomorrow [websentry 99]'")
    for words in READERS:
        refused = websentry.run(*words, "--database-dsn", database.dsn, code=2)
        [complaint] = refused.complaints()
        assert re.search('relation "seq_chunk" in the database is of a newer release: found version 99, '
                         "expected at most [0-9]+: upgrade", complaint.event)
        assert refused.stdout() == ""


def test_a_store_behind_the_first_schema_of_the_search_path_is_read(websentry, open_store, database):
    fill(open_store("postgres", database.dsn))
    database.query(f'CREATE SCHEMA mine; ALTER DATABASE "{database.name}" SET search_path = mine, public')
    told = json.loads(websentry.run("audit", "--json", "--database-dsn", database.dsn).stdout())
    assert told["totals"]["stored"] == 4


def frozen(folder):
    """Words in front of the program: for it alone the folder lies on a file system that can't be written."""
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    words = ["unshare", "--mount", "sh", "-c", script, str(folder)]
    if subprocess.run([*words, "true"], stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("this machine does not let us mount")
    return words


def count_reports(data):
    """How many are stored; 0 while there is no store yet."""
    try:
        with contextlib.closing(sqlite3.connect(f"{(data / 'websentry.db').as_uri()}?mode=ro", uri=True)) as reader:
            return reader.execute("SELECT count(*) FROM report").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


@pytest.fixture(params=["closed", "killed", "killed, without its index"])
def backup(request, websentry, sites):
    """A data folder that `run` left, with a name that a URI must not take for anything else; its reports."""
    data = websentry.folder / "50%3f of a?b#c"
    site = sites.site("/shop")
    running = websentry.start("run", site.url, "--interval", "100ms", "--timeout", "100ms", "--listen", "off",
                              "--data-dir", data)
    wait_until(lambda: count_reports(data) > 5, "five reports")
    running.stop() if request.param == "closed" else running.kill()
    names = {path.name for path in data.iterdir()}
    assert ("websentry.db-wal" in names) == (request.param != "closed")
    if "without" in request.param:
        (data / "websentry.db-shm").unlink()
    copy = websentry.folder / "copy"
    shutil.copytree(data, copy)
    told = json.loads(websentry.run("audit", "--json", "--data-dir", copy).stdout())
    return data, told


def test_a_store_on_read_only_media_is_read(websentry, backup):
    data, wanted = backup
    words = ("--data-dir", data)
    prefix = frozen(data)
    before = sorted(path.name for path in data.iterdir())
    told = json.loads(websentry.run("audit", "--json", *words, prefix=prefix).stdout())
    assert told == wanted and told["totals"]["stored"] > 0
    assert "nothing is in quarantine" in websentry.run("quarantine", "list", *words, prefix=prefix).stdout()
    [missing] = websentry.run("quarantine", "show", "1", *words, prefix=prefix, code=1).complaints()
    assert missing.event == "nothing in quarantine has this id"
    page = websentry.start("web", "--listen", "127.0.0.1:0", *words, prefix=prefix)
    wait_until(lambda: fetch(page, "/api/v1/sites")[0] == 200, "the store's first answer")
    [site] = json.loads(fetch(page, "/api/v1/sites")[2])
    assert site["url"].endswith("/shop")
    page.stop()
    for writing in (("quarantine", "retry", "1"), ("audit", "--declare-lost", f"{PRODUCER % 1}:0")):
        [refused] = websentry.run(*writing, *words, prefix=prefix, code=2).complaints()
        assert "expected a folder that can be written to" in refused.event
    assert before == sorted(path.name for path in data.iterdir())


@pytest.mark.parametrize("is_killed", [False, True], ids=["closed", "killed"])
def test_an_outbox_on_read_only_media_is_shown(websentry, sites, is_killed):
    data = websentry.folder / "50%3f of a?b#c"
    site = sites.site("/shop")
    producer = websentry.start("producer", "--data-dir", data, "--kafka-servers", "127.0.0.1:9", "--interval", "100ms",
                               "--timeout", "100ms", site.url)
    wait_until(lambda: len(site.requests) > 5, "five checks")
    producer.kill() if is_killed else producer.stop()
    assert (data / "outbox.db-wal").exists() == is_killed
    prefix = frozen(data)
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    shown = websentry.run("outbox", "show", "--json", "--data-dir", data, prefix=prefix).stdout()
    assert before == {path.name: path.read_bytes() for path in data.iterdir()}
    assert shown != ""
    assert shown == websentry.run("outbox", "show", "--json", "--data-dir", data).stdout()


def test_what_can_not_be_read_in_its_place_is_said(websentry, open_store, folder):
    fill(open_store("sqlite", str(folder / "websentry.db")))
    (folder / "websentry.db-journal").write_bytes(b"what was there before")
    for words in (("audit",), ("quarantine", "list")):
        refused = websentry.run(*words, "--data-dir", folder, prefix=frozen(folder), code=2)
        [complaint] = refused.complaints()
        assert "copy it, and the -wal and -journal beside it, into a folder that can be written" in complaint.event
        assert refused.stdout() == ""
