"""What lay in an outbox when its producer was killed, read from a copy of its files by Python's own SQLite."""
import json
import shutil
import sqlite3

FILES = ("outbox.db", "outbox.db-wal")


def copy(data_dir, target):
    """Copy the files of a dead producer's outbox; target is made, and replaced where it exists."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in FILES:
        if (data_dir / name).exists():
            shutil.copyfile(data_dir / name, target / name)
    return target


def put_back(copied, data_dir):
    """The outbox as it was copied; what has come since is gone."""
    for name in (*FILES, "outbox.db-shm"):
        (data_dir / name).unlink(missing_ok=True)
    for name in FILES:
        if (copied / name).exists():
            shutil.copyfile(copied / name, data_dir / name)


def read(copied):
    """{(producer_id, seq): captured nonce or None} of every row. Opening the copy with its log changes it."""
    if not (copied / "outbox.db").exists():
        return {}
    connection = sqlite3.connect(copied / "outbox.db")
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'outbox_row'").fetchone():
            return {}
        found = {}
        for (message,) in connection.execute("SELECT message FROM outbox_row"):
            report = json.loads(message)
            found[report["producer_id"], report["seq"]] = report.get("pattern_capture")
        return found
    finally:
        connection.close()
