"""Every message on the wire validates against schema/report.schema.json, whatever the site did."""
import json
import uuid

import pytest
from support.kinds import every_kind, sites_file
from support.nameserver import NameServer
from support.processes import closed_port
from support.schema import PATH, assert_valid


@pytest.fixture
def names():
    server = NameServer()
    yield server
    server.close()


@pytest.fixture
def kinds(sites, authority):
    held = closed_port()
    yield every_kind(sites, authority, held.getsockname()[1])
    held.close()


def test_every_message_validates(websentry, kafka, topic, kinds, names):
    success, failure = kafka.create_topic(f"{topic}-ok"), kafka.create_topic(f"{topic}-bad")
    file = websentry.write("sites.yaml", sites_file(kinds, timeout="5s"))
    words = ("producer", "--once", "--sites", file, "--data-dir", websentry.data_dir(), "--kafka-servers",
             kafka.servers,
             "--kafka-topic-success", success, "--kafka-topic-failure", failure, "--location", "eu-1", "--host",
             "prober")
    prefix = names.prefix(websentry.folder)
    websentry.run(*words, prefix=prefix, timeout=60)
    websentry.run(*words, prefix=prefix, timeout=60)
    messages = {name: kafka.messages(name) for name in (success, failure)}
    reports = {name: [(message, assert_valid(message.value)) for message in found] for name, found in messages.items()}
    everything = [pair for found in reports.values() for pair in found]
    assert len(everything) == 2 * len(kinds)
    expected = {kind.name: (kind.outcome, kind.reason) for kind in kinds}
    wrong = {report["site"]: (report["outcome"], report["reason"], report.get("message")) for _, report in everything
             if (report["outcome"], report["reason"]) != expected[report["site"]]}
    assert wrong == {}
    for message, report in everything:
        assert message.key.decode() == report["site"]
        assert (report["location"], report["host"], report["kind"]) == ("eu-1", "prober", "http")
        assert len(message.value) <= 65_536
        assert "hidden" not in message.value.decode()
    assert_sorted_by_topic(reports[success], reports[failure])
    assert_identities(everything)


def assert_sorted_by_topic(success, failure):
    """Success: a complete response was received, whatever its status."""
    incomplete = {"timeout", "protocol_error", "connection_lost", "connect_refused", "dns_error", "cert_invalid",
                  "too_many_redirects"}
    assert {report["reason"] for _, report in failure} == incomplete
    assert not {report["reason"] for _, report in success} & incomplete


def assert_identities(everything):
    """Each process counts from 0 without a hole; the second one's first report names the first one's last."""
    by_producer = {}
    for _, report in everything:
        by_producer.setdefault(report["producer_id"], {})[report["seq"]] = report
    assert len(by_producer) == 2
    for producer, found in by_producer.items():
        assert uuid.UUID(producer).version == 4
        assert sorted(found) == list(range(len(found)))
        assert all("prev" not in report for seq, report in found.items() if seq > 0)
    (first, second) = sorted(by_producer, key=lambda one: "prev" in by_producer[one][0])
    assert "prev" not in by_producer[first][0]
    assert by_producer[second][0]["prev"] == {"producer_id": first, "seq": len(by_producer[first]) - 1}


def test_check_prints_valid_reports(websentry, sites, kinds, names):
    file = websentry.write("sites.yaml", sites_file(kinds, timeout="5s"))
    done = websentry.run("check", "--json", "--sites", file, prefix=names.prefix(websentry.folder), code=None,
                         timeout=60)
    assert done.wait() == 2, done.stderr()  # down is worse than unknown
    reports = [assert_valid(line.encode()) for line in done.stdout().splitlines()]
    assert sorted(report["site"] for report in reports) == sorted(kind.name for kind in kinds)
    assert sorted(report["seq"] for report in reports) == list(range(len(kinds)))


def test_report_view_has_a_column_for_each_field(websentry, database):
    """Same names; prev aside, and stored_at added."""
    websentry.run("db", "migrate", "--database-dsn", database.dsn)
    columns = [row[0] for row in database.query(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'report_view'")]
    fields = list(json.loads(PATH.read_text())["properties"])
    assert sorted(columns) == sorted([field for field in fields if field != "prev"] + ["stored_at"])
