"""Kafka with a password: SASL_SSL works from a properties file, and the password is seen nowhere else."""
import ctypes
from pathlib import Path

import pytest
from support.kafka import LENIENT_SCRAM_VERSION, SCRAM_PASSWORD, SCRAM_USER, Kafka
from support.processes import wait_until
from support.sites import Answer

# Any piece of it that one could search for in a log.
PIECES = (SCRAM_PASSWORD, SCRAM_PASSWORD.replace("#", "\\#"), SCRAM_PASSWORD.partition("=")[2])


def properties_file(websentry, kafka, **more):
    lines = ["# as Kafka's own tools have it", "", *(f"{key}={value}" for key, value in
                                                    {**kafka.scram_properties(), **more}.items())]
    path = websentry.write("kafka.properties", "\n".join(lines) + "\n")
    path.chmod(0o600)
    return path


def command_lines():
    """Of every process on the machine, but of Kafka's tool by which the tests give the broker its passwords."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[entry.name] = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
    return {pid: line for pid, line in found.items() if "StorageTool" not in line}


@pytest.fixture(scope="module")
def lenient_kafka(session, authority):
    """A broker that takes SCRAM from the librdkafka of Debian 12."""
    server = Kafka(session, authority, version=LENIENT_SCRAM_VERSION)
    yield server
    server.kill()


def has_right_scram():
    """Whether this machine's librdkafka speaks SCRAM with Kafka 4."""
    return ctypes.CDLL("librdkafka.so.1").rd_kafka_version() >= 0x020601ff


@pytest.mark.parametrize(("mechanism", "how"), [("SCRAM-SHA-256", "flag"), ("SCRAM-SHA-512", "environment"),
                                                ("PLAIN", "flag")])
def test_password_from_a_file_is_seen_nowhere(websentry, sites, request, database, mechanism, how):
    """SCRAM on the newest Kafka that this librdkafka can talk SCRAM with; PLAIN on the newest."""
    is_lenient = mechanism != "PLAIN" and not has_right_scram()
    kafka = request.getfixturevalue("lenient_kafka" if is_lenient else "kafka")
    topic = kafka.create_topic(f"secret-{mechanism}")
    site = sites.site("/a", Answer(body="Yes {nonce}"))
    file = properties_file(websentry, kafka, **{"sasl.mechanism": mechanism})
    env = {"WEBSENTRY_KAFKA_CONFIG": file} if how == "environment" else {}
    words = ["--kafka-servers", kafka.sasl_servers, "--kafka-topic", topic, "--log-level", "trace"]
    words += ["--kafka-config", file] if how == "flag" else []
    consumer = websentry.start("consumer", *words, "--database-dsn", database.dsn, env=env)
    producer = websentry.start("producer", *words, "--url", site.url, "--interval", "500ms", "--data-dir",
                               websentry.data_dir(), "--kafka-property", "debug=security,broker", env=env)
    producer.wait_ready()
    consumer.wait_ready(40)
    wait_until(lambda: database.has("report_view") and database.one("SELECT count(*) FROM report_view") >= 2, "rows",
               40)
    seen = command_lines()
    assert str(producer.pid) in seen and str(consumer.pid) in seen
    shown = [websentry.run("config", "print", "producer", *words, env=env),
             websentry.run("config", "print", "consumer", *words, "--database-dsn", database.dsn, env=env)]
    producer.stop()
    consumer.stop()
    texts = {"command lines": "\n".join(seen.values()), "Kafka's messages": str(kafka.messages(topic)),
             **{f"{one.words[:3]}": one.stdout() + one.stderr() for one in websentry.running}}
    for name, text in texts.items():
        assert not [piece for piece in PIECES if piece in text], name
        assert "database secret" not in text and "database%20secret" not in text or name == "command lines", name
    for one in shown:
        assert SCRAM_USER in one.stdout(), "the user's name is no secret"
        assert "sasl.password=***" in one.stdout() or "sasl.password: ***" in one.stdout(), one.stdout()
    assert all(one.find(level="debug") for one in (producer, consumer))


@pytest.mark.skipif(has_right_scram(), reason="this librdkafka speaks SCRAM with Kafka 4")
def test_scram_that_kafka_4_refuses_is_told_from_a_wrong_password(websentry, kafka, topic):
    """What Debian 12's librdkafka says there is no mistake of the user's: the line says so, and what to do."""
    file = properties_file(websentry, kafka)
    refused = websentry.run("producer", "--once", "--once-wait", "5s", "--url", "http://127.0.0.1:1/",
                            "--kafka-servers",
                            kafka.sasl_servers, "--kafka-topic", topic, "--kafka-config", file, "--data-dir",
                            websentry.data_dir(), code=1)
    assert "use sasl.mechanism=PLAIN over TLS" in refused.complaints()[0].fields["hint"]


def test_wrong_password_is_one_line_without_it(websentry, sites, kafka, topic):
    """A server's answer: a daemon goes on trying."""
    site = sites.site("/a")
    file = properties_file(websentry, kafka, **{"sasl.mechanism": "PLAIN", "sasl.password": "not-the-password"})
    producer = websentry.start("producer", "--kafka-servers", kafka.sasl_servers, "--kafka-topic", topic,
                               "--kafka-config",
                               file, "--url", site.url, "--interval", "500ms", "--data-dir", websentry.data_dir())
    wait_until(producer.complaints, "its line")
    asked = len(site.requests)
    site.wait_for_requests(asked + 4)
    assert producer.is_running() and len(producer.complaints()) == 1, producer.stderr()
    assert "uthentication" in producer.complaints()[0].line
    assert "not-the-password" not in producer.stderr()
    producer.stop()


def test_a_key_with_a_password(websentry, kafka, authority, topic, folder, session):
    """Its password comes from the properties file; without it, exit code 2 and nothing is asked on a terminal."""
    from support.processes import clean_environment, run
    client = authority.issue("client", ())
    locked = folder / "locked.key"
    run(["openssl", "pkcs8", "-topk8", "-in", client.key_file, "-out", locked, "-passout", "pass:key-secret"],
        env=clean_environment(session, folder))
    words = ("producer", "--once", "--url", f"http://127.0.0.1:{kafka.brokers[0].plain_port}/", "--timeout", "1s",
             "--kafka-servers", kafka.tls_servers, "--kafka-topic", topic, "--kafka-ca-file", authority.ca_file,
             "--kafka-cert-file", client.cert_file, "--kafka-key-file", locked, "--data-dir", websentry.data_dir())
    refused = websentry.run(*words, code=2)
    assert len(refused.complaints()) == 1 and str(locked) in refused.stderr(), refused.stderr()
    file = websentry.write("kafka.properties", "ssl.key.password=key-secret\n")
    websentry.run(*words, "--kafka-config", file)
    assert kafka.count(topic) == 1
    assert not any("key-secret" in one.stderr() for one in websentry.running)
