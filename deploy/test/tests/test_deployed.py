"""The promises of the composed services, seen from outside: rows, page, API, health and topics."""
import json
import os
import subprocess
import time
import urllib.request

import psycopg2
import psycopg2.extras
import pytest
import sites

PAGE = "http://consumer:8080"
PATIENCE_S = 60

# site: what every row of it says
EXPECTED = {
    "welcome": {"outcome": "up", "reason": "ok", "http_status_code": 200, "body_bytes": len(sites.WELCOME),
                "pattern_matched": True, "pattern_capture": "front-door", "hops_before": 0},
    "moved": {"outcome": "up", "reason": "ok", "http_status_code": 200, "body_bytes": len(sites.WELCOME),
              "hops_before": 1},
    "missing": {"outcome": "down", "reason": "status_mismatch", "http_status_code": 404},
    "broken": {"outcome": "down", "reason": "body_mismatch", "http_status_code": 200,
               "body_bytes": len(sites.BROKEN)},
    "slow": {"outcome": "degraded", "reason": "slow", "http_status_code": 200},
    "hanging": {"outcome": "down", "reason": "timeout", "http_status_code": None},
    "refused": {"outcome": "down", "reason": "connect_refused", "http_status_code": None},
}
# A complete response was received, whatever its status.
COMPLETE = {"welcome", "moved", "missing", "broken", "slow"}


def wait_for(what, condition):
    """Ask until condition() gives something true, and return it."""
    until = time.monotonic() + PATIENCE_S
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < until, f"no {what} within {PATIENCE_S} s"
        time.sleep(0.2)


def get(path):
    with urllib.request.urlopen(PAGE + path, timeout=10) as response:
        return response.status, response.read().decode()


@pytest.fixture(scope="session")
def database():
    connection = psycopg2.connect(os.environ["POSTGRES_DSN"])
    connection.autocommit = True
    yield connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
    connection.close()


@pytest.fixture(scope="session")
def rows(database):
    """All rows, once every site has at least three."""
    def enough():
        database.execute("SELECT site FROM report_view WHERE reason <> 'prober_overloaded' "
                         "GROUP BY site HAVING count(*) >= 3")
        return {row["site"] for row in database.fetchall()} >= set(EXPECTED)

    wait_for("rows of every site", enough)
    database.execute("SELECT *, coalesce(jsonb_array_length(redirects), 0) AS hops_before FROM report_view")
    return database.fetchall()


def messages(topic):
    # A short wait, or kcat does not see the end of a topic that grows while it reads.
    done = subprocess.run(["kcat", "-C", "-q", "-e", "-o", "beginning", "-X", "fetch.wait.max.ms=10",
                           "-b", os.environ["KAFKA_BOOTSTRAP_SERVERS"], "-t", topic], check=True, capture_output=True,
                          text=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("site", EXPECTED)
def test_rows_say_what_the_site_served(rows, site):
    # A machine under load makes the prober late; it says so, and that row is about itself, not about the site.
    of_site = [row for row in rows if row["site"] == site and row["reason"] != "prober_overloaded"]
    for row in of_site:
        assert {name: row[name] for name in EXPECTED[site]} == EXPECTED[site]


def test_every_report_is_stored_once(rows):
    identities = sorted((row["producer_id"], row["seq"]) for row in rows)
    assert len(identities) == len(set(identities))
    assert len({producer for producer, _ in identities}) == 1


def test_topics_hold_what_the_rows_say(rows):
    stored = {(row["producer_id"], row["seq"]): row for row in rows}
    sent = {}
    for topic, complete in ((os.environ["KAFKA_TOPIC_SUCCESS"], True), (os.environ["KAFKA_TOPIC_FAILURE"], False)):
        for message in messages(topic):
            assert (message["site"] in COMPLETE) == complete, message
            sent[message["producer_id"], message["seq"]] = message
    assert set(stored) <= set(sent)
    for identity, row in stored.items():
        for name in ("site", "url", "outcome", "reason", "http_status_code", "total_us", "body_bytes"):
            assert row[name] == sent[identity].get(name), (identity, name)


def test_nothing_is_in_quarantine(rows, database):
    database.execute("SELECT * FROM quarantine_view")
    assert database.fetchall() == []


def test_page_and_api_show_every_site(rows):
    status, page = get("/")
    assert status == 200
    for site in EXPECTED:
        assert site in page
    expected = {name: (words["outcome"], words["reason"]) for name, words in EXPECTED.items()}
    wait_for("expected answer of the API", lambda: expected == {
        site["name"]: (site["outcome"], site["reason"]) for site in json.loads(get("/api/v1/sites")[1])})


def test_consumer_is_healthy():
    assert get("/healthz")[0] == 200
