"""schema/sites.schema.json and the program agree: what a site may say is taken by both or refused by both, but for what
only the program can know. Each row is the keys of a site, spelled as in a file."""
import json
import re

import pytest
import yaml
from jsonschema import Draft7Validator
from support.processes import ROOT

# Taken by both.
TAKEN = r"""
name: 5
name: true
url: http://a/, name: ~
match_bytes: 1kb
match_bytes: 1.5KiB
match_bytes: 1 KiB
match_bytes: 64KB
match_bytes: 64kib
match_bytes: 1MB
match_bytes: 1024.0
match_bytes: "1024"
match_bytes: 1B
fail_if_body_larger_than: 0
fail_if_body_larger_than: "0"
interval: .5s
interval: 0.5s
interval: 1.s
interval: 90
interval: 90.5
interval: "90"
interval: "1m 30s"
interval: 1m30s
interval: 1M
interval: 30S
interval: 1d12h
interval: 1s1s
interval: {minutes: 1}
interval: {minutes: "1"}
interval: {minutes: 1.5}
retries: "2"
retries: 02
max_redirects: "3"
addresses: all, addresses_needed: "2"
addresses: ALL
valid_status_codes: 200
valid_status_codes: "200"
valid_status_codes: [200, "300-302", 404]
valid_status_codes: 200-299
valid_http_versions: HTTP/1.1
valid_http_versions: http/1.1
valid_http_versions: 2
valid_http_versions: 2.0
valid_http_versions: [HTTP/1.1, 2]
follow_redirects: yes
follow_redirects: "yes"
follow_redirects: TRUE
compression: GZIP
compression: gzip, name: a
compression: true
compression: Yes
http_version: 2
http_version: "2"
http_version: 2.0
http_version: 1.1
http_version: AUTO
ip_protocol: 4
ip_protocol: "6"
ip_protocol: IP4
ip_protocol: IPv4
ip_protocol: ANY
allow_private: true
allow_private: yes
allow_private: "true"
allow_private: "yes"
allow_private: OWN
deny_cidrs: 10.0.0.0/8
deny_cidrs: 10.0.0.0/8 192.0.2.1
tls_config: {min_version: tls12}
tls_config: {min_version: TLS12}
tls_config: {min_version: 1.2}
tls_config: {min_version: "1.2"}
tls_config: {min_version: 1.0}
tls_config: {min_version: ~}
tls_config: {server_name: 5}
tls_config: {ciphers: AES128-SHA}
tls_config: {ciphers: "AES128-SHA:TLS_AES_128_GCM_SHA256"}
tls_config: {ciphers: [AES128-SHA, "TLS_AES_128_GCM_SHA256:AES256-SHA"]}
tls_config: {ciphers: ~}
labels: {a: 1}
headers: {A: ~}
headers: {A: ""}
headers: {A: 1}
headers: {A: [1, ~]}
cookies: {a: ~}
form: {a: ~}
form: {1: 2}
body: 5
body: ~
user_agent: 5
method: 5
method: true
method: get
basic_auth: {username: a}
basic_auth: {username: a, password: ~}
basic_auth: {username: a, password: ""}
authorization: {credentials: a}
authorization: {type: ~, credentials: a}
bearer_token: 5
pattern: 5
fail_if_body_contains: a
fail_if_body_contains: 5
fail_if_body_contains: [a, 5, true]
fail_if_body_contains: {text: a, ignore_case: yes}
fail_if_header_missing: [A, 5]
fail_if_header_missing: 5
fail_if_header_matches: {header: 5, regexp: 5}
expect_json: {pointer: "", equals: 1}
expect_json: {pointer: /a, equals: ~}
expect_json: {pointer: /a, less: "5"}
expect_json: {pointer: /a, less: 5}
expect_json: {pointer: /a, exists: yes}
expect_json: {pointer: /a, equals: yes}
time_limits: {dns: {seconds: 1}}
retry_after: 0, retries: 1
retry_after: "0", retries: 1
retry_after: 0s, retries: 1
evidence: 0
evidence: 0B
evidence: 1KiB
cert_expiry_warn: 0
cert_expiry_warn: 2w
cert_sha256: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
cert_sha256: "01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:EF"
resolve: {a: 192.0.2.1}
resolve: {a: [192.0.2.1, "::1"]}
source_address: 192.0.2.1
source_address: [192.0.2.1, "::1"]
dns_servers: 192.0.2.53
dns_servers: "[::1]:53"
dns_servers: "::1"
proxy: none
proxy: None
proxy: http://p
proxy: http://u:p@p:3128/
proxy: socks5://p
proxy: SOCKS5H://u:p@p:1080/
proxy: http://p, proxy_headers: {A: b, C: [d, 5], E: ~}
proxy_url: https://p, proxy_connect_header: {A: b}
no_proxy: "a,b", proxy: http://p
no_proxy: ["*", 10.0.0.0/8], proxy: http://p
keepalive: yes
evidence: ~
interval: ~
labels: ~
tls_config: ~
tls_config: {cert_file: ~}
request_kwargs: {}
request_kwargs: {timeout: 5}
url: HTTP://a/
url: "http://u:p@[::1]:80/?a=b"
resolve: {A.Example.: 192.0.2.1}
expect_json: {pointer: /a, less: -1.5e3}
expect_json: {pointer: /a, less: "5", greater: "1"}
headers: {A: [~]}
match_bytes: .5KiB
deny_cidrs: "10.0.0.0/8,fd00::/8"
"""

# Refused by both.
REFUSED = r"""
name: [a]
name: {}
match_bytes: 1k
match_bytes: 1K
match_bytes: 1e3
match_bytes: 0
match_bytes: 16777217
match_bytes: -1
match_bytes: true
interval: 1e1
interval: "1e1"
interval: 30 s
interval: " 30s"
interval: 1h, timeout: 1µs
interval: 0
interval: -5
interval: 30sec
interval: 30s5
interval: {minutes: -1}
interval: {minutes: x}
interval: {minute: 1}
interval: {minutes: ~}
interval: {}
interval: true
retries: 2.5
retries: 11
retries: 0o2
retries: true
max_redirects: -1
addresses: 1
valid_status_codes: 2xx
valid_status_codes: 600
valid_status_codes: 99
valid_status_codes: [~]
valid_status_codes: "200 - 299"
valid_http_versions: [~]
follow_redirects: 1
follow_redirects: "1"
follow_redirects: y
follow_redirects: ""
compression: lzma
http_version: HTTP/2
http_version: 1
allow_private: maybe
deny_cidrs: a.example
deny_cidrs: [5]
deny_cidrs: ""
tls_config: {server_name: 'a b'}
tls_config: {ciphers: 'HIGH:!aNULL'}
tls_config: {ciphers: []}
tls_config: {ciphers: [[AES128-SHA]]}
tls_config: {ciphers: ''}
tls_config: {server_name: http://a}
labels: {a: ~}
labels: {a: ""}
labels: {a: [b]}
labels: {1a: b}
labels: {a-b: c}
headers: {A: {b: c}}
headers: {Content-Length: 5}
headers: {content-length: 5}
headers: {Transfer-Encoding: chunked}
headers: [a]
cookies: {a: "b;c"}
cookies: {a: é}
cookies: {"a b": c}
form: {a: {b: c}}
form: {a: [b, {c: d}]}
body: ""
body: {a: b}
body_file: ""
user_agent: ""
user_agent: "a\nb"
method: ""
method: connect
method: CONNECT
method: "GET /"
basic_auth: {username: "a:b"}
basic_auth: {password: a}
basic_auth: {username: ""}
basic_auth: {username: ~}
basic_auth: {username: a, password: b, password_file: c}
authorization: {type: Basic}
authorization: {type: "a b", credentials: c}
authorization: {credentials: ~}
authorization: {credentials: ""}
bearer_token: ""
pattern: ""
pattern: [a]
fail_if_body_contains: [~]
fail_if_body_contains: [""]
fail_if_body_contains: [[a]]
fail_if_body_contains: {text: ~}
fail_if_body_contains: {regexp: a}
fail_if_body_matches_regexp: [{regexp: a, ignore_case: ~}]
fail_if_header_missing: a b
fail_if_header_matches: {header: A, regexp: b, allow_missing: ~}
fail_if_header_matches: {header: A}
fail_if_header_matches: {header: A, regexp: ~}
expect_json: {pointer: /a}
expect_json: {pointer: /a, ignore_case: true}
expect_json: {pointer: a, equals: 1}
expect_json: {pointer: ~, equals: 1}
expect_json: {pointer: /a, equals: [1]}
expect_json: {pointer: /a, less: x}
expect_json: {pointer: /a, less: ~}
expect_json: {pointer: /a, exists: 1}
expect_json: {pointer: /a, exists: ~}
expect_json: {pointer: /a, matches: ~}
expect_json: {pointer: 5, equals: 1}
time_limits: {total: ~}
time_limits: {dns: 0}
time_limits: {dns: {warn: ~, fail: 1s}}
time_limits: {dns: {warn: 1s, seconds: 1}}
time_limits: {dsn: 1s}
max_response_time: 0
max_document_age: 0
max_document_age: {warn: 0}
cert_sha256: abcd
cert_sha256: [abcd]
cert_sha256: 5
resolve: {a: b}
resolve: {a: 192.0.2.256}
resolve: {192.0.2.1: 192.0.2.2}
resolve: {"a b": 192.0.2.2}
resolve: {a: ~}
source_address: eth0
source_address: "[::1]"
proxy: http://p/x
proxy: socks4://p
proxy: socks5://p/x
proxy: socks5h://
proxy: http://p, proxy_headers: {A: {b: c}}
proxy: http://p, proxy_headers: [A]
proxy: http://p, proxy_headers: {'A b': c}
proxy: http://p, proxy_headers: {A: []}
proxy: http://p, proxy_connect_header: {content-length: 5}
proxy: p:3128
proxy: http://
no_proxy: [http://a], proxy: http://p
no_proxy: [5], proxy: http://p
no_proxy: [10.0.0.0/08], proxy: http://p
no_proxy: [10.0.0.0/-0], proxy: http://p
no_proxy: ["::/129"], proxy: http://p
no_proxy: "", proxy: http://p
request_kwargs: []
url: ftp://a/
url: http://
url: "http://a b/"
url: ~
url: 5
evidence: 20000
basic_auth: {username_file: f, username: a}
body: a, form: {a: b}
ip_protocol: 4, preferred_ip_protocol: ip4
bearer_token: a, bearer_token_file: b
retry_after: {}, retries: 1
"""

# Refused by the program alone: the size of what is spelled with a unit, and spellings that a schema does not see.
PROGRAM_ONLY = r"""
match_bytes: 17MiB
fail_if_body_larger_than: 0x10
interval: 400d
interval: 50ms
interval: 1_000
retries: 2.0
retries: +2
retries: 0x2
max_redirects: 3.0
valid_status_codes: 299-200
valid_status_codes: 200.0
valid_http_versions: 1
ip_protocol: 4.0
deny_cidrs: [10.0.0.0/33]
tls_config: {min_version: 1}
headers: {A: 1, a: 2}
pattern: "("
expect_json: {pointer: /a, less: .5}
expect_json: {pointer: /a, less: 0x10}
time_limits: {dns: 2h}
evidence: 17KiB
cert_expiry_warn: 20000d
source_address: [192.0.2.1, 192.0.2.2]
dns_servers: "192.0.2.53:99999"
dns_servers: 192.0.2.300
dns_servers: "192.0.2.53:0"
request_kwargs: {foo: 5}
url: "http://a:99999/"
interval: 1:30
match_bytes: 1.3
"""

# Whole files.
FILES_TAKEN = r"""
{sites: [http://a/], defaults: ~}
{sites: [http://a/], defaults: {interval: 5s}}
{sites: [http://a/], x-a: 5}
{targets: [http://a/]}
[http://a/, {url: http://b/}]
"""

FILES_REFUSED = r"""
[]
{sites: []}
{sites: [http://a/], defaults: []}
{sites: [http://a/], defaults: {url: http://b/}}
{sites: [http://a/], defaults: {intervall: 5s}}
{sites: [http://a/], y: 5}
{sites: [http://a/], targets: [http://b/]}
{sites: ~}
{defaults: {interval: 5s}}
[a.example]
[~]
[5]
[[]]
[{name: a}]
http://a/
{sites: {url: http://a/}}
"""

PROBLEMS_SHOWN = 100


@pytest.fixture(scope="module")
def judge():
    schema = json.loads((ROOT / "schema/sites.schema.json").read_text())
    return Draft7Validator(schema, format_checker=Draft7Validator.FORMAT_CHECKER)


def entry(row, number):
    """A site of a row, on a line of its own."""
    own = "" if re.search(r"\burl:", row) else f"url: http://site{number}.example/, "
    name = "" if re.search(r"\bname:", row) else f"name: site {number}, "
    return f"- {{{own}{name}{row}}}"


def document(rows):
    return "\n".join(entry(row, number) for number, row in enumerate(rows)) + "\n"


def taken_by_schema(judge, rows):
    return [row for number, row in enumerate(rows) if judge.is_valid(yaml.safe_load(entry(row, number)))]


def refused_by_program(websentry, rows):
    refused = []
    for first in range(0, len(rows), PROBLEMS_SHOWN // 2):
        part = rows[first:first + PROBLEMS_SHOWN // 2]
        done = websentry.run("config", "check", "--sites", websentry.write("sites.yaml", document(part)), code=None)
        lines = {int(line) for line in re.findall(r"sites[.]yaml:(\d+):\d+: ", done.stderr())}
        refused += [row for number, row in enumerate(part, 1) if number in lines]
    return refused


def test_what_the_schema_takes_the_program_takes(websentry, judge):
    rows = TAKEN.split("\n")[1:-1]
    assert taken_by_schema(judge, rows) == rows
    websentry.run("config", "check", "--sites", websentry.write("sites.yaml", document(rows)))


def test_what_the_schema_refuses_the_program_refuses(websentry, judge):
    rows = REFUSED.split("\n")[1:-1]
    assert taken_by_schema(judge, rows) == []
    assert refused_by_program(websentry, rows) == rows


def test_what_a_schema_cannot_know_the_program_refuses(websentry, judge):
    rows = PROGRAM_ONLY.split("\n")[1:-1]
    assert refused_by_program(websentry, rows) == rows
    assert taken_by_schema(judge, rows) == rows  # else the row belongs to the other table


@pytest.mark.parametrize(("files", "is_taken"), [(FILES_TAKEN, True), (FILES_REFUSED, False)], ids=["taken", "refused"])
def test_whole_files_are_taken_or_refused_by_both(websentry, judge, files, is_taken):
    for text in files.split("\n")[1:-1]:
        assert judge.is_valid(yaml.safe_load(text)) == is_taken, text
        path = websentry.write("sites.yaml", text + "\n")
        websentry.run("config", "check", "--sites", path, code=0 if is_taken else 2)


def test_the_documents_examples_are_taken_by_both(websentry, judge):
    files = {"README.md": 1, "docs/sites.md": 3}
    texts = {name: re.findall(r"```yaml\n(.*?)```", (ROOT / name).read_text(), re.S) for name in files}
    assert {name: len(found) for name, found in texts.items()} == files
    for text in [*texts["README.md"], *texts["docs/sites.md"], (ROOT / "configs/sites.yaml").read_text()]:
        judge.validate(yaml.safe_load(text))
        listed = websentry.run("sites", websentry.write("sites.yaml", text)).stdout()
        assert listed.count("https://") >= 1, listed
