"""`outbox show` and `outbox salvage`: what a person does with an outbox that waits or was set aside."""
import json
import shutil

import pytest

AWAY = "127.0.0.1:9"


def fill(websentry, data, site, count):
    """An outbox with at least so many reports, left by producers that were killed; the reports."""
    rows = []
    requests = count
    while len(rows) < count:  # the last ones of each need not be committed yet
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


def test_salvage_of_what_is_not_there_or_its_own_is_one_line(websentry, sites):
    data = websentry.data_dir()
    fill(websentry, data, sites.site("/shop"), 1)
    gone = websentry.run("outbox", "salvage", data / "nothing.db", "--data-dir", data, code=2)
    assert [event.event for event in gone.complaints()] == [f"{data}/nothing.db: No such file or directory"]
    own = websentry.run("outbox", "salvage", data / "outbox.db", "--data-dir", data, code=2)
    assert "is this folder's own outbox" in own.complaints()[0].event
