"""From the sites file to the wire: what a site asks for arrives, and its secrets are seen nowhere else."""
import base64
import json
import re

import pytest
import yaml
from jsonschema import Draft7Validator
from support.processes import ROOT
from support.sites import Answer

SECRET = "s3same-canary"


def check(websentry, entries, code=0, **more):
    file = websentry.write("sites.yaml", yaml.safe_dump({"sites": entries, **more}))
    return websentry.run("check", "--json", "--log-level", "debug", "--sites", file, code=code)


def reports(done):
    return {report["site"]: report for report in map(json.loads, done.stdout().splitlines())}


def test_what_a_site_asks_for_arrives(websentry, sites, authority):
    shop, api, upload = sites.site("/shop"), sites.site("/api"), sites.site("/upload")
    token = websentry.write("token.txt", SECRET + "\n")
    body = websentry.folder / "order.bin"
    body.write_bytes(b"\x00\xff\r\n")
    done = check(websentry, [
        {"name": "shop", "url": shop.url, "form": {"q": "a b", "tag": ["x", "y"]}, "cookies": {"lang": "en"},
         "user_agent": "probe/1"},
        {"name": "api", "url": api.https_url, "method": "M-SEARCH", "bearer_token_file": str(token),
         "compression": False, "tls_config": {"ca_file": str(authority.ca_file), "max_version": "TLS12"}},
        {"name": "upload", "url": f"http://inside.test:{sites.port}/upload", "method": "put", "body_file": str(body),
         "basic_auth": {"username": "me", "password": SECRET}, "resolve": {"inside.test": "127.0.0.1"}},
    ], defaults={"headers": {"X-Team": "web"}, "source_address": "127.0.0.1"})
    [request] = shop.requests
    assert (request.method, request.body) == ("POST", b"q=a+b&tag=x&tag=y")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (request.headers["cookie"], request.headers["user-agent"]) == ("lang=en", "probe/1")
    [request] = api.requests
    assert request.method == "M-SEARCH" and request.headers["authorization"] == f"Bearer {SECRET}"
    assert "accept-encoding" not in request.headers
    [request] = upload.requests
    assert (request.method, request.body) == ("PUT", b"\x00\xff\r\n")
    assert request.headers["host"] == f"inside.test:{sites.port}"
    assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")) == f"me:{SECRET}".encode()
    assert all(site.requests[0].headers["x-team"] == "web" for site in (shop, api, upload))
    assert reports(done)["api"]["tls_version"] == "1.2"
    assert {report["outcome"] for report in reports(done).values()} == {"up"}
    assert SECRET not in done.stdout() + done.stderr()


def test_cookies_of_redirects_come_along(websentry, sites):
    """Of the first hop, with the site's own, to all below the same host; the next check begins anew."""
    elsewhere = sites.site("/elsewhere")
    done, last, first = sites.site("/shop/done"), sites.site("/shop/last"), sites.site("/shop")
    cookies = "visit=7; Path=/shop\r\nSet-Cookie: s=new; Path=/"
    first.answers(Answer(302, location=done.url, headers={"Set-Cookie": cookies}))
    done.answers(Answer(302, location=last.url, headers={"Set-Cookie": "visit=; Path=/shop; Max-Age=0"}))
    last.answers(Answer(302, location=elsewhere.url.replace("127.0.0.1", "localhost")))
    entry = {"name": "a", "url": first.url, "cookies": {"s": SECRET, "lang": "en"}}
    for _ in range(2):
        assert reports(check(websentry, [entry]))["a"]["outcome"] == "up"
    sent = [site.requests[1].headers.get("cookie") for site in (first, done, last, elsewhere)]
    assert sent == [f"lang=en; s={SECRET}", "lang=en; visit=7; s=new", "lang=en; s=new", None]
    shown = check(websentry, [entry]).stdout() + websentry.run("check", "-v", first.url).stderr()
    assert SECRET not in shown and "visit=7" not in shown and "> Cookie: ***" in shown


def test_what_a_login_gave_is_hidden_wherever_a_page_repeats_it(websentry, sites):
    """In evidence, captures, what an expectation found, URLs and heads; as the site's own cookies are."""
    token = "l0gin-canary-55"
    login, page = sites.site("/login"), sites.site("/page")
    login.answers(Answer(302, location=f"{page.url}?from={token}", headers={"Set-Cookie": f"visit={token}; Path=/"}))
    page.answers(Answer(500, body=json.dumps({"seen": f"you are {token}!"}), headers={"X-Seen": f"it is {token}"}))
    entry = {"name": "a", "url": login.url, "form": {"user": "me"}, "pattern": "you are (.*)!",
             "fail_if_header_matches": {"header": "X-Seen", "regexp": "it"},
             "expect_json": {"pointer": "/seen", "equals": "me"}, "fail_if_final_url_matches": "page"}
    file = websentry.write("sites.yaml", yaml.safe_dump([entry]))
    report = reports(websentry.run("check", "--json", "--sites", file, code=2))["a"]
    assert len(report["failures"]) == 4 and "you are ***!" in report["evidence"]["body"]
    assert report["pattern_capture"] == "***" and "X-Seen: it is ***" in report["evidence"]["headers"]
    assert page.requests[-1].headers["cookie"] == f"visit={token}"
    done = websentry.run("check", "--explain", "-v", "--sites", file, code=2)
    assert token not in json.dumps(report) + done.stdout() + done.stderr()


# Where a secret may stand, and a URL that sends it off to another origin.
SECRETS = {
    "basic_auth": {"basic_auth": {"username": "me", "password": SECRET}},
    "authorization": {"authorization": {"type": "Key", "credentials": SECRET}},
    "bearer_token": {"bearer_token": SECRET},
    "cookies": {"cookies": {"session": SECRET}},
    "headers": {"headers": {"X-Api-Key": SECRET, "X-Auth-Token": SECRET}},
}


@pytest.mark.parametrize("key", SECRETS)
def test_secrets_leave_neither_the_origin_nor_the_prober(websentry, sites, key):
    end = sites.site("/end", Answer(500))
    # another name is another origin
    start = sites.site("/start", Answer(location=f"http://away.test:{sites.port}/end"))
    entry = {"name": "a", "url": start.url, "resolve": {"away.test": "127.0.0.1"}, **SECRETS[key]}
    done = check(websentry, [entry], code=2)
    encoded = base64.b64encode(f"me:{SECRET}".encode()).decode()
    sent = [(request.target, str(request.headers)) for request in start.requests + end.requests]
    assert [target for target, _ in sent] == ["/start", "/end"]
    assert SECRET in sent[0][1] or encoded in sent[0][1]
    for text in (sent[1][1], done.stdout(), done.stderr()):
        assert SECRET not in text and encoded not in text


def test_a_body_with_a_password_stays_within_its_origin(websentry, sites):
    end = sites.site("/end")
    start = sites.site("/start", Answer(307, location=f"http://away.test:{sites.port}/end"))
    entry = {"name": "a", "url": start.url, "resolve": {"away.test": "127.0.0.1"}}
    done = check(websentry, [{**entry, "form": {"user": "me", "password": SECRET}}], code=2)
    assert (reports(done)["a"]["reason"], end.requests) == ("redirect_invalid", [])
    assert SECRET.encode() in start.requests[0].body and SECRET not in done.stdout() + done.stderr()
    login = {"method": "POST", "body": json.dumps({"user": "me", "password": SECRET})}
    done = check(websentry, [{**entry, **login}], code=2)
    assert (reports(done)["a"]["reason"], end.requests) == ("redirect_invalid", [])
    assert SECRET not in done.stdout() + done.stderr()
    check(websentry, [{**entry, "form": {"q": "anything"}}])
    assert [request.body for request in end.requests] == [b"q=anything"]


def test_certificates_are_looked_at_before_anything_starts(websentry, authority):
    key = websentry.write("key.pem", f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n")
    text = "\n".join(["sites:", "- url: https://a/", "  tls_config:", f"    ca_file: {key}",
                      f"    cert_file: {authority.ca_file}", f"    key_file: {authority.ca_file}"])
    done = websentry.run("config", "check", "--sites", websentry.write("bad.yaml", text), code=2)
    lines = [line.partition("bad.yaml:")[2] for line in done.stderr().splitlines() if "bad.yaml:" in line]
    assert [line.partition(" ")[0] for line in lines] == ["4:14:", "6:15:"], done.stderr()
    assert lines[0].endswith("expected certificates (PEM)")
    assert lines[1].endswith("found a certificate, expected a private key (PEM)")
    assert SECRET not in done.stderr() + done.stdout()


def test_check_takes_every_key_by_hand(websentry, sites):
    site = sites.site("/a")
    done = websentry.run("check", f"http://inside.test:{sites.port}/a", "--set", "resolve={inside.test: 127.0.0.1}",
                         "--set=form={q: a b}", "--set", f"bearer_token={SECRET}", "--log-level", "debug")
    [request] = site.requests
    assert (request.method, request.body, request.headers["authorization"]) == ("POST", b"q=a+b", f"Bearer {SECRET}")
    assert SECRET not in done.stdout() + done.stderr()


def test_complaints_show_no_secret(websentry):
    text = "\n".join([
        "sites:",
        "- url: http://a/",
        f"  basic_auth: {{username: me, password: {SECRET}, pasword: {SECRET}}}",
        f"  bearer_token: {SECRET}",
        f"  proxy: 'me:{SECRET}@proxy:3128'",
        f"  cookies: {{a: '{SECRET}; b'}}",
        f"  headers: {{X-Api-Key: \"{SECRET}\\r\\nX: y\"}}",
    ])
    done = websentry.run("config", "check", "--sites", websentry.write("bad.yaml", text), code=2)
    lines = [line for line in done.stderr().splitlines() if "bad.yaml:" in line]
    assert len(lines) == 5, done.stderr()
    assert SECRET not in done.stderr() + done.stdout()


# --- schema/sites.schema.json


def schema():
    found = json.loads((ROOT / "schema/sites.schema.json").read_text())
    Draft7Validator.check_schema(found)
    return Draft7Validator(found, format_checker=Draft7Validator.FORMAT_CHECKER)


def documented_examples():
    """(key, value) of each example in the table of docs/sites.md."""
    for key, cell in re.findall(r"^\| `(\w+)` \| (.*?) \|", (ROOT / "docs/sites.md").read_text(), re.M):
        for example in re.findall(r"`([^`]+)`", cell):
            yield key, yaml.safe_load(f"[{{{key}: {example}}}]")[0][key]


def test_schema_takes_what_is_documented():
    judge = schema()
    examples = list(documented_examples())
    assert len(examples) > 40
    for key, value in examples:
        problems = [error.message for error in judge.iter_errors([{"url": "https://a/", key: value}])]
        assert not problems, (key, value, problems)
    text = (ROOT / "docs/sites.md").read_text()
    for document in (re.search(r"```yaml\n(.*?)```", text, re.S)[1], (ROOT / "configs/sites.yaml").read_text()):
        judge.validate(yaml.safe_load(document))


BAD = (
    {"method": "GET /"}, {"method": "A\r\nB"}, {"headers": {"a b": "c"}}, {"headers": {"a": []}}, {"form": "a=b"},
    {"basic_auth": {"user": "me"}}, {"http_version": 3}, {"compression": "zip"}, {"ip_protocol": 5},
    {"resolve": {"a": "b"}}, {"proxy": "socks4://p/"}, {"proxy": "http://p/x"}, {"tls_config": {"min_version": "SSL3"}},
    {"max_redirects": 21}, {"intervall": "5s"}, {"dns_servers": []}, {"dns_servers": "dns.test"},
    {"source_address": "eth0"}, {"labels": {"a-b": 1}}, {"follow_redirects": "maybe"}, {"interval": "soon"},
    {"valid_status_codes": [99]})


@pytest.mark.parametrize("entry", BAD, ids=str)
def test_schema_refuses_what_the_parser_refuses(websentry, entry):
    entries = [{"url": "http://a/", **entry}]
    assert not schema().is_valid(entries)
    websentry.run("config", "check", "--sites", websentry.write("bad.yaml", yaml.safe_dump(entries)), code=2)
