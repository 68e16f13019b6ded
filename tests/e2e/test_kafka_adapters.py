"""What only a real broker shows of publisher and subscriber: topics that must not be made, limits, clocks, ends."""
import json
import time

from confluent_kafka import Producer
from support.processes import wait_until
from support.sites import Answer


def kafka_words(kafka, topic):
    return ("--kafka-servers", kafka.servers, "--kafka-topic", topic)


def test_a_missing_topic_is_said_once_and_not_made_by_a_producer(websentry, sites, kafka):
    site = sites.site("/one", Answer(body="Welcome"))
    topic = "missing-for-producer"
    producer = websentry.start("producer", "--url", site.url, "--interval", "1s", "--data-dir", websentry.data_dir(),
                               *kafka_words(kafka, topic))
    producer.wait_for("topic missing", topic=topic)
    wait_until(lambda: len(site.requests) >= 3, "three checks")
    time.sleep(2)  # the time in which it could make the topic; nothing else tells that it does not
    assert topic not in kafka.topics()
    assert len(producer.find("topic missing")) == 1
    kafka.create_topic(topic)
    producer.wait_for("topic found", topic=topic)
    wait_until(lambda: kafka.count(topic) >= 3, "the reports that waited")
    producer.stop()


def test_a_missing_topic_is_said_once_and_not_made_by_a_consumer(websentry, sites, kafka, database):
    topic = "missing-for-consumer"
    consumer = websentry.start("consumer", "--once", *kafka_words(kafka, topic), "--database-dsn", database.dsn)
    consumer.wait_for("topic missing", topic=topic)
    time.sleep(2)
    assert consumer.is_running()
    assert topic not in kafka.topics()
    kafka.create_topic(topic)
    assert consumer.wait(30) == 0
    assert len(consumer.find("topic missing")) == 1


def test_topics_are_created_when_asked_for(websentry, sites, kafka):
    site = sites.site("/one", Answer(body="Welcome"))
    websentry.run("producer", "--once", "--url", site.url, "--kafka-servers", kafka.servers, "--kafka-topic-success",
                  "made-success", "--kafka-topic-failure", "made-failure", "--kafka-create-topics", "--data-dir",
                  websentry.data_dir())
    assert {"made-success", "made-failure"} <= kafka.topics()
    assert kafka.count("made-success") == 1


def test_a_topic_with_a_low_limit_takes_every_report(websentry, sites, kafka):
    """Its batches are refused as too large; each report alone is not."""
    topic = kafka.create_topic("low-limit", max_message_bytes=4000)
    served = sites.many(300, make_answer=lambda number: Answer(body="Welcome " + "x" * number))
    file = websentry.write("sites.yaml", json.dumps({"sites": [{"url": site.url} for site in served]}))
    producer = websentry.run("producer", "--once", "--sites", file, "--data-dir", websentry.data_dir(),
                             *kafka_words(kafka, topic), timeout=60)
    assert kafka.count(topic) == 300
    assert len({message.value for message in kafka.messages(topic)}) == 300
    assert len(producer.find("kafka finds a batch too large, sending one by one")) <= 1


def test_a_report_that_is_refused_even_alone_is_put_aside(websentry, sites, kafka):
    """Also where its file can't be written at first: else its row, and with many behind it all of them, wait."""
    topic = kafka.create_topic("tiny", max_message_bytes=200)
    data = websentry.data_dir()
    data.mkdir(exist_ok=True)
    aside = data / "quarantine"
    aside.write_text("in the way")
    producer = websentry.start("producer", sites.site("/").url, "--interval", "500ms", "--timeout", "500ms",
                               "--data-dir", data, *kafka_words(kafka, topic))
    producer.wait_for("refused report stays in the outbox")
    assert producer.find("Kafka refuses a report, it is put aside") == []
    aside.unlink()
    producer.wait_for("Kafka refuses a report, it is put aside", count=2)
    producer.stop()
    assert len(producer.find("refused report stays in the outbox")) == 1
    left = websentry.run("outbox", "show", "--json", "--data-dir", data).stdout().splitlines()
    rows = [json.loads(text) for text in [*left, *(file.read_text() for file in aside.iterdir())]]
    assert sorted(row["seq"] for row in rows) == list(range(len(rows)))
    assert len(rows) - len(left) == len(producer.find("Kafka refuses a report, it is put aside")) >= 2
    assert kafka.count(topic) == 0


def test_a_producer_whose_clock_the_broker_refuses_still_delivers(websentry, sites, kafka):
    """The topic refuses whatever is older than a millisecond, as a broker refuses a clock that runs ahead."""
    topic = kafka.create_topic("strict-clock", message_timestamp_before_max_ms=1)
    served = sites.many(50, make_answer=lambda number: Answer(body="Welcome"))
    file = websentry.write("sites.yaml", json.dumps({"sites": [{"url": site.url} for site in served]}))
    producer = websentry.run("producer", "--once", "--sites", file, "--data-dir", websentry.data_dir(),
                             *kafka_words(kafka, topic))
    assert kafka.count(topic) == 50
    assert all(message.timestamp[1] <= 0 for message in kafka.messages(topic))  # none
    assert len(producer.find("kafka finds our clock wrong, sending without timestamps")) == 1


def test_once_passes_records_that_no_reader_sees(websentry, kafka, topic, database):
    """A transaction's end is a record of its own, after the last message."""
    producer = Producer({"bootstrap.servers": kafka.servers, "transactional.id": f"tx-{topic}"})
    producer.init_transactions()
    producer.begin_transaction()
    for number in range(30):
        producer.produce(topic, value=b"not a report", partition=number % 3)
    producer.commit_transaction()
    websentry.run("consumer", "--once", *kafka_words(kafka, topic), "--database-dsn", database.dsn, timeout=30)
    assert database.one("SELECT count(*) FROM quarantine") == 30
    assert kafka.lag("websentry", topic) == 0
    websentry.run("consumer", "--once", *kafka_words(kafka, topic), "--database-dsn", database.dsn, timeout=30)


def test_offsets_that_are_left_out_are_asked_for_once_more(websentry, kafka, topic, database):
    """The ends of transactions lie between the messages: a consumer can't tell that from a message it was not given."""
    producer = Producer({"bootstrap.servers": kafka.servers, "transactional.id": f"tx-{topic}"})
    producer.init_transactions()

    def write(count):
        producer.begin_transaction()
        for number in range(count):
            producer.produce(topic, value=b"not a report", partition=number % 3)
        producer.commit_transaction()

    write(30)
    consumer = websentry.start("consumer", *kafka_words(kafka, topic), "--database-dsn", database.dsn)
    consumer.wait_ready()
    for total in (60, 90, 120):
        write(30)
        wait_until(lambda: database.one("SELECT count(*) FROM quarantine") == total, f"{total} messages")  # noqa: B023
    wait_until(lambda: kafka.lag("websentry", topic) == 0, "Kafka's positions at the ends")
    consumer.stop()
    again = consumer.find("offsets were left out, reading again", topic=topic)
    gone = consumer.find("kafka has no messages with these offsets, going on behind them", topic=topic)
    assert len(again) == len(gone) == 3  # once a partition, however many there are
    assert sorted(line.fields["partition"] for line in again) == sorted(line.fields["partition"] for line in gone)


def test_messages_that_kafka_removed_are_said_and_passed(websentry, kafka, topic, database):
    consumer = ("consumer", "--once", *kafka_words(kafka, topic), "--database-dsn", database.dsn)
    producer = Producer({"bootstrap.servers": kafka.servers})

    def write(count):
        for _ in range(count):
            producer.produce(topic, value=b"not a report", partition=0)
        producer.flush()

    write(10)
    websentry.run(*consumer, timeout=30)
    write(20)
    kafka.delete_records(topic, 0, 25)
    done = websentry.run(*consumer, timeout=30)
    assert database.one("SELECT count(*) FROM quarantine") == 15
    said = done.find("kafka has no messages with these offsets, going on behind them", topic=topic)
    assert [(line.fields["first"], line.fields["last"]) for line in said] == [("10", "24")]
    assert kafka.lag("websentry", topic) == 0


def test_a_broker_that_goes_and_comes_is_two_lines(websentry, sites, kafka, topic):
    site = sites.site("/one", Answer(body="Welcome"))
    producer = websentry.start("producer", "--url", site.url, "--interval", "1s", "--data-dir", websentry.data_dir(),
                               *kafka_words(kafka, topic))
    producer.wait_ready()
    wait_until(lambda: kafka.count(topic) >= 1, "a report")
    kafka.kill()
    producer.wait_for("kafka unreachable, trying on")
    checks = len(site.requests)
    wait_until(lambda: len(site.requests) >= checks + 5, "checks that go on")
    kafka.start()
    producer.wait_for("kafka reachable")
    wait_until(lambda: kafka.count(topic) >= checks + 5, "the reports that waited")
    producer.stop()
    assert len(producer.find("kafka unreachable, trying on")) == 1
    assert len(producer.find(level="warn")) == 1
    left = websentry.run("outbox", "show", "--json", "--data-dir", websentry.data_dir()).stdout().splitlines()
    sent = [message.value for message in kafka.messages(topic)]
    seqs = [json.loads(text)["seq"] for text in (*sent, *left)]
    assert set(seqs) == set(range(len(site.requests))) and len(sent) == len(set(sent))
