"""Every check is a new visitor's unless its site says `keepalive`, and then its report says so."""
import sqlite3

import yaml
from support.processes import wait_until
from support.sites import Answer

COUNT = 3


class Watched:
    def __init__(self, websentry, entries):
        self.file = websentry.write("sites.yaml", yaml.safe_dump(
            {"defaults": {"interval": "1500ms", "timeout": "1500ms"}, "sites": entries}))
        self.websentry = websentry
        self.running = websentry.start("run", "--sites", self.file, "--data-dir", websentry.data_dir(), "--listen",
                                       "127.0.0.1:0")

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
