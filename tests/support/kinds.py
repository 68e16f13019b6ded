"""One site of every kind that a report can tell apart, for tests that look at all of them at once."""
import json
from dataclasses import dataclass

from support.sites import SLOW_S, Answer

PAGE = "Welcome. id=\"{nonce}\" " + "x" * 200 + "\n"
PATTERN = 'id="([^"]+)"'


@dataclass(frozen=True)
class Kind:
    """An entry of the sites file, and the (outcome, reason) that it must come to."""
    name: str
    entry: dict
    outcome: str
    reason: str


def every_kind(sites, authority, refused_port):
    """All of them; sites.site() is called for those that need a server. Names say what is special."""
    kinds = []

    def add(name, answer, outcome="up", reason="ok", *, url=None, **entry):
        site = sites.site(f"/{name.replace(' ', '-')}", *(answer if isinstance(answer, tuple) else (answer,)))
        kinds.append(Kind(name, {"name": name, "url": url or site.url, "pattern": PATTERN, **entry}, outcome, reason))
        return site

    add("plain", Answer(body=PAGE))
    add("not found", Answer(404, body=PAGE), "down", "status_mismatch")
    add("server error", Answer(503, body=PAGE), "down", "status_mismatch")
    add("unusual status", Answer(418, body=PAGE), valid_status_codes=[200, "400-420"])
    add("no content", Answer(204))
    add("empty", Answer(body=""))
    add("compressed", Answer(body=PAGE.replace("{nonce}", "always the same"), is_gzipped=True))
    add("chunked", Answer(body=PAGE * 20, is_chunked=True))
    add("without pattern", Answer(body="nothing of the kind"))
    add("no pattern asked", Answer(body=PAGE), pattern=None)
    add("posted", Answer(body=PAGE), method="POST", headers={"X-Token": "a"}, body="data")
    add("headed", Answer(body=PAGE), method="HEAD", pattern=None)
    add("labelled", Answer(body=PAGE), labels={"team": "shop", "size": "ü \U0001f600"})
    add("wanted text missing", Answer(body=PAGE), "down", "body_mismatch",
        fail_if_body_not_matches_regexp=["Goodbye"])
    add("unwanted text there", Answer(500, body=PAGE), "down", "status_mismatch",
        fail_if_body_matches_regexp=["Wel.ome", "id="])
    add("slow", Answer(body=PAGE, delay_s=SLOW_S), "degraded", "slow", max_response_time="50ms")
    add("too slow", Answer(body=PAGE, delay_s=30), "down", "timeout", timeout="300ms")
    # long enough for its head to come on a busy machine
    add("stalls in its body", Answer(body=PAGE, body_delay_s=30), "down", "timeout", timeout="2s")
    end = add("redirected end", Answer(body=PAGE))
    hop = add("redirect once", Answer(301, location=end.url))
    add("redirect chain", Answer(location=hop.url))
    add("redirect not followed", Answer(location=end.url), "down", "status_mismatch", follow_redirects=False)
    loop = add("redirect loop", Answer(), "down", "too_many_redirects")
    loop.answers(Answer(location=loop.url))
    secure = add("secure", Answer(body=PAGE), ca_file=str(authority.ca_file))
    kinds[-1].entry["url"] = secure.https_url
    doubted = add("secure and not trusted", Answer(body=PAGE), "down", "cert_invalid")
    kinds[-1].entry["url"] = doubted.https_url
    unverified = add("secure and not verified", Answer(body=PAGE), insecure_skip_verify=True)
    kinds[-1].entry["url"] = unverified.https_url
    add("strange bytes",
        Answer(body=b'id="\x00\xff\xfe\xc3\x28 \x1b[31m\xed\xa0\x80 \xf0\x9f\x98\x80"' + bytes(range(256))))
    add("strange header", Answer(body=PAGE, headers={"X-Odd": "\x01\xff\x80", "Server": "\xc3\xa9"}))
    add("long capture", Answer(body='id="' + "y" * 100_000 + '"'))
    add("longer than is searched", Answer(body="z" * 600_000), "unknown", "match_truncated",
        fail_if_body_not_matches_regexp=["never there"])
    add("cut off", Answer(body=PAGE, announced_length=10_000), "down", "connection_lost")
    add("reset at once", Answer(reset="request"), "down", "connection_lost")
    add("reset after its headers", Answer(body=PAGE, reset="headers"), "down", "connection_lost")
    add("reset in its body", Answer(body=PAGE * 100, reset="body"), "down", "connection_lost")
    add("no HTTP", Answer(raw=b"220 mail.example ESMTP\r\n"), "down", "protocol_error")
    add("closes without a word", Answer(raw=b""), "down", "connection_lost")
    add("broken chunks", Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "down",
        "protocol_error")
    add("two lengths", Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), "down",
        "protocol_error")
    kinds.append(Kind("refused", {"name": "refused", "url": f"http://127.0.0.1:{refused_port}/", "pattern": PATTERN},
                      "down", "connect_refused"))
    kinds.append(Kind("no such name", {"name": "no such name", "url": "http://shop.invalid/"}, "down", "dns_error"))
    name = "\U0001f600 <b>\"quoted\" \\ 'and' & more</b> " + "n" * 150
    site = sites.site("/named", Answer(body=PAGE))
    kinds.append(Kind(name, {"name": name, "url": site.url + "?token=hidden&x=1"}, "up", "ok"))
    for kind in kinds:
        if kind.entry.get("pattern", "") is None:
            del kind.entry["pattern"]
    return kinds


def sites_file(kinds, **defaults):
    """JSON is YAML."""
    return json.dumps({"defaults": defaults, "sites": [kind.entry for kind in kinds]}, ensure_ascii=False)
