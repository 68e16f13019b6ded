"""After a loss: which reports are missing, and whether Kafka ever had them. That tells the producer's half from the
consumer's. What it finds goes into NAME.trace, line by line."""
import json
import time

from confluent_kafka import Consumer, TopicPartition

from chaos.world import TOPICS

SHOWN_MAX = 1000
SILENCE_S = 30.0  # of a broker, before it is given up

MISSING = """WITH known AS (
	SELECT producer_id, seq FROM oracle.stored UNION ALL SELECT producer_id, seq FROM oracle.waited
), last AS (SELECT producer_id, max(seq) AS seq FROM known GROUP BY producer_id),
short AS (
	SELECT last.producer_id, last.seq FROM last LEFT JOIN oracle.stored ON stored.producer_id = last.producer_id
	GROUP BY last.producer_id, last.seq HAVING count(DISTINCT stored.seq) <> last.seq + 1
)
SELECT short.producer_id::text, number FROM short, generate_series(0, short.seq) AS number
WHERE NOT EXISTS (SELECT FROM oracle.stored WHERE stored.producer_id = short.producer_id AND stored.seq = number)
LIMIT %(limit)s"""

# The report before and the one after, as they are stored: when and on what site it must have been.
NEIGHBOURS = """SELECT seq, site, location, started_at, stored_at, reason FROM report_view
WHERE producer_id = %(producer_id)s AND seq BETWEEN %(seq)s - 2 AND %(seq)s + 2 ORDER BY seq"""


def _records(kafka, topic):
    """All that the topic holds, by partition and offset."""
    consumer = Consumer({"bootstrap.servers": kafka.servers, "group.id": "chaos-trace", "enable.auto.commit": False,
                         "auto.offset.reset": "earliest", "log_level": 0})
    try:
        marks = kafka.watermarks(topic)
        consumer.assign([TopicPartition(topic, number, low) for number, (low, high) in marks.items() if high > low])
        left = {number for number, (low, high) in marks.items() if high > low}
        heard = time.monotonic()
        while left:
            # It returns before its time only with as many records as are asked for.
            records = consumer.consume(10_000, 0.5)
            if records:
                heard = time.monotonic()
            elif time.monotonic() > heard + SILENCE_S:
                raise TimeoutError(f"{topic}: nothing more of partitions {sorted(left)}")
            for record in records:
                if record.error() is None:
                    yield record
                    if record.offset() + 1 >= marks[record.partition()][1]:
                        left.discard(record.partition())
    finally:
        consumer.close()


def _identity(content):
    """Of our reports: {"v":1,"producer_id":"…","seq":N,… stands in front of each."""
    if content is None or not content.startswith(b'{"v":1,"producer_id":"'):
        return None
    text = content[:120].decode("ascii", "replace")
    try:
        return text[22:58], int(text.split('"seq":', 1)[1].split(",", 1)[0].rstrip("}"))
    except (IndexError, ValueError):
        return None


def write(connection, kafka, file):
    """Returns a line for the result, or None where nothing is missing."""
    missing = [tuple(row) for row in connection.execute(MISSING, {"limit": SHOWN_MAX})]
    if not missing:
        return None
    wanted = {(producer_id, seq + step) for producer_id, seq in missing for step in range(-2, 3)}
    seen = {}
    for topic in TOPICS.values():
        for record in _records(kafka, topic):
            identity = _identity(record.value())
            if identity in wanted:
                seen.setdefault(identity, []).append((topic, record.partition(), record.offset(),
                                                      record.timestamp()[1]))
    in_kafka = 0
    with file.open("w") as out:
        for producer_id, seq in missing:
            places = seen.get((producer_id, seq), [])
            in_kafka += bool(places)
            out.write(json.dumps({"missing": [producer_id, seq], "in_kafka": places}) + "\n")
            for step in (-2, -1, 1, 2):
                out.write(json.dumps({"neighbour": seq + step, "in_kafka": seen.get((producer_id, seq + step), [])})
                          + "\n")
            for row in connection.execute(NEIGHBOURS, {"producer_id": producer_id, "seq": seq}):
                out.write(json.dumps({"stored": [str(value) for value in row]}) + "\n")
        for row in connection.execute("SELECT * FROM kafka_offset ORDER BY 1, 2, 3"):
            out.write(json.dumps({"position": [str(value) for value in row]}) + "\n")
    return f"{len(missing)} missing, {in_kafka} of them in Kafka: {file.name}"
