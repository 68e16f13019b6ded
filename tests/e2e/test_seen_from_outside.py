"""/metrics, /healthz and /readyz of every daemon, on real Kafka and PostgreSQL: right after traffic that is known."""
import json
import re
import signal
import subprocess

import pytest
from confluent_kafka import Producer
from support.processes import ROOT, wait_until
from support.scrape import Scrape, assert_clean, fetch, reasons, wait_figure, wait_reasons
from support.sites import Answer

ANYWHERE = ("--listen", "127.0.0.1:0")


def kafka_words(kafka, topic):
    return ("--kafka-servers", kafka.servers, "--kafka-topic", topic)


def sites_file(websentry, served, **common):
    entries = [{"url": site.url, "name": site.path, **common} for site in served]
    return websentry.write("sites.yaml", json.dumps({"sites": entries}))


def send_reports(websentry, sites, kafka, topic, count, data="data"):
    """So many checks, each a report in the topic."""
    file = sites_file(websentry, sites.many(count))
    websentry.run("producer", "--once", "--sites", file, "--data-dir", websentry.data_dir(data),
                  *kafka_words(kafka, topic), timeout=60)


def produce(kafka, topic, messages):
    producer = Producer({"bootstrap.servers": kafka.servers, "acks": "all", "log_level": 0})
    for message in messages:
        producer.produce(topic, message)
    assert producer.flush(30) == 0


def documented():
    """{section's commands: names} of docs/metrics.md."""
    found = {}
    for commands, table in re.findall(r"\nOf ([^.]*)\.\n\n((?:\|.*\n)+)", (ROOT / "docs" / "metrics.md").read_text()):
        for command in re.findall(r"`(\w+)`", commands):
            found.setdefault(command, set()).update(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    return found


def assert_as_documented(running, command):
    assert_clean(running)
    assert Scrape(running).names() == documented()[command]
    status, _, body = fetch(running, "/healthz")
    assert status == 200 and json.loads(body)["status"] == "ok"


# --- run


def test_run_counts_its_checks(websentry, sites):
    good = sites.site("/good")
    bad = sites.site("/bad", Answer(500))
    file = sites_file(websentry, [good, bad], interval="200ms")
    running = websentry.start("run", "--sites", file, *ANYWHERE, "--data-dir", websentry.data_dir())
    running.wait_ready()
    wait_reasons(running)
    good.wait_for_requests(5)
    bad.wait_for_requests(5)
    before = {site: len(site.requests) for site in (good, bad)}
    scrape = Scrape(running)
    after = {site: len(site.requests) for site in (good, bad)}
    total = scrape["checks_total"]
    as_expected = 0
    for site, labels in ((good, {"outcome": "up", "reason": "ok"}),
                         (bad, {"outcome": "down", "reason": "status_mismatch"})):
        count = scrape.labelled("checks_total", **labels)
        assert 0 < count <= after[site], labels
        as_expected += count
    # of each site one may be on its way; on a busy machine some are late, and their requests may never be read
    late = sum(scrape.labelled("checks_total", outcome=outcome, reason=reason) for outcome, reason in (
        ("unknown", "prober_overloaded"), ("down", "timeout"), ("down", "connect_timeout")))
    assert as_expected + late == total and sum(before.values()) - 2 <= total
    assert scrape["sites"] == 2
    assert total >= 8
    assert scrape["check_lateness_seconds_count"] >= total and scrape["check_duration_seconds_count"] >= total
    assert 0 < scrape["check_duration_seconds_sum"] < 60
    assert scrape["checks_unfinished_total"] == 0
    assert_as_documented(running, "run")
    stored = wait_figure(running, "store_rows_total", lambda value: value >= total)
    assert stored["store_quarantined_total"] == stored["store_duplicates_total"] == 0
    assert stored["store_batches_total"] >= 1 and stored["store_write_seconds_count"] >= 1


def test_run_is_not_ready_while_its_database_is_away(websentry, sites, postgres, database):
    file = sites_file(websentry, [sites.site("/")], interval="200ms")
    running = websentry.start("run", "--sites", file, *ANYWHERE, "--data-dir", websentry.data_dir(), "--database-dsn",
                              database.dsn)
    running.wait_ready()
    wait_reasons(running)
    postgres.stop(signal.SIGQUIT)
    wait_reasons(running, "store_away")
    away = wait_figure(running, "store_waiting", lambda value: value >= 3)
    assert away["ready"] == 0 and away.labelled("obstacle", reason="store_away") == 1
    assert away["store_failures_total"] >= 1 and away.labelled("log_lines_total", level="warn") >= 1
    assert_clean(running)
    postgres.start()
    wait_reasons(running)
    assert Scrape(running)["ready"] == 1
    running.stop()  # before the database goes


# --- producer


def test_producer_on_kafka_that_goes_and_comes(websentry, sites, kafka, topic):
    site = sites.site("/")
    file = sites_file(websentry, [site], interval="200ms")
    running = websentry.start("producer", "--sites", file, *ANYWHERE, "--data-dir", websentry.data_dir(),
                              *kafka_words(kafka, topic))
    running.wait_ready()
    wait_reasons(running)
    scrape = wait_figure(running, "kafka_delivered_total", lambda value: value >= 5)
    assert scrape["outbox_committed_total"] >= scrape["outbox_acknowledged_total"] >= 5
    assert scrape["outbox_commits_total"] >= 1 and scrape["outbox_commit_seconds_count"] >= 1
    assert scrape["outbox_rows_max"] == 1_000_000
    assert_as_documented(running, "producer")

    kafka.kill()
    wait_reasons(running, "kafka_unreachable")
    away = wait_figure(running, "outbox_oldest_age_seconds", lambda age: age >= 2)
    assert away["outbox_rows"] >= 5 and away["outbox_bytes"] >= 5 * 100
    assert away["kafka_errors_total"] >= 1 and away["ready"] == 0

    kafka.start()
    wait_reasons(running, timeout=60)
    running.wait_for("kafka reachable")
    sites.forget()
    drained = wait_figure(running, "outbox_oldest_age_seconds", lambda age: age < 1)
    assert drained["kafka_delivered_total"] >= away["outbox_rows"]


def test_what_an_earlier_process_left_is_as_old_as_it_is(websentry, sites):
    words = ("producer", "--url", sites.site("/").url, "--interval", "100ms", "--data-dir", websentry.data_dir(),
             "--kafka-servers", "127.0.0.1:1", *ANYWHERE)
    first = websentry.start(*words)
    age = wait_figure(first, "outbox_oldest_age_seconds", lambda value: value >= 2)["outbox_oldest_age_seconds"]
    first.kill()
    second = websentry.start(*words)
    found = wait_figure(second, "outbox_oldest_age_seconds", lambda value: value > 0)
    assert age <= found["outbox_oldest_age_seconds"] <= age + 60


def test_producer_says_that_a_topic_is_missing_and_that_its_outbox_is_full(websentry, sites, kafka):
    running = websentry.start("producer", "--url", sites.site("/").url, "--interval", "100ms", *ANYWHERE,
                              "--outbox-max", "3", "--data-dir", websentry.data_dir(),
                              *kafka_words(kafka, "seen-missing"))
    wait_reasons(running, "topic_missing", "outbox_full")
    full = Scrape(running)
    assert full["outbox_rows"] >= full["outbox_rows_max"] == 3
    kafka.create_topic("seen-missing")
    wait_reasons(running, timeout=60)
    missed = wait_figure(running, "checks_missed_total", lambda value: value >= 1)
    assert missed["kafka_delivered_total"] >= 3


def test_producer_says_seldom_that_its_outbox_is_full_and_has_room(websentry, sites, kafka, topic):
    """Kafka takes five reports a second, of the fifty that there could be: no line for each of them."""
    urls = [word for site in sites.many(5) for word in ("--url", site.url)]
    running = websentry.start("producer", *urls, "--interval", "100ms", *ANYWHERE, "--outbox-max", "50",
                              "--data-dir", websentry.data_dir(), *kafka_words(kafka, topic), "--kafka-property",
                              "queue.buffering.max.messages=1", "--kafka-property", "linger.ms=200")
    wait_reasons(running, "outbox_full")
    filled = Scrape(running)["kafka_delivered_total"]
    wait_figure(running, "kafka_delivered_total", lambda value: value >= filled + 25, timeout=60)
    said = [len(running.find(event)) for event in ("outbox full, no checks are started",
                                                   "outbox has room again, checks go on")]
    left = Scrape(running)["kafka_delivered_total"] - filled  # behind the lines that were counted
    assert said[0] <= 2 + left / 5 and said[1] <= 1 + left / 5


# --- consumer


def test_consumer_counts_what_it_stores(websentry, sites, kafka, topic, database):
    """Known traffic: 40 reports and two messages that are none; later the same again, for another group."""
    send_reports(websentry, sites, kafka, topic, 40)
    produce(kafka, topic, [b"poison", b'{"v": 99}'])
    consumer = ("consumer", *kafka_words(kafka, topic), *ANYWHERE, "--database-dsn", database.dsn)
    running = websentry.start(*consumer)
    running.wait_ready()
    scrape = wait_figure(running, "store_rows_total", lambda value: value >= 40)
    scrape = wait_figure(running, "store_quarantined_total", lambda value: value >= 2)
    assert scrape["store_rows_total"] == 40 and scrape["store_quarantined_total"] == 2
    assert scrape["store_duplicates_total"] == scrape["store_conflicts_total"] == 0
    assert scrape["kafka_messages_total"] == 42 and scrape["kafka_partitions"] == 3
    wait_reasons(running)
    lagless = wait_figure(running, "kafka_lag_messages", lambda value: value == 0)
    assert lagless["store_waiting"] == 0 and lagless["kafka_rebalances_total"] >= 1
    assert wait_figure(running, "kafka_commits_total", lambda value: value >= 1)["kafka_commit_failures_total"] == 0
    assert lagless["store_written_timestamp_seconds"] > 1.7e9
    assert_as_documented(running, "consumer")

    again = websentry.start(*consumer, "--kafka-group", "another")
    again.wait_ready()
    repeated = wait_figure(again, "store_duplicates_total", lambda value: value >= 40)
    assert repeated["store_rows_total"] == 0 and repeated["store_conflicts_total"] >= 1
    assert database.one("SELECT count(*) FROM report") == 40


def test_consumer_while_its_database_is_away(websentry, sites, kafka, topic, postgres, database):
    running = websentry.start("consumer", *kafka_words(kafka, topic), *ANYWHERE, "--database-dsn", database.dsn)
    running.wait_ready()
    send_reports(websentry, sites, kafka, topic, 10)
    wait_figure(running, "store_rows_total", lambda value: value == 10)
    wait_reasons(running)
    postgres.stop(signal.SIGQUIT)
    send_reports(websentry, sites, kafka, topic, 30, data="other")
    wait_reasons(running, "store_away")
    wait_figure(running, "kafka_lag_messages", lambda value: value == 30)
    wait_figure(running, "store_waiting", lambda value: value == 30)
    postgres.start()
    wait_reasons(running)
    caught_up = wait_figure(running, "kafka_lag_messages", lambda value: value == 0)
    assert caught_up["store_rows_total"] == 40 and caught_up["store_waiting"] == 0


def test_consumer_says_that_its_database_hangs(websentry, sites, kafka, topic, postgres, database):
    """No error comes from a server that is stopped: only time tells."""
    running = websentry.start("consumer", *kafka_words(kafka, topic), *ANYWHERE, "--database-dsn", database.dsn)
    running.wait_ready()
    wait_reasons(running)
    postgres.freeze()
    send_reports(websentry, sites, kafka, topic, 5)
    wait_reasons(running, "store_away")
    assert running.find(level="warn") == []
    postgres.thaw()
    wait_reasons(running)
    assert wait_figure(running, "store_rows_total", lambda value: value >= 5)["store_failures_total"] == 0


def test_consumer_is_not_ready_before_it_has_its_part(websentry, database):
    running = websentry.start("consumer", "--kafka-servers", "127.0.0.1:1", *ANYWHERE, "--database-dsn", database.dsn)
    wait_reasons(running, "starting", "kafka_unreachable", "not_assigned")
    assert_clean(running)


# --- web


def test_web_is_ready_while_its_store_answers(websentry, postgres, database):
    websentry.run("db", "migrate", "--database-dsn", database.dsn)
    running = websentry.start("web", *ANYWHERE, "--database-dsn", database.dsn)
    wait_reasons(running)
    assert_as_documented(running, "web")
    postgres.stop(signal.SIGQUIT)
    wait_reasons(running, "store_away")
    postgres.start()
    wait_reasons(running)


def test_a_hole_is_a_figure_and_stands_on_the_page(websentry, sites, kafka, topic, database):
    """Ten reports, of which one never comes."""
    send_reports(websentry, sites, kafka, topic, 10)
    found = [message.value for message in kafka.messages(topic)]
    kept = [text for text in found if json.loads(text)["seq"] != 4]
    assert (len(found), len(kept)) == (10, 9)
    other = kafka.create_topic(f"{topic}-but-one")
    produce(kafka, other, kept)
    websentry.run("consumer", "--once", *kafka_words(kafka, other), "--database-dsn", database.dsn)
    for hole_after, missing in (("1h", 0), ("0s", 1)):
        running = websentry.start("web", *ANYWHERE, "--database-dsn", database.dsn, "--hole-after", hole_after)
        scrape = wait_figure(running, "audit_timestamp_seconds", lambda at: at > 0)
        assert scrape["audit_missing_reports"] == scrape["audit_missing_producers"] == missing
        wait_until(lambda one=running, is_there=missing == 1: ("1 report is missing" in fetch(one, "/")[2]) == is_there,
                   "the page's footer")


# --- all


def test_the_alerts_of_operations_md_are_rules_on_metrics_that_exist(folder):
    text = (ROOT / "docs" / "operations.md").read_text().split("## What to watch", 1)[1].split("\n## ", 1)[0]
    alerts = re.findall(r"^\| `(.*?)` \| (\w+) \|", text, re.MULTILINE)
    assert len(alerts) >= 10
    known = set.union(*documented().values())
    for expression, _ in alerts:
        for name in re.findall(r"websentry_\w+", expression):
            assert name in known or name.removesuffix("_bucket") in known, name
    rules = [{"alert": f"Rule{number}", "expr": expression, "for": time}
             for number, (expression, time) in enumerate(alerts)]
    file = folder / "rules.yaml"
    file.write_text(json.dumps({"groups": [{"name": "websentry", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", file], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_page_asks_nothing_of_a_database_without_tables(websentry, sites, kafka, topic, postgres, database):
    """Its log would say ERROR, and somebody would look for the cause."""
    for words in (("consumer", *kafka_words(kafka, topic)),
                  ("run", "--url", sites.site("/").url, "--data-dir", websentry.data_dir())):
        database.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        running = websentry.start(*words, *ANYWHERE, "--database-dsn", database.dsn)
        wait_reasons(running)
        wait_until(lambda one=running: fetch(one, "/api/v1/sites")[0] == 200, "an answer of the page")
        running.stop()
    lines = [line for line in postgres.process.output().splitlines() if f" {database.name} " in line]
    assert [line for line in lines if "ERROR" in line] == []


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_nobody_keeps_an_answer(websentry, sites, path):
    running = websentry.start("run", "--url", sites.site("/").url, *ANYWHERE, "--data-dir", websentry.data_dir())
    running.wait_ready()
    status, headers, _ = fetch(running, path)
    assert status == 200 and headers["Cache-Control"] == "no-store"


def test_readiness_ends_with_the_stop(websentry, sites):
    """While running checks are waited for, nobody should be sent here any more."""
    slow = sites.site("/slow", Answer(delay_s=12))
    running = websentry.start("run", "--url", slow.url, "--interval", "14s", "--timeout", "14s", *ANYWHERE,
                              "--data-dir", websentry.data_dir())
    running.wait_ready()
    slow.wait_for_requests(1)
    assert reasons(running) == []
    assert Scrape(running)["checks_in_flight"] == 1
    running.send_signal(signal.SIGTERM)
    wait_reasons(running, "stopping", timeout=4.5)  # running checks are given five seconds
    assert running.wait() == 0
