"""The program under test: started with an environment of its own, its log read as events, and never left behind."""
import json
import os
import re
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from support.processes import BUILD, Process, Timeout, clean_environment, wait_until

# Another build of it may be tested: TEST_PROGRAM=build-asan/websentry
PROGRAM = Path(os.environ.get("TEST_PROGRAM", BUILD / "websentry")).resolve()

_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (error|warn|info|debug|trace) (.*)")
_FIELD = re.compile(r' ([a-z_][a-z0-9_.]*)=("(?:[^"\\]|\\.)*"|[^ "]*)(?= |$)')


@dataclass(frozen=True)
class Event:
    """One line of the log; level is None where the line is not of the log (an error before it was set up)."""
    time: str | None
    level: str | None
    event: str
    fields: dict
    line: str


def parse_line(line):
    if line.startswith("{"):
        found = json.loads(line)
        fields = {key: value for key, value in found.items() if key not in ("time", "level", "event")}
        return Event(found["time"], found["level"], found["event"], fields, line)
    match = _LINE.fullmatch(line)
    if match is None:
        return Event(None, None, line, {}, line)
    time, level, rest = match.groups()
    fields = {}
    first = len(rest)
    for found in _FIELD.finditer(rest):
        first = min(first, found.start())
        text = found[2]
        fields[found[1]] = re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
    return Event(time, level, rest[:first], fields, line)


class Running:
    """A started command. Standard output lies in out_file, the log in process.log."""

    def __init__(self, process, out_file, words):
        self.process = process
        self.out_file = out_file
        self.words = words

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process.is_running()

    def stderr(self):
        return self.process.output()

    def stdout(self):
        return self.out_file.read_text(errors="replace")

    def events(self):
        """All whole lines so far."""
        text = self.stderr()
        return [parse_line(line) for line in text[:text.rfind("\n") + 1].splitlines() if line]

    def complaints(self):
        """What a person would have to read: all lines but info, debug and trace; a closing hint to --help aside."""
        return [event for event in self.events()
                if event.level not in ("info", "debug", "trace")
                and not (event.level is None and "--help" in event.line)]

    def find(self, event=None, level=None, **fields):
        """The events with this name, level and fields (compared as text)."""
        return [one for one in self.events()
                if (event is None or one.event == event) and (level is None or one.level == level)
                and all(str(one.fields.get(key)) == str(value) for key, value in fields.items())]

    def wait_for(self, event=None, timeout=60.0, level=None, count=1, **fields):
        """Until the event was logged (count times); returns the last one. Fails at once when the program ends."""
        def look():
            is_running = self.is_running()
            found = self.find(event, level, **fields)
            if len(found) >= count:
                return found[-1]
            if not is_running:
                raise Timeout(f"{self.words} ended with {self.process.returncode} before '{event}' {fields}:\n"
                              f"{self.stderr()[-4000:]}")
            return None

        try:
            return wait_until(look, f"{self.words}: event '{event}' {fields}", timeout)
        except Timeout as late:
            raise Timeout(f"{late}\n{self.stderr()[-4000:]}") from None

    def wait_ready(self, timeout=20.0):
        return self.wait_for("ready", timeout)

    def port(self, timeout=20.0):
        """The port of its page, from `listening address=127.0.0.1:P`."""
        return int(self.wait_for("listening", timeout).fields["address"].rpartition(":")[2])

    def send_signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """kill -9"""
        return self.process.kill()

    def wait(self, timeout=20.0):
        return self.process.wait(timeout)

    def stop(self, number=signal.SIGTERM, timeout=20.0):
        """Ask it to end, and insist on exit code 0."""
        code = self.process.stop(number, timeout)
        assert code == 0, f"{self.words} answered signal {number} with exit code {code}:\n{self.stderr()[-4000:]}"
        return code


class Websentry:
    """Starts commands in a folder of one test. Nothing of the caller's environment reaches them."""

    def __init__(self, session, folder):
        self.session = session
        self.folder = Path(folder)
        self.running = []
        self.home, self.cwd, self.tmp = (self._folder(name) for name in ("home", "cwd", "tmp"))
        self.state = self._folder("state")  # XDG_STATE_HOME: where data goes without --data-dir

    def _folder(self, name):
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder

    def data_dir(self, name="data"):
        return self._folder(name)

    def write(self, name, text):
        """A file of the test (a sites file, properties); its path."""
        path = self.folder / name
        path.write_text(text)
        return path

    def environment(self, **more):
        own = {"TMPDIR": self.tmp, "XDG_STATE_HOME": self.state, **more}
        return {**clean_environment(self.session, self.home), **{key: str(text) for key, text in own.items()}}

    def start(self, *words, env=None, prefix=(), cwd=None):
        """Start it. prefix: words in front, such as faketime's or strace's."""
        number = len(self.running)
        out_file = self.folder / f"{number}.out"
        words = [str(word) for word in words]
        # The shell's only job is to part the two outputs; exec makes the program our child itself.
        shell = ["/bin/sh", "-c", 'out=$1; shift; exec "$@" >"$out"', "sh", out_file]
        process = Process([*shell, *prefix, PROGRAM, *words], env=self.environment(**(env or {})),
                          cwd=cwd or self.cwd, log=self.folder / f"{number}.err")
        started = Running(process, out_file, words)
        self.running.append(started)
        return started

    def run(self, *words, env=None, code=0, timeout=60.0, prefix=(), cwd=None):
        """Start it, wait for its end and compare the exit code (None: any)."""
        started = self.start(*words, env=env, prefix=prefix, cwd=cwd)
        ended_with = started.wait(timeout)
        if code is not None and ended_with != code:
            raise AssertionError(f"{words} ended with {ended_with}, not {code}:\n{started.stderr()[-4000:]}")
        return started

    def finish(self):
        """After the test: what still runs must end in good order, and nothing may lie where nothing belongs."""
        problems = []
        for started in self.running:
            if started.is_running():
                try:
                    started.stop()
                except AssertionError as failure:
                    problems.append(str(failure))
        for folder in (self.home, self.cwd, self.tmp):
            left = sorted(str(path.relative_to(self.folder)) for path in folder.rglob("*"))
            if left:
                problems.append(f"files left behind: {', '.join(left)}")
        for started in self.running:
            if re.search(r"ERROR: (Address|Leak|Thread)Sanitizer|runtime error:|Assertion .* failed",
                         started.stderr()):
                problems.append(f"{started.words}:\n{started.stderr()[-6000:]}")
        return problems

    def kill_all(self):
        for started in self.running:
            started.process.kill()
        shutil.rmtree(self.tmp, ignore_errors=True)
