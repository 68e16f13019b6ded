"""`outbox show` and `outbox salvage`: what a person does with an outbox that waits or was set aside."""
import contextlib
import fcntl
import json
import os
import shutil
import sqlite3
import zlib

import pytest

AWAY = "127.0.0.1:9"


def has_half_a_commit(data):
    """Whether a kill has cut one short: of its rows, which are nobody's yet, salvage finds what `show` does not."""
    log = (data / "outbox.db-wal").read_bytes()
    page_size = int.from_bytes(log[8:12], "big")
    ends = [log[at + 4:at + 8] for at in range(32, len(log), 24 + page_size) if log[at + 8:at + 16] == log[16:24]]
    return ends != [] and ends[-1] == bytes(4)  # a commit's last frame says how large the file is behind it


def fill(websentry, data, site, count):
    """An outbox with at least so many reports, left by producers that were killed; the reports."""
    rows = []
    requests = count
    while len(rows) < count or has_half_a_commit(data):  # the last ones of each need not be committed yet
        producer = websentry.start("producer", "--data-dir", data, "--kafka-servers", AWAY, "--interval", "100ms",
                                   "--timeout", "100ms", site.url)
        requests += 2
        site.wait_for_requests(requests)
        producer.kill()
        shown = websentry.run("outbox", "show", "--json", "--data-dir", data)
        rows = [json.loads(line) for line in shown.stdout().splitlines()]
    return rows


def test_show_lists_what_waits_and_changes_nothing(websentry, sites):
    data = websentry.data_dir()
    rows = fill(websentry, data, sites.site("/shop"), 5)
    before = {name: (data / name).read_bytes() for name in ("outbox.db", "outbox.db-wal")}
    lines = websentry.run("outbox", "show", "--data-dir", data).stdout().splitlines()
    assert lines[0].startswith(f"{len(rows)} reports wait in {data}/outbox.db, ")
    for line, row in zip(lines[1:], rows, strict=True):
        words = line.split()
        assert words == [row["started_at"], row["outcome"], row["producer_id"], str(row["seq"]), row["site"]]
    assert before == {name: (data / name).read_bytes() for name in before}


def test_show_takes_no_label_for_a_field(websentry, sites, folder):
    data = websentry.data_dir()
    given = folder / "sites.yaml"
    given.write_text(json.dumps({"sites": [{
        "url": sites.site("/shop").url, "labels": {"outcome": 'gold}\\"', "started_at": "never", "seq": "7"}}]}))
    websentry.run("producer", "--once", "--once-wait", "1s", "--data-dir", data, "--kafka-servers", AWAY, given, code=1)
    row = json.loads(websentry.run("outbox", "show", "--json", "--data-dir", data).stdout())
    assert row["labels"]["outcome"] == 'gold}\\"'
    line = websentry.run("outbox", "show", "--data-dir", data).stdout().splitlines()[1]
    assert line.split() == [row["started_at"], "up", row["producer_id"], "0", row["site"]]


def fill_by_hand(data, count):
    """More than a page of `show` holds: rows of a kilobyte behind those that are there; how many wait then."""
    with contextlib.closing(sqlite3.connect(data / "outbox.db")) as database, database:
        [[last]] = database.execute("SELECT max(id) FROM outbox_row").fetchall()
        for row in range(last + 1, last + 1 + count):
            message = f'{{"v":1,"seq":{row},"pad":"{"x" * 1000}"}}'
            head = row.to_bytes(8, "little") + b"\0" + (4).to_bytes(4, "little")
            database.execute("INSERT INTO outbox_row VALUES (?, 0, ?, ?, ?)",
                             (row, b"site", message, zlib.crc32(head + b"site" + message.encode())))
        database.execute("UPDATE outbox_meta SET crc = 0")  # counted again
        return database.execute("SELECT count(*) FROM outbox_row").fetchone()[0]


def start_show(websentry, data):
    """`outbox show --json` with a reader as slow as we are; the reader."""
    path = websentry.folder / f"{len(websentry.running)}.out"
    os.mkfifo(path)
    show = websentry.start("outbox", "show", "--json", "--data-dir", data)
    return show, path.open()


def test_show_goes_on_page_by_page(websentry, sites):
    data = websentry.data_dir()
    fill(websentry, data, sites.site("/shop"), 2)
    count = fill_by_hand(data, 5000)
    show, reader = start_show(websentry, data)
    with reader:
        seqs = [json.loads(line)["seq"] for line in reader]
    assert show.wait(60) == 0
    assert len(seqs) == count
    assert seqs[-5000:] == sorted(set(seqs[-5000:]))


def test_a_producer_starts_while_show_is_read_slowly(websentry, sites):
    data = websentry.data_dir()
    fill(websentry, data, sites.site("/shop"), 2)
    fill_by_hand(data, 5000)
    show, reader = start_show(websentry, data)
    with reader:
        first = reader.readline()
        producer = websentry.start("producer", "--data-dir", data, "--kafka-servers", AWAY, sites.site("/shop").url)
        producer.wait_ready()
        rest = reader.read()
    assert json.loads(first)["v"] == 1 and rest.endswith("}\n")
    assert show.wait(60) == 1
    [complaint] = show.complaints()
    assert f"process {producer.pid} has taken it meanwhile" in complaint.event


def test_a_producer_waits_for_a_reader_that_lets_go(websentry, sites):
    data = websentry.data_dir()
    fill(websentry, data, sites.site("/shop"), 1)
    with (data / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        producer = websentry.start("producer", "--data-dir", data, "--kafka-servers", AWAY, sites.site("/shop").url)
        with pytest.raises(AssertionError):
            producer.wait_ready(0.5)
        assert producer.is_running()
    producer.wait_ready()


def test_show_of_a_folder_without_an_outbox(websentry):
    data = websentry.data_dir()
    data.mkdir(exist_ok=True)
    assert websentry.run("outbox", "show", "--data-dir", data).stdout().startswith("0 reports wait")
    assert list(data.iterdir()) == []
    gone = websentry.run("outbox", "show", "--data-dir", data / "nowhere", code=2)
    assert [event.event for event in gone.complaints()] == [f"data folder {data}/nowhere: not found"]


@pytest.mark.parametrize("words", [["show"], ["salvage", "old.db"]], ids=["show", "salvage"])
def test_a_folder_in_use_is_left_alone(websentry, sites, words):
    data = websentry.data_dir()
    producer = websentry.start("producer", "--data-dir", data, "--kafka-servers", AWAY, sites.site("/shop").url)
    producer.wait_ready()
    refused = websentry.run("outbox", *words, "--data-dir", data, code=2)
    [complaint] = refused.complaints()
    assert f"in use by process {producer.pid}" in complaint.event
    assert ("/metrics" in complaint.event) == (words[0] == "show")


def test_salvage_brings_back_what_a_flipped_bit_hides(websentry, sites):
    data = websentry.data_dir()
    rows = fill(websentry, data, sites.site("/shop"), 5)
    old = data / "old.db"
    shutil.move(data / "outbox.db", old)
    log = bytearray((data / "outbox.db-wal").read_bytes())
    (data / "outbox.db-wal").unlink()
    log[32 + 16] ^= 1  # the checksum of the first frame: SQLite reads nothing of this log any more
    (data / "old.db-wal").write_bytes(log)
    done = websentry.run("outbox", "salvage", old, "--data-dir", data)
    assert done.stdout() == f"{len(rows)} reports of {old} are in {data}/outbox.db again\n"
    shown = websentry.run("outbox", "show", "--json", "--data-dir", data).stdout().splitlines()
    assert [json.loads(line) for line in shown] == rows


def test_salvage_says_what_it_could_not_read(websentry, sites):
    data = websentry.data_dir()
    rows = fill(websentry, data, sites.site("/shop"), 5)
    for name in ("outbox.db", "outbox.db-wal"):
        # each version of the row that the log has
        damaged = (data / name).read_bytes().replace(b'"seq":2,', b'"seq":7,')
        (data / name.replace("outbox", "old")).write_bytes(damaged)
        (data / name).unlink()
    done = websentry.run("outbox", "salvage", data / "old.db", "--data-dir", data, code=1)
    [complaint] = done.complaints()
    assert complaint.event == "rows do not match their checksum and stay where they are"
    assert complaint.fields["rows"] == "1"
    shown = websentry.run("outbox", "show", "--json", "--data-dir", data).stdout().splitlines()
    assert [json.loads(line) for line in shown] == [row for row in rows if row["seq"] != 2]


def test_salvage_goes_into_a_sound_file(websentry, sites):
    """The folder's own outbox opens well, and somewhere within it is damaged."""
    data, other = websentry.data_dir(), websentry.data_dir("other")
    rows = fill(websentry, other, sites.site("/shop"), 3)
    fill(websentry, data, sites.site("/shop"), 1)
    count = fill_by_hand(data, 500)
    with (data / "outbox.db").open("r+b") as file:
        page = 29 * int.from_bytes(file.read(18)[16:], "big")
        file.seek(page)
        assert file.read(1) == b"\x0d", "a page of rows"
        file.seek(page + 8)  # where it says where the first ones are
        file.write(b"\xff" * 4)
    damaged = (data / "outbox.db").read_bytes()
    done = websentry.run("outbox", "salvage", other / "outbox.db", "--data-dir", data)
    [complaint] = done.complaints()
    assert complaint.event == "outbox damaged, set aside"
    aside = data / complaint.fields["now"]
    assert aside.name.startswith("outbox.db.damaged-") and aside.read_bytes() == damaged
    with contextlib.closing(sqlite3.connect(data / "outbox.db")) as database:
        assert database.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    shown = websentry.run("outbox", "show", "--json", "--data-dir", data).stdout().splitlines()
    assert [json.loads(line) for line in shown] == rows
    again = websentry.run("outbox", "salvage", aside, "--data-dir", data, code=1)
    assert again.stdout().startswith(f"{count - 500} reports of ")  # those written by hand have no identity


def test_salvage_of_what_is_not_there_or_its_own_is_one_line(websentry, sites):
    data = websentry.data_dir()
    fill(websentry, data, sites.site("/shop"), 1)
    gone = websentry.run("outbox", "salvage", data / "nothing.db", "--data-dir", data, code=2)
    assert [event.event for event in gone.complaints()] == [f"{data}/nothing.db: No such file or directory"]
    own = websentry.run("outbox", "salvage", data / "outbox.db", "--data-dir", data, code=2)
    assert "is this folder's own outbox" in own.complaints()[0].event


def test_salvage_of_what_is_no_outbox_is_one_line(websentry, sites, folder):
    data = folder / "never-made"
    of_run = websentry.data_dir()
    websentry.run("run", "--once", "--data-dir", of_run, sites.site("/shop").url)
    given = {"notes.txt": b"the outbox_row of yesterday\n" * 1000, "nothing": b"", "noise": os.urandom(20000),
             "store.db": (of_run / "websentry.db").read_bytes()}
    for name, held in given.items():
        (folder / name).write_bytes(held)
        refused = websentry.run("outbox", "salvage", folder / name, "--data-dir", data, code=2)
        [complaint] = refused.complaints()
        assert complaint.event == f"{folder / name}: is no outbox: neither its tables nor a report were found in it"
        assert refused.stdout() == "" and not data.exists()


def test_salvage_of_an_outbox_without_reports(websentry, sites, folder):
    """All were sent, so nothing is in it and nothing wrong with it; also with its tables in the log alone."""
    data = websentry.data_dir()
    fill(websentry, data, sites.site("/shop"), 1)
    with contextlib.closing(sqlite3.connect(data / "outbox.db")) as database, database:
        database.execute("DELETE FROM outbox_row")
    with contextlib.closing(sqlite3.connect(data / "outbox.db")) as database:
        database.execute("VACUUM")
    shutil.move(data / "outbox.db", folder / "whole.db")
    with contextlib.closing(sqlite3.connect(folder / "other.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE outbox_row (id INTEGER PRIMARY KEY)")
        database.commit()
        shutil.copy(folder / "other.db-wal", folder / "log.db-wal")
    for name in ("whole.db", "log.db"):
        done = websentry.run("outbox", "salvage", folder / name, "--data-dir", data)
        assert done.stdout() == f"0 reports of {folder / name} are in {data}/outbox.db again\n"
        assert done.complaints() == []
