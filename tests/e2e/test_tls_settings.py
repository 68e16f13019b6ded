"""What a site sets for TLS is its own: checks share a prober, and each finds what it would find alone."""
import json
import socket
import ssl
import threading

import pytest
import yaml
from support.certs import Authority

ROUNDS = 5
NEW = "TLSv1.3 TLS_AES_256_GCM_SHA384"  # what OpenSSL likes best
OLD = "TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384"


class TlsServer:
    """Tells who comes what was agreed upon: version, cipher, the name asked for, and whose certificate was shown."""

    def __init__(self, certificate, client_ca):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.cert_file, certificate.key_file)
        self._context.load_verify_locations(client_ca)
        self._context.verify_mode = ssl.CERT_OPTIONAL
        self._context.set_alpn_protocols(["http/1.1"])
        self._context.sni_callback = self._note_name
        self._names = {}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True, name="tls").start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _note_name(self, connection, name, _context):
        self._names[id(connection)] = name

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        try:
            with self._context.wrap_socket(connection, server_side=True) as tls:
                while b"\r\n\r\n" not in tls.recv(4096):
                    pass
                subject = dict(pair[0] for pair in tls.getpeercert().get("subject", ())) if tls.getpeercert() else {}
                told = " ".join([tls.version(), tls.cipher()[0], self._names.get(id(tls)) or "-",
                                 tls.selected_alpn_protocol() or "-", subject.get("commonName", "-")])
                tls.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(told)}\r\n\r\n{told}".encode())
                tls.unwrap()
        except OSError:
            pass  # who was refused, or has refused us


@pytest.fixture(scope="module")
def authorities(session):
    folder = session.new_folder("tls-settings")
    return Authority(folder, "Known"), Authority(folder, "Other")


@pytest.fixture(scope="module")
def server(authorities):
    server = TlsServer(authorities[0].issue("localhost", ["localhost", "127.0.0.1"]), authorities[1].ca_file)
    yield server
    server.close()


def entries(server, known, other):
    """Each with the reason that it is to end with, and what the server tells."""
    client = other.issue("probe-1", [])
    ours = {"ca_file": str(known.ca_file)}
    by_name, by_address = f"https://localhost:{server.port}/", f"https://127.0.0.1:{server.port}/"
    shown = {"cert_file": str(client.cert_file), "key_file": str(client.key_file)}
    return {
        "plain": (by_name, ours, "ok", f"{NEW} localhost http/1.1 -"),
        "no name": (by_address, ours, "ok", f"{NEW} - http/1.1 -"),
        "another name": (by_name, ours | {"server_name": "other.test"}, "cert_invalid", None),
        "old at most": (by_name, ours | {"max_version": "TLS12"}, "ok", f"{OLD} localhost http/1.1 -"),
        "new at least": (by_name, ours | {"min_version": "TLS13"}, "ok", f"{NEW} localhost http/1.1 -"),
        "oldest": (by_name, ours | {"min_version": "TLS10"}, "ok", f"{NEW} localhost http/1.1 -"),
        "one suite": (by_name, ours | {"ciphers": "TLS_CHACHA20_POLY1305_SHA256"}, "ok",
                      "TLSv1.3 TLS_CHACHA20_POLY1305_SHA256 localhost http/1.1 -"),
        "one old cipher": (by_name, ours | {"ciphers": ["ECDHE-ECDSA-AES128-GCM-SHA256"]}, "ok",
                           "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256 localhost http/1.1 -"),
        "one of each": (by_name, ours | {"ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256"}, "ok",
                        "TLSv1.3 TLS_AES_128_GCM_SHA256 localhost http/1.1 -"),
        "a cipher that does not suit": (by_name, ours | {"ciphers": "AES128-SHA256"}, "tls_error", None),
        "too old": (by_name, ours | {"min_version": "TLS10", "max_version": "TLS11"}, "tls_error", None),
        "others' authority": (by_name, {"ca_file": str(other.ca_file)}, "cert_invalid", None),
        "system's authorities": (by_name, {}, "cert_invalid", None),
        "not looked at": (by_name, {"insecure_skip_verify": True}, "ok", f"{NEW} localhost http/1.1 -"),
        "with a certificate": (by_name, ours | shown, "ok", f"{NEW} localhost http/1.1 probe-1"),
    }


def test_no_check_finds_what_another_site_has_set(websentry, server, authorities):
    wanted = entries(server, *authorities)
    sites = [{"name": name, "url": url, "tls_config": tls, "pattern": "(TLS.*)", "evidence": 0}
             for name, (url, tls, _, _) in wanted.items()]
    file = websentry.write("sites.yaml", yaml.safe_dump({"sites": sites}))
    done = websentry.run("check", "--json", "--sites", file, "--repeat", ROUNDS, "--interval", "300ms", code=2)
    found = {name: set() for name in wanted}
    count = 0
    for line in done.stdout().splitlines():
        report = json.loads(line)
        if "reason" in report:
            found[report["site"]].add((report["reason"], report.get("pattern_capture")))
            count += 1
    assert count == ROUNDS * len(wanted)
    assert found == {name: {(reason, told)} for name, (_, _, reason, told) in wanted.items()}
