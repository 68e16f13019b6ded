"""The output of a monitoring plugin, read by the grammar of the guidelines and nothing more lenient.

https://www.monitoring-plugins.org/doc/guidelines.html: "Plugin Output for Nagios", "Threshold and Ranges" and
"Performance data":

    output    = state " - " text [ " | " perfdata ]          one line
    perfdata  = item *( " " item )
    item      = label "=" value [uom] [ ";" [range] [ ";" [range] [ ";" [number] [ ";" [number] ] ] ] ]
    label     = 1*( any but space, quote, "=" and "|" )  or  "'" 1*( any but quote, "=" and "|", or "''" ) "'"
    value     = number | "U"                                  number: of the class [-0-9.]
    uom       = "s" | "us" | "ms" | "%" | "B" | "KB" | "MB" | "GB" | "TB" | "c"
    range     = ["@"] [ ( "~" | number ) ":" ] [ number ]     start <= end; a bare number is 0 to it
"""
import re
from dataclasses import dataclass
from math import inf

NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
STATES = {"OK": 0, "WARNING": 1, "CRITICAL": 2, "UNKNOWN": 3}
_LABEL = re.compile(r"'((?:[^'=|]|'')+)'|([^\s'=|]+)")
_VALUE = re.compile(rf"(?:({NUMBER})(s|us|ms|%|B|KB|MB|GB|TB|c)?|U)")
_RANGE = re.compile(rf"(@)?(?:(~|{NUMBER}):)?({NUMBER})?")


@dataclass(frozen=True)
class Range:
    start: float
    end: float
    is_inside: bool

    def alerts(self, value):
        return (self.start <= value <= self.end) == self.is_inside


@dataclass(frozen=True)
class Item:
    value: float | None  # None: U
    uom: str
    warn: Range | None
    crit: Range | None
    min: float | None
    max: float | None


@dataclass(frozen=True)
class Output:
    state: str
    text: str
    items: dict


def parse_range(text):
    if text == "":
        return None
    match = _RANGE.fullmatch(text)
    assert match, f"no range: {text!r}"
    inside, start, end = match.groups()
    assert start is not None or end is not None, f"an empty range: {text!r}"
    found = Range(-inf if start == "~" else float(start or 0), inf if end is None else float(end), bool(inside))
    assert found.start <= found.end, f"start is beyond end: {text!r}"
    return found


def parse_number(text):
    if text == "":
        return None
    assert re.fullmatch(NUMBER, text), f"no number: {text!r}"
    return float(text)


def parse_item(text):
    value, *rest = text.split(";")
    assert len(rest) <= 4, f"more than warn, crit, min and max: {text!r}"
    match = _VALUE.fullmatch(value)
    assert match, f"neither value nor U: {value!r}"
    warn, crit, least, most = rest + [""] * (4 - len(rest))
    return Item(None if match[1] is None else float(match[1]), match[2] or "", parse_range(warn), parse_range(crit),
                parse_number(least), parse_number(most))


def parse_perfdata(text):
    items = {}
    at = 0
    while True:
        label = _LABEL.match(text, at)
        assert label and text[label.end():label.end() + 1] == "=", f"no label= at {at} of {text!r}"
        end = text.find(" ", label.end())
        end = len(text) if end < 0 else end
        name = label[2] or label[1].replace("''", "'")
        assert name not in items, f"{name!r} is there twice"
        items[name] = parse_item(text[label.end() + 1:end])
        if end == len(text):
            return items
        at = end + 1


def parse(output):
    """All that a plugin printed, which is one line. AssertionError where it breaks the grammar."""
    assert output.endswith("\n") and output.count("\n") == 1, f"not one line: {output!r}"
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", output), f"control characters: {output!r}"
    assert output.count("|") <= 1, f"more than one |: {output!r}"
    said, bar, perfdata = output[:-1].partition(" | ")
    assert bar or "|" not in output, f"| without blanks: {output!r}"
    state, dash, text = said.partition(" - ")
    assert state in STATES and dash and text.strip(), f"no state and text: {said!r}"
    return Output(state, text, parse_perfdata(perfdata) if bar else {})
