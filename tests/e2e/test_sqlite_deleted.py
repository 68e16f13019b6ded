"""`run` whose websentry.db is deleted or replaced under it: one line, and work goes on or says what to do."""
import contextlib
import signal
import sqlite3
from pathlib import Path

import pytest
from support.processes import wait_until
from support.sites import Answer


def rows(path):
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            return connection.execute("SELECT count(*) FROM report_view").fetchone()[0]
    except sqlite3.Error:
        return 0


@contextlib.contextmanager
def held(started):
    """It does nothing meanwhile."""
    started.send_signal(signal.SIGSTOP)
    wait_until(lambda: Path(f"/proc/{started.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", "its stop")
    yield
    started.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("names", [["websentry.db"], ["websentry.db", "websentry.db-wal", "websentry.db-shm"],
                                   ["websentry.db", "websentry.db-wal", "websentry.db-shm", "websentry.db.lock"]],
                         ids=["the file", "with its log", "with its lock"])
def test_a_deleted_database_is_made_anew(websentry, sites, names):
    site = sites.site("/one", Answer(body="Welcome"))
    path = websentry.data_dir() / "websentry.db"
    started = websentry.start("run", site.url, "--interval", "200ms", "--timeout", "150ms", "--listen", "127.0.0.1:0",
                              "--data-dir", path.parent)
    wait_until(lambda: rows(path) >= 3, "three rows")
    with held(started):  # else it may make the new file while we still delete what lay beside the old one
        for name in names:
            (path.parent / name).unlink()
    started.wait_for("the database file was deleted, making a new one")
    wait_until(lambda: rows(path) >= 3, "three rows in the new one")
    assert len(started.complaints()) == 1
    assert (path.parent / "websentry.db.lock").exists()
    started.stop()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        first, count, last = connection.execute("SELECT min(seq), count(*), max(seq) FROM report").fetchone()
    assert first > 0 and count == last - first + 1


def test_a_replaced_database_is_not_written_to(websentry, sites):
    site = sites.site("/one", Answer(body="Welcome"))
    path = websentry.data_dir() / "websentry.db"
    started = websentry.start("run", site.url, "--interval", "200ms", "--timeout", "150ms", "--listen", "off",
                              "--data-dir", path.parent)
    wait_until(lambda: rows(path) >= 3, "three rows")
    ours, other = (path.with_name(name) for name in ("ours.db", "other.db"))
    other.write_bytes(b"")
    ours.hardlink_to(path)
    other.replace(path)  # at no moment was there none
    said = started.wait_for("store is away, trying again")
    assert "was replaced by another file while it was in use" in said.fields["cause"]
    ours.replace(path)
    started.wait_for("store is back", 30)
    before = rows(path)
    wait_until(lambda: rows(path) > before, "more rows")
    started.stop()
    assert path.stat().st_size > 0
