"""What fails in a part of scripts/ and the Makefile fails the whole."""
import importlib.util
import json
import os
import re
import subprocess
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("TEST_BUILD", "build")


def load(name):
    loader = SourceFileLoader(f"scripts_{name}", str(ROOT / "scripts" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def script():
    """scripts/test as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.dont_write_bytecode", True)
        yield load("test")


PROGRAM = {"name": "one", "stdout": "1..2\nok 1 - a\nok 2 - b\n", "result": "OK"}


@pytest.mark.parametrize(("programs", "code", "counted"), [
    ([PROGRAM], 0, (2, 0)),
    ([PROGRAM], 143, (2, 1)),  # Meson was ended before it came to the others
    ([PROGRAM, {**PROGRAM, "stdout": "1..1\nnot ok 1 - c\n", "result": "FAIL"}], 1, (2, 1)),
    ([PROGRAM, {**PROGRAM, "stdout": "1..1\n", "result": "ERROR"}], 1, (2, 1)),
    ([PROGRAM, {**PROGRAM, "stdout": "", "result": "TIMEOUT"}], 1, (2, 1)),
])
def test_a_run_that_was_cut_short_is_a_failure(script, tmp_path, programs, code, counted):
    log = tmp_path / "log.json"
    log.write_text("".join(json.dumps(program) + "\n" for program in programs))
    counts = script.Counts()
    script.count_tap(counts, "plain", log, code)
    assert (counts.passed, counts.failed) == counted


def test_a_list_of_packages_that_is_none_is_refused():
    done = subprocess.run([ROOT / "scripts/setup", "build", "nonsense"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "setup: no list 'nonsense'; expected build, run, test, bench or lint\n"


def test_what_is_installed_was_built_before():
    """`make install` builds one target, and Meson then installs what is there."""
    assert "ninja -C build installed" in (ROOT / "Makefile").read_text()
    installed = json.loads((BUILD / "meson-info/intro-installed.json").read_text())
    made = {Path(name) for name in installed if Path(name).is_relative_to(BUILD)}
    done = subprocess.run(["ninja", "-C", BUILD, "-t", "query", "installed"], capture_output=True, text=True,
                          timeout=60, check=True)
    inputs = done.stdout.partition("input:")[2].partition("outputs:")[0]
    assert made and made <= {BUILD / line.strip(" |") for line in inputs.splitlines()}


def test_help_has_its_targets_in_columns():
    lines = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True,
                           timeout=60, check=True).stdout.splitlines()
    phony = (ROOT / "Makefile").read_text().partition(".PHONY: ")[2].partition("\n")[0].split()
    assert [line.split()[0] for line in lines] == phony
    assert len({len(line) - len(line[2:].partition(" ")[2].lstrip()) for line in lines}) == 1


def test_what_make_docs_writes_is_named():
    help_text = (ROOT / "Makefile").read_text().partition("\ndocs: ## ")[2].partition("\n")[0]
    written = set(re.findall(r"docs/[\w.]+", (ROOT / "scripts/docs").read_text()))
    assert written == set(re.findall(r"docs/[\w.]+", help_text))
