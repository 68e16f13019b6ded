"""The include table of ARCHITECTURE.md is what the code does: each folder of src/ includes what its row allows."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
ADAPTERS = {"probe", "outbox", "kafka", "store", "notify", "web"}
# The page reads the store through its interface, and through nothing else of it.
EXCEPTION = ("web", "store/store.h")
SILENT = {"base", "check", "codec"}  # they return errors and never log


def read_table(text):
    """{folder: set of folders it may include} from the table whose head is `| folder | may include |`."""
    lines = iter(text.splitlines())
    for line in lines:
        if re.match(r"\|\s*folder\s*\|\s*may include\s*\|", line):
            break
    table = {}
    for line in lines:
        if not line.startswith("|"):
            break
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if not set(cells[0]) <= set("-: "):
            table[cells[0].rstrip("/")] = {name.strip() for name in cells[1].split(",") if name.strip()}
    return table


def read_includes(root):
    """[(file, included path)] of every `#include "…"`, files relative to root."""
    found = []
    for path in sorted([*root.rglob("*.c"), *root.rglob("*.h")]):
        for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', path.read_text(), re.MULTILINE):
            found.append((path.relative_to(root).as_posix(), name))
    return found


def find_cycle(graph):
    """A path that returns to its start, or None."""
    done = set()

    def walk(node, path):
        if node in path:
            return [*path[path.index(node):], node]
        if node in done:
            return None
        for following in sorted(graph.get(node, ())):
            cycle = walk(following, [*path, node])
            if cycle:
                return cycle
        done.add(node)
        return None

    for start in sorted(graph):
        cycle = walk(start, [])
        if cycle:
            return cycle
    return None


def complaints(table, includes):
    """What the includes do that the table, or the rule about adapters, forbids."""
    found = []
    for file, name in includes:
        folder, target = file.split("/")[0], name.split("/")[0]
        if "/" not in name:
            found.append(f'{file}: "{name}" names no folder')
        elif target != folder and target not in table.get(folder, set()):
            found.append(f"{file}: {folder} may not include {name}")
        elif folder in ADAPTERS and target in ADAPTERS - {folder} and (folder, name) != EXCEPTION:
            found.append(f"{file}: adapter {folder} includes {name} of another")
        elif folder in SILENT and name == "base/log.h" and file != "base/log.c":
            found.append(f"{file}: {folder} never logs")
    return found


def graph_of(pairs):
    graph = {}
    for source, target in pairs:
        if source != target:
            graph.setdefault(source, set()).add(target)
    return graph


TABLE = read_table((ROOT / "ARCHITECTURE.md").read_text())
INCLUDES = read_includes(SRC)


def test_every_folder_has_its_row():
    folders = {path.name for path in SRC.iterdir() if path.is_dir() and any(path.glob("*.[ch]"))}
    assert folders <= set(TABLE), "folders without a row"
    assert set().union(*TABLE.values()) <= set(TABLE), "rows that name a folder without a row"


def test_every_include_is_allowed():
    assert complaints(TABLE, INCLUDES) == []


def test_folders_form_no_cycle():
    assert find_cycle(TABLE) is None
    assert find_cycle(graph_of((file.split("/")[0], name.split("/")[0]) for file, name in INCLUDES)) is None


def test_headers_form_no_cycle():
    assert find_cycle(graph_of(pair for pair in INCLUDES if pair[0].endswith(".h"))) is None


def test_this_test_sees_what_it_should():
    table = read_table("| folder | may include | x |\n| --- | --- | --- |\n| base | | |\n| kafka | base | |\n"
                       "| store | base, kafka | |\n| web | base, store | |\n\n| other | table |\n")
    assert table == {"base": set(), "kafka": {"base"}, "store": {"base", "kafka"}, "web": {"base", "store"}}
    assert complaints(table, [("kafka/a.c", "base/text.h"), ("web/a.c", "store/store.h")]) == []
    assert complaints(table, [("kafka/a.c", "store/store.h")]) == ["kafka/a.c: kafka may not include store/store.h"]
    assert complaints(table, [("store/a.c", "kafka/x.h")]) == ["store/a.c: adapter store includes kafka/x.h of another"]
    assert complaints(table, [("web/a.c", "store/writer.h")])
    assert complaints(table, [("web/a.c", "writer.h")]) == ['web/a.c: "writer.h" names no folder']
    assert complaints(table, [("base/text.c", "base/log.h")]) == ["base/text.c: base never logs"]
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert find_cycle({"a": {"b", "c"}, "b": {"c"}}) is None
