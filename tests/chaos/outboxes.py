"""What lay in a data folder when its producer was killed, read from a copy of its files by Python's own SQLite."""
import dataclasses
import json
import re
import shutil
import sqlite3

# Databases: the outbox itself, a segment (its fsync failed; it is drained first), one that was set aside as damaged.
OUTBOX = "outbox.db"
SEGMENT = re.compile(r"outbox\.db\.segment-[0-9TZ-]+")
SET_ASIDE = re.compile(r"outbox\.db\..*damaged-[0-9TZ-]+")
LOG = "-wal"


@dataclasses.dataclass(frozen=True)
class Row:
    nonce: str | None   # captured
    file: str           # where it lay


def _is_database(name):
    return name == OUTBOX or SEGMENT.fullmatch(name) or SET_ASIDE.fullmatch(name)


def _files(folder):
    """Databases and their logs."""
    return sorted(path.name for path in folder.iterdir()
                  if path.is_file() and _is_database(path.name.removesuffix(LOG))) if folder.is_dir() else []


def copy(data_dir, target):
    """Copy the files of a dead producer's outbox; target is made, and replaced where it exists."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in _files(data_dir):
        shutil.copyfile(data_dir / name, target / name)
    return target


def put_back(copied, data_dir):
    """The outbox and its segments as they were copied; what has come since is gone."""
    for name in [*_files(data_dir), "outbox.db-shm"]:
        if not SET_ASIDE.fullmatch(name.removesuffix(LOG)):
            (data_dir / name).unlink(missing_ok=True)
    for name in _files(copied):
        if not SET_ASIDE.fullmatch(name.removesuffix(LOG)):
            shutil.copyfile(copied / name, data_dir / name)


def _read_file(path):
    connection = sqlite3.connect(path)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'outbox_row'").fetchone():
            return {}
        found = {}
        for (message,) in connection.execute("SELECT message FROM outbox_row"):
            report = json.loads(message)
            found[report["producer_id"], report["seq"]] = Row(report.get("pattern_capture"), path.name)
        return found
    finally:
        connection.close()


def read(copied):
    """{(producer_id, seq): Row} of all that waits, in the outbox and in segments. Opening a copy changes it."""
    found = {}
    for name in _files(copied):
        if name == OUTBOX or SEGMENT.fullmatch(name):
            found |= _read_file(copied / name)
    return found


def read_set_aside(copied):
    """The same of files that were set aside: they wait for `outbox salvage`, and were reports all the same. And the
    names of files that can't be read."""
    found, unreadable = {}, []
    for name in _files(copied):
        if SET_ASIDE.fullmatch(name):
            try:
                found |= _read_file(copied / name)
            except (sqlite3.DatabaseError, ValueError, KeyError):
                unreadable.append(name)
    return found, unreadable
