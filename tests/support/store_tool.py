"""The store by hand: tests/component/store/store_tool.c, and reports for it to write."""
import datetime
import json
import os
import subprocess
from pathlib import Path

from support.processes import BUILD, clean_environment

TOOL = Path(os.environ.get("TEST_STORE_TOOL", BUILD / "tests/component/store/store_tool")).resolve()
RELATIONS = ["site", "location", "producer", "check_setup", "report", "site_state", "kafka_offset", "quarantine",
             "seq_chunk", "seq_range", "seq_mark", "report_view", "uptime_view", "quarantine_view",
             "delivery_audit_view"]
# Of yesterday: what is older than some weeks has no partition made for it.
_NOON = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)).replace(hour=12, minute=0, second=0,
                                                                                  microsecond=0)
NOON = int(_NOON.timestamp()) * 1_000_000

PRODUCER = "00000000-0000-4000-8000-00000000000%d"


def at(second):
    """So many seconds after noon."""
    return (_NOON + datetime.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


AT_NOON = at(0)


def report(seq=0, started_at=AT_NOON, site="a", producer=1, outcome="up", **fields):
    """A report as a dict, with every required field."""
    made = {
        "v": 1, "producer_id": PRODUCER % producer, "seq": seq, "kind": "http", "site": site,
        "url": f"http://127.0.0.1/{site}", "host": "probe-1", "location": "eu-1", "interval_us": 60000000,
        "timeout_us": 10000000, "scheduled_at": started_at, "started_at": started_at, "late_us": 0,
        "outcome": outcome, "reason": "ok" if outcome == "up" else "timeout", **fields,
    }
    return {key: value for key, value in made.items() if value is not None}


class StoreError(Exception):
    def __init__(self, answer):
        self.kind, _, self.message = answer.partition(" ")
        super().__init__(answer)


class StoreTool:
    """One store in a process of its own. Every command raises StoreError where the store fails."""

    def __init__(self, session, folder, driver, where, mode=None):
        self.log = folder / "store_tool.log"
        self._offset = 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [TOOL, driver, where, *([mode] if mode else [])], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, env=clean_environment(session, folder), text=True, bufsize=1)

    def tell(self, command):
        self.process.stdin.write(command + "\n")

    def answer(self):
        """The next answer, its words after `ok`."""
        line = self.process.stdout.readline().rstrip("\n")
        word, _, rest = line.partition(" ")
        if word != "ok":
            raise StoreError(rest or f"the tool ended: {self.log.read_text()[-2000:]}")
        return rest

    def ask(self, command):
        self.tell(command)
        return self.answer()

    def add(self, *reports, topic="t", partition=0):
        for one in reports:
            text = one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)
            self.tell(f"message {topic} {partition} {self._offset} {text}")
            self._offset += 1

    def write(self, *reports, **place):
        """(inserted, duplicates, quarantined) of a batch of these, or of what was added."""
        if reports:
            self.tell("clear")
            self.add(*reports, **place)
        inserted, duplicates, quarantined = map(int, self.ask("write").split())
        return inserted, duplicates, quarantined

    def events(self):
        return self.log.read_text()

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
