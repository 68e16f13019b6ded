"""docs/operations.md has a row for every event of level warn and error that the program can log, and for no other."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "operations.md").read_text()

_LITERAL = r'"(?:[^"\\]|\\.)*"'


def calls(text):
    """The arguments of each log_event(…) and log_write(…), split at the outermost commas."""
    for found in re.finditer(r"\blog_(?:event|write)\(", text):
        depth, start, arguments, at = 1, found.end(), [], found.end()
        while depth > 0:
            literal = re.match(_LITERAL, text[at:])
            if literal:
                at += literal.end()
                continue
            character = text[at]
            depth += (character in "([{") - (character in ")]}")
            if depth == 0 or (depth == 1 and character == ","):
                arguments.append(text[start:at].strip())
                start = at + 1
            at += 1
        yield arguments


def literals(expression):
    """The texts of an expression, adjacent literals joined."""
    joined = re.findall(rf"{_LITERAL}(?:\s*{_LITERAL})*", expression)
    return ["".join(part[1:-1] for part in re.findall(_LITERAL, one)).replace('\\"', '"') for one in joined]


def events_of(arguments):
    """What a call may log as warn or error; None stands for a text that is made at run time."""
    level, event = arguments[0], arguments[1]
    if "LOG_WARN" not in level and "LOG_ERROR" not in level and re.fullmatch(r"LOG_[A-Z]+", level):
        return []
    found = literals(event)
    choice = re.fullmatch(r"(\w+) \? LOG_(?:INFO|DEBUG) : LOG_WARN", " ".join(level.split()))
    if choice:  # the first of the texts belongs to the level that is none of ours
        assert event.startswith(choice[1]), f"can't tell which of {event} goes with {level}"
        found = found[1:]
    return found or [None]


def written_by_hand():
    """The two lines of src/base, which can't log as others do."""
    log, memory = ((ROOT / "src" / "base" / name).read_text() for name in ("log.c", "memory.c"))
    lost = re.search(r'"%s warn (.*?) count=%lld', log)
    out = re.search(r'"error (.*?)\\n"', memory)
    return [lost[1], out[1]]


def logged():
    """{event: files} of src/; None: texts that are made at run time."""
    found = {event: {"src/base"} for event in written_by_hand()}
    for path in sorted((ROOT / "src").rglob("*.c")):
        if path.parent.name == "base":
            continue
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        for arguments in calls(text):
            for event in events_of(arguments):
                found.setdefault(event, set()).add(path.relative_to(ROOT).as_posix())
    return found


def documented():
    """The events in the first column of the tables under 'What the lines … mean'."""
    section = DOCUMENT.split("## What the lines of level warn and error mean", 1)[1].split("\n## ", 1)[0]
    first_column = re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE)
    return [event for cell in first_column for event in re.findall(r"`([^`]+)`", cell)]


def test_every_warning_and_error_has_its_row():
    missing = {event: files for event, files in logged().items() if event is not None and event not in documented()}
    assert missing == {}, "docs/operations.md must say what these mean and what to do"


def details():
    """{event: (levels of warn and error that it is logged with, fields)}"""
    found = {}
    for path in sorted((ROOT / "src").rglob("*.c")):
        if path.parent.name != "base":
            for arguments in calls(re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)):
                for event in filter(None, events_of(arguments)):
                    levels, fields = found.setdefault(event, (set(), set()))
                    levels.update(word.lower() for word in re.findall(r"LOG_(WARN|ERROR)", arguments[0]))
                    fields.update(re.findall(r'LOG_\w+\(\s*"(\w+)"', ",".join(arguments[2:])))
    return found


def test_every_row_has_the_levels_and_fields_of_its_event():
    section = DOCUMENT.split("## What the lines of level warn and error mean", 1)[1].split("\n## ", 1)[0]
    rows = {event: (set(level.split(", ")), words) for event, level, words in
            re.findall(r"^\| `(.*?)` \| (.*?) \| (.*) \|$", section, re.M)}
    wrong = []
    for event, (levels, fields) in details().items():
        told, words = rows[event]
        named = {name for found in re.findall(r"`(\w+)`(?: and `(\w+)`)? says?\b", words) for name in found if name}
        if told != levels or not named <= fields:
            wrong.append((event, levels, fields, told, named))
    assert wrong == []


def test_no_row_is_of_an_event_that_does_not_exist():
    assert set(documented()) - set(logged()) == set()
    assert len(documented()) == len(set(documented()))


def test_every_row_says_what_to_do():
    section = DOCUMENT.split("## What the lines of level warn and error mean", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert rows
    for row in rows:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        assert len(cells) == 4 and all(cells), row
        assert cells[1] in ("warn", "error", "warn, error"), row


def test_texts_made_at_run_time_are_errors_that_end_the_command():
    """They tell of settings, files and servers in their own words. Anything else must have a name to be found by."""
    commands = {"src/app/" + name for name in (path.name for path in (ROOT / "src" / "app").glob("*.c"))}
    assert logged().get(None, set()) <= commands
