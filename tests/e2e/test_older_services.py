"""Both older services, word for word: their flags, their variables, their files, on a real Kafka and PostgreSQL."""
import json

import pytest
from support.nameserver import NameServer
from support.processes import wait_until
from support.sites import Answer

PAGE = "<p>Yes, nonce={nonce}</p>\n"
ID_PATTERN = '(?:id=")([^"]+)'


@pytest.fixture
def topics(kafka, topic):
    """A pair of topics of this test's own: (success, failure)."""
    return kafka.create_topic(f"{topic}-ok"), kafka.create_topic(f"{topic}-bad")


@pytest.fixture
def names():
    server = NameServer()
    yield server
    server.close()


def count(database):
    return database.one("SELECT count(*) FROM report_view") if database.has("report_view") else 0


def wait_for_rows(database, least, timeout=40):
    wait_until(lambda: count(database) >= least, f"{least} rows", timeout)


# --- older service A


def service_a(kafka, topics, database, **more):
    """Its .env file."""
    return {"KAFKA_BOOTSTRAP_SERVERS": kafka.servers, "KAFKA_TOPIC_SUCCESS": topics[0],
            "KAFKA_TOPIC_FAILURE": topics[1],
            "POSTGRES_DSN": database.dsn, "LOGURU_LEVEL": "DEBUG", **more}


def client_files(kafka, authority):
    client = authority.issue("client", ())
    # KAFKA_KEYILE: so it was misspelt in the service, and so it stands in its users' files.
    return {"KAFKA_BOOTSTRAP_SERVERS": kafka.tls_servers, "KAFKA_CAFILE": authority.ca_file,
            "KAFKA_CERTFILE": client.cert_file, "KAFKA_KEYILE": client.key_file}


def watch(websentry, env, url, site):
    """Its two commands, until five checks are made; both stopped with SIGTERM."""
    consumer = websentry.start("--mode=consumer", env=env)
    producer = websentry.start("--mode=producer", f"--url={url}", "--seconds=1", "--pattern=Yes", env=env)
    producer.wait_ready()
    consumer.wait_ready(40)
    site.wait_for_requests(5, 30)
    producer.stop()
    if producer.find("reports stay in the outbox"):  # Kafka had two seconds
        websentry.run(*producer.words, "--once", env=env)
    return consumer


def assert_rows_are_what_was_served(database, site):
    """A row a request, in the order of their times; the request that was cut off has no answer to compare."""
    rows = database.query("SELECT http_status_code, outcome, reason, body_bytes, pattern, pattern_matched, "
                          "pattern_capture, url, interval_us FROM report_view ORDER BY started_at")
    assert len(rows) == len(site.requests)
    for (status, outcome, reason, size, pattern, matched, capture, url, interval), request in zip(rows, site.requests,
                                                                                                  strict=True):
        assert (url, pattern, interval) == (site.url, "Yes", 1_000_000)
        if request is site.requests[2]:
            assert (status, outcome) == (None, "down") and matched is None
            continue
        found = b"Yes" in request.sent_body
        assert (status, size, matched) == (request.status, len(request.sent_body), found)
        assert capture == ("Yes" if found else None)  # the whole match: the pattern has no group
        assert (outcome, reason) == (("up", "ok") if request.status == 200 else ("down", "status_mismatch"))


@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "client-certificates"])
def test_service_a_by_its_flags(websentry, sites, kafka, topics, database, authority, is_tls):
    site = sites.site("/", Answer(body=PAGE), Answer(503, body=PAGE), Answer(reset="request"), Answer(body="No.\n"),
                      Answer(body=PAGE))
    env = service_a(kafka, topics, database, **(client_files(kafka, authority) if is_tls else {}))
    consumer = watch(websentry, env, site.url, site)
    wait_for_rows(database, len(site.requests))
    consumer.stop()
    assert_rows_are_what_was_served(database, site)
    # A complete response of any status is a success; everything else goes to the other topic.
    assert (kafka.count(topics[0]), kafka.count(topics[1])) == (len(site.requests) - 1, 1)
    for one in websentry.running:
        assert one.find(level="debug"), "LOGURU_LEVEL=DEBUG has no effect"


def test_service_a_creates_its_tables_by_mode_init(websentry, kafka, topics, database):
    websentry.run("--mode=init", env=service_a(kafka, topics, database))
    assert database.has("report") and database.has("report_view")


TARGETS = """\
- url: {plain}
  method: post
  interval: {{seconds: 30, minutes: 1}}
  request_kwargs:
    timeout: 5
    headers: {{X-Token: "abc def", Accept: text/plain}}
    allow_redirects: false
    ssl: false
- url: {secure}
  method: post
  interval: {{seconds: 30, minutes: 1}}
  pattern: "Y(.)s"
  request_kwargs: {{timeout: 5, headers: {{X-Token: secure}}, allow_redirects: false, ssl: false}}
- url: {secure}?verified
  interval: {{hours: 1}}
"""


def test_service_a_with_a_targets_file(websentry, sites, kafka, topics, database):
    """POST with these headers, redirects not followed, the certificate not verified; the third entry shows that it
    would be."""
    plain, secure, elsewhere = (sites.site("/moved", Answer(302, location="/elsewhere", body=PAGE)),
                                sites.site("/secure", Answer(body=PAGE)), sites.site("/elsewhere"))
    file = websentry.write("targets.yaml", TARGETS.format(plain=plain.url, secure=secure.https_url))
    env = service_a(kafka, topics, database)
    websentry.run("--mode=producer", f"--targets-file={file}", "--once", env=env)
    websentry.run("--mode=consumer", "--once", env=env)
    assert [(request.method, request.headers["x-token"], request.headers["accept"]) for request in plain.requests] == [
        ("POST", "abc def", "text/plain")]
    assert [(request.method, request.headers["x-token"]) for request in secure.requests] == [("POST", "secure")]
    assert elsewhere.requests == []
    rows = {row[0]: row[1:] for row in database.query(
        "SELECT url, interval_us, timeout_us, http_status_code, outcome, reason, pattern_capture, redirects, "
        "body_bytes FROM report_view")}
    minute_and_a_half, five = 90_000_000, 5_000_000
    assert rows == {
        plain.url: (minute_and_a_half, five, 302, "down", "status_mismatch", None, None,
                    len(plain.requests[0].sent_body)),
        secure.https_url: (minute_and_a_half, five, 200, "up", "ok", "e", None, len(secure.requests[0].sent_body)),
        f"{secure.https_url}?verified": (3_600_000_000, 10_000_000, None, "down", "cert_invalid", None, None, None),
    }


# --- older service B


def service_b(kafka, authority, topic, database, urls, **more):
    """Its .env file, every name of it. POSTGRES_USER and _PASSWORD are the database container's: we ignore them."""
    client = authority.issue("client", ())
    words = database.words
    return {"WEBSENTRY_SITES": ",".join(urls), "WEBSENTRY_REGEXP": ID_PATTERN, "WEBSENTRY_INTERVAL": "1",
            "WEBSENTRY_KAFKA_HOSTS": kafka.tls_servers, "WEBSENTRY_KAFKA_TOPIC": topic,
            "WEBSENTRY_KAFKA_CAFILE": authority.ca_file, "WEBSENTRY_KAFKA_CERTFILE": client.cert_file,
            "WEBSENTRY_KAFKA_KEY": client.key_file, "WEBSENTRY_CONSUMER_GROUP": "their-group",
            "WEBSENTRY_CONSUMER_ENABLE_DAEMON": "1", "WEBSENTRY_DATABASE_NAME": words["dbname"],
            "WEBSENTRY_DATABASE_HOST": words["host"], "WEBSENTRY_DATABASE_PORT": words["port"],
            "WEBSENTRY_DATABASE_USER": words["user"], "WEBSENTRY_DATABASE_PASSWORD": words["password"],
            "WEBSENTRY_LOGLEVEL": "DEBUG", "WEBSENTRY_CONSUMER_LOGLEVEL": "WARNING",
            "POSTGRES_USER": "somebody", "POSTGRES_PASSWORD": "something", **more}


def five_sites(sites):
    """[(site or None, URL)]: found, 404, a name that does not exist, without an id, and a comma within the URL."""
    found = sites.site("/found", Answer(body='<a id="first {nonce}" class="x"><b id="second">'))
    missing = sites.site("/missing", Answer(404, body='<p id="lost {nonce}">'))
    without = sites.site("/without", Answer(body="<p>{nonce}"))
    comma = sites.site("/comma", Answer(body='id="comma {nonce}"'))
    return [(found, found.url), (missing, missing.url), (None, "http://shop.invalid/"), (without, without.url),
            (comma, f"{comma.url}?list=1,2")]


def assert_rows_of_five(database, five, checks=None):
    """checks: how often each was checked, where that is known."""
    rows = {}
    for url, *rest in database.query("SELECT url, http_status_code, outcome, reason, pattern_matched, pattern_capture, "
                                     "pattern FROM report_view ORDER BY started_at"):
        assert rest.pop() == ID_PATTERN
        rows.setdefault(url, []).append(tuple(rest))
    assert set(rows) == {url for _, url in five}
    for site, url in five:
        if site is None:
            expected = [(None, "down", "dns_error", None, None)] * (checks or len(rows[url]))
        else:
            word = {"/found": "first ", "/missing": "lost ", "/comma": "comma "}.get(site.path)
            expected = [(request.status, "up" if request.status == 200 else "down",
                         "ok" if request.status == 200 else "status_mismatch", word is not None,
                         f"{word}{request.nonce}" if word else None) for request in site.requests]
        assert rows[url] == expected
        assert checks is None or len(expected) == checks


def test_service_b_as_daemons(websentry, sites, kafka, topic, database, authority, names):
    five = five_sites(sites)
    env = service_b(kafka, authority, topic, database, [url for _, url in five])
    consumer = websentry.start("consumer", env=env)
    producer = websentry.start("producer", env=env, prefix=names.prefix(websentry.folder))
    producer.wait_ready()
    for site, _ in five:
        if site is not None:
            site.wait_for_requests(3)
    producer.stop()
    wait_until(lambda: kafka.count(topic) > 0 and count(database) == kafka.count(topic), "a row for each message", 40)
    consumer.stop()
    assert_rows_of_five(database, five)
    assert "shop.invalid" in names.asked
    assert kafka.committed("their-group", topic), "the group's name is not theirs"
    assert producer.find(level="debug") and producer.find(level="info")
    assert {event.level for event in consumer.events()} <= {"warn", "error"}, consumer.stderr()


def test_service_b_one_off(websentry, sites, kafka, topic, database, authority, names):
    """WEBSENTRY_INTERVAL=0 and WEBSENTRY_CONSUMER_ENABLE_DAEMON=0: each ends by itself. Twice, as cron would."""
    five = five_sites(sites)
    env = service_b(kafka, authority, topic, database, [url for _, url in five], WEBSENTRY_INTERVAL="0",
                    WEBSENTRY_CONSUMER_ENABLE_DAEMON="0", WEBSENTRY_LOGLEVEL="ERROR",
                    WEBSENTRY_CONSUMER_LOGLEVEL="DEBUG")
    for checks in (1, 2):
        producer = websentry.run("producer", env=env, prefix=names.prefix(websentry.folder))
        consumer = websentry.run("consumer", env=env)
        assert_rows_of_five(database, five, checks)
    assert producer.stderr() == ""
    assert consumer.find(level="debug")


def test_service_b_one_off_beside_a_daemon(websentry, sites, kafka, topic, database, authority, names):
    """The same group: the one-off consumer ends when all is stored, whoever stored it."""
    five = five_sites(sites)
    env = service_b(kafka, authority, topic, database, [url for _, url in five], WEBSENTRY_INTERVAL="-1")
    daemon = websentry.start("consumer", env={**env, "WEBSENTRY_CONSUMER_LOGLEVEL": "INFO"})
    daemon.wait_ready(40)
    websentry.run("producer", env=env, prefix=names.prefix(websentry.folder))
    websentry.run("consumer", env={**env, "WEBSENTRY_CONSUMER_ENABLE_DAEMON": "0"}, timeout=60)
    assert_rows_of_five(database, five, 1)
    assert daemon.is_running()


def test_service_b_database_by_name_is_the_dsn(websentry, database, kafka, authority, topic):
    """config print says what they come to, without the password."""
    env = service_b(kafka, authority, topic, database, [])
    shown = websentry.run("config", "print", "consumer", env=env).stdout()
    assert database.words["password"] not in shown
    assert f"dbname={database.name}" in shown and "WEBSENTRY_DATABASE_NAME" in shown
    assert json.dumps(topic)[1:-1] in shown
