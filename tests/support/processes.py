"""Start, watch and stop processes so that none outlives its test, whatever happens to the test."""
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from support import reaper

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"

# Stands in the environment of everything that a session starts; reaper.py finds it there.
MARK_NAME = "TEST_SESSION_MARK"

class Timeout(AssertionError):
    """A condition did not come true in its time."""


def wait_until(condition, what, timeout=60.0, step=0.02):
    """Wait until condition() returns something true, and return that. Exceptions of the condition pass through."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise Timeout(f"{what}: not within {timeout:g} s")
        time.sleep(step)


def free_port():
    """A port that nobody listened on a moment ago. Outgoing connections may take it meanwhile, so starters retry."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_ports(count):
    """count different ones."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def closed_port():
    """A port that refuses: bound, so that nobody else gets it, and not listening. Keep the socket."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    return held


def accepts(port):
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Session:
    """The folder and the reaper of one test session."""

    def __init__(self):
        self.mark = f"{MARK_NAME}={uuid.uuid4()}"
        self.folder = Path(tempfile.mkdtemp(prefix="websentry-test-"))
        self.folder.chmod(0o755)  # PostgreSQL runs as somebody else
        self._reaper = subprocess.Popen([sys.executable, "-I", reaper.__file__, self.mark, str(self.folder)],
                                        stdin=subprocess.PIPE, start_new_session=True)

    def new_folder(self, name):
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        folder.chmod(0o755)
        return folder

    def close(self):
        """End everything; returns whether something was still running."""
        self._reaper.stdin.close()
        return self._reaper.wait(30) == 3


def clean_environment(session, home, **more):
    """Nothing of the caller's: a WEBSENTRY_* or PG* of a developer's shell must not decide a test."""
    name, value = session.mark.split("=", 1)
    return {"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(home), "LANG": "C.UTF-8", "TZ": "UTC",
            name: value, **{key: str(text) for key, text in more.items()}}


class Process:
    """A child with its output in a file, ended with its parent."""

    def __init__(self, argv, *, env, cwd, log, user=None, stdin=subprocess.DEVNULL):
        self.argv = [str(word) for word in argv]
        self.log = Path(log)
        # These become the program: it gets the signals that whoever started the tests may ignore (nohup, or a shell for
        # what it runs behind it), the kernel kills it when the thread that started it ends, and it changes the user
        # without a Python function between fork and exec.
        wrapper = ["env", "--default-signal", "setpriv", "--pdeathsig", "KILL"]
        if user is not None and os.getuid() == 0:
            wrapper += [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        with self.log.open("ab") as output:
            self._child = subprocess.Popen([*wrapper, "--", *self.argv], env=env, cwd=cwd, stdin=stdin, stdout=output,
                                           stderr=subprocess.STDOUT, start_new_session=True)

    @property
    def pid(self):
        return self._child.pid

    @property
    def returncode(self):
        return self._child.poll()

    def is_running(self):
        return self._child.poll() is None

    def output(self):
        return self.log.read_text(errors="replace")

    def send_signal(self, number):
        if self.is_running():
            self._child.send_signal(number)

    def wait(self, timeout=20.0):
        """The exit code (minus the signal's number where one ended it)."""
        try:
            return self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Timeout(f"{self.argv[0]} (pid {self.pid}) did not end within {timeout:g} s\n"
                          f"{self.output()[-4000:]}") from None

    def stop(self, number=signal.SIGTERM, timeout=20.0):
        """Ask it to end; kill it and fail where it does not."""
        self.send_signal(number)
        try:
            return self.wait(timeout)
        except Timeout:
            self.kill()
            raise

    def kill(self):
        """kill -9 of its process group, and wait for its end."""
        if self.is_running():
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return self.wait(20)


def run(argv, *, env=None, cwd=None, timeout=60, check=True, input_text=None):
    """Run a command to its end; its output as text. A failure shows that output."""
    done = subprocess.run([str(word) for word in argv], env=env, cwd=cwd, timeout=timeout, input=input_text,
                          capture_output=True, text=True, errors="replace")
    if check and done.returncode != 0:
        raise AssertionError(f"{argv} ended with {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done
