"""One check of a row by `websentry check`, and what of it is not as the row says.

Nothing here asks the test's own clock: how long a check took, and how long the prober itself was kept from working
meanwhile, stands in its report; CPU and memory are those of its process. A site that keeps the prober busy does not get
away with being called a hold-up: that would show as CPU.
"""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from support.processes import BUILD

MEASURE = BUILD / "tests/hostile/hostile_measure"
LATE_US = 200_000
TIMEOUT_MAX_MS = 60_000
PAUSE = "600ms"  # between the checks of one row

# Words of libraries: whoever reads a message should not have to know them.
JARGON = re.compile(
    r"curl|SSL routines|error:[0-9A-F]{8}|nghttp2|HTTP/2 stream \d+|errno|OpenSSL|SSL_|Recv failure|"
    r"CURLE|getpeername|0x[0-9a-f]+|transfer closed|c-ares|\bnullptr\b|\(null\)|0A00",
    re.IGNORECASE,
)


# What is wrong with a whole answer of the site itself needs no host.
OF_THE_PAGE = ("status_mismatch", "body_mismatch", "json_mismatch")
HOST = re.compile(r"127\.0\.0\.\d|localhost|\.test|\.invalid|\.\d+\.\d+|[a-z0-9_.-]+: |^x: ")


@dataclass(frozen=True)
class Checked:
    """What came of one check."""

    report: dict
    cpu_us: int
    peak_kib: int
    stderr: str


def entries(rows_and_urls, dns, patience=1):
    """The sites of a sites file; with more patience their timeouts are longer."""
    proxies = {
        row.name: {"proxy": f"{row.proxy}://{row.user}{'@' * bool(row.user)}127.0.0.1:{urlsplit(url).port}"}
        for row, url in rows_and_urls
        if row.proxy
    }
    return [
        {
            "name": row.name,
            "url": url,
            "timeout": f"{min(row.timeout_ms * patience, TIMEOUT_MAX_MS)}ms",
            "dns_servers": dns,
            **proxies.get(row.name, {}),
            **row.site,
        }
        for row, url in rows_and_urls
    ]


def check(program, row, url, dns, folder, environment, attempt=0, patience=1):
    """Check once, in a process of its own."""
    stem = Path(folder) / f"{row.name}-{attempt}"
    sites = stem.with_suffix(".yaml")  # JSON is YAML too
    sites.write_text(json.dumps({"sites": entries([(row, url)], dns, patience)}))
    used = stem.with_suffix(".used")
    again = ["--repeat", str(row.checks), "--interval", PAUSE] if row.checks > 1 else []
    done = subprocess.run(
        [MEASURE, used, program, "check", "--json", "--sites", sites, *again],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=2 * TIMEOUT_MAX_MS / 1000,
        stdin=subprocess.DEVNULL,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == row.checks + (row.checks > 1), f"{row.name}: {done.stdout[-2000:]} {done.stderr[-2000:]}"
    cpu_us, peak_kib, _ = (int(word) for word in used.read_text().split())
    return Checked(json.loads(lines[row.checks - 1]), cpu_us, peak_kib, done.stderr)


def said(row, report):
    """What is wrong with outcome, reason and message; empty where nothing is."""
    problems = []
    if report["outcome"] != row.outcome or report["reason"] not in row.reason.split(" or "):
        problems.append(f"{report['outcome']}: {report['reason']}, not {row.outcome}: {row.reason}")
    message = report.get("message", "")
    for word in (row.word,) if isinstance(row.word, str) else row.word:
        if word.lower() not in message.lower():
            problems.append(f"no '{word}' in the message")
    if row.is_reused is not None and report.get("keepalive", False) != row.is_reused:
        problems.append(f"over a connection that was {'fresh' if row.is_reused else 'there'}")
    jargon = JARGON.search(message)
    if jargon:
        problems.append(f"'{jargon[0]}' is no word for people")
    if row.outcome != "up" and not message:
        problems.append("no message")
    if row.outcome == "down" and row.reason not in OF_THE_PAGE and not HOST.search(message):
        problems.append("no host in the message")
    return [f"{problem} ({message})" for problem in problems]


def cost(row, checked, harmless):
    """What took too long, or too much; harmless is a check of an ordinary page."""
    problems = []
    report = checked.report
    late_us = report["total_us"] - report["timeout_us"] - report["late_us"]
    if late_us > LATE_US:
        problems.append(f"ended {late_us / 1000:.0f} ms after its timeout")
    more_us = checked.cpu_us - harmless.cpu_us
    if more_us > row.cpu_ms * 1000:
        problems.append(f"took {more_us / 1000:.0f} ms of CPU more than an ordinary page")
    more_kib = checked.peak_kib - harmless.peak_kib
    if more_kib > row.memory_kib:
        problems.append(f"took {more_kib} KiB more memory than an ordinary page")
    return problems
