"""The tests' own ground: each promise that the other tests build on, shown once without the program."""
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from support.certs import Authority
from support.processes import ROOT, clean_environment, run, wait_until
from support.reaper import marked_processes
from support.sites import Answer
from support.websentry import parse_line


def test_what_kcat_produces_comes_back(kafka, topic, session, folder):
    lines = [f"key{number}:value {number}" for number in range(50)]
    run(["kcat", "-P", "-b", kafka.servers, "-t", topic, "-K:"], input_text="\n".join(lines) + "\n",
        env=clean_environment(session, folder))
    found = kafka.messages(topic)
    assert sorted(f"{one.key.decode()}:{one.value.decode()}" for one in found) == sorted(lines)
    assert kafka.count(topic) == 50
    assert {one.partition for one in found} == {0, 1, 2}


def test_asking_for_topics_makes_none(kafka):
    before = kafka.topics()
    assert kafka.messages("never-made") == [] and kafka.count("never-made") == 0
    assert kafka.topics() == before


def test_what_the_broker_acknowledged_survives_kill_9(kafka, topic):
    producer = Producer({"bootstrap.servers": kafka.servers, "acks": "all", "log_level": 0})
    producer.produce(topic, b"kept")
    assert producer.flush(20) == 0
    kafka.kill()
    kafka.start()
    assert [one.value for one in kafka.messages(topic)] == [b"kept"]


def test_tls_demands_a_client_certificate(kafka, authority):
    client = authority.issue("client", ())
    common = {"bootstrap.servers": kafka.tls_servers, "security.protocol": "SSL", "log_level": 0,
              "ssl.ca.location": str(authority.ca_file)}
    with_certificate = AdminClient({**common, "ssl.certificate.location": str(client.cert_file),
                                    "ssl.key.location": str(client.key_file)})
    assert with_certificate.list_topics(timeout=20).brokers
    with pytest.raises(KafkaException):
        AdminClient(common).list_topics(timeout=2)


def test_tls_refuses_a_strangers_certificate(kafka, authority, folder):
    stranger = Authority(folder, "Somebody else").issue("client", ())
    admin = AdminClient({"bootstrap.servers": kafka.tls_servers, "security.protocol": "SSL", "log_level": 0,
                         "ssl.ca.location": str(authority.ca_file), "ssl.key.location": str(stranger.key_file),
                         "ssl.certificate.location": str(stranger.cert_file)})
    with pytest.raises(KafkaException):
        admin.list_topics(timeout=2)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_scram_knows_its_password(kafka, mechanism):
    properties = {"bootstrap.servers": kafka.sasl_servers, "log_level": 0, **kafka.scram_properties(mechanism)}
    assert AdminClient(properties).list_topics(timeout=20).brokers
    with pytest.raises(KafkaException):
        AdminClient({**properties, "sasl.password": "wrong"}).list_topics(timeout=2)


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_postgres_keeps_what_was_committed(postgres, database, end):
    database.query("CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2)")
    if end == "restart":
        postgres.restart()
    else:
        postgres.kill()
        postgres.start()
    assert database.one("SELECT sum(n) FROM t") == 3
    assert "3" in database.psql("SELECT sum(n) FROM t;").stdout


def test_databases_are_apart(postgres, database):
    other = postgres.create_database()
    other.query("CREATE TABLE mine (n int)")
    assert other.has("mine") and not database.has("mine")
    postgres.drop_database(other.name)


def fetch(url, context=None, timeout=5):
    request = urllib.request.Request(url, headers={"Connection": "close"})
    with urllib.request.urlopen(request, timeout=timeout, context=context) as response:
        return response.status, response.headers, response.read()


def test_sites_answer_as_scripted_and_remember(sites):
    site = sites.site("/a", Answer(status=503), Answer(body="second {nonce}"), Answer(is_chunked=True, body="x" * 2500))
    with pytest.raises(urllib.error.HTTPError, match="503"):
        fetch(site.url)
    _, headers, body = fetch(site.url)
    assert body == f"second {headers['X-Nonce']}".encode()
    assert fetch(site.url)[2] == fetch(site.url)[2] == b"x" * 2500
    assert [request.status for request in site.requests] == [503, 200, 200, 200]
    assert len({request.nonce for request in site.requests}) == 4
    target = sites.site("/to", Answer(body="there"))
    hop = sites.site("/from", Answer(location=target.url))
    assert fetch(hop.url)[2] == b"there"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetch(sites.site("/b").url + "/nobody")
    assert [request.target for request in sites.strays] == ["/b/nobody"]


def test_sites_misbehave_as_scripted(sites):
    for reset in ("request", "headers", "body"):
        with pytest.raises(OSError):
            fetch(sites.site(f"/{reset}", Answer(reset=reset)).url)
    with pytest.raises(OSError):
        fetch(sites.site("/endless", Answer(is_endless=True)).url, timeout=0.3)
    started = time.monotonic()
    assert fetch(sites.site("/slow", Answer(delay_s=0.3)).url)[0] == 200
    assert time.monotonic() - started >= 0.3
    _, headers, body = fetch(sites.site("/gzip", Answer(is_gzipped=True, body="z" * 1000)).url)
    assert headers["Content-Encoding"] == "gzip" and len(body) < 100


def test_sites_speak_tls(sites, authority):
    site = sites.site("/secure", Answer(body="safe"))
    assert fetch(site.https_url, ssl.create_default_context(cafile=authority.ca_file))[2] == b"safe"
    assert site.requests[0].scheme == "https"


def test_sites_are_many_and_quick(sites):
    many = sites.many(2000)
    started = time.monotonic()
    answers = run(["curl", "-sS", "--parallel", "--parallel-max", "50", "-H", "Connection: close", "-o", "/dev/null",
                   "-w", "%{http_code}\n", f"http://127.0.0.1:{sites.port}/site/[0-1999]"])
    assert answers.stdout.split() == ["200"] * 2000
    assert all(len(site.requests) == 1 for site in many)
    assert time.monotonic() - started < 60


def test_sites_say_that_a_connection_ends(sites):
    """Else curl asks over it again, on a busy machine before it hears of the end, and gives up after five times."""
    sites.site("/once")
    url = f"http://127.0.0.1:{sites.port}/once"
    ended = run(["curl", "-sS", "-i", "-H", "Connection: close", "-w", "%{num_connects}\n", url, url]).stdout
    assert ended.count("\nConnection: close\n") == 2 and ended.count("\n1\n") == 2
    kept = run(["curl", "-sS", "-i", "-w", "%{num_connects}\n", url, url]).stdout
    assert "Connection: close" not in kept and kept.count("\n1\n") == 1 and kept.count("\n0\n") == 1


def test_expired_and_early_certificates(authority):
    assert authority.issue(days=-1).not_after.timestamp() < time.time()
    for made in (authority.issue(days=-1), authority.issue(valid_from_days=2), authority.issue(seconds=30)):
        checked = subprocess.run(["openssl", "verify", "-CAfile", authority.ca_file, made.cert_file],
                                 capture_output=True, text=True)
        is_good = made.not_after.timestamp() > time.time() and "not yet valid" not in checked.stderr
        assert (checked.returncode == 0) == is_good


def test_an_intermediate_authority_is_in_the_chain(authority, folder):
    leaf = Authority(folder, "Intermediate", parent=authority).issue("leaf")
    run(["openssl", "verify", "-CAfile", authority.ca_file, "-untrusted", leaf.cert_file, leaf.cert_file])


def test_log_lines_are_read_as_events():
    event = parse_line(r'2026-11-21T20:33:45.123Z warn topic missing topic=checks note="a \"b\" c\\d" count=3')
    assert (event.level, event.event) == ("warn", "topic missing")
    assert event.fields == {"topic": "checks", "note": r'a "b" c\d', "count": "3"}
    event = parse_line('{"time":"2026-11-21T20:33:45.123Z","level":"info","event":"ready","sites":5}')
    assert (event.level, event.event, event.fields) == ("info", "ready", {"sites": 5})
    assert parse_line("error out of memory, ending").level is None


def test_nothing_survives_the_session_even_when_it_is_killed(folder):
    """A session in a process of its own starts a child with a grandchild and is killed with -9."""
    script = """
import sys, time
from support.processes import Process, Session, clean_environment
session = Session()
child = Process(["sh", "-c", "setsid sleep 1000 & sleep 1000"], env=clean_environment(session, "/"), cwd="/",
                log=session.folder / "log")
print(session.mark, session.folder, flush=True)
time.sleep(1000)
"""
    victim = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "PYTHONPATH": str(ROOT / "tests")})
    mark, session_folder = victim.stdout.readline().split()
    wait_until(lambda: len(marked_processes(mark)) >= 3, "child and grandchildren")
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    victim.stdout.close()
    wait_until(lambda: not marked_processes(mark), "end of all of them")
    wait_until(lambda: not os.path.exists(session_folder), "end of its folder")


def test_the_browser_shows_console_and_knows_no_scripts_when_told(sites, browser):
    page = ("<!doctype html><link rel=icon href=data:,><p id=a>static</p>"
            "<script>document.getElementById('a').textContent='scripted';console.error('seen')</script>")
    site = sites.site("/page", Answer(body=page))
    with_scripts, without = browser(), browser(has_javascript=False)
    with_scripts.open(site.url)
    without.open(site.url)
    assert with_scripts.text() == "scripted" and any("seen" in line for line in with_scripts.console())
    assert without.texts("#a") == ["static"] and without.console() == []
