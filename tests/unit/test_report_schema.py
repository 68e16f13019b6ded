"""schema/report.schema.json and docs/report.md say what the code does: fields, bounds, reasons, and real messages."""
import json
import re
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "schema/report.schema.json").read_text())
DOCUMENT = (ROOT / "docs/report.md").read_text()
FIELDS_SOURCE = (ROOT / "src/codec/report_fields.c").read_text()
INT64_MAX = 2**63 - 1
TYPES = {"UUID": "string", "INT": "integer", "BOOL": "boolean", "TEXT": "string", "TIME": "string",
         "OUTCOME": "string", "LIST": "array", "OBJECT": "object"}
WORDS = {"UUID": "uuid", "INT": "integer", "BOOL": "boolean", "TEXT": "text", "TIME": "time",
         "OUTCOME": "text", "LIST": "list", "OBJECT": "object"}
CONSTANTS = {"SITE_NAME_MAX": 512, "URL_MAX": 8192, "REPORT_HOST_MAX": 255, "REPORT_LOCATION_MAX": 255,
             "INT64_MAX": INT64_MAX}


def read_table(header, pattern):
    """The rows of a table in a header; one that goes on in the next line, even within a text, is one row."""
    text = re.sub(r"\s*\\\n\s*", " ", (ROOT / header).read_text())
    return re.findall(pattern, text.replace('" "', ""))


FIELDS = read_table("src/check/report_row.h", r"X\((\w+), ([A-Z]+), (true|false)\)")
REASONS = read_table("src/check/outcome.h", r'X\(\w+, "(\w+)", OUTCOME_(\w+), "([^"]+)"\)')
PROBLEMS = read_table("src/codec/report_decode.h", r'X\(\w+, "(\w+)", +"([^"]+)"\)')


def resolve(schema):
    if "$ref" in schema:
        target = SCHEMA
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return {**resolve(target), **{k: v for k, v in schema.items() if k != "$ref"}}
    return schema


def read_value(text):
    return CONSTANTS[text] if text in CONSTANTS else int(text)


def read_rules():
    """{field: (min, max)} of the fields that have bounds of their own."""
    found = re.findall(r"\[REPORT_FIELD_(\w+)\] = \{\.min = (\w+), \.max = (\w+)\}", FIELDS_SOURCE)
    return {name: (read_value(low), read_value(high)) for name, low, high in found}


def read_members(name):
    """[(member, type, required, min, max)] of a list or object."""
    body = re.search(rf"{name}_members\[\] = \{{(.*?)\n\}};", FIELDS_SOURCE, re.DOTALL).group(1)
    return re.findall(r'\{"(\w+)", FIELD_(\w+), (true|false), (\w+), (\w+)\}', body)


def test_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["additionalProperties"] is True


def test_fields_are_those_of_the_row():
    assert len(FIELDS) == 44
    expected = [name for name, _, _ in FIELDS]
    expected.insert(expected.index("seq") + 1, "prev")
    assert list(SCHEMA["properties"]) == expected
    assert SCHEMA["required"] == [name for name, _, required in FIELDS if required == "true"]


@pytest.mark.parametrize("name, kind", [(name, kind) for name, kind, _ in FIELDS])
def test_type_and_bounds_are_those_of_the_decoder(name, kind):
    schema = resolve(SCHEMA["properties"][name])
    low, high = read_rules().get(name, (0, None))
    assert schema["type"] == TYPES[kind]
    assert schema["description"]
    if name == "v":
        assert schema["const"] == 1
    elif kind == "INT":
        assert (schema["minimum"], schema["maximum"]) == (low, high or INT64_MAX)
    elif kind == "TEXT" and name != "reason":
        assert (schema.get("minLength", 0), schema.get("maxLength")) == (low, high)


@pytest.mark.parametrize("name, list_name", [("redirect", "redirects"), ("failure", "failures"),
                                             ("attempt", "attempts"), ("evidence", "evidence"),
                                             ("round", "round")])
def test_members_are_those_of_the_decoder(name, list_name):
    schema = SCHEMA["properties"][list_name]
    if schema["type"] == "array":
        assert schema["maxItems"] == 100
        schema = schema["items"]
    members = read_members(name)
    assert list(schema["properties"]) == [member[0] for member in members]
    assert schema.get("required", []) == [member[0] for member in members if member[2] == "true"]
    for member, kind, _, low, high in members:
        inner = resolve(schema["properties"][member])
        assert inner["type"] == TYPES[kind], member
        if kind == "INT":
            assert (inner["minimum"], inner["maximum"]) == (read_value(low), read_value(high)), member
        elif kind == "TEXT" and "enum" not in inner and high != "TEXT_ANY":
            assert (inner.get("minLength", 0), inner["maxLength"]) == (read_value(low), read_value(high)), member


def test_reasons_are_those_of_the_table():
    assert len(REASONS) > 20
    assert SCHEMA["$defs"]["reason"]["enum"] == [word for word, _, _ in REASONS]
    assert sorted(SCHEMA["$defs"]["outcome"]["enum"]) == ["degraded", "down", "unknown", "up"]


def test_document_has_a_row_for_each_field():
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (always|when known) \|", DOCUMENT, re.MULTILINE)
    expected = [(name, WORDS[kind], "always" if required == "true" else "when known") for name, kind,
                required in FIELDS]
    expected.insert(3, ("prev", "object", "when known"))
    assert rows == expected


def test_document_has_a_row_for_each_reason_and_problem():
    for word, outcome, text in REASONS:
        assert f"| `{word}` | {outcome.lower()} | {text} |" in DOCUMENT
    for word, text in PROBLEMS:
        assert f"| `{word}` | {text} |" in DOCUMENT


def example():
    return json.loads(re.search(r"```json\n(.*?)```", DOCUMENT, re.DOTALL).group(1))


def test_example_of_the_document_is_valid():
    validator = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    validator.validate(example())


@pytest.mark.parametrize("change", [
    {"v": 2}, {"seq": -1}, {"seq": "1"}, {"seq": 1.5}, {"producer_id": "x"}, {"site": ""}, {"site": "x" * 513},
    {"outcome": "fine"}, {"reason": "because"}, {"started_at": "yesterday"}, {"total_us": -1}, {"total_us": None},
    {"suspect": "true"}, {"redirects": {}}, {"redirects": [{}]}, {"redirects": [{"url": "u", "dns_us": -1}]},
    {"failures": [{"message": "m"}]}, {"labels": {"a": 1}}, {"evidence": {"body": []}}, {"prev": {}},
    {"round": {"address": "192.0.2.1", "addresses": 2, "needed": 2, "up": 2}}, {"round": []},
    {"http_status_code": 1000}, {"interval_us": 0}, {"total_us": 2**63},
])
def test_bad_messages_are_not_valid(change):
    message = {**example(), **change}
    assert not jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).is_valid(message)


def test_every_required_field_is_required():
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for name in SCHEMA["required"]:
        message = example()
        del message[name]
        assert not validator.is_valid(message), name


def test_unknown_fields_are_valid():
    jsonschema.Draft202012Validator(SCHEMA).validate({**example(), "new": {"a": [1]}})
