"""Is every finished check stored once? Run in the tests' image, in the network of kafka and postgres; prints JSON.

A producer process numbers its reports 0,1,2… without a gap, and the first report of the next process in the same data
folder names (`prev`) the last one that its forerunner finished. So of each forerunner exactly the numbers up to the
one named must be rows, once each.
"""
import json
import subprocess

import psycopg2

DSN = "postgres://monitoring:secret@postgres:5432/monitoring"
TOPICS = ("checks-success", "checks-failure")


def first_reports():
    """The messages with seq 0, which alone carry prev."""
    for topic in TOPICS:
        # A short wait, or kcat does not see the end of a topic that grows while it reads.
        done = subprocess.run(["kcat", "-C", "-q", "-e", "-o", "beginning", "-X", "fetch.wait.max.ms=10",
                               "-b", "kafka:9092", "-t", topic], check=True, capture_output=True, text=True, timeout=60)
        for line in done.stdout.splitlines():
            message = json.loads(line)
            if message["seq"] == 0:
                yield message


def main():
    with psycopg2.connect(DSN) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT producer_id::text, count(*), min(seq), max(seq), count(DISTINCT seq) "
                       "FROM report_view GROUP BY producer_id")
        stored = {row[0]: row[1:] for row in cursor.fetchall()}
    wrong = []
    for producer, (count, lowest, highest, distinct) in stored.items():
        if lowest != 0 or count != distinct or count != highest + 1:
            wrong.append(f"{producer}: {count} rows, {distinct} different, from {lowest} to {highest}")
    followed = 0
    for message in first_reports():
        before = message.get("prev")
        if before is None:
            continue
        followed += 1
        highest = stored.get(before["producer_id"], (0, 0, None))[2]
        if highest != before["seq"]:
            wrong.append(f"{before['producer_id']}: finished up to {before['seq']}, stored up to {highest}")
    if followed < len(stored) - 1:
        wrong.append(f"{len(stored)} producers, but only {followed} name a forerunner")
    print(json.dumps({"reports": sum(row[0] for row in stored.values()), "producers": len(stored), "wrong": wrong}))


main()
