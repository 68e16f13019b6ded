"""Nothing that a configuration says can become a header, a request or a path that it does not name."""
import base64
import json
import socket
import threading
from urllib.parse import quote

import pytest
import yaml
from support.sites import Answer
from support.wire import HEAD_END, read_head

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
POISONS = {"CR": "\r", "LF": "\n", "CRLF": "\r\nX-Evil: 1", "NUL": "\0",
           "request": "\r\n\r\nGET /evil HTTP/1.1\r\n\r\n"}
PLACES = {
    "method": lambda poison: {"method": f"GET{poison}"},
    "header": lambda poison: {"headers": {"X-A": f"a{poison}b"}},
    "header name": lambda poison: {"headers": {f"X-A{poison}": "b"}},
    "cookie": lambda poison: {"cookies": {"a": f"b{poison}"}},
    "user agent": lambda poison: {"user_agent": f"a{poison}b"},
    "bearer": lambda poison: {"bearer_token": f"a{poison}b"},
    "basic": lambda poison: {"basic_auth": {"username": f"a{poison}", "password": "b"}},
    "server name": lambda poison: {"tls_config": {"server_name": f"a{poison}"}},
    "resolve": lambda poison: {"resolve": {f"a{poison}": "127.0.0.1"}},
    "proxy": lambda poison: {"proxy": f"http://me{poison}:p@127.0.0.1:1/"},
    "proxy by SOCKS": lambda poison: {"proxy": f"socks5h://me{poison}:p@127.0.0.1:1/"},
    "proxy header": lambda poison: {"proxy": "http://127.0.0.1:1", "proxy_headers": {"X-A": f"a{poison}b"}},
    "proxy header name": lambda poison: {"proxy": "http://127.0.0.1:1", "proxy_headers": {f"X-A{poison}": "b"}},
    "ciphers": lambda poison: {"tls_config": {"ciphers": f"AES128-SHA{poison}"}},
    "path": lambda poison: {"url": f"http://127.0.0.1:1/a{poison}"},
    "user": lambda poison: {"url": "http://u{}:p@127.0.0.1:1/".format(
        "".join(f"%{ord(letter):02x}" for letter in poison))},
}


@pytest.fixture
def wire():
    """A server that keeps what it was sent, byte for byte; .port, .requests."""
    class Wire:
        requests = []

    wire = Wire()
    wire.requests = []
    listener = socket.create_server(("127.0.0.1", 0))
    wire.port = listener.getsockname()[1]

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                head, _, body = read_head(connection).partition(HEAD_END)
                length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n")
                               if line.lower().startswith(b"content-length:")), 0)
                while len(body) < length:
                    body += connection.recv(65536)
                wire.requests.append((head, body))
                connection.sendall(REPLY)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield wire
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


@pytest.mark.parametrize("poison", POISONS)
@pytest.mark.parametrize("place", PLACES)
def test_what_would_inject_is_refused_with_one_line(websentry, wire, place, poison):
    entry = {"url": f"http://127.0.0.1:{wire.port}/", **PLACES[place](POISONS[poison])}
    file = websentry.write("sites.yaml", yaml.safe_dump({"sites": [entry]}))
    done = websentry.run("check", "--sites", file, code=2)
    lines = [line for line in done.stderr().splitlines() if "--help" not in line]
    assert len(lines) == 1 and "sites.yaml:" in lines[0], done.stderr()
    assert done.stdout() == "" and wire.requests == [], "nothing was started"


def test_what_may_be_said_arrives_and_nothing_else(websentry, wire):
    """Each key at the edge of what it takes: one request, and its lines are those that were named."""
    evil = "a\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1\r\n\r\n"
    url = f"http://127.0.0.1:{wire.port}/p%0d%0aX-Evil:%201?q=%0d%0aX-Evil:%201%00"
    body = websentry.write("body.bin", "")
    body.write_bytes(evil.encode() + b"\0\xff")
    common = {"headers": {"X-Latin": "caf\u00e9 \u2028 \u0085", "X-Colon": "a: b; c", "X-Empty": ""},
              "user_agent": "probe: 1", "cookies": {"a": "b c"}, "compression": False,
              "basic_auth": {"username": "me", "password": "p: \u00e9"}}
    entries = [{"name": "form", "url": url, "form": {evil: evil}, **common},
               {"name": "body", "url": url, "method": "P!#$%&'*+-.^_`|~1", "body": evil, **common},
               {"name": "file", "url": url, "method": "POST", "body_file": str(body), **common}]
    for entry in entries:
        wire.requests.clear()
        websentry.run("check", "--sites", websentry.write("sites.yaml", yaml.safe_dump({"sites": [entry]})))
        [(head, sent)] = wire.requests
        first, *lines = head.split(b"\r\n")
        assert first == f"{entry.get('method', 'POST')} /p%0d%0aX-Evil:%201?q=%0d%0aX-Evil:%201%00 HTTP/1.1".encode()
        names = sorted(line.partition(b":")[0].lower() for line in lines)
        own = [b"accept", b"authorization", b"content-length", b"cookie", b"host", b"user-agent", b"x-colon",
               b"x-empty", b"x-latin"]
        assert names == sorted(own + ([b"content-type"] if entry["name"] == "form" else [])), head
        assert b"\0" not in head and b"\r" not in b"".join(lines) and b"\n" not in b"".join(lines)
        found = {line.partition(b": ")[0].lower(): line.partition(b": ")[2] for line in lines}
        assert base64.b64decode(found[b"authorization"].removeprefix(b"Basic ")).decode() == "me:p: \u00e9"
        assert (found[b"user-agent"], found[b"cookie"]) == (b"probe: 1", b"a=b c")
        if entry["name"] == "form":
            assert b"\r" not in sent and b"GET%20" not in sent and sent.count(b"=") == 1
        else:
            assert sent == (body.read_bytes() if entry["name"] == "file" else evil.encode())


ORDER = "".join(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))


def test_nothing_that_a_site_sends_changes_the_order_of_what_is_read(websentry, sites):
    """Bidirectional controls are shown by number: in captures, messages, evidence, URLs and heads."""
    raw = ORDER.encode().decode("latin-1")  # as a header is sent
    last = Answer(status=500, body=f"<title>pay {ORDER}lap</title>", headers={"X-Odd": raw})
    for path in (f"/{raw}next", f"/{quote(ORDER)}next", f"/{quote(ORDER).lower()}next"):
        sites.site(path, last)
    url = sites.site("/start", Answer(location=f"/{raw}next")).url
    file = websentry.write("sites.yaml", yaml.safe_dump({"sites": [{
        "url": url, "name": "odd", "pattern": "<title>(.*)</title>",
        "evidence": "4KiB", "fail_if_header_matches": [{"header": "X-Odd", "regexp": "(.+)"}]}]}))
    shown = "".join(f"<U+{ord(letter):04X}>" for letter in ORDER)
    [report] = [json.loads(line) for line in
                websentry.run("check", "--json", "--sites", file, code=2).stdout().splitlines()]
    assert report["pattern_capture"] == f"pay {shown}lap"
    assert shown in report["message"]
    assert shown in report["evidence"]["headers"] and shown in report["evidence"]["body"]
    people = websentry.run("check", "-v", "--sites", file, code=2)
    told = json.dumps(report, ensure_ascii=False) + people.stdout() + people.stderr()
    assert [letter for letter in ORDER if letter in told] == []
    assert f"< X-Odd: {shown}" in people.stderr()
