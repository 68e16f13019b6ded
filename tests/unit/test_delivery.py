"""docs/delivery.md: no row without the name of a test, and each name is a test's."""
import re

from support.processes import ROOT

TEXT = (ROOT / "docs/delivery.md").read_text()
# A name has two underscores at least; in backquotes stand files, tables and groups of tests.
NAME = re.compile(r"\b[a-z0-9]+(?:_[a-z0-9]+){2,}\b")


def rows():
    """(line, its last column) of each table that ends in one named Test."""
    is_wanted = False
    for line in TEXT.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("|"):
            is_wanted = False
        elif cells[-1].strip("| ") == "Test":
            is_wanted = True
        elif is_wanted and not line.startswith("| ---"):
            yield line, re.sub(r"`[^`]*`", "", cells[-1])


def names_of_tests():
    found = set()
    for path in (ROOT / "tests").rglob("*.py"):
        found |= set(re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE))
    for path in (ROOT / "tests").rglob("*.c"):
        text = path.read_text()
        found |= set(re.findall(r"(?:static )?void (\w+)\(void \*\*\w+\)", text))
        found |= set(re.findall(r'"ok \d - (\w+)', text))
    return found


def test_each_row_names_a_test():
    assert len(list(rows())) > 40
    assert [line[:80] for line, column in rows() if not NAME.search(column)] == []


def test_each_named_test_exists():
    known = names_of_tests()
    assert [name for _, column in rows() for name in NAME.findall(column) if name not in known] == []


def test_no_abbreviated_names():
    assert "…_" not in TEXT
