"""`allow_private` and `deny_cidrs` as an operator meets them; spellings and changing names are test_addresses.c's."""
import json
import subprocess

import pytest
import yaml
from support.island import Islands
from support.sites import Answer, SiteServer

PUBLIC, METADATA = "93.184.216.34", "169.254.169.254"


@pytest.fixture(scope="module")
def islands(session):
    with Islands(session) as islands:
        for address in (PUBLIC, METADATA):
            subprocess.run([*islands.near_prefix, "ip", "addr", "add", f"{address}/32", "dev", "lo"], check=True,
                           env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        yield islands


@pytest.fixture(scope="module")
def servers(islands):
    """A site of strangers, and what only the prober reaches."""
    with islands.on(islands.near):
        servers = {host: SiteServer(host=host) for host in (PUBLIC, METADATA, "127.0.0.1")}
    yield servers
    for server in servers.values():
        server.close()


def check(websentry, islands, entry, *words, code):
    file = websentry.write("sites.yaml", yaml.safe_dump({"sites": [entry]}))
    done = websentry.run("check", "--json", "--sites", file, *words, prefix=islands.near_prefix, code=code)
    return json.loads(done.stdout())


@pytest.mark.parametrize("inside", (METADATA, "127.0.0.1"))
def test_a_public_site_leads_nobody_inside(websentry, islands, servers, inside):
    target = servers[inside].site("/latest/meta-data/", Answer(body="keys"))
    site = servers[PUBLIC].site("/", Answer(location=target.url))
    report = check(websentry, islands, {"url": site.url}, code=2)
    assert (report["outcome"], report["reason"]) == ("down", "forbidden_address")
    assert f"{inside} is forbidden: the redirect leads to" in report["message"]
    assert "`allow_private: true` would allow it" in report["message"]
    assert not target.requests and "keys" not in json.dumps(report)
    assert check(websentry, islands, {"url": site.url, "allow_private": True}, code=0)["outcome"] == "up"
    assert len(target.requests) == 1
    report = check(websentry, islands, {"url": site.url, "allow_private": True}, "--deny-cidrs", f"10.0.0.0/8,{inside}",
                   code=2)
    assert f"`deny_cidrs` has {inside}/32" in report["message"], "it wins"
    assert len(target.requests) == 1


def test_an_operator_may_watch_what_is_private(websentry, islands, servers):
    site = servers["127.0.0.1"].site("/own")
    assert check(websentry, islands, {"url": site.url}, code=0)["outcome"] == "up"
    report = check(websentry, islands, {"url": site.url}, "--allow-private=false", code=2)
    assert report["reason"] == "forbidden_address" and "`allow_private` is false" in report["message"]
    assert len(site.requests) == 1


@pytest.mark.parametrize("words, entry, line", (
    (("--deny-cidrs", "10.0.0.0/8,10/8"), {}, "found '10.0.0.0/8,10/8', expected addresses or blocks"),
    (("--allow-private", "maybe"), {}, "found 'maybe', expected one of own, true, false"),
    ((), {"deny_cidrs": ["10.0.0.0/33"]}, "found '10.0.0.0/33', expected addresses or blocks"),
    ((), {"deny_cidrs": "internal.example"}, "found 'internal.example', expected addresses or blocks"),
    ((), {"allow_private": 7}, "found '7', expected true, false or own"),
))
def test_a_mistake_gets_one_clear_line(websentry, words, entry, line):
    file = websentry.write("sites.yaml", yaml.safe_dump({"sites": [{"url": "http://127.0.0.1/", **entry}]}))
    done = websentry.run("config", "check", "--sites", file, *words, code=2)
    [error] = [found for found in done.stderr().splitlines() if "--help" not in found]
    assert line in error
