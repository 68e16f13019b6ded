"""Bugs are planted for the chaos test alone: no release holds one, and each is in the source and attacked."""
import re
from pathlib import Path

from chaos.selftest import ATTACKS, MARK
from support.processes import BUILD, ROOT

HEADER = (ROOT / "src/base/planted.h").read_text()
NAMES = [name.lower() for name in re.findall(r"#define PLANTED_([A-Z_]+) +\d+", HEADER)]


def test_the_option_the_header_and_the_attacks_name_the_same_bugs():
    option = re.search(r"option\('planted_bug'.*", (ROOT / "meson_options.txt").read_text(), re.DOTALL)[0]
    choices = re.findall(r"'(\w+)'", re.search(r"choices: \[(.*?)\]", option, re.DOTALL)[1])
    assert choices == NAMES
    assert ["none", *ATTACKS] == NAMES
    assert len(ATTACKS) >= 12
    assert "value: 'none'" in option


def test_each_bug_is_in_the_source():
    source = "".join(path.read_text() for path in (ROOT / "src").rglob("*.c"))
    planted = {name.lower() for name in re.findall(r"IS_PLANTED\((\w+)\)", source)}
    assert planted == set(ATTACKS)


def test_no_release_holds_a_bug():
    """The program that is built for use has none, and nothing that builds one for others chooses any."""
    assert MARK not in (BUILD / "websentry").read_bytes()
    assert "PLANTED_NONE" in (BUILD / "src/base/planted_choice.h").read_text()
    for folder in ("scripts", "packaging", "deploy", ".ci", ".github"):
        for path in (ROOT / folder).rglob("*"):
            assert path.is_dir() or b"planted_bug" not in path.read_bytes(), path
    for name in ("Makefile", "Dockerfile"):
        assert "planted_bug" not in Path(ROOT / name).read_text()
