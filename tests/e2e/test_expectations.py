"""What a response must be, must not be and may take: every key of the sites file against a real server."""
import json
import re
import time
from email.utils import formatdate

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from support.sites import SLOW_S, Answer

PAGE = "<h1>Welcome</h1> Price: 5.00 (net)\n"
JSON = json.dumps({"status": "ok", "queue": {"length": 7}, "nodes": [{"version": "2.1"}], "ready": True, "a/b": None})


def check(websentry, entries, code=0, *flags, **more):
    file = websentry.write("sites.yaml", yaml.safe_dump({"sites": entries, **more}))
    return websentry.run("check", *flags, "--sites", file, code=code)


def reports(done):
    return {report["site"]: report for report in map(json.loads, done.stdout().splitlines())}


def header(name, regexp, **more):
    return {"header": name, "regexp": regexp, **more}


def at(pointer, **test):
    return {"pointer": pointer, **test}


# (keys, reason of the check; "" where it is up) on PAGE, with the header X-Tag twice.
ON_A_PAGE = [
    ({"valid_status_codes": ["200-204"]}, ""),
    ({"valid_status_codes": [404]}, "status_mismatch"),
    ({"valid_http_versions": ["HTTP/1.1"]}, ""),
    ({"valid_http_versions": "HTTP/2.0"}, "version_mismatch"),
    ({"fail_if_ssl": True}, ""),
    ({"fail_if_not_ssl": True}, "tls_mismatch"),
    ({"fail_if_body_not_matches_regexp": ["Wel[a-z]+", "^<h1>"]}, ""),
    ({"fail_if_body_not_matches_regexp": ["welcome"]}, "body_mismatch"),
    ({"fail_if_body_not_matches_regexp": {"regexp": "welcome", "ignore_case": True}}, ""),
    ({"fail_if_body_matches_regexp": "5.00 .net."}, "body_mismatch"),
    ({"fail_if_body_not_contains": "5.00 (net)"}, ""),
    ({"fail_if_body_not_contains": "5x00 (net)"}, "body_mismatch"),
    ({"fail_if_body_contains": ["Goodbye", "5.00 (n"]}, "body_mismatch"),
    ({"fail_if_body_contains": {"text": "PRICE:", "ignore_case": True}}, "body_mismatch"),
    ({"fail_if_body_contains": "PRICE:"}, ""),
    ({"fail_if_body_smaller_than": 35, "fail_if_body_larger_than": 35}, ""),
    ({"fail_if_body_smaller_than": 36}, "size_mismatch"),
    ({"fail_if_body_larger_than": 34}, "size_mismatch"),
    ({"fail_if_header_matches": header("x-tag", "two")}, "header_mismatch"),
    ({"fail_if_header_matches": header("X-Tag", "TWO", ignore_case=True)}, "header_mismatch"),
    ({"fail_if_header_matches": header("X-Tag", "three")}, ""),
    ({"fail_if_header_matches": header("X-None", "a")}, "header_mismatch"),
    ({"fail_if_header_matches": header("X-None", "a", allow_missing=True)}, ""),
    ({"fail_if_header_not_matches": header("X-Tag", "^one$")}, ""),
    ({"fail_if_header_not_matches": header("X-Tag", "^on$")}, "header_mismatch"),
    ({"fail_if_header_not_matches": [header("X-None", "a", allow_missing=True)]}, ""),
    ({"fail_if_header_missing": ["X-Tag", "content-length"]}, ""),
    ({"fail_if_header_missing": "X-None"}, "header_mismatch"),
    ({"fail_if_header_present": "X-None"}, ""),
    ({"fail_if_header_present": "X-Tag"}, "header_mismatch"),
    ({"fail_if_final_url_not_matches": "/page$"}, ""),
    ({"fail_if_final_url_matches": "^http:"}, "url_mismatch"),
    ({"expect_json": at("", exists=True)}, "json_mismatch"),
    ({"fail_if_cert_issuer_not_matches": "a"}, "cert_mismatch"),
    ({"cert_sha256": "00" * 32}, "cert_mismatch"),
    ({"cert_expiry_fail": "1d", "chain_expiry_fail": "1d"}, ""),
    ({"time_limits": {"total": {"fail": "30s"}, "dns": "10s", "connect": "10s", "tls": "1us", "wait": "10s",
                      "transfer": "10s"}}, ""),
    ({"time_limits": {"total": {"fail": "1us"}}}, "too_slow"),
    ({"time_limits": {"wait": {"warn": "1us"}}}, "slow"),
    ({"time_limits": {"wait": {"warn": "1us", "fail": "2us"}}}, "too_slow"),
    ({"max_document_age": {"fail": "1h"}}, "too_stale"),
    ({"invert": True}, "inverted"),
    ({"invert": True, "valid_status_codes": [404]}, ""),
]
ON_JSON = [
    (at("/status", equals="ok"), True),
    (at("/status", equals="OK"), False),
    (at("/status", matches="^o"), True),
    (at("/status", matches="^O", ignore_case=True), True),
    (at("/queue/length", equals=7), True),
    (at("/queue/length", equals=7.0), True),
    (at("/queue/length", equals="7"), False),
    (at("/queue/length", less=8, greater=6), True),
    (at("/queue/length", less=7), False),
    (at("/queue/length", greater=7), False),
    (at("/queue/length", matches="^7$"), True),
    (at("/nodes/0/version", matches="^2[.]"), True),
    (at("/nodes/1/version", matches="^2[.]"), False),
    (at("/nodes/1", exists=False), True),
    (at("/nodes/0", exists=False), False),
    (at("/ready", equals=True), True),
    (at("/ready", equals="true"), False),
    (at("/a~1b", equals=None), True),
    (at("/queue", equals="{}"), False),
    (at("/status", less=5), False),
]


def test_every_expectation_is_met_and_broken(websentry, sites):
    page = sites.site("/page", Answer(body=PAGE, headers={"X-Tag": "one\r\nX-Tag: two"}))
    slow = sites.site("/slow", Answer(body=PAGE, delay_s=SLOW_S))
    data = sites.site("/data", Answer(body=JSON))
    entries = [{"name": f"page {i}", "url": slow.url if "time_limits" in keys else page.url, **keys}
               for i, (keys, _) in enumerate(ON_A_PAGE)]
    entries += [{"name": f"json {i}", "url": data.url, "expect_json": test} for i, (test, _) in enumerate(ON_JSON)]
    found = reports(check(websentry, entries, 2, "--json"))
    wrong = []
    for i, (keys, reason) in enumerate(ON_A_PAGE):
        got = found[f"page {i}"]
        if got["reason"] != (reason or "ok"):
            wrong.append((keys, got["reason"], got.get("message")))
    for i, (test, is_met) in enumerate(ON_JSON):
        got = found[f"json {i}"]
        if got["reason"] != ("ok" if is_met else "json_mismatch"):
            wrong.append((test, got["reason"], got.get("message")))
    assert not wrong


def test_a_header_over_two_lines_is_one(websentry, sites):
    folded = b"HTTP/1.1 200 OK\r\nX-Tag: one\r\n \t two\r\nSet-Cookie: a\r\n\tc4nary\r\nContent-Length: 0\r\n\r\n"
    site = sites.site("/folded", Answer(raw=folded))
    found = reports(check(websentry, [
        {"name": "met", "url": site.url, "fail_if_header_not_matches": header("X-Tag", "^one two$")},
        {"name": "broken", "url": site.url, "fail_if_header_not_matches": header("Set-Cookie", "^none")},
    ], 2, "--json"))
    assert found["met"]["outcome"] == "up"
    assert found["broken"]["evidence"]["headers"].splitlines()[1:3] == ["X-Tag: one two", "Set-Cookie: ***"]
    assert "c4nary" not in json.dumps(found)


def test_every_failure_is_named(websentry, sites):
    site = sites.site("/a", Answer(500, body="Error: none"))
    entry = {"name": "a", "url": site.url, "fail_if_body_not_contains": ["Welcome", "Goodbye"],
             "fail_if_header_missing": "X-None", "expect_json": at("/a", equals=1), "fail_if_body_larger_than": 5,
             "fail_if_not_ssl": True}
    report = reports(check(websentry, [entry], 2, "--json"))["a"]
    reasons = [failure["reason"] for failure in report["failures"]]
    assert sorted(reasons) == sorted(["status_mismatch", "tls_mismatch", "body_mismatch", "body_mismatch",
                                      "header_mismatch", "json_mismatch", "size_mismatch"])
    assert report["message"] == "; ".join(failure["message"] for failure in report["failures"])
    assert report["reason"] == reasons[0] == "status_mismatch"


def test_what_could_not_be_looked_at_is_not_down(websentry, sites):
    long = sites.site("/long", Answer(body='{"a": 1, "b": ' + '"' + "x" * 4000 + '", "c": 3}'))
    cut = sites.site("/cut", Answer(body='{"a": 1, "n": 12345678}'))
    deep = sites.site("/deep", Answer(body="[" * 2000 + "]" * 2000))
    entry = {"url": long.url, "match_bytes": 1000}
    found = reports(check(websentry, [
        {**entry, "name": "before the cut", "expect_json": at("/a", equals=1)},
        {**entry, "name": "before the cut, another", "expect_json": at("/a", equals=2)},
        {**entry, "name": "behind it", "expect_json": at("/c", equals=3)},
        {**entry, "name": "behind it, and down", "expect_json": at("/c", equals=3), "valid_status_codes": [404]},
        {**entry, "name": "unwanted", "fail_if_body_contains": "nothing"},
        {**entry, "name": "unwanted at the end", "fail_if_body_matches_regexp": "x$"},
        {**entry, "name": "wanted at the end", "fail_if_body_not_matches_regexp": "x$"},
        {**entry, "name": "not anywhere", "fail_if_body_matches_regexp": '(?s)^(?!.*"c")'},
        {**entry, "name": "a word", "fail_if_body_not_matches_regexp": r"\bb\b", "pattern": "x$"},
        {"url": cut.url, "match_bytes": 18, "name": "in it", "expect_json": at("/n", less=5000)},
        {"url": deep.url, "name": "too deep", "expect_json": at("/0/0/x", exists=True)},
    ], 2, "--json"))
    assert {name: (report["outcome"], report["reason"]) for name, report in found.items()} == {
        "before the cut": ("up", "ok"),
        "before the cut, another": ("down", "json_mismatch"),
        "behind it": ("unknown", "match_truncated"),
        "behind it, and down": ("down", "status_mismatch"),
        "unwanted": ("unknown", "match_truncated"),
        "unwanted at the end": ("unknown", "match_truncated"),
        "wanted at the end": ("unknown", "match_truncated"),
        "not anywhere": ("unknown", "match_truncated"),
        "a word": ("up", "ok"),
        "in it": ("unknown", "match_truncated"),
        "too deep": ("unknown", "pattern_too_costly"),
    }
    assert "pattern_matched" not in found["a word"]
    assert found["too deep"]["message"].endswith("can't be told: the body's JSON is nested deeper than 512")


def test_a_long_document_is_read_off_the_loop(websentry, sites):
    items = [{"id": i, "name": f"item {i}"} for i in range(5000)]
    site = sites.site("/items", Answer(body=json.dumps(items)))
    found = reports(check(websentry, [{"name": "a", "url": site.url, "match_bytes": "1MiB", "expect_json": [
        at("/4999/name", equals="item 4999"), at("/5000", exists=False)]}], 0, "--json"))
    assert found["a"]["outcome"] == "up"


def test_a_certificate_is_what_it_should_be(websentry, sites, authority):
    site = sites.site("/a")
    certificate = x509.load_pem_x509_certificate(sites._certificate.cert_file.read_bytes())
    sha256 = certificate.fingerprint(hashes.SHA256())
    issuer = certificate.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
    colons = ":".join(f"{byte:02X}" for byte in sha256)
    cases = [
        ({"cert_sha256": sha256.hex()}, "ok"),
        ({"cert_sha256": ["00" * 32, colons]}, "ok"),
        ({"cert_sha256": "00" * 32}, "cert_mismatch"),
        ({"cert_sha256": sha256.hex(), "insecure_skip_verify": True, "ca_file": None}, "ok"),
        ({"fail_if_cert_issuer_not_matches": re.escape(issuer)}, "ok"),
        ({"fail_if_cert_issuer_matches": re.escape(issuer)}, "cert_mismatch"),
        ({"fail_if_cert_issuer_not_matches": "Somebody Else"}, "cert_mismatch"),
        ({"cert_expiry_fail": "3660d"}, "cert_nearly_expired"),
        ({"cert_expiry_warn": "3660d"}, "cert_expiring"),
        ({"chain_expiry_fail": "3660d"}, "cert_nearly_expired"),
        ({"chain_expiry_warn": "3660d"}, "cert_expiring"),
        ({"chain_expiry_warn": "1d", "cert_expiry_warn": "1d"}, "ok"),
        ({"fail_if_ssl": True}, "tls_mismatch"),
        ({"fail_if_not_ssl": True}, "ok"),
    ]
    entries = [{"name": str(i), "url": site.https_url, "ca_file": str(authority.ca_file), **keys}
               for i, (keys, _) in enumerate(cases)]
    found = reports(check(websentry, entries, 2, "--json"))
    assert [(keys, found[str(i)]["reason"]) for i, (keys, _) in enumerate(cases)] == cases


def ago(seconds):
    return formatdate(time.time() - seconds, usegmt=True)


HOUR = 3600
AGES = [
    ({"Last-Modified": 2 * HOUR}, "stale"),
    ({"Last-Modified": 5 * HOUR}, "too_stale"),
    ({"Last-Modified": 60}, "ok"),
    # by the server's own clock
    ({"Last-Modified": 10 * HOUR, "Date": 10 * HOUR - 60}, "ok"),
    ({"Last-Modified": 60, "Date": -10 * HOUR}, "too_stale"),
    ({"Last-Modified": 60, "Date": 0, "Age": "7200"}, "stale"),
    ({"Age": "7200"}, "stale"),
    ({"Age": "60", "Date": 10 * HOUR}, "ok"),
    ({"Date": 5 * HOUR}, "too_stale"),
    ({"Date": 5}, "ok"),
    ({"Date": -5 * HOUR}, "ok"),
    ({"Last-Modified": "yesterday, perhaps", "Age": "7200"}, "stale"),
    ({"Age": "-1"}, "too_stale"),
    ({}, "too_stale"),
]


def test_the_age_of_a_document(websentry, sites):
    entries = []
    for i, (headers, _) in enumerate(AGES):
        said = {name: value if isinstance(value, str) else ago(value) for name, value in headers.items()}
        site = sites.site(f"/{i}", Answer(headers=said))
        entries.append({"name": str(i), "url": site.url, "max_document_age": {"warn": "1h", "fail": "4h"}})
    found = reports(check(websentry, entries, 2, "--json"))
    assert [(headers, found[str(i)]["reason"]) for i, (headers, _) in enumerate(AGES)] == AGES


# --- retries


def test_the_last_attempt_decides(websentry, sites):
    site = sites.site("/a", Answer(500), Answer(503), Answer(200))
    report = reports(check(websentry, [{"name": "a", "url": site.url, "retries": 3, "retry_after": "10ms"}], 0,
                           "--json"))["a"]
    assert (report["outcome"], report["http_status_code"], len(site.requests)) == ("up", 200, 3)
    assert [(attempt["outcome"], attempt["http_status_code"]) for attempt in report["attempts"]] == [
        ("down", 500), ("down", 503), ("up", 200)]
    assert report["attempts"][0]["started_at"] == report["started_at"]
    assert report["attempts"][1]["started_at"] > report["started_at"]
    assert report["attempts"][-1]["total_us"] == report["total_us"]
    assert "message" not in report and "evidence" not in report


def test_retries_end(websentry, sites):
    site = sites.site("/a", Answer(500))
    reset = sites.site("/reset", Answer(reset="request"))
    begun = time.monotonic()
    found = reports(check(websentry, [
        {"name": "a", "url": site.url, "retries": 2, "retry_after": 0},
        {"name": "reset", "url": reset.url, "retries": 1, "retry_after": "100ms"},
        {"name": "undecided", "url": site.url, "retries": 2, "valid_status_codes": [500], "match_bytes": 3,
         "fail_if_body_contains": "no such text"},
    ], 2, "--json"))
    assert (len(found["a"]["attempts"]), found["a"]["reason"]) == (3, "status_mismatch")
    assert [attempt["reason"] for attempt in found["reset"]["attempts"]] == ["connection_lost", "connection_lost"]
    assert time.monotonic() - begun > 0.1
    assert found["undecided"]["outcome"] == "unknown" and "attempts" not in found["undecided"]
    assert len(reset.requests) == 2


def test_a_site_that_is_up_has_one_attempt(websentry, sites):
    site = sites.site("/a")
    assert "attempts" not in reports(check(websentry, [{"name": "a", "url": site.url, "retries": 5}], 0, "--json"))["a"]
    assert len(site.requests) == 1


# --- evidence

CANARY = "c4nary-of-ours"


def test_evidence_of_a_failure(websentry, sites):
    site = sites.site("/a", Answer(500, body="<h1>Oops\x01</h1>\nline two\n" + "x" * 5000, delay_s=SLOW_S,
                                   headers={"X-Shown": "yes", "Set-Cookie": "session=theirs-c4nary"}))
    found = reports(check(websentry, [
        {"name": "default", "url": site.url},
        {"name": "little", "url": site.url, "evidence": 16},
        {"name": "none", "url": site.url, "evidence": 0},
        {"name": "up", "url": site.url, "valid_status_codes": [500]},
        {"name": "slow", "url": site.url, "valid_status_codes": [500], "max_response_time": "1us"},
        {"name": "refused", "url": "http://127.0.0.1:1/"},
    ], 2, "--json"))
    evidence = found["default"]["evidence"]
    assert evidence["headers"].startswith("HTTP/1.1 500 Internal Server Error\n")
    assert "\nX-Shown: yes\n" in evidence["headers"] and "Set-Cookie: ***" in evidence["headers"]
    assert evidence["body"].startswith("<h1>Oops </h1>\nline two\nxxx") and len(evidence["body"]) == 1024
    assert found["little"]["evidence"] == {"headers": "HTTP/1.1 500 Int", "body": "<h1>Oops </h1>\nl"}
    assert "c4nary" not in json.dumps(found)
    assert not [name for name in ("none", "up", "slow", "refused") if "evidence" in found[name]]


def test_evidence_of_half_a_response(websentry, sites):
    site = sites.site("/a", Answer(body="half of it", announced_length=5000))
    report = reports(check(websentry, [{"name": "a", "url": site.url, "timeout": "2s"}], 2, "--json"))["a"]
    assert report["evidence"]["body"] == "half of it"


def test_what_lies_below_a_secret_name_is_secret(websentry, sites):
    page = {"credentials": ["c4nary-1"], "api_key": {"value": "c4nary-2"}, "log": '{"token": "c4nary-3"}',
            "issued": "eyJhbGciOiJub25lIn0.eyJjNG5hcnkiOjR9.", "shown": "yes"}
    text = json.dumps(page)
    site = sites.site("/a", Answer(500, body=text))
    done = check(websentry, [{"name": "a", "url": site.url, "pattern": '"issued": "([^"]*)', "expect_json": [
        at("/credentials/0", equals="x"), at("/api_key/value", matches="^x"), at("/log", equals="x"),
        at("/issued", equals="x"), at("/shown", equals="x")]}], 2, "--json")
    report = reports(done)["a"]
    assert 'the JSON at /credentials/0 is not "x", it is "***"' in report["message"]
    assert 'the JSON at /shown is not "x", it is "yes"' in report["message"]
    assert report["pattern_capture"] == "***"
    assert "c4nary" not in done.stdout() + done.stderr() and "eyJjNG5hcnki" not in done.stdout()
    assert '"shown": "yes"' in report["evidence"]["body"], "what is none is left"


ECHOED = [
    {"bearer_token": CANARY},
    {"basic_auth": {"username": "me", "password": CANARY}},
    {"cookies": {"session": CANARY}},
    {"headers": {"X-Api-Key": CANARY}},
    {"form": {"password": CANARY}},
]


@pytest.mark.parametrize("keys", ECHOED, ids=lambda keys: next(iter(keys)))
def test_a_page_that_repeats_our_secrets_tells_nobody(websentry, sites, keys):
    echo = (f"You sent: {CANARY}, Authorization: Basic bWU6YzRuYXJ5LW9mLW91cnM= and <b>{CANARY}</b>\n"
            + "." * 950 + CANARY)
    site = sites.site("/a", Answer(500, body=echo, headers={"X-Echo": CANARY}))
    entry = {"name": "a", "url": site.url, **keys, "fail_if_header_matches": header("X-Echo", "."),
             "evidence": "1KiB"}
    done = check(websentry, [entry], 2, "--json")
    assert "You sent: ***" in reports(done)["a"]["evidence"]["body"]
    shown = check(websentry, [entry], 2, "--explain", "--log-level", "debug")
    for text in (done.stdout(), done.stderr(), shown.stdout(), shown.stderr()):
        assert CANARY[:8] not in text and "bWU6YzRu" not in text
    assert "the header X-Echo matches" in shown.stdout()


# --- check


def test_explain_says_what_was_found(websentry, sites):
    site = sites.site("/a", Answer(body=JSON, headers={"X-Tag": "one"}))
    entry = {"name": "a", "url": site.url, "fail_if_body_contains": "Error", "expect_json": at("/queue/length", less=5),
             "fail_if_header_missing": "X-Tag", "time_limits": {"dns": "30s"}, "fail_if_ssl": True}
    done = check(websentry, [entry], 2, "--explain")
    text = re.sub(r"\s+", " ", done.stdout())
    for line in ("valid_status_codes: status 200, expected 200-299",
                 "fail_if_ssl: the response came without TLS, expected none",
                 'fail_if_body_contains: the body does not contain "Error"',
                 'expect_json: the JSON at /queue/length is not less than 5, it is 7',
                 'fail_if_header_missing: the header X-Tag is there, it is "one"', "time_limits: dns took"):
        assert line in text
    assert "HTTP/1.1 200 OK" in text  # the evidence
    assert "expect_json:" not in check(websentry, [entry], 2).stdout()
    refused = check(websentry, [{"name": "a", "url": "http://127.0.0.1:1/"}], 2, "--explain")
    assert "nothing was looked at" in refused.stdout()


def test_attempts_are_shown(websentry, sites):
    site = sites.site("/a", Answer(500), Answer(200))
    text = check(websentry, [{"name": "a", "url": site.url, "retries": 1, "retry_after": 0}]).stdout()
    assert re.search(r"attempts .*ms: status 500, expected 200-299\n", text)
