"""Processes of the demo: started with a clean environment, in a session of their own, and never left behind."""

import os
import signal
import subprocess
import sys
import time

# What would make the demo's websentry another one than the page says.
FOREIGN = ("WEBSENTRY_", "KAFKA_", "POSTGRES_", "PG", "LOGURU_", "NOTIFY_", "STATE_DIRECTORY", "CREDENTIALS_")


class Failure(Exception):
    """A line for people."""


def clean_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}


class Children:
    """Ends what it started, in reverse order. The kernel kills them when this process dies in any other way."""

    def __init__(self):
        self._started = []

    def start(self, *argv, log, env=None, stdout=None):
        """setpriv asks the kernel for that; a session of their own keeps a terminal's Ctrl-C for us alone."""
        with open(log, "ab") as output:
            child = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *map(str, argv)],
                                     env={**clean_environment(), **(env or {})}, stdin=subprocess.DEVNULL,
                                     stdout=stdout or output, stderr=output, start_new_session=True)
        self._started.append(child)
        return child

    def end_all(self, patience=8):
        for child in reversed(self._started):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + patience
        for child in reversed(self._started):
            try:
                child.wait(max(0.05, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._started.clear()


class Stopped(Exception):
    """A signal asked us to end."""


def stop_on_signals():
    """Ctrl-C, a closed terminal and kill raise Stopped in the main thread, once; then they are ignored."""
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(*_):
        for number in wanted:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    for number in wanted:
        signal.signal(number, stop)


def start_sites(children, folder, log):
    """The demo's sites; the path of their sites file."""
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sites.py")
    child = children.start(sys.executable, program, folder, log=log, stdout=subprocess.PIPE)
    line = child.stdout.readline()
    if line.strip() != b"ready":
        raise Failure(f"the demo sites did not start:\n{tail(log)}")
    return os.path.join(folder, "sites.yaml")


def tail(log, lines=15):
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:]).rstrip()
    except OSError:
        return ""


def wait_for(condition, seconds, step=0.1):
    """What condition() returns as soon as that is true, or its last answer when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer or time.monotonic() >= deadline:
            return answer
        time.sleep(step)


def listening_address(log, child, seconds=15):
    """The real address, from the line `listening address=HOST:PORT` of a program's log."""
    def look():
        with open(log, encoding="utf-8", errors="replace") as file:
            for line in file:
                _, found, rest = line.partition(" listening address=")
                if found:
                    return rest.split()[0]
        if child.poll() is not None:
            raise Failure(f"websentry ended:\n{tail(log)}")
        return None

    address = wait_for(look, seconds)
    if not address:
        raise Failure(f"websentry does not listen:\n{tail(log)}")
    return address
