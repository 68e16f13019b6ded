"""How long `websentry audit` takes over 100 million reports: their seq_chunk rows are made, the reports are not.

A hundred producers of a million reports each (PostgreSQL: from three partitions), a thousand reports missing: once as
it never is, with not one chunk folded, and once as it is a minute later. AUDIT_PRODUCERS=20000: as many processes, each
of which was there for a short time, and one report of each missing.
"""
import contextlib
import json
import os
import sqlite3
import statistics
import time

from support.postgres import Postgres
from support.store_tool import StoreTool, report
from support.websentry import PROGRAM

PRODUCERS = int(os.environ.get("AUDIT_PRODUCERS", "100"))
REPORTS = 100_000_000 // PRODUCERS       # of each producer
HOLES = 10 if PRODUCERS <= 100 else 1
PARTITIONS = {"postgres": 3, "sqlite": 1}       # `run` has no Kafka
CHUNK = 4096
ROUNDS = 5

PRODUCER = "aaaaaaaa-0000-4000-8000-%012x"
LONG_AGO = "2026-11-01T00:00:00.000000Z"


def bitmap(chunk, partition, partitions):
    """Which of the seq of a chunk came from a partition: all in turn, but for one that is missing in each 100,000."""
    bits = bytearray(CHUNK // 8)
    for seq in range(chunk * CHUNK, min((chunk + 1) * CHUNK, REPORTS)):
        if seq % partitions == partition and seq % (REPORTS // HOLES) != 77:
            bits[seq % CHUNK // 8] |= 0x80 >> seq % 8
    return bytes(bits)


def rows(partitions):
    """(producer, chunk, partition, bitmap) of all of them."""
    maps = {(chunk, partition): bitmap(chunk, partition, partitions)
            for chunk in range((REPORTS + CHUNK - 1) // CHUNK) for partition in range(partitions)}
    for producer in range(PRODUCERS):
        for (chunk, partition), bits in maps.items():
            yield PRODUCER % producer, chunk, partition, bits


def fill_postgres(database):
    with database.connect() as connection, connection.cursor() as cursor:
        with cursor.copy("COPY seq_chunk (producer_id, chunk, partition, stored, first_at, last_at, changed_at) "
                         "FROM STDIN") as copy:
            for producer, chunk, partition, bits in rows(PARTITIONS["postgres"]):
                text = f"{int.from_bytes(bits, 'big'):0{CHUNK}b}"
                copy.write_row((producer, chunk, partition, text, LONG_AGO, LONG_AGO, LONG_AGO))
        connection.commit()
    database.query("ANALYZE seq_chunk")


def fill_sqlite(path):
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO seq_chunk (producer_id, chunk, partition, stored, first_at, last_at, changed_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((producer, chunk, partition, bits, LONG_AGO, LONG_AGO, LONG_AGO)
             for producer, chunk, partition, bits in rows(PARTITIONS["sqlite"])))


def time_audit(websentry, words):
    """Seconds of the whole command, the best and the middle one; what it must say is compared."""
    seconds = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        told = websentry.run("audit", "--json", *words, code=1)
        seconds.append(time.monotonic() - began)
        totals = json.loads(told.stdout())["totals"]
        assert totals["missing"] == PRODUCERS * HOLES, totals
        assert totals["stored"] >= PRODUCERS * (REPORTS - HOLES), totals
    return {"best_s": min(seconds), "median_s": statistics.median(seconds)}


def count_sqlite(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM seq_chunk").fetchone()[0]


def measure_one(bench, driver, where, words, fill, count):
    folder = bench.session.new_folder(f"audit-{driver}")
    websentry = bench.websentry(f"audit-{driver}-commands")

    def write_one(seq):
        """The first batch of a process folds for a tenth of a second; one that stays does so every few seconds."""
        store = StoreTool(bench.session, folder, driver, where)
        store.ask("migrate")
        began = time.monotonic()
        store.write(report(seq))
        store.close()
        return time.monotonic() - began

    write_one(0)
    fill()
    unfolded = time_audit(websentry, words)
    seconds, before, left = [], None, count()
    while left != before:
        seconds.append(write_one(len(seconds) + 1))
        before, left = left, count()
    return {"unfolded": unfolded, "fold_s": sum(seconds), "fold_steps": len(seconds), "chunks_left": left,
            "folded": time_audit(websentry, words)}


def measure(bench):
    assert PROGRAM.exists()
    path = bench.session.new_folder("audit-data") / "websentry.db"
    postgres = Postgres(bench.session)
    database = postgres.create_database()
    result = {"reports": PRODUCERS * REPORTS, "producers": PRODUCERS, "missing": PRODUCERS * HOLES}
    result["postgres"] = measure_one(bench, "postgres", database.dsn, ("--database-dsn", database.dsn),
                                     lambda: fill_postgres(database),
                                     lambda: database.one("SELECT count(*) FROM seq_chunk"))
    result["postgres"]["view_s"] = time_view(database)
    result["sqlite"] = measure_one(bench, "sqlite", str(path), ("--data-dir", path.parent), lambda: fill_sqlite(path),
                                   lambda: count_sqlite(path))
    postgres.stop()
    return result


def time_view(database):
    began = time.monotonic()
    assert database.one("SELECT sum(missing) FROM delivery_audit_view") == PRODUCERS * HOLES
    return time.monotonic() - began
