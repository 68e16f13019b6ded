#!/usr/bin/env python3
"""The demo's web sites: demo/sites.py FOLDER

One site for each thing that a site can do, on free ports of the loopback address. Writes FOLDER/sites.yaml for
websentry, prints `ready`, and serves until SIGTERM or SIGINT. Needs Python's standard library and the openssl command.
"""

import http.server
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

SLOW_S = 0.8
FLAP_S = 9  # up for two of these, then down for one
LONG_PAGE_BYTES = 400 * 1024  # more than websentry searches by default (256 KiB)
CERTIFICATE_DAYS = 6

WELCOME = '<!DOCTYPE html><title>Demo shop</title><h1>Welcome</h1><p id="build-{number}">All is well.</p>\n'


class Handler(http.server.BaseHTTPRequestHandler):
    """Every page of the demo; its path says what it does."""

    protocol_version = "HTTP/1.1"
    server_version = "demo"
    sys_version = ""
    # A response in one packet, at once: otherwise its head waits 40 ms for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self):
        page = {
            "/slow": self.slow,
            "/failing": lambda: self.answer(500, "<h1>Internal server error</h1>\n"),
            "/flapping": self.flapping,
            "/wrong": lambda: self.answer(200, "<h1>It works!</h1><p>The default page of a fresh server.</p>\n"),
            "/old": lambda: self.redirect("/older"),
            "/older": lambda: self.redirect("/oldest"),
            "/oldest": lambda: self.redirect("/welcome"),
            "/long": lambda: self.answer(200, "<p>row</p>\n" * (LONG_PAGE_BYTES // 11) + "<p>the last row</p>\n"),
        }.get(self.path, self.welcome)
        page()

    do_HEAD = do_GET

    def welcome(self):
        self.answer(200, WELCOME.format(number=int(time.time()) // 60))

    def slow(self):
        time.sleep(SLOW_S)
        self.welcome()

    def flapping(self):
        if int(time.monotonic() / FLAP_S) % 3 == 2:
            self.answer(503, "<h1>Out of order</h1>\n")
        else:
            self.welcome()

    def redirect(self, path):
        self.answer(302, "", {"Location": path})

    def answer(self, status, text, headers=None):
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/html; charset=utf-8", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        """Nothing: the program that watches us says what there is to say."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that went away half-way is none of our trouble."""


def serve(context=None):
    """Start a server on a free port; its port."""
    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        # The handshake happens in the connection's own thread, so that a silent client holds up nobody.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def refused_port():
    """A port that is taken, so that nobody else gets it, but that nobody listens on."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder, holder.getsockname()[1]


def openssl(*words):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"demo/sites.py: openssl {words[0]} failed:\n{done.stderr}")


def make_certificate(folder):
    """An authority of our own and a certificate that ends soon; made anew for each start."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    ca, ca_key, leaf, leaf_key = (folder / name for name in ("ca.pem", "ca.key", "site.pem", "site.key"))
    openssl("req", "-x509", *key, "-keyout", ca_key, "-out", ca, "-days", 365, "-subj", "/CN=Websentry demo authority",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl("req", "-x509", *key, "-CA", ca, "-CAkey", ca_key, "-keyout", leaf_key, "-out", leaf,
            "-days", CERTIFICATE_DAYS, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf, leaf_key)
    return ca, context


SITES = """\
# Written by demo/sites.py at each start.
defaults:
  interval: 2s
  timeout: 2s
sites:
  - name: Shop
    url: {plain}/welcome
    pattern: 'id="([^"]+)"'
    fail_if_body_not_matches_regexp: [Welcome]
  - name: Redirect chain
    url: {plain}/old
    interval: 3s
  - name: "<script>alert(1)</script>"
    url: {plain}/script
    interval: 5s
  - name: Slow search
    url: {plain}/slow
    max_response_time: 500ms
  - name: Certificate near its end
    url: {tls}/
    interval: 4s
    ca_file: '{ca}'
    cert_expiry_warn: 14d
  - name: Flapping
    url: {plain}/flapping
  - name: Failing
    url: {plain}/failing
    interval: 3s
  - name: Wrong content
    url: {plain}/wrong
    fail_if_body_not_matches_regexp: [Welcome]
  - name: Nobody listens
    url: {refused}/
    interval: 3s
  - name: Very long page
    url: {plain}/long
    interval: 4s
    fail_if_body_not_matches_regexp: [the last row]
"""


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1]).resolve()
    # Before any thread starts, so that all of them leave the signals to us.
    wanted = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    ca, context = make_certificate(folder / "certificates")
    holder, refused = refused_port()
    text = SITES.format(plain=f"http://127.0.0.1:{serve()}", tls=f"https://127.0.0.1:{serve(context)}",
                        refused=f"http://127.0.0.1:{refused}", ca=str(ca).replace("'", "''"))
    (folder / "sites.yaml").write_text(text, encoding="utf-8")
    print("ready", flush=True)
    signal.sigwait(wanted)
    holder.close()


if __name__ == "__main__":
    main()
