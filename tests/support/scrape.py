"""What a daemon tells of itself: /metrics, judged by promtool and read as figures, and /readyz."""
import json
import re
import subprocess
import urllib.error
import urllib.request

from support.processes import wait_until

_SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^}]*\})? (\S+)')


def fetch(running, path):
    """(status, headers, body)"""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{running.port()}{path}", timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read().decode()


class Scrape:
    """One look at /metrics."""

    def __init__(self, running):
        status, headers, self.text = fetch(running, "/metrics")
        assert status == 200, self.text
        assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        self.samples = {}
        for line in self.text.splitlines():
            if not line.startswith("#"):
                name, labels, value = _SAMPLE.fullmatch(line).groups()
                assert (name, labels) not in self.samples, f"twice: {line}"
                self.samples[name, labels] = float(value)

    def __getitem__(self, name):
        """The sum of a metric's samples, whatever their labels."""
        found = [value for (one, _), value in self.samples.items() if one == f"websentry_{name}"]
        assert found, f"no websentry_{name} in:\n{self.text}"
        return sum(found)

    def labelled(self, name, **labels):
        text = ",".join(f'{key}="{value}"' for key, value in labels.items())
        return self.samples[f"websentry_{name}", f"{{{text}}}"]

    def names(self):
        """Of all metrics, by their TYPE lines."""
        return set(re.findall(r"^# TYPE (\S+) ", self.text, re.MULTILINE))


def assert_clean(running):
    """promtool finds nothing to say."""
    text = Scrape(running).text
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30,
                          check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, ""), done.stdout + done.stderr


def reasons(running):
    """Why it is not ready, as words; the status must agree."""
    status, headers, body = fetch(running, "/readyz")
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    told = json.loads(body)
    assert told["ready"] == (status == 200) == (told["reasons"] == []), (status, body)
    assert status in (200, 503)
    for reason in told["reasons"]:
        assert reason["message"] and reason["seconds"] >= 0, body
    return [reason["reason"] for reason in told["reasons"]]


def wait_reasons(running, *expected, timeout=30.0):
    """Until these, and no others, are the reasons; with none: until it is ready."""
    wait_until(lambda: reasons(running) == list(expected), f"reasons {expected} of {running.words}", timeout)


def wait_figure(running, name, condition, timeout=30.0):
    """Until a figure is as it should be; returns that scrape."""
    def look():
        scrape = Scrape(running)
        return scrape if condition(scrape[name]) else None

    return wait_until(look, f"{name} of {running.words}", timeout)
