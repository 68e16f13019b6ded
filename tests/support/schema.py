"""The JSON Schema of a report, and a validator that also checks the formats (date-time, uuid)."""
import json

from jsonschema import Draft202012Validator

from support.processes import ROOT

PATH = ROOT / "schema/report.schema.json"


def validator():
    schema = json.loads(PATH.read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def assert_valid(message):
    """message: the bytes of a Kafka record. Returns the report as a dict."""
    report = json.loads(message)
    problems = [f"{'/'.join(map(str, error.absolute_path)) or 'report'}: {error.message}"
                for error in validator().iter_errors(report)]
    assert not problems, "\n".join(problems) + f"\n{message!r}"
    return report
