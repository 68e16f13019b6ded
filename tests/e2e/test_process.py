"""What every command owes whoever started it: signals, standard descriptors that are closed or full, a clean stop."""
import datetime
import re
import signal
import socket
import sqlite3
import sys
from pathlib import Path

import pytest
from support.processes import wait_until
from support.sites import Answer

# A daemon's parent may have closed them; what the program opens next must not take their places.
WITHOUT_STANDARD_FILES = ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
TO_A_FULL_DISK = ["/bin/sh", "-c", 'exec "$@" >/dev/full', "sh"]
ON_A_TERMINAL = [sys.executable, "-c",
                 "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"]
TO_NOBODY = ["/bin/bash", "-c", 'exec "$@" > >(:)', "bash"]


@pytest.fixture
def silent_server():
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_closed_standard_files_are_never_written_to_as_something_else(websentry, sites):
    site = sites.site("/shop")
    data = websentry.data_dir()
    websentry.run("check", site.url, prefix=WITHOUT_STANDARD_FILES)
    started = websentry.run("run", "--once", "--log-level=debug", "--data-dir", data, "--listen", "127.0.0.1:0",
                            site.url, prefix=WITHOUT_STANDARD_FILES)
    assert (data / "lock").read_text() == f"{started.pid}\n"
    with sqlite3.connect(f"file:{data}/websentry.db?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM report").fetchone() == (1,)


@pytest.mark.parametrize("words", [["--help"], ["config", "print", "run", "http://x/"],
                                   ["config", "check", "run", "http://x/"], ["db", "migrate", "--print"]],
                         ids=lambda words: " ".join(words[:2]).strip("-"))
def test_text_that_finds_no_room_is_an_error(websentry, words):
    started = websentry.run(*words, prefix=TO_A_FULL_DISK, code=1)
    assert [event.level for event in started.complaints()] == ["error"]
    assert "No space left" in started.stderr()


def test_a_check_whose_result_finds_no_room_is_not_up(websentry, sites):
    """Nor anything else that a script could take for the site's state."""
    started = websentry.run("check", sites.site("/shop").url, prefix=TO_A_FULL_DISK, code=3)
    assert [event.level for event in started.complaints()] == ["error"]
    assert "No space left" in started.stderr()


def nice_values(pid):
    """Of each of a process's threads, above the main thread's, with its name."""
    def one(task):
        name, _, fields = (task / "stat").read_text().partition("(")[2].rpartition(")")
        return name, int(fields.split()[16])
    of_main = one(Path(f"/proc/{pid}"))[1]
    return of_main, {(name, nice - of_main) for name, nice in map(one, Path(f"/proc/{pid}/task").iterdir())}


def test_a_producers_threads_that_send_give_way_to_those_that_check(websentry, sites):
    started = websentry.start("producer", "--kafka-servers", "127.0.0.1:9", "--data-dir", websentry.data_dir(),
                              sites.site("/shop").url)
    started.wait_ready()
    of_main, _ = nice_values(started.pid)
    lower = min(5, 19 - of_main)
    wait_until(lambda: nice_values(started.pid)[1] >= {("prober", 0), ("rdk:main", lower), ("websentry", lower)},
               "the threads of librdkafka and of the outbox to give way")
    assert {nice for name, nice in nice_values(started.pid)[1] if name == "prober"} == {0}


def test_text_that_nobody_reads_is_no_error(websentry):
    started = websentry.run("--help", prefix=TO_NOBODY)
    assert not started.complaints()


def test_once_shows_its_progress_below_the_lines_of_the_log(websentry, sites):
    slow = sites.site("/slow", Answer(delay_s=0.5))
    started = websentry.run("run", "--once", "--data-dir", websentry.data_dir(), "--listen=off", slow.url,
                            "http://127.0.0.1:1/", prefix=ON_A_TERMINAL)
    shown = started.out_file.read_bytes().decode()  # as it is: read_text() would take \r for the end of a line
    assert "] 1/2 checked, 0 to send" in shown
    # What a person sees in the end: what was erased is gone, and no line stands behind the bar.
    lines = [line.rpartition("\r\x1b[K")[2] for line in shown.replace("\r\n", "\n").split("\n")]
    assert lines and all(re.match(r"\d{4}-\d\d-\d\dT", line) for line in lines if line), lines
    assert any(" site down " in line for line in lines)


def test_migrate_can_be_stopped_while_its_database_is_silent(websentry, silent_server):
    started = websentry.start("db", "migrate", "--database-dsn", f"host=127.0.0.1 port={silent_server} user=u dbname=d")
    wait_until(lambda: established_to(started.pid, silent_server), "its connection")
    started.send_signal(signal.SIGTERM)
    assert started.wait() == -signal.SIGTERM


def established_to(pid, port):
    """Whether a process has a connection to a local port (state 01 in Linux's table)."""
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as table:
        return re.search(rf": [0-9A-F]{{8}}:[0-9A-F]{{4}} 0100007F:{port:04X} 01 ", table.read()) is not None


def test_no_prober_starts_a_check_after_a_stop_was_asked_for(websentry, sites):
    """With two threads one waits for a site that hangs; the other must not go on meanwhile."""
    hanging = sites.site("/hangs", Answer(is_endless=True))
    quick = sites.site("/quick")
    data = websentry.data_dir()
    running = websentry.start("run", "--threads", 2, "--data-dir", data, "--listen", "127.0.0.1:0", websentry.write(
        "sites.yaml", f"sites:\n  - {{url: '{hanging.url}', interval: 5s, timeout: 5s}}\n"
                      f"  - {{url: '{quick.url}', interval: 100ms, timeout: 100ms}}\n"))
    hanging.wait_for_requests(1)
    quick.wait_for_requests(3)
    running.stop()
    stopping = datetime.datetime.fromisoformat(running.find("stopping")[0].time)
    with sqlite3.connect(f"file:{data}/websentry.db?mode=ro", uri=True) as database:
        started = [datetime.datetime.fromisoformat(row[0]) for row in database.execute(
            "SELECT started_at FROM report_view")]
    assert max(started) < stopping + datetime.timedelta(milliseconds=1500)


def test_a_consumer_that_stands_by_is_ready(websentry, kafka, database):
    """One partition, two consumers: the second has nothing to read, and is there for when the first one goes."""
    topic = kafka.create_topic("standby", partitions=1)
    words = ["consumer", "--kafka-servers", kafka.servers, "--kafka-topic", topic, "--kafka-group", "standby",
             "--database-dsn", database.dsn]
    for consumer in [websentry.start(*words), websentry.start(*words)]:
        consumer.wait_ready(40)


def test_a_second_run_names_the_first_ones_pid_before_its_port(websentry, sites):
    words = ("run", "--data-dir", websentry.data_dir(), sites.site("/shop").url)
    first = websentry.start(*words, "--listen", "127.0.0.1:0")
    first.wait_ready()
    second = websentry.run(*words, "--listen", f"127.0.0.1:{first.port()}", code=2)
    assert [event.level for event in second.complaints()] == ["error"]
    assert f"in use by process {first.pid};" in second.stderr()
    assert not second.find("listening")


def test_help_names_only_the_variables_that_count(websentry):
    producer, consumer = (websentry.run(command, "--help").stdout() for command in ("producer", "consumer"))
    assert "WEBSENTRY_CONSUMER_LOGLEVEL" not in producer and "WEBSENTRY_CONSUMER_LOGLEVEL" in consumer
    assert "WEBSENTRY_CONSUMER_ENABLE_DAEMON" not in producer
    assert "WEBSENTRY_LOGLEVEL" in producer
