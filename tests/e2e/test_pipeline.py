"""The promise, end to end: what the sites served is what the database holds, once each, whatever is killed."""
import contextlib
import json
import random
import signal

import psycopg
import pytest
from support.processes import wait_until
from support.sites import Answer

NONCE = "nonce=(n[0-9]+)"
BODY = "Welcome. nonce={nonce} " + "x" * 200 + "\n"


def answer_for(number):
    """Sites differ in what a row has to say of them."""
    kinds = (Answer(body=BODY), Answer(404, body=BODY), Answer(body=BODY, is_gzipped=True),
             Answer(body=BODY, is_chunked=True),
             Answer(500, body=BODY))
    return kinds[number % len(kinds)]


def sites_yaml(found, **common):
    """A sites file with these sites, each recording the nonce of what it was given."""
    entries = [{"url": site.url, "name": site.path, "pattern": NONCE, **common} for site in found]
    return json.dumps({"sites": entries})  # JSON is YAML


def kafka_words(kafka, topic):
    return ("--kafka-servers", kafka.servers, "--kafka-topic", topic)


# On a busy machine a site, or the prober, may be too slow: the report has no nonce then, and the request no row.
LATE = "pattern_capture IS NULL AND reason IN ('timeout', 'connect_timeout', 'prober_overloaded')"


def count_late(database):
    return database.one(f"SELECT count(*) FROM report_view WHERE {LATE}")


def rows_by_nonce(database):
    """{captured nonce: row}; a nonce that stands twice fails."""
    columns = ("site", "url", "outcome", "reason", "http_status_code", "body_bytes", "decoded_bytes", "pattern_matched",
               "pattern_capture", "redirects", "producer_id", "seq")
    rows = database.query(f"SELECT {', '.join(columns)} FROM report_view WHERE NOT ({LATE})")
    found = {}
    for row in rows:
        named = dict(zip(columns, row, strict=True))
        assert named["pattern_capture"] not in found, f"stored twice: {named}"
        found[named["pattern_capture"]] = named
    return found


def stop_and_send_rest(websentry, producer):
    """A stop gives Kafka two seconds. What a busy broker has left in the outbox goes with the next process."""
    producer.stop()
    if producer.find("reports stay in the outbox"):
        websentry.run(*producer.words, "--once")


def assert_equal_to_served(database, served):
    """Every request that was answered is one row, field for field, and there is no other row."""
    rows = rows_by_nonce(database)
    expected = {request.nonce: (site, request) for site in served for request in site.requests}
    assert set(rows) <= set(expected)
    assert len(expected) - len(rows) <= count_late(database)
    for nonce, row in rows.items():
        site, request = expected[nonce]
        plain = BODY.replace("{nonce}", nonce).encode()
        assert (row["site"], row["url"]) == (site.path, site.url)
        assert row["http_status_code"] == request.status
        assert row["decoded_bytes"] == len(plain)
        if b"x" * 200 in request.sent_body:
            assert row["body_bytes"] >= len(request.sent_body)  # chunk framing is transferred as well
        else:
            assert row["body_bytes"] == len(request.sent_body)
        assert (row["outcome"], row["reason"]) == (("up", "ok") if request.status == 200 else ("down",
                                                                                               "status_mismatch"))
        assert row["pattern_matched"] is True


def assert_no_holes(database):
    """Each producer's seq from 0 to its last."""
    for producer, first, last, count in database.query(
            "SELECT producer_id, min(seq), max(seq), count(*) FROM report_view GROUP BY 1"):
        assert (first, last) == (0, count - 1), f"{producer}: {count} rows from {first} to {last}"


def test_10_000_reports_are_stored_once_and_equal_what_was_served(websentry, sites, kafka, topic, database):
    served = sites.many(10_000, make_answer=answer_for)
    file = websentry.write("sites.yaml", sites_yaml(served))
    websentry.run("producer", "--once", "--sites", file, "--timeout", "50s", "--data-dir", websentry.data_dir(),
                  *kafka_words(kafka, topic), timeout=120)
    assert kafka.count(topic) == 10_000
    websentry.run("consumer", "--once", *kafka_words(kafka, topic), "--database-dsn", database.dsn, timeout=60)
    assert database.one("SELECT count(*) FROM report") == 10_000
    assert_equal_to_served(database, served)
    assert_no_holes(database)


def test_redirect_hops_are_stored_as_they_were(websentry, sites, kafka, topic, database):
    sites.site("/start", Answer(location="/middle"))
    sites.site("/middle", Answer(301, location="/end"))
    last = sites.site("/end", Answer(body=BODY))
    websentry.run("producer", "--once", "--url", sites.sites["/start"].url, "--pattern", NONCE, "--data-dir",
                  websentry.data_dir(), *kafka_words(kafka, topic))
    websentry.run("consumer", "--once", *kafka_words(kafka, topic), "--database-dsn", database.dsn)
    row = next(iter(rows_by_nonce(database).values()))
    assert row["pattern_capture"] == last.requests[0].nonce
    assert [(hop["url"], hop["http_status_code"]) for hop in row["redirects"]] == [
        (sites.sites["/start"].url, 302), (sites.sites["/middle"].url, 301)]
    for hop in row["redirects"]:
        phases = sum(hop.get(name, 0) for name in ("dns_us", "connect_us", "tls_us", "wait_us", "transfer_us"))
        assert abs(phases - hop["total_us"]) <= hop["total_us"] * 0.01 + 100


def test_what_an_outbox_holds_at_a_kill_is_stored_once(websentry, sites, kafka, topic, database):
    """kill -9 of the producer while Kafka is away; the next one on the same folder sends what was left."""
    served = sites.many(50, make_answer=answer_for)
    file = websentry.write("sites.yaml", sites_yaml(served, interval="1s"))
    kafka.kill()
    words = ("producer", "--sites", file, "--data-dir", websentry.data_dir(), *kafka_words(kafka, topic))
    first = websentry.start(*words)
    wait_until(lambda: all(len(site.requests) >= 2 for site in served), "every site checked twice")
    first.kill()
    kafka.start()
    websentry.run("producer", "--once", "--sites", file, "--data-dir", websentry.data_dir(), *kafka_words(kafka, topic))
    websentry.run("consumer", "--once", *kafka_words(kafka, topic), "--database-dsn", database.dsn)
    assert_no_holes(database)
    rows = rows_by_nonce(database)
    requests = {request.nonce for site in served for request in site.requests}
    assert set(rows) <= requests
    # a check that was killed before its report was in the outbox never happened: at most those in flight
    assert len(requests - set(rows)) <= 50 + count_late(database)


@pytest.mark.deep
def test_kills_at_any_moment_store_each_report_once(websentry, sites, kafka, topic, database):
    """kill -9 of the producer again and again, however much its outbox holds, and of consumers amid their batches."""
    kills = 8
    rng = random.Random(kills)
    served = sites.many(50, make_answer=answer_for)
    file = websentry.write("sites.yaml", sites_yaml(served, interval="300ms"))
    words = kafka_words(kafka, topic)

    def start_consumer():
        return websentry.start("consumer", *words, "--database-dsn", database.dsn, "--kafka-property",
                               "session.timeout.ms=6000")

    def count_requests():
        return sum(len(site.requests) for site in served)

    def count_rows():
        return database.one("SELECT count(*) FROM report") if database.has("report") else 0

    consumer = start_consumer()
    for number in range(kills):
        stored = count_rows()
        producer = websentry.start("producer", "--sites", file, "--data-dir", websentry.data_dir(), *words)
        asked = count_requests() + rng.randint(1, 250)
        wait_until(lambda asked=asked: count_requests() > asked, f"checks of producer {number}", 40)
        if number % 4 == 2:  # while reports come: behind the kill, none may be left that is not stored
            wait_until(lambda stored=stored: count_rows() > stored, "rows of this consumer", 40)
        producer.kill()
        if number % 4 == 2:
            consumer.kill()
            consumer = start_consumer()
    websentry.run("producer", "--once", "--sites", file, "--data-dir", websentry.data_dir(), *words)
    consumer.wait_for("partitions assigned", 40)
    consumer.stop()
    drain(websentry, kafka, topic, database)
    assert_no_holes(database)
    websentry.run("audit", "--database-dsn", database.dsn)
    rows = rows_by_nonce(database)
    requests = {request.nonce for site in served for request in site.requests}
    assert set(rows) <= requests
    # a check that was killed before its report was in the outbox never happened: at most those in flight
    assert len(requests - set(rows)) <= 50 * kills + count_late(database)
    sent = [json.loads(message.value) for message in kafka.messages(topic)]
    assert {(report["producer_id"], report["seq"]) for report in sent} == \
        {(str(producer), seq) for producer, seq in database.query("SELECT producer_id, seq FROM report_view")}


def drain(websentry, kafka, topic, database, group="websentry"):
    websentry.run("consumer", "--once", *kafka_words(kafka, topic), "--kafka-group", group, "--database-dsn",
                  database.dsn,
                  timeout=60)


def test_two_consumers_share_and_one_is_killed(websentry, sites, kafka, topic, database):
    served = sites.many(100, make_answer=answer_for)
    file = websentry.write("sites.yaml", sites_yaml(served, interval="500ms"))
    consumers = [websentry.start("consumer", *kafka_words(kafka, topic), "--database-dsn", database.dsn,
                                 "--kafka-property", "session.timeout.ms=6000") for _ in range(2)]
    for consumer in consumers:
        consumer.wait_ready(40)
    producer = websentry.start("producer", "--sites", file, "--data-dir", websentry.data_dir(), *kafka_words(kafka,
                                                                                                             topic))
    wait_until(lambda: database.one("SELECT count(*) FROM report") > 300, "first rows", 40)

    def shares():
        return [sum(int(event.fields["partitions"]) for event in consumer.find("partitions assigned")[-1:])
                for consumer in consumers]

    wait_until(lambda: sorted(shares()) == [1, 2], "a part for each")
    consumers[0].kill()
    before = database.one("SELECT count(*) FROM report")
    consumers[1].wait_for("partitions assigned", 40, partitions=3)
    wait_until(lambda: database.one("SELECT count(*) FROM report") > before + 300, "rows after the kill", 40)
    stop_and_send_rest(websentry, producer)
    consumers[1].stop()
    drain(websentry, kafka, topic, database)
    assert_equal_to_served(database, served)
    assert_no_holes(database)


@pytest.mark.parametrize("count", [12, pytest.param(40, marks=pytest.mark.deep)])
def test_a_producer_that_reloads_all_the_time_loses_and_doubles_nothing(websentry, sites, kafka, topic, database,
                                                                        count):
    """Sites come and go by SIGHUP while their checks and reports are under way: what was served is what is stored."""
    served = sites.many(40, make_answer=answer_for)
    file = websentry.write("sites.yaml", sites_yaml(served, interval="300ms"))
    producer = websentry.start("producer", "--sites", file, "--data-dir", websentry.data_dir(),
                               *kafka_words(kafka, topic))
    producer.wait_ready()
    for number in range(count):
        some = served[number % 3::2] if number % 4 else served[:1]
        reloaded = websentry.write("sites.new", sites_yaml(some, interval="300ms"))
        reloaded.replace(file)
        producer.send_signal(signal.SIGHUP)
        reload = producer.wait_for("reloaded", count=number + 1)
        assert reload.fields["sites"] == str(len(some))
        asked = len(some[-1].requests)
        some[-1].wait_for_requests(asked + 1)
    stop_and_send_rest(websentry, producer)
    drain(websentry, kafka, topic, database)
    assert_equal_to_served(database, served)
    assert_no_holes(database)
    websentry.run("audit", "--database-dsn", database.dsn)


RELATIONS = ("site", "location", "producer", "report", "site_state", "quarantine", "kafka_offset")


@pytest.mark.parametrize("dropped", [*RELATIONS, "all"])
def test_dropped_tables_come_back_while_the_consumer_runs(websentry, sites, kafka, topic, database, dropped):
    """Nothing that was not in the dropped table is lost or doubled."""
    served = sites.many(20, make_answer=answer_for)
    file = websentry.write("sites.yaml", sites_yaml(served, interval="500ms"))
    consumer = websentry.start("consumer", *kafka_words(kafka, topic), "--database-dsn", database.dsn)
    consumer.wait_ready(40)
    producer = websentry.start("producer", "--sites", file, "--data-dir", websentry.data_dir(), *kafka_words(kafka,
                                                                                                             topic))
    wait_until(lambda: database.one("SELECT count(*) FROM report") > 60, "first rows", 40)
    relations = RELATIONS if dropped == "all" else (dropped,)
    with database.connect() as connection:
        stored = {row[0] for row in connection.execute("SELECT pattern_capture FROM report_view").fetchall()}
        connection.execute(f"DROP TABLE {', '.join(relations)} CASCADE")
    lost = stored if "report" in relations else set()

    def count():
        with contextlib.suppress(psycopg.Error):  # between the drop and the consumer's next batch there is no table
            return database.one("SELECT count(*) FROM report_view")
        return 0

    wait_until(lambda: count() > len(stored) - len(lost) + 100, "rows after the drop", 40)
    stop_and_send_rest(websentry, producer)
    consumer.stop()
    drain(websentry, kafka, topic, database)
    for relation in RELATIONS:
        assert database.has(relation), f"{relation} is not back"
    rows = rows_by_nonce(database)
    requests = {request.nonce for site in served for request in site.requests}
    missing = requests - set(rows)
    # Between our look and the drop a batch may have come in; its rows went with the table.
    assert missing <= requests and (lost or len(missing) <= count_late(database)), missing
    if lost:
        assert len(missing) <= len(lost) + 200
    assert set(rows) <= requests
    assert database.one("SELECT count(*) FROM site") == 20
    assert database.one("SELECT count(*) FROM site_state") == 20


def test_consumer_once_beside_a_daemon_of_the_same_group(websentry, sites, kafka, topic, database):
    served = sites.many(200, make_answer=answer_for)
    file = websentry.write("sites.yaml", sites_yaml(served))
    daemon = websentry.start("consumer", *kafka_words(kafka, topic), "--database-dsn", database.dsn)
    daemon.wait_ready(40)
    websentry.run("producer", "--once", "--sites", file, "--data-dir", websentry.data_dir(), *kafka_words(kafka, topic))
    drain(websentry, kafka, topic, database)
    assert database.one("SELECT count(*) FROM report") == 200, "--once ended before the group had stored everything"
    assert_equal_to_served(database, served)


def test_a_bad_message_never_stops_a_partition(websentry, sites, kafka, topic, database):
    from confluent_kafka import Producer
    bad = [b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"v":1}', b'{"v":99}', b"x" * 300_000,
           b'{"url":"http://a/","status_code":200,"response_time":0.1}']
    writer = Producer({"bootstrap.servers": kafka.servers, "log_level": 0})
    for message in bad:
        for partition in range(3):
            writer.produce(topic, message, partition=partition)
    assert writer.flush(20) == 0
    served = sites.many(30, make_answer=answer_for)
    file = websentry.write("sites.yaml", sites_yaml(served))
    websentry.run("producer", "--once", "--sites", file, "--data-dir", websentry.data_dir(), *kafka_words(kafka, topic))
    consumer = websentry.start("consumer", "--once", *kafka_words(kafka, topic), "--database-dsn", database.dsn)
    assert consumer.wait(60) == 0, consumer.stderr()
    assert_equal_to_served(database, served)
    kept = database.query("SELECT kafka_partition, kafka_offset, reason, bytes FROM quarantine")
    assert len(kept) == 3 * len(bad)
    assert sorted({bytes(row[3]) for row in kept}) == sorted({message for message in bad})
    assert {row[2] for row in kept} >= {"empty", "not_json", "unknown_version", "missing_field", "foreign_format"}
    assert len([event for event in consumer.events() if event.event.startswith("foreign_format")]) == 1
    drain(websentry, kafka, topic, database, group="another")  # read again by another group: still once each
    assert database.one("SELECT count(*) FROM quarantine") == 3 * len(bad)
    assert database.one("SELECT count(*) FROM report") == 30


def test_stop_signals_end_in_good_order(websentry, sites, kafka, topic, database):
    served = sites.many(5, make_answer=lambda number: Answer(body=BODY, delay_s=0.3))
    file = websentry.write("sites.yaml", sites_yaml(served, interval="1s"))
    for number in (signal.SIGTERM, signal.SIGINT):
        consumer = websentry.start("consumer", *kafka_words(kafka, topic), "--database-dsn", database.dsn)
        producer = websentry.start("producer", "--sites", file, "--data-dir", websentry.data_dir(),
                                   *kafka_words(kafka, topic))
        producer.wait_ready()
        consumer.wait_ready(40)
        asked = len(served[0].requests)
        served[0].wait_for_requests(asked + 1)
        producer.stop(number)
        consumer.stop(number)
    stop_and_send_rest(websentry, producer)
    drain(websentry, kafka, topic, database)
    assert_equal_to_served(database, served)
    assert_no_holes(database)


def test_a_second_signal_ends_at_once(websentry, sites, kafka, topic):
    slow = sites.site("/slow", Answer(is_endless=True))
    producer = websentry.start("producer", "--once", "--url", slow.url, "--timeout", "50s", "--data-dir",
                               websentry.data_dir(), *kafka_words(kafka, topic))
    producer.wait_ready()
    slow.wait_for_requests(1)
    producer.send_signal(signal.SIGTERM)
    producer.wait_for("stopping")
    producer.send_signal(signal.SIGTERM)
    assert producer.wait() != 0  # as a stop in good order ends
