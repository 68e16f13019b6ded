"""House rules that no compiler checks: small files, no calls that invite overflows, nothing for later or unnamed."""
import fnmatch
import re
import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*(ROOT / "src").rglob("*.c"), *(ROOT / "src").rglob("*.h")])

LINES_MAX = 600
LINES_MEDIAN = 250

# They write without a bound, keep hidden state, turn garbage into 0, or wait by a clock that people set.
BANNED = ("strcpy", "strcat", "stpcpy", "sprintf", "vsprintf", "gets", "strtok", "atoi", "atol", "atoll", "atof",
          "tmpnam", "mktemp", "asctime", "ctime", "gmtime", "localtime", "strerror", "alloca", "system", "popen",
          "gethostbyname", "rand", "srand", "setjmp", "longjmp", "pthread_timedjoin_np")


def code_of(path):
    """The text with comments and strings blanked; line numbers stay."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda found: re.sub(r"[^\n]", " ", found[0]), path.read_text(), flags=re.DOTALL)


def find(pattern, text_of):
    """["file:line: text"] of every hit in src/."""
    found = []
    for path in FILES:
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if re.search(pattern, line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    return found


def lines_of(path):
    return len(path.read_text().splitlines())


def test_files_are_small():
    """Whatever it is written in: styles and scripts of the page too, and tests. The median is of the program alone."""
    everything = [path for path in (ROOT / "src").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    everything += [path for folder in ("tests", "bench", "demo") for path in (ROOT / folder).rglob("*")
                   if path.suffix in (".c", ".h", ".inc", ".py")]
    assert {path.relative_to(ROOT).as_posix() for path in everything if lines_of(path) > LINES_MAX} == set()
    assert statistics.median(lines_of(path) for path in FILES) < LINES_MEDIAN


def test_no_banned_call():
    assert find(rf"(?<![\w.>])({'|'.join(BANNED)})\s*\(", code_of) == []


def test_nothing_is_left_for_later():
    assert find(r"\b(TODO|FIXME|XXX|HACK)\b", Path.read_text) == []


def test_headers_have_guards_named_after_them():
    for path in FILES:
        if path.suffix == ".h":
            guard = "WEBSENTRY_" + re.sub(r"\W", "_", path.relative_to(ROOT / "src").as_posix()).upper()
            assert f"#ifndef {guard}\n#define {guard}\n" in path.read_text(), path


# How THIRD_PARTY.md and ARCHITECTURE.md write what meson.build asks for by other names.
LIBRARIES = {"libcares": "c-ares", "openssl": "OpenSSL", "rdkafka": "librdkafka", "sqlite3": "SQLite",
             "libbrotlidec": "brotli", "libzstd": "zstd", "libpcre2-8": "PCRE2", "yaml-0.1": "libyaml"}


def test_every_library_that_is_linked_is_listed():
    asked = set(re.findall(r"dependency\('([^']+)'", (ROOT / "meson.build").read_text())) - {"threads", "cmocka"}
    for page in ("THIRD_PARTY.md", "ARCHITECTURE.md"):
        rows = " ".join(re.findall(r"^\| ([^|]+) \|", (ROOT / page).read_text(), re.MULTILINE))
        assert {name for name in asked if not re.search(rf"\b{LIBRARIES.get(name, name)}\b", rows)} == set(), page


def test_the_map_names_every_file():
    """ARCHITECTURE.md has a paragraph for each folder, which names what lies there and nothing else."""
    document = (ROOT / "ARCHITECTURE.md").read_text()
    section = re.search(r"^## The files of each folder\n(.*?)^## ", document, re.DOTALL | re.MULTILINE)
    named = {folder: set(re.findall(r"`([a-z0-9_*]+)(?:\.[ch])?`", text))
             for folder, text in re.findall(r"^\*\*(\w+)\*\* — (.*?)\n\n", section[1], re.DOTALL | re.MULTILINE)}
    there = {}
    for path in FILES:
        there.setdefault(path.parent.name, set()).add(path.stem)
    assert named.keys() == there.keys()
    for folder, stems in there.items():
        patterns = named[folder]
        assert {stem for stem in stems if not any(fnmatch.fnmatch(stem, name) for name in patterns)} == set(), folder
        assert {name for name in patterns if not fnmatch.filter(stems, name)} == set(), folder
