"""Every check is a new visitor's unless its site says `keepalive`, and then its report says so."""
import asyncio
import json
import socket
import sqlite3
import ssl
import threading

import pytest
import yaml
from hostile import streams
from support.processes import wait_until
from support.sites import Answer
from support.wire import read_head

COUNT = 3


class Watched:
    def __init__(self, websentry, entries, prefix=()):
        self.file = websentry.write("sites.yaml", yaml.safe_dump(
            {"defaults": {"interval": "1500ms", "timeout": "1500ms"}, "sites": entries}))
        self.websentry = websentry
        self.running = websentry.start("run", "--sites", self.file, "--data-dir", websentry.data_dir(), "--listen",
                                       "127.0.0.1:0", prefix=prefix)

    def reports(self, site):
        connection = sqlite3.connect(f"file:{self.websentry.data_dir() / 'websentry.db'}?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
        try:
            rows = connection.execute("SELECT * FROM report_view WHERE site = ? ORDER BY started_at", (site,))
            return [dict(row) for row in rows]
        finally:
            connection.close()

    def wait_for(self, site, count):
        self.running.wait_ready()
        wait_until(lambda: len(self.reports(site)) >= count, f"{count} reports of {site}", 60, step=0.1)
        return self.reports(site)


def ports(site):
    return [request.peer_port for request in site.requests]


def test_each_check_is_fresh_and_a_kept_connection_is_marked(websentry, sites, authority):
    fresh, kept, secure, other = (sites.site(f"/{name}") for name in ("fresh", "kept", "secure", "other"))
    tls = {"ca_file": str(authority.ca_file)}
    watched = Watched(websentry, [
        {"name": "fresh", "url": fresh.url}, {"name": "kept", "url": kept.url, "keepalive": True},
        {"name": "other", "url": other.url, "keepalive": True},
        {"name": "fresh tls", "url": secure.https_url, "tls_config": tls},
        {"name": "kept tls", "url": sites.site("/tls").https_url, "tls_config": tls, "keepalive": True}])
    found = {name: watched.wait_for(name, COUNT)
             for name in ("fresh", "kept", "other", "fresh tls", "kept tls")}
    watched.running.stop()
    # each request of a fresh site came over a connection of its own; those of a kept one over the same, which is
    # nobody else's
    assert len(set(ports(fresh))) == len(ports(fresh)) and len(set(ports(secure))) == len(ports(secure))
    assert len(set(ports(kept))) == len(set(ports(other))) == len(set(ports(sites.sites["/tls"]))) == 1
    assert set(ports(kept)) != set(ports(other))
    for name in ("fresh", "fresh tls"):
        for report in found[name]:
            assert report["keepalive"] is None and report["connect_us"] is not None
            assert (report["tls_us"] is None) == (name == "fresh")
    for name in ("kept", "kept tls"):
        first, *later = found[name]
        assert first["keepalive"] is None and first["connect_us"] is not None
        for report in later:
            assert (report["keepalive"], report["connect_us"], report["tls_us"]) == (1, None, None)
            phases = sum(report[f"{phase}_us"] for phase in ("dns", "wait", "transfer"))
            assert abs(report["total_us"] - phases) <= report["total_us"] / 100 + 1000
    assert {(report["tls_version"], report["cert_not_after"]) for report in found["kept tls"]} == \
        {("1.3", found["kept tls"][0]["cert_not_after"])} and found["kept tls"][0]["cert_not_after"]


def test_what_the_server_closes_is_connected_afresh(websentry, sites):
    site = sites.site("/a", Answer(headers={"Connection": "close"}), Answer(), Answer(reset="request"), Answer())
    watched = Watched(websentry, [{"name": "a", "url": site.url, "keepalive": True}])
    found = watched.wait_for("a", 5)
    watched.running.stop()
    assert [report["keepalive"] for report in found[:2]] == [None, None]
    # a reset instead of an answer: over a connection that was there it is asked for once more, over a fresh one
    assert {report["outcome"] for report in found if not report["suspect"]} == {"up"}
    assert len(set(ports(site))) == 3


class Changing:
    """A server whose connections have a certificate each, and end behind so many answers each."""

    def __init__(self, *parts):
        self._parts = parts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        for certificate, answers in self._parts:
            try:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate.cert_file, certificate.key_file)
                bare, _ = self._listener.accept()
                with context.wrap_socket(bare, server_side=True) as connection:
                    for answer in answers:
                        read_head(connection)
                        connection.sendall(answer)
            except OSError:  # the prober does not want it
                pass

    def close(self):
        self._listener.close()


PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def check_repeatedly(websentry, authority, url, times, **more):
    file = websentry.write("again.yaml", yaml.safe_dump({"sites": [
        {"name": "a", "url": url, "keepalive": True, "tls_config": {"ca_file": str(authority.ca_file)}, **more}]}))
    done = websentry.run("check", "--json", "--sites", file, "--repeat", times, "--interval", "200ms", code=None)
    return [json.loads(line) for line in done.stdout().splitlines()][:times]


def test_a_new_connection_shows_its_own_certificate(websentry, authority):
    """A certificate is taken from no connection but the one that it came over."""
    good, other = authority.issue(days=100), authority.issue("other.test", ("other.test",))
    server = Changing((good, [PAGE] * 2), (other, [PAGE]), (authority.issue(days=50), [PAGE]))
    found = check_repeatedly(websentry, authority, f"https://{server.address}/", 4)
    server.close()
    assert [report["reason"] for report in found] == ["ok", "ok", "cert_invalid", "ok"]
    assert [report.get("keepalive", False) for report in found] == [False, True, False, False]
    assert found[0]["cert_not_after"] == found[1]["cert_not_after"] > found[3]["cert_not_after"]
    assert "cert_not_after" not in found[2] or found[2]["cert_not_after"] != found[0]["cert_not_after"]


def test_each_connection_of_a_redirect_keeps_its_certificate(websentry, authority):
    """Two servers on one address: the first one's is new each time, the second one's stays."""
    last = Changing((authority.issue(days=100), [PAGE] * 3))
    moved = f"HTTP/1.1 302 Found\r\nLocation: https://{last.address}/\r\nContent-Length: 0\r\n\r\n".encode()
    first = Changing(*[(authority.issue(days=50), [moved])] * 3)
    found = check_repeatedly(websentry, authority, f"https://{first.address}/", 3)
    first.close()
    last.close()
    assert [report["reason"] for report in found] == ["ok"] * 3
    assert [report.get("keepalive", False) for report in found] == [False, True, True]
    assert len({report["cert_not_after"] for report in found}) == 1


async def serve_http2(reader, writer):
    """An empty answer to every request."""
    try:
        await reader.readexactly(24)
        writer.write(streams.frame(streams.SETTINGS))
        while True:
            start = await reader.readexactly(9)
            await reader.readexactly(int.from_bytes(start[:3], "big"))
            if start[3] == streams.HEADERS:
                answer = streams.frame(streams.HEADERS, streams.field(b":status", b"204"), stream=int.from_bytes(
                    start[5:], "big"), flags=streams.END_HEADERS | streams.END_STREAM)
                writer.write(answer)
    except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
        pass
    finally:
        writer.close()


@pytest.fixture
def http2(authority):
    """The port of a server of HTTP/2."""
    certificate = authority.issue()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert_file, certificate.key_file)
    context.set_alpn_protocols(["h2"])
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(serve_http2, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


@pytest.mark.parametrize("version", [1, 2])
def test_more_sites_than_descriptors_are_checked_all_the_same(websentry, sites, authority, http2, version):
    """What can't be kept is fresh, and nothing is unknown for want of descriptors."""
    tls = {"tls_config": {"ca_file": str(authority.ca_file)}}
    names = [f"site {number}" for number in range(120)]
    urls = [f"https://localhost:{http2}/{name[5:]}" if version == 2 else site.url
            for name, site in zip(names, sites.many(len(names), "/kept/"), strict=True)]
    entries = [{"name": name, "url": url, "keepalive": True, **(tls if version == 2 else {})}
               for name, url in zip(names, urls, strict=True)]
    watched = Watched(websentry, entries, ("sh", "-c", 'ulimit -n 200; exec "$@"', "sh"))
    for name in names:
        watched.wait_for(name, COUNT)
    watched.running.stop()
    found = [report for name in names for report in watched.reports(name)]
    assert {(report["outcome"], report["reason"]) for report in found} == {("up", "ok")}
    assert {report["http_version"] for report in found} == {"1.1" if version == 1 else "2"}
    kept = {report["site"] for report in found if report["keepalive"]}
    assert 15 <= len(kept) <= 40
