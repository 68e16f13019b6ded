"""What a proxy is told, and what only the site: over HTTP, and by SOCKS."""
import json

import pytest
import yaml
from support.proxies import Proxy
from support.sites import Answer

NAME, V4, V6 = 3, 1, 4
SECRET = "s3same-canary"


@pytest.fixture
def proxy():
    proxy = Proxy()
    yield proxy
    proxy.close()


def check(websentry, *entries, code=0, words=()):
    file = websentry.write("sites.yaml", yaml.safe_dump({"sites": list(entries)}, sort_keys=False))
    done = websentry.run("check", "--json", "--log-level", "trace", "--sites", file, *words, code=code)
    assert SECRET not in done.stdout() + done.stderr()
    return [json.loads(line) for line in done.stdout().splitlines() if '"reason"' in line]


def test_who_looks_the_name_up_is_said_by_the_scheme(websentry, sites, proxy):
    page = sites.site("/page")
    url = f"http://inside.test:{sites.port}/page"
    resolve = {"inside.test": "127.0.0.1"}
    reports = check(
        websentry,
        {"name": "here", "url": url, "proxy": f"socks5://127.0.0.1:{proxy.port}", "resolve": resolve},
        {"name": "there", "url": url, "proxy": f"socks5h://127.0.0.1:{proxy.port}"},
        {"name": "with a user", "url": url, "proxy": f"socks5h://me:{SECRET}@127.0.0.1:{proxy.port}"},
        {"name": "an address", "url": page.url, "proxy": f"socks5h://127.0.0.1:{proxy.port}"},
        {"name": "not for it", "url": page.url, "no_proxy": "127.0.0.1", "proxy": f"socks5://127.0.0.1:{proxy.port}"})
    assert [(report["outcome"], report["ip"]) for report in reports] == [("up", "127.0.0.1")] * 5, reports
    assert sorted(map(str, proxy.told)) == sorted(map(str, [
        (V4, "127.0.0.1", sites.port, None), (NAME, "inside.test", sites.port, None),
        (NAME, "inside.test", sites.port, (b"me", SECRET.encode())), (V4, "127.0.0.1", sites.port, None)]))
    assert len(page.requests) == 5
    assert {request.headers["host"] for request in page.requests} == {f"{host}:{sites.port}"
                                                                     for host in ("inside.test", "127.0.0.1")}


def test_the_next_address_is_told_where_one_can_not_be_reached(websentry, sites):
    sites.site("/page")
    entry = {"url": f"http://inside.test:{sites.port}/page", "resolve": {"inside.test": ["192.0.2.1", "127.0.0.1"]}}
    for refused, outcome in ((["192.0.2.1"], "up"), (["192.0.2.1", "127.0.0.1"], "down")):
        proxy = Proxy(refused=refused)
        [report] = check(websentry, {**entry, "proxy": f"socks5://127.0.0.1:{proxy.port}"},
                         code=0 if outcome == "up" else 2)
        proxy.close()
        assert report["outcome"] == outcome and [told[1] for told in proxy.told] == ["192.0.2.1", "127.0.0.1"]
        assert outcome == "up" or report["reason"] == "connect_refused", report


@pytest.mark.parametrize(("scheme", "resolved", "policy", "is_asked"), [
    ("socks5", "127.0.0.1", {"deny_cidrs": "127.0.0.0/8"}, False),
    ("socks5", ["127.0.0.1", "127.0.0.2"], {"deny_cidrs": "127.0.0.1"}, True),  # the other one is told
    ("socks5", "127.0.0.1", {"allow_private": False}, False),
    ("socks5h", "127.0.0.1", {"allow_private": False}, False),  # as `resolve` says
    ("socks5h", None, {"allow_private": False}, True),  # who knows where it leads
])
def test_what_is_connected_to_is_judged_where_it_is_known(websentry, sites, proxy, scheme, resolved, policy, is_asked):
    sites.site("/page")
    resolve = {} if resolved is None else {"resolve": {"inside.test": resolved}}
    [report] = check(websentry, {"url": f"http://inside.test:{sites.port}/page", **policy, **resolve,
                                 "proxy": f"{scheme}://127.0.0.1:{proxy.port}"}, code=0 if is_asked else 2)
    assert (report["reason"], len(proxy.told)) == (("ok", 1) if is_asked else ("forbidden_address", 0)), report
    if isinstance(resolved, list):
        assert proxy.told[0][1] == "127.0.0.2"


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_redirect_goes_no_further_inside_through_socks(websentry, sites, proxy, scheme):
    inside = sites.site("/inside")
    sites.site("/start", Answer(302, location=f"http://10.0.0.1:{sites.port}/inside"))
    [report] = check(websentry, {"url": f"http://outside.test:{sites.port}/start", "deny_cidrs": "10.0.0.0/8",
                                 "resolve": {"outside.test": "127.0.0.1"},
                                 "proxy": f"{scheme}://127.0.0.1:{proxy.port}"}, code=2)
    assert report["reason"] == "forbidden_address" and inside.requests == [] and len(proxy.told) == 1


@pytest.mark.parametrize("is_tls", [False, True])
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_connecting_reaches_through_socks(websentry, sites, authority, scheme, is_tls):
    """What a proxy takes to connect is neither the site's TLS nor its wait."""
    delay_s = 0.4
    proxy = Proxy(delay_s=delay_s)
    page = sites.site("/page")
    cert = {"ca_file": str(authority.ca_file)} if is_tls else {}
    [report] = check(websentry, {"url": page.https_url if is_tls else page.url, **cert,
                                 "proxy": f"{scheme}://127.0.0.1:{proxy.port}"})
    proxy.close()
    assert report["connect_us"] >= delay_s * 1_000_000, report
    assert ("tls_us" in report) == is_tls
    parts = [report.get(f"{phase}_us", 0) for phase in ("dns", "connect", "tls", "wait", "transfer")]
    assert sum(parts) == pytest.approx(report["total_us"], abs=2000)


def test_a_connection_through_socks_is_kept(websentry, sites, proxy):
    page = sites.site("/page")
    entries = [{"name": scheme, "url": f"http://inside.test:{sites.port}/page", "keepalive": True,
                "proxy": f"{scheme}://127.0.0.1:{proxy.port}", "resolve": {"inside.test": "127.0.0.1"}}
               for scheme in ("socks5", "socks5h")]
    reports = check(websentry, *entries, words=("--repeat", "3", "--interval", "200ms"))
    assert len(proxy.told) == 2 and len(page.requests) == 6
    assert [report.get("keepalive", False) for report in reports if report["site"] == "socks5"] == [False, True, True]


def test_headers_for_a_proxy_are_of_connect_alone(websentry, sites, authority, proxy):
    page = sites.site("/page")
    own = {"proxy": f"http://127.0.0.1:{proxy.port}", "headers": {"X-Site": "a"},
           "proxy_headers": {"Proxy-Authorization": f"Bearer {SECRET}", "X-Way": ["b", "c"], "X-Api-Key": SECRET}}
    [tunnelled, plain] = check(
        websentry,
        {"name": "tunnelled", "url": page.https_url, "tls_config": {"ca_file": str(authority.ca_file)}, **own},
        {"name": "plain", "url": "http://inside.test/", **own})
    assert (tunnelled["outcome"], plain["outcome"]) == ("up", "up"), (tunnelled, plain)
    heads = {head.split(b" ")[0]: head for head in proxy.told}
    lines = heads[b"CONNECT"].split(b"\r\n")
    assert [line for line in lines if line.startswith((b"X-", b"Proxy-A"))] == [
        f"Proxy-Authorization: Bearer {SECRET}".encode(), b"X-Way: b", b"X-Way: c", f"X-Api-Key: {SECRET}".encode()]
    [request] = page.requests
    assert request.headers["x-site"] == "a"
    assert not {"x-way", "x-api-key", "proxy-authorization"} & {name.lower() for name in request.headers}
    assert b"X-Site: a" in heads[b"GET"] and b"X-Way" not in heads[b"GET"] and SECRET.encode() not in heads[b"GET"]


def test_headers_for_a_proxy_are_seen_without_what_is_secret(websentry, sites, authority, proxy):
    page = sites.site("/page")
    file = websentry.write("sites.yaml", yaml.safe_dump([{
        "url": page.https_url, "ca_file": str(authority.ca_file), "proxy": f"http://127.0.0.1:{proxy.port}",
        "proxy_headers": {"X-Way": "b", "X-Api-Key": SECRET}}]))
    done = websentry.run("check", "-v", "--sites", file)
    told = done.stdout() + done.stderr()
    assert "> X-Way: b" in told and "> X-Api-Key: ***" in told and SECRET not in told
