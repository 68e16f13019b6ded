"""What a person meets first: check, config, db migrate --print, --help; and what a service manager asks of a daemon."""
import os
import re
import socket

import pytest
from support.processes import wait_until
from support.schema import assert_valid
from support.sites import SLOW_S, Answer

COMMANDS = ("producer", "consumer", "run", "check", "config check", "config print", "db migrate", "outbox show",
            "outbox salvage", "web")


# --- check


def test_check_says_the_outcome_first_and_then_the_phases(websentry, sites, authority):
    end = sites.site("/end", Answer(body="Welcome", delay_s=0.1))
    hop = sites.site("/hop", Answer(location=end.https_url))
    file = websentry.write("sites.yaml",
                           f"sites: [{{name: Shop, url: '{hop.https_url}', ca_file: {authority.ca_file}}}]")
    done = websentry.run("check", "--sites", file)
    lines = done.stdout().splitlines()
    assert "UP" in lines[0] and "Shop" in lines[0], done.stdout()
    text = done.stdout()
    for phase in ("dns", "connect", "tls", "wait", "transfer"):
        assert re.search(rf"\b{phase} [0-9.]+ m?s", text), text
    assert "200" in text and "127.0.0.1" in text
    assert re.search(r"36[45] days", text), "the certificate's days"
    assert "/hop" in text and "302" in text, "each hop of a redirect"
    assert done.stderr() == "", "it is printed already"


EXIT_CODES = {
    "up": (Answer(body="Welcome"), {}, 0),
    "degraded": (Answer(delay_s=SLOW_S), {"max_response_time": "20ms"}, 1),
    "down": (Answer(500), {}, 2),
    "unknown": (Answer(body="x" * 600_000), {"fail_if_body_not_matches_regexp": ["never"]}, 3),
}


@pytest.mark.parametrize("outcome", EXIT_CODES)
def test_check_exit_codes_are_those_of_monitoring_plugins(websentry, sites, outcome):
    answer, entry, code = EXIT_CODES[outcome]
    site = sites.site("/a", answer)
    file = websentry.write("sites.yaml", str({"sites": [{"url": site.url, **entry}]}))
    done = websentry.run("check", "--sites", file, code=code)
    assert outcome.upper() in done.stdout().splitlines()[0]
    assert done.stderr() == "", "it is printed already"
    report = assert_valid(websentry.run("check", "--json", "--sites", file, code=code).stdout().encode())
    assert (report["outcome"], report["url"]) == (outcome, site.url)


def test_check_of_several_ends_with_the_worst(websentry, sites):
    good, bad = sites.site("/good"), sites.site("/bad", Answer(500))
    assert websentry.run("check", good.url).stdout().count("UP") == 1
    text = websentry.run("check", good.url, bad.url, code=2).stdout()
    assert text.count("UP") == text.count("DOWN") == 1


def test_check_shows_no_control_characters_of_a_site(websentry, sites):
    site = sites.site("/a", Answer(body="id=\"\x1b]0;owned\x07\x1b[31m\x9b1m\""))
    text = websentry.run("check", "--pattern", 'id="([^"]*)"', site.url).stdout()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]", text), repr(text)


def test_check_leaves_no_file(websentry, sites):
    websentry.run("check", sites.site("/a").url)
    assert list(websentry.state.iterdir()) == []


# --- config


def test_config_check_says_that_all_is_sound(websentry, sites, kafka):
    file = websentry.write("sites.yaml", "sites: [{url: 'http://127.0.0.1/'}, {url: 'http://127.0.0.1/b'}]")
    assert "2 sites" in websentry.run("config", "check", "--sites", file).stdout()
    for command, words in {"producer": ("--sites", file, "--kafka-servers", "a:9092"),
                           "consumer": ("--kafka-servers", "a:9092", "--database-dsn", "postgresql://h/d"),
                           "run": ("--sites", file), "web": ("--listen", "127.0.0.1:0")}.items():
        done = websentry.run("config", "check", command, *words)
        assert command in done.stdout() and done.stderr() == "", done.stderr()
    assert list(websentry.state.iterdir()) == [], "nothing is made"


def test_config_print_says_where_each_value_came_from(websentry):
    config = websentry.write("websentry.yaml", "timeout: 3s\nlocation: eu-1\nsites: [{url: 'http://a.example/'}]\n")
    text = websentry.run("config", "print", "run", "--interval", "30s", "--config", config, "--database-dsn",
                         "postgresql://me:hidden@db.example/checks", env={"WEBSENTRY_THREADS": "2"}).stdout()
    found = {}
    for line in text.splitlines():
        name = re.match(r"#?\s*([a-z-]+)\b", line)
        if name:
            found[name[1]] = line
    for name, value, place in (("interval", "30s", "--interval"), ("timeout", "3s", f"{config}:1"),
                               ("location", "eu-1", f"{config}:2"), ("threads", "2", "WEBSENTRY_THREADS"),
                               ("durability", "process", "default")):
        assert value in found[name] and place in found[name], found[name]
    assert "db.example" in text and "hidden" not in text


def test_config_print_says_what_there_is_when_something_is_missing(websentry):
    """The settings on standard output, the complaint on standard error, and nothing is started."""
    done = websentry.start("config", "print", "consumer", "--kafka-group", "mine",
                           env={"WEBSENTRY_DATABASE_PASSWORD": "hidden"})
    assert done.wait() == 2
    assert "kafka-group = mine  (flag --kafka-group)" in done.stdout()
    assert "database-password = ***" in done.stdout() and "hidden" not in done.stdout() + done.stderr()
    assert [event.level for event in done.complaints()] == ["error"], done.stderr()
    assert "--kafka-servers" in done.stderr()


# --- db migrate


def test_printed_sql_makes_the_schema_with_psql_alone(websentry, database):
    printed = websentry.run("db", "migrate", "--print").stdout()
    database.psql(printed)
    made = database.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    assert {"site", "location", "producer", "report", "site_state", "quarantine", "kafka_offset", "report_view"} <= {
        row[0] for row in made}
    database.psql(printed)  # and once more changes nothing
    websentry.run("db", "migrate", "--database-dsn", database.dsn)
    websentry.run("run", "--once", "--no-migrate", "--url", "http://127.0.0.1:1/", "--listen", "off", "--data-dir",
                  websentry.data_dir(), "--database-dsn", database.dsn)
    assert database.one("SELECT count(*) FROM report_view") == 1


# --- help


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_on_stdout_with_exit_code_0(websentry, command):
    words = command.split()
    texts = [websentry.run(*words, "--help"), websentry.run("help", *words)]
    for done in texts:
        assert done.stderr() == "" and f"websentry {command}".strip() in done.stdout()
    assert texts[0].stdout() == texts[1].stdout()
    if command in ("producer", "consumer", "run"):
        assert "--log-level" in texts[0].stdout() and "WEBSENTRY_LOG_LEVEL" in texts[0].stdout()


def test_help_has_its_commands_in_columns(websentry):
    lines = websentry.run("--help").stdout().partition("\nCommands:\n")[2].partition("\n\n")[0].splitlines()
    assert len(lines) > 10
    assert [line for line in lines if line[18] != " " or line[19] == " "] == []


def test_help_wins_over_mistakes_and_nothing_at_all_is_told_what_to_type(websentry):
    assert websentry.run("producer", "--help", "--wrong").stdout()
    nothing = websentry.run(code=2)
    assert "websentry" in nothing.stdout() + nothing.stderr()
    assert re.fullmatch(r"websentry \S+\n", websentry.run("--version").stdout())


def test_output_to_nobody_is_no_crash(websentry, sites):
    """SIGPIPE never kills: a reader that has gone (as in `| head`) must not look like a signal."""
    reading, writing = os.pipe()
    os.close(reading)
    site = sites.site("/a")
    try:
        done = websentry.start("check", site.url, prefix=("/bin/sh", "-c",
                                                          f'exec "$@" >/proc/{os.getpid()}/fd/{writing}', "sh"))
        assert done.wait() >= 0
    finally:
        os.close(writing)


# --- as a service


def test_ready_is_said_to_the_service_manager(websentry, sites, kafka, topic, database, folder):
    """READY=1 after the word in the log, STOPPING=1 on SIGTERM; also for an abstract address."""
    site = sites.site("/a")
    broker = ("--kafka-servers", kafka.servers, "--kafka-topic", topic)
    commands = {
        "run": ("run", "--url", site.url, "--listen", "off", "--data-dir", websentry.data_dir("run")),
        "producer": ("producer", "--url", site.url, *broker, "--data-dir", websentry.data_dir("producer")),
        "consumer": ("consumer", *broker, "--database-dsn", database.dsn),
        "web": ("web", "--listen", "127.0.0.1:0", "--database-dsn", database.dsn),
    }
    listening = {}
    for name, words in commands.items():
        heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = str(folder / f"{name}.sock") if name != "web" else f"\0{folder}"
        heard.bind(address)
        heard.settimeout(60)
        listening[name] = heard, websentry.start(*words, env={"NOTIFY_SOCKET": address.replace("\0", "@")})
    for name, (heard, running) in listening.items():
        assert "READY=1" in heard.recv(4096).decode(), name
        wait_until(lambda one=running: one.find("ready"), f"{name}: the word in the log")
        running.stop()
        assert "STOPPING=1" in heard.recv(4096).decode(), name
        heard.close()


def test_once_with_kafka_away_keeps_the_outbox(websentry, sites, kafka, topic):
    """Exit code 1 after --once-wait; the next one, with Kafka back, sends both."""
    site = sites.site("/a")
    words = ("producer", "--once", "--url", site.url, "--data-dir", websentry.data_dir(), "--kafka-topic", topic)
    away = websentry.run(*words, "--kafka-servers", "127.0.0.1:1", "--once-wait", "1s", code=1, timeout=30)
    assert "outbox" in away.complaints()[-1].line
    assert kafka.count(topic) == 0 and (websentry.data_dir() / "outbox.db").exists()
    websentry.run(*words, "--kafka-servers", kafka.servers)
    reports = [assert_valid(message.value) for message in kafka.messages(topic)]
    assert sorted(report["seq"] for report in reports) == [0, 0]
    assert len({report["producer_id"] for report in reports}) == len(site.requests) == 2


def test_once_consumer_with_servers_away_ends(websentry, kafka, topic, database):
    """Exit code 1 after --once-wait without progress, for either server."""
    common = ("consumer", "--once", "--once-wait", "1s", "--kafka-topic", topic)
    tried = [websentry.start(*common, "--kafka-servers", "127.0.0.1:1", "--database-dsn", database.dsn),
             websentry.start(*common, "--kafka-servers", kafka.servers, "--database-dsn",
                             "postgresql://127.0.0.1:1/none")]
    for one in tried:
        assert one.wait(30) == 1, one.stderr()


def test_a_missing_topic_is_said_and_made_only_when_told(websentry, sites, kafka):
    site = sites.site("/a")
    name = f"never-made-{len(kafka.topics())}"
    words = ("producer", "--once", "--url", site.url, "--data-dir", websentry.data_dir(), "--kafka-servers",
             kafka.servers,
             "--kafka-topic", name)
    missing = websentry.run(*words, "--once-wait", "5s", code=1)  # in which a busy broker is asked
    said = [event for event in missing.complaints() if name in event.line]
    assert len(said) == 1, missing.stderr()
    assert name not in kafka.topics()
    made = websentry.run(*words, "--kafka-create-topics")
    assert not made.complaints() and made.find("topic created")
    assert kafka.count(name) == 2
